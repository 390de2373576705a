"""Questions of the Runs page: comparisons to try, of runs that ship with the app."""

from __future__ import annotations

from cae_core.pretrained import name_of
from pages.parts.lesson.question import Question, questions_of


def questions(dataset: str) -> dict[str, Question]:
    """Comparisons of runs that ship with the app; a test holds each against what was measured."""

    def compared(*parts: tuple[int, str, str]) -> dict:
        return {"whose": "shipped", "runs": tuple(name_of(dataset, *part) for part in parts)}

    return questions_of(
        "runs",
        two_or_more=compared((2, "mse", "clean"), (32, "mse", "clean")),
        wider=compared((8, "mse", "clean"), (32, "mse", "clean"), (128, "mse", "clean")),
        bce_or_mse=compared((32, "bce", "clean"), (32, "mse", "clean")),
        cost_of_practice=compared((32, "bce", "mixed"), (32, "bce", "clean")),
    )
