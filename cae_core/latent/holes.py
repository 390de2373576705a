"""Holes of a plane of codes: where no code lies though codes lie all around, and what tells that the decoder makes it up.

A hole is a largest empty circle (Shamos and Hoey, Closest-point problems, FOCS 1975) of the plane as it is drawn: a circle
with no code inside, about a place that is farther from the nearest code than any place beside it. To be one, it has

- a radius of at least `FACTOR` times the distance that 99 of 100 codes stay below to the code nearest to them, for even
  codes strewn at random leave gaps of about 1.4 times that by chance, and
- codes all around: seen from its middle, no two directions next to each other in which codes lie, up to twice the
  radius away, are more than `WIDEST` degrees apart. So the room outside the cloud, and its bays, are none.

Only codes of two numbers have holes here. The plane of longer ones is a shadow: a gap in it is one in the code as well,
but what fills a gap of the shadow may be far from it in the code, so nothing would be known about the rest.
"""

from dataclasses import dataclass

import numpy as np

from cae_core import datasets, runs
from cae_core.corruptions import NOISE_KINDS, numpy_draw
from cae_core.latent import embedding, neighbours
from cae_core.latent.embedding import Codes, Plane, Scale
from cae_core.runs import Run
from cae_core.runtime.caching import cached

MOST = 3
"""Holes that are marked, the largest."""
FACTOR, WIDEST = 1.5, 120.0
SIDE = 96
"""Places a side of the picture that are tried as the middle of a circle."""
TRAINING = 5_000
"""Training images whose codes are looked for in a hole."""


@dataclass(frozen=True)
class Hole:
    """An empty circle.

    Attributes:
        middle: on the picture, shares of its width and height.
        radius: share of the picture's side; no code is nearer to the middle.
        spot: the middle on the plane.
    """

    middle: tuple[float, float]
    radius: float
    spot: tuple[float, float]


@cached(most=16)
def find(codes: Codes, plane: Plane, scale: Scale) -> tuple[Hole, ...]:
    """The holes of the plane as it is drawn, the largest first; none for codes of any other size than two numbers."""
    if codes.size != 2:
        return ()
    circles = empty_circles(scale.shares(plane.points))
    spots = scale.spots(circles[:, :2])
    return tuple(
        Hole((float(x), float(y)), float(radius), (float(a), float(b)))
        for (x, y, radius), (a, b) in zip(circles, spots, strict=True)
    )


def within(hole: Hole, scale: Scale, spot: np.ndarray) -> bool:
    """Whether a spot of the plane, `(2,)`, lies in the hole."""
    return bool(np.linalg.norm(scale.shares([spot])[0] - hole.middle) < hole.radius)


def empty_circles(points: np.ndarray, most: int = MOST, side: int = SIDE) -> np.ndarray:
    """The largest circles without a point among points, none over another.

    Args:
        points: `(n, 2)` float; the square from (0, 0) to (1, 1) is looked at.
        most: circles at most.
        side: places a side of the square that are tried as a middle.

    Returns:
        `(m, 3)` float64, x and y of the middle and the radius, the largest first. Each is empty; of the places tried, none
        beside has more room, so the best circle there is at most √½ / `side` larger.
    """
    circles = np.empty((0, 3))
    points = np.asarray(points, np.float64)
    if len(points) < 3:
        return circles
    nearest = neighbours.of_each(points, 1)[:, 0]
    usual = np.quantile(np.linalg.norm(points - points[nearest], axis=1), 0.99)
    middles = (np.arange(side) + 0.5) / side
    distances = _distances(points, middles)
    around = np.pad(distances, 1, constant_values=np.inf)  # at the edge of the square there is no more to see
    peaks = distances >= np.max([np.roll(around, shift, (0, 1))[1:-1, 1:-1] for shift in _BESIDE], axis=0)
    rows, columns = np.nonzero(peaks & (distances > 0) & (distances >= FACTOR * usual) & (usual > 0))
    for place in np.argsort(-distances[rows, columns], kind="stable"):
        middle = middles[[rows[place], columns[place]]]
        radius = distances[rows[place], columns[place]]
        apart = np.linalg.norm(circles[:, :2] - middle, axis=1) >= circles[:, 2] + radius
        if apart.all() and _widest_gap(points - middle, 2 * radius) <= WIDEST:
            circles = np.concatenate([circles, [[*middle, radius]]])
        if len(circles) == most:
            break
    return circles


