"""Novelty: an image's reconstruction error and code, compared with those of the run's test images."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np

from cae_core import datasets, metrics, runs
from cae_core.latent import embedding, neighbours

NUM_CODES = 2_000
"""Test images whose codes are kept, the first ones."""

IN_MEMORY = 12
"""Runs whose reference is kept: about 1 MB each, 13 MB for a code of 1,568 numbers."""

UNLIKE, UNUSUAL = 99.0, 95.0
"""Percentiles from which on an image is called so."""


def verdict(percentile: float) -> str:
    """What to call an image whose error has this percentile among those of the test images."""
    if percentile >= UNLIKE:
        return "Unlike the training data"
    return "Unusual" if percentile >= UNUSUAL else "Like the training data"


@dataclass(frozen=True, eq=False)
class Reference:
    """What a run makes of the test images of its own data set, without noise.

    Attributes:
        errors: `(n,)` float64, the mean squared error per pixel of every test image, ascending.
        codes: of the first `NUM_CODES` test images.
        plane: those codes on a plane, their first two principal components.
    """

    errors: np.ndarray = field(repr=False)
    codes: embedding.Codes = field(repr=False)
    plane: embedding.Plane = field(repr=False)

    def percentile(self, error: float) -> float:
        """Share of the test images with a smaller error, in percent."""
        return 100.0 * float(np.searchsorted(self.errors, error)) / len(self.errors)

    def nearest(self, z: np.ndarray, how_many: int = 5) -> tuple[np.ndarray, np.ndarray]:
        """The test images whose codes are nearest to one code.

        Args:
            z: `(1, ...)` float.
            how_many: of them.

        Returns:
            Their indices in the test split, nearest first, and their Euclidean distances.
        """
        return neighbours.nearest(self.codes.z, z.reshape(-1), how_many)

    def place(self, z: np.ndarray) -> np.ndarray:
        """Where codes `(n, ...)` lie on the plane, `(n, 2)` float32."""
        return self.plane.spots_of(z.reshape(len(z), -1))


@dataclass(frozen=True, eq=False)
class Seen:
    """What a run makes of one image.

    Attributes:
        run: the trained network's run.
        x_hat: `(1, H, W, C)` float32 in [0, 1], made from the noisy image.
        mse: mean squared error per pixel of x_hat against the image without noise.
        z: `(1, ...)` float32, the code of the noisy image.
        mse_without_noise: the same of what it makes of the image without noise; equal to mse where there is none.
        percentile: of mse_without_noise among the errors of the test images, in percent; None while the reference of the
            run is not known.
    """

    run: runs.Run
    x_hat: np.ndarray = field(repr=False)
    mse: float
    z: np.ndarray = field(repr=False)
    mse_without_noise: float
    percentile: float | None


def see(run: runs.Run, x: np.ndarray, x_noisy: np.ndarray) -> Seen:
    """One image through a run.

    The percentile is of the error *without* noise, like those of the test images that it is held against: noise makes any
    image unusual.

    Args:
        run: of a network for images of this shape.
        x: `(1, H, W, C)` float32 in [0, 1].
        x_noisy: the same shape, what the network gets.

    Raises:
        runs.RunError: the run is damaged, not trained, or for images of another shape.
    """
    if run.image_shape != x.shape[1:]:
        shapes = [" × ".join(map(str, shape)) for shape in (run.image_shape, x.shape[1:])]
        raise runs.RunError(f"The run {run.label!r} takes images of {shapes[0]}, not {shapes[1]}: choose another one.")
    network, errors = runs.model(run), known(run)
    x_hat, from_clean = np.split(network.reconstruct(np.concatenate([x_noisy, x])), 2)
    without_noise = metrics.mse(x, from_clean)
    percentile = errors.percentile(without_noise) if errors else None
    return Seen(run, x_hat, metrics.mse(x, x_hat), network.encode(x_noisy), without_noise, percentile)


_known: OrderedDict[tuple, Reference] = OrderedDict()
_guard = threading.Lock()
_work = threading.Lock()


def known(run: runs.Run) -> Reference | None:
    """The reference of a run if it has been made before; returns at once."""
    key = _key(run)
    with _guard:
        if key in _known:
            _known.move_to_end(key)
        return _known.get(key)


def reference(run: runs.Run) -> Reference:
    """The reference of a run, made now unless it is in memory; takes a second or two.

    Raises:
        runs.RunError: the run is damaged or not trained, or for images of another shape than its data set's.
        datasets.DataError: its data set is not on this machine, or damaged.
    """
    if errors := known(run):
        return errors
    with _work:  # two visitors asking at once wait for one
        if errors := known(run):
            return errors
        errors = _make(run)
        with _guard:
            _known[_key(run)] = errors
            while len(_known) > IN_MEMORY:
                _known.popitem(last=False)
        return errors


def _key(run: runs.Run) -> tuple:
    return run.path, run.step, run.created


def _make(run: runs.Run) -> Reference:
    codes = embedding.encode(run, run.config.dataset, NUM_CODES)
    network, test = runs.model(run), datasets.load(run.config.dataset, "test")
    errors = []
    for start in range(0, len(test.x), 1000):
        x = datasets.as_float(test.x[start : start + 1000])
        errors.append(metrics.per_image(x, network.reconstruct(x), ["mse"])["mse"])
    return Reference(np.sort(np.concatenate(errors)), codes, embedding.plane(codes))
