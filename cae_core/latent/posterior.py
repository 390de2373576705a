"""The clouds that are a variational network's codes: what each number of the code says, and the clouds on the plane.

NumPy only.
"""

import math
from dataclasses import dataclass

import numpy as np

from cae_core import datasets, metrics, runs
from cae_core.latent.embedding import Codes, Plane
from cae_core.runs import Run
from cae_core.runtime.caching import cached

SILENT_NATS = 0.01
"""A number of the code is silent where its KL divergence is below this, mean over images: it says the same of all."""
ACTIVE_VARIANCE = 0.01
"""And active where the variance of its mean over images is above this (Burda, Grosse and Salakhutdinov, ICLR 2016)."""
IMAGES, CLOUDS = 1_000, 300
"""Test images whose clouds are measured, and whose clouds are drawn."""


@dataclass(frozen=True, eq=False)
class Numbers:
    """What each number of a variational network's code says, over images.

    Attributes:
        rates: `(k,)` float64, its KL divergence from the prior in nats, mean over images.
        variances: `(k,)` float64, of its mean over images.
        num_images: how many they are.
    """

    rates: np.ndarray
    variances: np.ndarray
    num_images: int

    @property
    def silent(self) -> np.ndarray:
        """`(k,)` bool."""
        return self.rates < SILENT_NATS

    @property
    def order(self) -> np.ndarray:
        """Their indices, the one that says most first."""
        return np.argsort(-self.rates, kind="stable")


def is_variational(codes: Codes) -> bool:
    """Whether the codes are means of distributions."""
    return runs.model(codes.run).is_variational


@runs.kept(64)
def numbers(run: Run, dataset: str) -> Numbers:
    """What each number says, over the first `IMAGES` test images of a data set.

    Raises:
        ValueError: the network is not variational.
        RunError: its weights are missing or damaged.
        datasets.DataError: the data set is not there.
    """
    x = datasets.as_float(datasets.load(dataset, "test").x[:IMAGES])
    mean, log_variance = runs.model(run).posterior(x)
    return Numbers(metrics.kl(mean, log_variance).mean(axis=0), mean.var(axis=0, dtype=np.float64), len(mean))


@cached(most=8)
def ellipses(codes: Codes, plane: Plane) -> np.ndarray:
    """The clouds of the first `CLOUDS` images on a plane, one standard deviation around their points, `(m, 3)` float32.

    A row a, b, c is the ellipse of all places a cos t to the right of the point and b cos t + c sin t above it: the lower
    triangle whose product with its transpose is the cloud's covariance on the plane.

    Raises:
        ValueError: the network is not variational.
    """
    _, log_variance = runs.model(codes.run).posterior(codes.images(range(min(CLOUDS, len(codes.z)))))
    variances = np.exp(log_variance.astype(np.float64))
    across, up = plane.directions
    a = np.sqrt(variances @ across**2)
    b = variances @ (across * up) / a
    c = np.sqrt(np.maximum(variances @ up**2 - b**2, 0))
    return np.stack([a, b, c], axis=1).astype(np.float32)


def ring(codes: Codes, plane: Plane) -> tuple[float, float, float]:
    """Middle and radius of the circle of a plane that holds 95 % of the prior as it is seen there."""
    x, y = plane.spots_of(np.zeros((1, codes.size)))[0]
    return float(x), float(y), math.sqrt(-2 * math.log(0.05))
