"""The codes of a run's test images and their projection to a plane, with the way back from a spot to a code.

A code of two numbers is its own plane. A longer one is seen along two of its principal components: a spot of that plane
stands for the mean code moved along the two, the one code of the plane's own that is nearest to all that are seen there.
Networks are only asked to encode and decode; everything else is NumPy.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cae_core import datasets, pca, runs
from cae_core.runs import Run, RunError
from cae_core.runtime.caching import cached

MAX_COMPONENTS = 5
"""Principal components that can be chosen for the plane, and `MAX_DIRECTIONS` of them for anything else."""
MAX_DIRECTIONS = 8

OUTSIDE = 0.002
"""Share of the points left out at each end of an axis by a plane as it is: a few codes lie very far out."""

EVENED = 0.7
"""How much of an evened-out axis goes by the share of points; the rest by the number itself."""


@dataclass(frozen=True, eq=False)
class Codes:
    """What a run makes of the first images of a test split.

    Attributes:
        z: `(n, d)` float32, one code a row, whatever shape it has in the network; read-only.
        labels: `(n,)` uint8, the images' classes.
        dataset: whose images they are.
        run: the network's run.
    """

    z: np.ndarray
    labels: np.ndarray
    dataset: str
    run: Run

    @property
    def size(self) -> int:
        """Numbers in a code."""
        return self.z.shape[1]

    def images(self, indices: np.ndarray | Sequence[int] | None = None) -> np.ndarray:
        """The images, or those with these indices, `(m, H, W, C)` float32 in [0, 1]."""
        x = datasets.load(self.dataset, "test").x[: len(self.z)]
        return datasets.as_float(x if indices is None else x[np.asarray(indices, int)])


@runs.kept(4)  # of 10,000 images: 5 MB with 128 numbers a code, 63 MB with 1,568
def encode(run: Run, dataset: str, num_images: int) -> Codes:
    """The codes of the first test images, or of all where there are fewer; the last four answers are kept in memory.

    Raises:
        RunError: the run's weights are missing or damaged, it takes images of another size, or its codes are not numbers.
        datasets.DataError: the data set is not there.
    """
    test, network = datasets.load(dataset, "test"), runs.model(run)
    if test.x.shape[1:] != network.image_shape:
        raise RunError(
            f"The run {run.label!r} takes images of {_times(network.image_shape)} values, those of "
            f"{datasets.DATASETS[dataset].label} have {_times(test.x.shape[1:])}: choose the data set it was trained on."
        )
    z = network.encode(datasets.as_float(test.x[:num_images]))
    z = z.reshape(len(z), -1)
    if not np.isfinite(z).all():
        raise RunError(f"The run {run.label!r} gives codes that are not numbers; its training went wrong. Choose another.")
    z.flags.writeable = False
    return Codes(z, test.y[:num_images], dataset, run)


def _times(shape: Sequence[int]) -> str:
    return " × ".join(map(str, shape))


def decode(run: Run, z: np.ndarray) -> np.ndarray:
    """Images `(m, H, W, C)` float32 in [0, 1] of codes `(m, d)`."""
    network = runs.model(run)
    return network.decode(np.asarray(z, np.float32).reshape(-1, *network.code_shape))


@dataclass(frozen=True, eq=False)
class Plane:
    """Codes on a plane, and the way back.

    Attributes:
        points: `(n, 2)` float32, where each code lies.
        axes: what the two numbers are.
        explained: share of the codes' variance along each axis, in [0, 1].
        origin: `(d,)` float64, the code at the plane's (0, 0).
        directions: `(2, d)` float64, how the code changes along each axis.
        reach: left, right, bottom and top of a square that holds all points, in the plane's units.
    """

    points: np.ndarray
    axes: tuple[str, str]
    explained: tuple[float, float]
    origin: np.ndarray
    directions: np.ndarray
    reach: tuple[float, float, float, float]

    def codes_at(self, spots: np.ndarray) -> np.ndarray:
        """Codes `(m, d)` float32 of spots `(m, 2)`."""
        return (np.asarray(spots, float) @ self.directions + self.origin).astype(np.float32)

    def spots_of(self, codes: np.ndarray) -> np.ndarray:
        """Where codes `(m, d)` lie on the plane, `(m, 2)` float32: for codes of the plane's own `codes_at` undone."""
        return ((codes - self.origin) @ self.directions.T).astype(np.float32)

    def inside(self, spot: Sequence[float]) -> tuple[float, float]:
        """The spot, or the nearest one to it that belongs to the plane's `reach`."""
        left, right, bottom, top = self.reach
        return min(max(float(spot[0]), left), right), min(max(float(spot[1]), bottom), top)


