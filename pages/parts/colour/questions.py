"""Questions of the Colour page."""

from pages.parts.lesson.question import questions_of

_SHIPPED = {"colour_run": (), "seed": 0}

QUESTIONS = questions_of(
    "colour",
    read_to_colour={"dataset": "strokes_colour", "chain": "colorize", **_SHIPPED},
    as_listed={"dataset": "strokes_colour", "chain": "colorize_listing", **_SHIPPED},
    pale_photographs={"dataset": "cifar10", "chain": "colorize", **_SHIPPED},
    listed_photographs={"dataset": "cifar10", "chain": "colorize_listing", **_SHIPPED},
)
