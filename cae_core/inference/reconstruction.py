"""Reconstructions: ten test images, with noise or without, through trained networks, and their metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cae_core import datasets, metrics, runs
from cae_core.corruptions import corrupt


@dataclass(frozen=True)
class Sample:
    """Clean images and their noisy copies.

    Attributes:
        x: `(n, H, W, C)` float32 in [0, 1], the clean images, one of each class in the order of the classes.
        x_noisy: the same shape, what the network gets.
        noisy_figures: `metrics.summary` of x_noisy against x.
    """

    x: np.ndarray
    x_noisy: np.ndarray
    noisy_figures: Mapping[str, float]

    @property
    def is_noisy(self) -> bool:
        """Whether the copies differ from the images: a noise of strength 0 changes nothing."""
        return not np.array_equal(self.x, self.x_noisy)


@dataclass(frozen=True)
class Reconstruction:
    """What one run makes of a sample.

    Attributes:
        run: the trained network's run.
        x_hat: `(n, H, W, C)` float32 in [0, 1], made from x_noisy.
        figures: `metrics.summary` of x_hat against the clean x: the target is never the noisy image.
    """

    run: runs.Run
    x_hat: np.ndarray
    figures: Mapping[str, float]


def sample(dataset: str, noise_kind: str, noise_factor: float, seed: int) -> Sample:
    """One test image of each class, clean and noisy; the seed decides which images and which noise."""
    test = datasets.load(dataset, "test")
    x = datasets.as_float(test.x[datasets.choose(test.y, seed)])
    x_noisy = corrupt(x, noise_kind, noise_factor, seed)
    return Sample(x, x_noisy, metrics.summary(x, x_noisy))


def reconstruct(images: Sample, names: Sequence[str], step: int | None = None) -> list[Reconstruction]:
    """The noisy images through each named run.

    Args:
        images: clean and noisy.
        names: of the runs.
        step: one whose weights each of them keeps; without one, the last.

    Raises:
        runs.RunError: a run is missing or damaged, or of images of another shape.

    Example:
        >>> from cae_core.inference import reconstruction
        >>> ten = reconstruction.sample("strokes", "gaussian", 0.5, seed=0)
        >>> (result,) = reconstruction.reconstruct(ten, ["strokes-b32-bce-mixed"])
        >>> result.x_hat.shape, result.figures["mse"] < ten.noisy_figures["mse"] / 4
        ((10, 28, 28, 1), True)
    """
    through = []
    for name in names:
        run = runs.network(name)
        network = runs.model(run, step)
        if images.x.shape[1:] != network.image_shape:
            theirs, ours = (" × ".join(map(str, shape)) for shape in (network.image_shape, images.x.shape[1:]))
            raise runs.RunError(f"The run {run.label!r} takes images of {theirs}, these are {ours}: choose another.")
        x_hat = network.reconstruct(network.seen(images.x_noisy))
        through.append(Reconstruction(run, x_hat, metrics.summary(images.x, x_hat)))
    return through
