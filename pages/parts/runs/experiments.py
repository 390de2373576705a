"""Experiments of the Runs page: comparisons to try, of runs that ship with the app."""

from __future__ import annotations

from cae_core.pretrained import name_of
from pages.parts.common.experiment import Experiment


def experiments(dataset: str) -> dict[str, Experiment]:
    """Comparisons of runs that ship with the app; a test holds each against what was measured."""

    def compared(*parts: tuple[int, str, str]) -> dict:
        return {"whose": "shipped", "runs": tuple(name_of(dataset, *part) for part in parts)}

    return {
        "two_or_more": Experiment(
            "Two numbers or thirty-two?",
            compared((2, "mse", "clean"), (32, "mse", "clean")),
            "With 32 numbers in the code instead of two, the error on clean images falls to less than a tenth, although "
            "the run with two was given twice the epochs. What the code has no room for, no training brings back.",
        ),
        "wider": Experiment(
            "Does wider go on helping?",
            compared((8, "mse", "clean"), (32, "mse", "clean"), (128, "mse", "clean")),
            "Each time the code has four times as many numbers, the error on clean images falls to less than a third. What "
            "it costs is in the row of parameters.",
        ),
        "bce_or_mse": Experiment(
            "BCE or MSE?",
            compared((32, "bce", "clean"), (32, "mse", "clean")),
            "On clean images the two end within one hundredth of each other's MSE: the loss hardly matters. It does on "
            "what neither was trained for: at noise 0.5 the run trained with MSE has less than two thirds of the other's "
            "error.",
        ),
        "never_saw_noise": Experiment(
            "What does practice with noise cost?",
            compared((32, "bce", "mixed"), (32, "bce", "clean")),
            "The run trained on noisy images has less than a tenth of the other's error at noise 0.5, and pays with more "
            "than one and a half times its error on clean images. They differ in epochs and batch size too, so not all of "
            "the price is the noise's.",
        ),
    }
