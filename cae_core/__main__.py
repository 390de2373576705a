"""Starts the command line: `python -m cae_core`."""

import sys

try:
    from cae_core.cli import main
except ImportError as error:  # no command, `doctor` neither, can be read without NumPy and its like
    from cae_core.runtime import packages

    sys.exit(f"error: {error}: {packages.MENDED}.")

if __name__ == "__main__":
    sys.exit(main())
