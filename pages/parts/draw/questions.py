"""Questions of the Draw page."""

from collections.abc import Mapping
from typing import Any

from cae_core import metrics
from cae_core.corruptions import corrupt
from cae_core.inputs import drawing, gallery
from cae_core.pretrained import name_of
from pages.parts.lesson.question import Question, questions_of


def _noisy_drawing(now: Mapping[str, Any]) -> str:
    x = drawing.to_network(gallery.picture(now["ready"]), now["centred"])
    before = metrics.mse(x, corrupt(x, now["noise_kind"], now["added_noise"], now["seed"]))
    return f"MSE of what went in: {before:.3f}; of what came back: under its picture"


def questions(dataset: str) -> dict[str, Question]:
    """Drawings worth looking at through the shipped models; a test holds each claim against them.

    Args:
        dataset: whose models; the claims hold for those trained on digits.
    """

    def on(ready: str, bottleneck: int, *others: tuple[int, str, str], **more) -> dict:
        models = tuple(name_of(dataset, *other) for other in others)
        plain = {"loss": "bce", "trained_on": "mixed", "centred": True, "added_noise": 0.0}
        return {"dataset": dataset, "ready": ready, "bottleneck": bottleneck, "models": models, **plain, **more}

    return questions_of(
        "draw",
        {"noisy_drawing": _noisy_drawing},
        house=on("house", 8, (32, "bce", "mixed")),
        letter=on("letter_a", 8, (32, "bce", "mixed"), (128, "bce", "mixed")),
        corner=on("corner", 32, (8, "bce", "mixed"), centred=False),
        noisy_drawing=on("three", 32, (32, "bce", "clean"), noise_kind="gaussian", added_noise=0.5, seed=0),
    )
