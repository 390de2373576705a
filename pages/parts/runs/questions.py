"""Questions of the Runs page: comparisons to try, of runs that ship with the app."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cae_core import runs
from cae_core.pretrained import name_of
from pages.parts.lesson.question import Question, questions_of


def _errors(now: Mapping[str, Any]) -> str:
    errors = [runs.network(name).metrics["clean"]["mse"] for name in now["runs"]]
    return f"MSE {', '.join(f'{error:.4f}' for error in errors[:-1])} and {errors[-1]:.4f} over the clean test set"


def questions(dataset: str) -> dict[str, Question]:
    """Comparisons of runs that ship with the app; a test holds each against what was measured."""

    def compared(*parts: tuple[int, str, str]) -> dict:
        return {"whose": "shipped", "runs": tuple(name_of(dataset, *part) for part in parts)}

    return questions_of(
        "runs",
        dict.fromkeys(("two_or_more", "wider", "bce_or_mse", "cost_of_practice"), _errors),
        two_or_more=compared((2, "mse", "clean"), (32, "mse", "clean")),
        wider=compared((8, "mse", "clean"), (32, "mse", "clean"), (128, "mse", "clean")),
        bce_or_mse=compared((32, "bce", "clean"), (32, "mse", "clean")),
        cost_of_practice=compared((32, "bce", "mixed"), (32, "bce", "clean")),
    )
