"""Questions of the Latent page."""

from pages.parts.latent.plane_view import NOTHING
from pages.parts.lesson.question import questions_of

_FIRST = {"run": (), "trained_on": "clean", "loss": "bce", "points": 2000, **NOTHING}

QUESTIONS = questions_of(
    "latent",
    no_labels={**_FIRST, "bottleneck": 2, "part": "neighbours"},
    much_room={**_FIRST, "bottleneck": 64, "components": "1-2", "part": "neighbours"},
    other_side={**_FIRST, "bottleneck": 16, "components": "4-5"},
    half_way={**_FIRST, "bottleneck": 16, "components": "1-2", "part": "interpolate", "image_a": 0, "image_b": 1},
)
