"""Starts the command line: `python -m cae_core`."""

import sys

from cae_core.cli import main

if __name__ == "__main__":
    sys.exit(main())
