"""What this host is for, by its environment: whether anything may be trained here, `CAE_TRAINING`."""

from __future__ import annotations

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


def check() -> None:
    """A ValueError if the environment says something of this host that cannot be."""
    training_off()
