"""Experiments of the Colour page."""

from pages.parts.common.experiment import experiments_of

_SHIPPED = {"colour_run": (), "seed": 0}

EXPERIMENTS = experiments_of(
    "colour",
    read_to_colour={"dataset": "strokes_colour", "chain": "colorize", **_SHIPPED},
    as_listed={"dataset": "strokes_colour", "chain": "colorize_listing", **_SHIPPED},
    pale_photographs={"dataset": "cifar10", "chain": "colorize", **_SHIPPED},
    listed_photographs={"dataset": "cifar10", "chain": "colorize_listing", **_SHIPPED},
)
