"""New images from a network's prior: codes drawn from it, its plane as a lattice, and how near they come to a copy.

The prior is the standard normal distribution that a variational network's codes are pressed into. Of any other network
the same codes can be decoded; nothing says that its own lie there, which the images show. NumPy only.
"""

from statistics import NormalDist

import numpy as np

from cae_core import datasets
from cae_core.config import Bounds, lookup
from cae_core.latent import embedding, holes
from cae_core.latent.embedding import Codes
from cae_core.runs import Run
from cae_core.runtime.caching import cached

TEMPERATURE = Bounds(0.0, 4.0)
"""How far codes are drawn: the standard deviation of each number; 1 is the prior, 0 its middle."""

SIDE = Bounds(2, 40, integer=True)
"""Images a side of a lattice."""

SHEET, TESTS, FITTED_TO = 10, 200, 1_000
"""Pictures a side of a sheet of samples, test images that they are compared with, and training images whose codes a normal
distribution is fitted to."""

DRAWN_FROM = ("prior", "fitted", "lattice")
"""Where codes can be drawn from: the prior, a normal distribution fitted to the codes of training images, or the prior's
`lattice`, which is of two numbers and the same every time."""


def draw(size: int, count: int, seed: int, temperature: float = 1.0) -> np.ndarray:
    """Codes drawn from the prior, `(count, size)` float32; equal seeds give equal ones.

    Raises:
        ValueError: the temperature is out of its bounds.
    """
    temperature = TEMPERATURE.check("temperature", temperature)
    return np.random.default_rng(seed).standard_normal((count, size), np.float32) * np.float32(temperature)


def lattice(side: int) -> np.ndarray:
    """Codes of two numbers `(side², 2)` float32, the top row first, of which the prior has as many between each two.

    They are even in probability: the inverse normal distribution of the middles of equal shares, as in Kingma and Welling,
    ICLR 2014, appendix A.

    Raises:
        ValueError: the side is out of its bounds.
    """
    side = SIDE.check("side", side)
    z = [NormalDist().inv_cdf((i + 0.5) / side) for i in range(side)]
    return np.stack(np.meshgrid(z, z[::-1]), axis=-1).reshape(-1, 2).astype(np.float32)


def nearest(x_hat: np.ndarray, images: np.ndarray, some: int = 2_000) -> tuple[np.ndarray, np.ndarray]:
    """The image of a set that each of some others is nearest to: is it a copy?

    Args:
        x_hat: `(n, H, W, C)` float32 in [0, 1].
        images: `(N, H, W, C)` uint8, those trained on.
        some: of them that are compared at a time, which bounds memory.

    Returns:
        Their places, `(n,)`, of equally near ones the first, and the mean squared error per pixel, `(n,)` float64.
    """
    flat = x_hat.reshape(len(x_hat), -1).astype(np.float32)
    twice = 510 * flat  # in units of 1 / 255, which spares dividing every image
    best, least = np.zeros(len(flat), np.int64), np.full(len(flat), np.inf)
    for start in range(0, len(images), some):
        part = images[start : start + some].reshape(-1, flat.shape[1]).astype(np.float32)
        errors = np.einsum("ij,ij->i", part, part) - twice @ part.T  # less |x_hat|², which changes no order
        places = errors.argmin(axis=1)
        nearer = errors[np.arange(len(flat)), places]
        best, least = np.where(nearer < least, start + places, best), np.minimum(least, nearer)
    there = images[best].reshape(len(flat), -1).astype(np.float64) / 255
    return best, np.square(there - flat).mean(axis=1)


def fitted(codes: np.ndarray, count: int, seed: int, temperature: float = 1.0) -> np.ndarray:
    """Codes from the normal distribution with the mean and the covariance of others, `(count, d)` float32.

    Args:
        codes: `(n, d)` float, n at least 2.
        count, seed, temperature: as of `draw`.
    """
    middle = codes.mean(axis=0, dtype=np.float64)
    mixed = draw(len(codes), count, seed, temperature) @ (codes - middle) / np.sqrt(len(codes))
    return (middle + mixed).astype(np.float32)


def codes_of(run: Run, drawn_from: str, count: int, seed: int, temperature: float = 1.0) -> np.ndarray:
    """Codes `(count, d)` float32 for a run's decoder from one of `DRAWN_FROM`; of the lattice, count is a square number.

    Raises:
        ValueError: there is no such distribution, or the temperature is out of its bounds.
        datasets.DataError: the images that the run was trained on are not there, to fit anything to.
    """
    lookup(dict.fromkeys(DRAWN_FROM), "distribution of codes", drawn_from)
    if drawn_from == "fitted":
        return fitted(holes.training_codes(run, FITTED_TO), count, seed, temperature)
    if drawn_from == "lattice":
        return lattice(round(count**0.5)) * np.float32(TEMPERATURE.check("temperature", temperature))
    return draw(run.code_size, count, seed, temperature)


@cached(most=8)
def sheet(codes: Codes, drawn_from: str, seed: int, temperature: float) -> np.ndarray:
    """`SHEET`² samples of a network as images, `(100, H, W, C)` float32; arguments and errors as of `codes_of`."""
    return embedding.decode(codes.run, codes_of(codes.run, drawn_from, SHEET**2, seed, temperature))


@cached(most=8)
def copied(codes: Codes, drawn_from: str, seed: int, temperature: float) -> tuple[np.ndarray, np.ndarray]:
    """Of each image of a `sheet` the training image nearest to it, uint8, and the mean squared error, `(100,)` float64.

    Raises:
        datasets.DataError: the images that the run was trained on are not there.
    """
    images = _trained_on(codes.run)
    places, errors = nearest(sheet(codes, drawn_from, seed, temperature), images)
    return images[places], errors


@cached(most=8)
def copied_by_test(codes: Codes, image: int) -> tuple[np.ndarray, float]:
    """The training image nearest to a test image, `(H, W, C)` uint8, and the mean squared error; errors as of `copied`."""
    images = _trained_on(codes.run)
    places, errors = nearest(codes.images([image]), images)
    return images[places[0]], float(errors[0])


def usual_errors(run: Run) -> np.ndarray:
    """How far real images are from the training image nearest to them: `(TESTS,)` float64; errors as of `copied`."""
    return _usual_errors(run.config.dataset, run.num_train)


@cached(most=4)
def _usual_errors(dataset: str, num_train: int) -> np.ndarray:
    images = datasets.load(dataset, "train").x[:num_train]
    return nearest(datasets.as_float(datasets.load(dataset, "test").x[:TESTS]), images)[1]


def _trained_on(run: Run) -> np.ndarray:
    return datasets.load(run.config.dataset, "train").x[: run.num_train]
