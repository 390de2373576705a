"""New images from a network's prior: codes drawn from it, its plane as a lattice, and how near they come to a copy.

The prior is the standard normal distribution that a variational network's codes are pressed into. Of any other network
the same codes can be decoded; nothing says that its own lie there, which the images show. NumPy only.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from cae_core import metrics
from cae_core.architectures import Network
from cae_core.config import Bounds

TEMPERATURE = Bounds(0.0, 4.0)
"""How far codes are drawn: the standard deviation of each number; 1 is the prior, 0 its middle."""

SIDE = Bounds(2, 40, integer=True)
"""Images a side of a lattice."""

SILENT_NATS = 0.01
"""A number of the code is silent where its KL divergence is below this, mean over images: it says the same of all."""


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
    best, least = np.zeros(len(flat), np.int64), np.full(len(flat), np.inf)
    for start in range(0, len(images), some):
        part = images[start : start + some].reshape(-1, flat.shape[1]).astype(np.float32) / 255
        errors = np.square(part).sum(axis=1) - 2 * flat @ part.T  # less |x_hat|², which changes no order
        places = errors.argmin(axis=1)
        nearer = errors[np.arange(len(flat)), places]
        best, least = np.where(nearer < least, start + places, best), np.minimum(least, nearer)
    there = images[best].reshape(len(flat), -1).astype(np.float64) / 255
    return best, np.square(there - flat).mean(axis=1)


def rates(network: Network, x: np.ndarray) -> np.ndarray:
    """What each number of the code says: its KL divergence from the prior in nats, mean over images, `(k,)` float64.

    Args:
        network: a variational one.
        x: `(n, H, W, C)` float32 in [0, 1].

    Raises:
        ValueError: the network is not variational.
    """
    return metrics.kl(*network.posterior(x)).mean(axis=0)
