"""How unusual an image is for a network: its reconstruction error and its code among those of the run's test images."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np

from cae_core import datasets, latent, metrics, runs

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
        dataset: name of the data set.
        errors: `(n,)` float64, the mean squared error a pixel of every test image, ascending.
        codes: `(m, d)` float32, the codes of the first `NUM_CODES` test images.
        labels: `(m,)` their classes.
        plane: those codes on a plane.
        mean: `(d,)` float32, the code that lies at the plane's origin.
        directions: `(d, 2)` float32, so that `(z - mean) @ directions` is where a code lies on it.
    """

    dataset: str
    errors: np.ndarray = field(repr=False)
    codes: np.ndarray = field(repr=False)
    labels: np.ndarray = field(repr=False)
    plane: latent.Plane = field(repr=False)
    mean: np.ndarray = field(repr=False)
    directions: np.ndarray = field(repr=False)

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
        distances = np.sqrt(np.square(self.codes - z.reshape(1, -1)).sum(axis=1))
        order = np.argsort(distances, kind="stable")[:how_many]
        return order, distances[order]

    def place(self, z: np.ndarray) -> np.ndarray:
        """Where codes `(n, ...)` lie on the plane, `(n, 2)` float32."""
        return (z.reshape(len(z), -1) - self.mean) @ self.directions


@dataclass(frozen=True, eq=False)
class Seen:
    """What a run makes of one image.

    Attributes:
        run: the trained network's run.
        x_hat: `(1, H, W, C)` float32 in [0, 1], made from the noisy image.
        mse: mean squared error a pixel of x_hat against the image without noise.
        z: `(1, ...)` float32, the code of the noisy image.
        percentile: of the error without noise among those of the test images, in percent; None while the reference of the
            run is not known.
    """

    run: runs.Run
    x_hat: np.ndarray = field(repr=False)
    mse: float
    z: np.ndarray = field(repr=False)
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
        shapes = [" x ".join(map(str, shape)) for shape in (run.image_shape, x.shape[1:])]
        raise runs.RunError(f"The run {run.label!r} takes images of {shapes[0]}, not {shapes[1]}: choose another one.")
    network, found = runs.model(run), known(run)
    x_hat, from_clean = np.split(network.reconstruct(np.concatenate([x_noisy, x])), 2)
    percentile = found.percentile(metrics.mse(x, from_clean)) if found else None
    return Seen(run, x_hat, metrics.mse(x, x_hat), network.encode(x_noisy), percentile)


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
        runs.RunError: the run is damaged or not trained.
        datasets.DataError: its data set is not on this machine, or damaged.
        ValueError: the run is for images of another shape than its data set's.
    """
    if found := known(run):
        return found
    with _work:  # two visitors asking at once wait for one
        if found := known(run):
            return found
        made = _make(run)
        with _guard:
            _known[_key(run)] = made
            while len(_known) > IN_MEMORY:
                _known.popitem(last=False)
        return made


def _key(run: runs.Run) -> tuple:
    return run.path, run.step, run.created


def _make(run: runs.Run) -> Reference:
    network, test = runs.model(run), datasets.load(run.config.dataset, "test")
    errors = []
    for start in range(0, len(test.x), 1000):
        x = datasets.as_float(test.x[start : start + 1000])
        errors.append(metrics.per_image(x, network.reconstruct(x), ["mse"])["mse"])
    codes = network.encode(datasets.as_float(test.x[:NUM_CODES])).reshape(len(test.x[:NUM_CODES]), -1)
    plane = latent.to_plane(codes)
    mean, directions = _axes(codes, plane.points)
    return Reference(
        dataset=run.config.dataset,
        errors=np.sort(np.concatenate(errors)),
        codes=codes,
        labels=test.y[:NUM_CODES],
        plane=plane,
        mean=mean,
        directions=directions,
    )


def _axes(codes: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The map from codes to the plane's points: with the principal coordinates `p = (z - mean) v`, and |v| = 1, the
    direction v is `(z - mean)ᵀ p / |p|²` over all codes. Codes of one or two numbers are the points."""
    if codes.shape[1] <= 2:
        return np.zeros(codes.shape[1], np.float32), np.eye(codes.shape[1], 2, dtype=np.float32)
    mean = codes.mean(axis=0, dtype=np.float64)
    points = points.astype(np.float64)
    squares = np.maximum(np.square(points).sum(axis=0), 1e-30)
    return mean.astype(np.float32), ((codes - mean).T @ points / squares).astype(np.float32)