@dataclass(frozen=True, eq=False)
class Scale:
    """How a plane is laid out on its picture, a square from (0, 0) at the bottom left to (1, 1).

    Attributes:
        across, up: `(k,)` float64 ascending, the plane's numbers at equal steps along each side of the picture; between
            them, and on beyond the ends, it is linear.
    """

    across: np.ndarray
    up: np.ndarray

    def shares(self, spots: np.ndarray) -> np.ndarray:
        """Where spots `(m, 2)` of the plane are on the picture, `(m, 2)` float64; outside it below 0 or above 1."""
        return self._each(spots, lambda values, knots: _line(values, knots, np.linspace(0, 1, len(knots))))

    def spots(self, shares: np.ndarray) -> np.ndarray:
        """The inverse of `shares`."""
        return self._each(shares, lambda values, knots: _line(values, np.linspace(0, 1, len(knots)), knots))

    def _each(self, pairs, along) -> np.ndarray:
        pairs = np.asarray(pairs, np.float64).reshape(-1, 2)
        return np.stack([along(pairs[:, 0], self.across), along(pairs[:, 1], self.up)], axis=1)


def _line(values: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Piecewise linear from x to y, both ascending, and on with the slope of the ends."""
    below = (values - x[0]) * (y[1] - y[0]) / (x[1] - x[0])
    above = (values - x[-1]) * (y[-1] - y[-2]) / (x[-1] - x[-2])
    return np.interp(values, x, y) + np.minimum(below, 0) + np.maximum(above, 0)


@cached(most=16)
def scale(plane: Plane, even: bool) -> Scale:
    """The plane as it is, on a square that holds nearly all points; or with room made where points crowd.

    Networks stretch their codes as they like: of two numbers one class can take three quarters of the plane. Evened out,
    each axis on its own rises by a mixture of the number and of the share of points below it, so that order and the way
    back stay, and distances do not.
    """
    if not even:
        left, right, bottom, top = _square(*np.quantile(plane.points, [OUTSIDE, 1 - OUTSIDE], axis=0))
        return Scale(np.array([left, right]), np.array([bottom, top]))
    sides = []
    for column, ends in zip(plane.points.T.astype(float), (plane.reach[:2], plane.reach[2:]), strict=True):
        low, high = column.min(), column.max()
        margin = 0.04 * (high - low) or ends[1] - ends[0]
        values = np.linspace(low - margin, high + margin, 2049)
        ranks = np.searchsorted(np.sort(column), values, side="right") / len(column)
        ranks = np.convolve(np.pad(ranks, 16, mode="edge"), np.full(33, 1 / 33), mode="valid")  # steps made slopes
        risen = EVENED * ranks + (1 - EVENED) * np.linspace(0, 1, len(values))
        risen = (risen - risen[0]) / (risen[-1] - risen[0])
        sides.append(np.interp(np.linspace(0, 1, 129), risen, values))
    return Scale(*sides)


@cached(most=4)
def principal(codes: Codes) -> pca.PCA:
    """The principal components of codes, as many as there are up to `MAX_DIRECTIONS`."""
    return pca.fit(codes.z, min(MAX_DIRECTIONS, *codes.z.shape))


@cached(most=8)
def plane(codes: Codes, components: tuple[int, int] = (1, 2)) -> Plane:
    """The plane of two principal components, counted from 1; of codes of one or two numbers, the codes as they are.

    Raises:
        ValueError: the two are the same, or there are not so many.
    """
    if codes.size <= 2:
        points = np.pad(codes.z, ((0, 0), (0, 2 - codes.size)))
        shares = codes.z.var(axis=0, dtype=np.float64)
        shares = np.pad(shares / (shares.sum() or 1.0), (0, 2 - codes.size))
        axes = ("z₁", "z₂")[: codes.size] + ("",) * (2 - codes.size)
        return _plane(points, axes, (float(shares[0]), float(shares[1])), np.zeros(codes.size), np.eye(2)[:, : codes.size])
    fitted = principal(codes)
    across, up = components
    if across == up or not all(1 <= number <= fitted.num_components for number in components):
        raise ValueError(f"components is {components!r}; it must be two different ones from 1 to {fitted.num_components}.")
    chosen = [across - 1, up - 1]
    shares = fitted.explained_variance_ratio[chosen]
    points = (codes.z - fitted.mean) @ fitted.components[chosen].T
    axes = (pca.axis(across, shares[0]), pca.axis(up, shares[1]))
    return _plane(points, axes, (float(shares[0]), float(shares[1])), fitted.mean, fitted.components[chosen])


def _plane(points, axes, explained, origin, directions) -> Plane:
    reach = _square(points.min(axis=0), points.max(axis=0))
    return Plane(points.astype(np.float32), axes, explained, origin, directions, reach)


def _square(low: np.ndarray, high: np.ndarray) -> tuple[float, float, float, float]:
    """Left, right, bottom and top of a square around a box, with room at its edges."""
    middle = (np.asarray(low, float) + high) / 2
    half = 0.54 * float(np.max(np.asarray(high, float) - low)) or 1.0
    return tuple(float(end) for m in middle for end in (m - half, m + half))


def within(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Indices of the points `(n, 2)` inside a polygon `(m, 2)`, m at least 3, by the even-odd rule."""
    x, y = np.asarray(points, float).T
    inside = np.zeros(len(points), bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        crosses = (y0 > y) != (y1 > y)
        with np.errstate(divide="ignore", invalid="ignore"):  # a level side crosses no height
            inside ^= crosses & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return np.flatnonzero(inside)
