"""Questions of the Stacked page."""

from __future__ import annotations

from pages.parts.lesson.question import questions_of

SMALL = {
    "stack_view": "mine", "layers": 2, "maps": 12, "kernel": 5, "pooling": True, "stack_noise": 0.0, "labels": 100,
    "stack_images": 5_000, "stack_epochs": 1, "tuning_steps": 150, "stack_rate": 0.005, "tuning_rate": 0.004,
    "stack_batch": 25, "stack_optimizer": "adam", "hidden": 100, "dropout": 0.5, "stack_seed": 0,
}  # fmt: skip

QUESTIONS = questions_of(
    "stacked",
    copy=SMALL | {"layers": 1, "pooling": False},
    deep=SMALL | {"layers": 3, "kernel": 3, "pooling": False, "maps": 8},
    noise=SMALL | {"stack_noise": 0.5, "stack_noise_kind": "gaussian"},
    few=SMALL | {"labels": 10},
)
