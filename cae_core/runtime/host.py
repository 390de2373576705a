"""What this host is for, by its environment: whether it trains, `CAE_TRAINING`, and how much at once, `CAE_WORKERS`."""

import os

OFF = (
    "Training is switched off on this server, which only shows: look at everything here, and train with the app on a "
    "machine of your own."
)


def training_off() -> str:
    """Why nothing may be trained from the pages of this host; "" where it may. The command line does not ask.

    Raises:
        ValueError: `CAE_TRAINING` is neither on nor off.
    """
    value = os.environ.get("CAE_TRAINING") or "on"
    if value not in ("on", "off"):
        raise ValueError(f"CAE_TRAINING is {value!r}: set it to on or off, or leave it out, which means on.")
    return OFF if value == "off" else ""


MOST_WORKERS = 16


def workers() -> int:
    """How many runs are trained side by side, each in a process of its own if they are several.

    Raises:
        ValueError: `CAE_WORKERS` is no whole number from 1 to `MOST_WORKERS`.
    """
    value = os.environ.get("CAE_WORKERS") or "1"
    if value not in map(str, range(1, MOST_WORKERS + 1)):
        raise ValueError(
            f"CAE_WORKERS is {value!r}: set it to a whole number from 1 to {MOST_WORKERS}, or leave it out, which means 1."
        )
    return int(value)


def check() -> None:
    """A ValueError if the environment says something of this host that cannot be."""
    training_off(), workers()