_BESIDE = [(row, column) for row in (-1, 0, 1) for column in (-1, 0, 1) if row or column]


def _distances(points: np.ndarray, middles: np.ndarray) -> np.ndarray:
    """How far the nearest point is from each place of a lattice, `(side, side)`, x first."""
    across, up = (np.square(middles[:, None] - column) for column in points.T)
    squares = np.empty((len(middles), len(middles)))
    sums = np.empty_like(up)
    for place, some in enumerate(across):
        np.add(up, some, out=sums)
        sums.min(axis=1, out=squares[place])
    return np.sqrt(squares)


def _widest_gap(offsets: np.ndarray, reach: float) -> float:
    """The most degrees between two directions that follow on each other, of the offsets up to this long."""
    angles = np.sort(np.degrees(np.arctan2(*offsets[np.linalg.norm(offsets, axis=1) <= reach].T)))
    return float(np.diff(angles, append=angles[:1] + 360).max(initial=0)) if len(angles) > 1 else 360.0


@dataclass(frozen=True)
class Asked:
    """How often training asked the decoder about codes in a circle.

    Attributes:
        inside: codes of training images in it.
        usual: the median number in circles of its size about codes that the plane shows.
        num_images: training images looked at.
    """

    inside: int
    usual: int
    num_images: int


@cached(most=64)
def asked(codes: Codes, plane: Plane, scale: Scale, hole: Hole) -> Asked:
    """Training images with their codes in a hole, as the network got them, with its noise.

    Raises:
        datasets.DataError: the images it was trained on are not there.
    """
    training = scale.shares(plane.spots_of(training_codes(codes.run)))
    middles = np.concatenate([[hole.middle], scale.shares(plane.points[:: max(1, len(plane.points) // 200)])])
    counts = [int(np.sum(np.square(training - middle).sum(axis=1) < hole.radius**2)) for middle in middles]
    return Asked(counts[0], int(np.median(counts[1:])), len(training))


@runs.kept(4)
def training_codes(run: Run, most: int = TRAINING) -> np.ndarray:
    """Codes `(n, d)` float32 of the first images that a run was trained on, up to `most`, with noise as it had."""
    x = datasets.load(run.config.dataset, "train", keep=False).x[: min(most, run.config.num_train)]
    x = datasets.as_float(x)
    factors = np.full((len(x), 1, 1, 1), run.config.noise_factor, np.float32)
    x_noisy = NOISE_KINDS[run.config.noise_kind].make(np, x, factors, numpy_draw(0))
    z = runs.model(run).encode(np.asarray(x_noisy, np.float32))
    return z.reshape(len(z), -1)


def strays(codes: Codes, plane: Plane, scale: Scale, spots: np.ndarray) -> np.ndarray:
    """How far from a spot its picture is coded: decoded, encoded again, and measured on the plane as it is drawn.

    Args:
        spots: `(m, 2)` of the plane.

    Returns:
        `(m,)` float64, shares of the picture's side: 0 where encoder and decoder agree.
    """
    x_hat = embedding.decode(codes.run, plane.codes_at(spots))
    again = runs.model(codes.run).encode(x_hat)
    return np.linalg.norm(scale.shares(plane.spots_of(again.reshape(len(again), -1))) - scale.shares(spots), axis=1)


@cached(most=16)
def usual_stray(codes: Codes, plane: Plane, scale: Scale) -> float:
    """The median of `strays` of codes of images, up to 200 of them."""
    return float(np.median(strays(codes, plane, scale, plane.points[:200])))
