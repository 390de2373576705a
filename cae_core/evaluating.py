"""How good a finished network is: its figures on whole sets of images that it has never seen."""

from __future__ import annotations

import numpy as np

from cae_core import metrics
from cae_core.architectures.autoencoder import Autoencoder
from cae_core.corruptions import corrupt
from cae_core.datasets import as_float, load

MEASURED = {"clean": ("none", 0.0), "gaussian 0.5": ("gaussian", 0.5)}
"""Conditions a finished run is measured under on the whole test split: label to noise kind and factor."""


def evaluate(
    model: Autoencoder, images: np.ndarray, noise_kind: str, noise_factor: float, seed: int = 0
) -> dict[str, float | int]:
    """How well a model gets from noisy input back to the clean target.

    Args:
        images: `(n, H, W, C)` uint8, clean.
        noise_kind: a name in `CORRUPTIONS`.
        noise_factor: in [0, 1].
        seed: of the noise.

    Returns:
        `{"mse", "psnr", "ssim", "bce", "num_images"}` of the reconstruction of the noisy images against the clean ones.
    """
    x = as_float(images)
    x_hat = model.reconstruct(corrupt(x, noise_kind, noise_factor, seed))
    return {**metrics.summary(x, x_hat), "num_images": len(x)}


def measure(model, dataset: str) -> dict[str, dict[str, float]]:
    """The figures of `evaluate` on the whole test split, by condition in `MEASURED`."""
    x = load(dataset, "test").x
    return {
        label: {key: round(value, 6) for key, value in evaluate(model, x, kind, factor).items()}
        for label, (kind, factor) in MEASURED.items()
    }
