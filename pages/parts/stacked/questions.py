"""Questions of the Stacked page."""

from collections.abc import Mapping
from typing import Any

from cae_core.stacking import results
from pages.parts.lesson.question import questions_of

SMALL = {
    "stack_view": "mine", "layers": 2, "maps": 12, "kernel": 5, "pooling": True, "stack_noise": 0.0, "labels": 100,
    "stack_images": 5_000, "stack_epochs": 1, "tuning_steps": 150, "stack_rate": 0.005, "tuning_rate": 0.004,
    "stack_batch": 25, "stack_optimizer": "adam", "hidden": 100, "dropout": 0.5, "stack_seed": 0,
}  # fmt: skip
FEW, MANY = 300, 55_000
"""Labels that the question of the curve is about."""


def _few_or_many(now: Mapping[str, Any]) -> str:
    result, _ = results.shipped()
    points = [point for point in result.points if point.labels in (FEW, MANY)] if result else []
    return "; ".join(
        f"{point.labels:,} labels: {point.mean('pretrained')[0]:.2f} % misread, "
        f"{point.mean('random')[0]:.2f} % from random weights"
        for point in points
    )


QUESTIONS = questions_of(
    "stacked",
    {"few_or_many": _few_or_many},
    few_or_many={"stack_view": "curve", "point": FEW, "arm": "pretrained"},
    copy=SMALL | {"layers": 1, "pooling": False},
    deep=SMALL | {"layers": 3, "kernel": 3, "pooling": False, "maps": 8},
    noise=SMALL | {"stack_noise": 0.5, "stack_noise_kind": "gaussian"},
    one_label=SMALL | {"labels": 10},
)
