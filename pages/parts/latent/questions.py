"""Questions of the Latent page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cae_core import runs
from cae_core.pretrained import name_of
from pages.parts.latent.plane_view import NOTHING
from pages.parts.lesson.question import Question, questions_of

HOLES = {"strokes": ("-59.96", "3.84"), "mnist": ("-89.68", "154.5")}
"""A spot of the plane of two numbers with codes around and none near, by data set."""


def _sharper(now: Mapping[str, Any]) -> str:
    few, many = (runs.network(name_of(now["dataset"], size, "bce", "clean")).metrics["clean"]["mse"] for size in (8, 64))
    return f"and the error {few / many:.1f} times smaller: MSE {few:.4f} and {many:.4f} over the test set"


def questions(dataset: str) -> dict[str, Question]:
    """The questions, for the shipped models of a data set of digits."""
    first = {"run": (), "trained_on": "clean", "loss": "bce", "points": 2000, **NOTHING}
    return questions_of(
        "latent",
        {"sharper": _sharper},
        no_labels={**first, "bottleneck": 2, "part": "neighbours"},
        much_room={**first, "bottleneck": 32, "components": "1-2", "part": "neighbours"},
        sharper={**first, "bottleneck": 64, "components": "1-2", "part": "neighbours"},
        other_side={**first, "bottleneck": 16, "components": "4-5"},
        half_way={**first, "bottleneck": 16, "components": "1-2", "part": "interpolate", "image_a": 0, "image_b": 1},
        no_code={**first, "bottleneck": 2, "spot": HOLES[dataset]},
    )
