"""Units of a code: how often each fires, what it adds to a picture, and what a reconstruction loses without it.

A unit is one number of a code. In a network that keeps the k largest it **fires** where it is not 0; in any other, where it
is further from its mean than a hundredth of what the loudest unit is on average. A unit that never fires is **dead**.
"""

from dataclasses import dataclass

import numpy as np

from cae_core import metrics, runs
from cae_core.architectures import ARCHITECTURES
from cae_core.latent import embedding
from cae_core.latent.embedding import Codes
from cae_core.runtime.caching import cached

SAMPLE = 500
"""Images, at most, that are reconstructed without a unit."""


@dataclass(frozen=True, eq=False)
class Units:
    """The units of a network's code, measured on some images.

    Attributes:
        rates: `(d,)` float64, the share of the images for which each fires.
        order: `(d,)` int, the units from the one that fires most often to the dead ones.
        off: `(d,)` float32, what a unit is that says nothing: 0, or its mean where no number of a code is ever 0.
        loud: `(d,)` float32, how far from that it is where it fires, root mean square; of a dead one the median of others.
    """

    rates: np.ndarray
    order: np.ndarray
    off: np.ndarray
    loud: np.ndarray

    @property
    def num_dead(self) -> int:
        return int((self.rates == 0).sum())


def has_units(codes: Codes) -> bool:
    """Whether the codes are numbers without a place in the image."""
    return len(runs.model(codes.run).code_shape) == 1


def fires(codes: Codes, off: np.ndarray) -> np.ndarray:
    """Which units say something of which images, `(n, d)` bool; `off` as of `Units`."""
    if ARCHITECTURES[codes.run.config.architecture].keeps_k:
        return codes.z != 0
    away = np.abs(codes.z - off)
    return away > metrics.SILENT * np.abs(codes.z).mean(axis=0).max()


@cached(most=4)
def measure(codes: Codes) -> Units:
    """The units of some images' codes."""
    keeps_k = ARCHITECTURES[codes.run.config.architecture].keeps_k
    off = np.zeros(codes.size, np.float32) if keeps_k else codes.z.mean(axis=0)
    firing = fires(codes, off)
    counts = firing.sum(axis=0)
    squares = np.square(np.where(firing, codes.z - off, 0)).sum(axis=0)
    loud = np.sqrt(squares / np.maximum(counts, 1))
    loud[counts == 0] = np.median(loud[counts > 0]) if counts.any() else 1.0
    return Units(counts / len(codes.z), np.argsort(-counts, kind="stable"), off, loud.astype(np.float32))


@cached(most=4)
def pictures(codes: Codes) -> np.ndarray:
    """What each unit adds to a picture of which nothing else is said, as loud as it is where it fires, `(d, H, W, C)`."""
    units = measure(codes)
    codes_of_one = units.off + np.diag(units.loud)
    return embedding.decode(codes.run, codes_of_one) - embedding.decode(codes.run, units.off[None])


def drivers(codes: Codes, unit: int, count: int) -> np.ndarray:
    """The images that drive a unit most, the most first, `(count,)` int; of a dead unit the first images."""
    return np.argsort(-(codes.z[:, unit] - measure(codes).off[unit]), kind="stable")[:count]


def turned(codes: Codes, unit: int, indices: np.ndarray, times: float) -> np.ndarray:
    """Codes `(m, d)` float32 of some images with a unit turned off, or up: so many times as far from off as it is.

    Where it does not fire, it begins from how loud it is elsewhere.
    """
    units, z = measure(codes), codes.z[indices].copy()
    away = z[:, unit] - units.off[unit]
    away[~fires(codes, units.off)[indices, unit]] = units.loud[unit]
    z[:, unit] = units.off[unit] + times * away
    return z


def errors_without(codes: Codes, unit: int) -> tuple[float, float]:
    """Squared error per image as it is, and with the unit off, over the images for which it fires; NaN for a dead one."""
    indices = np.flatnonzero(fires(codes, measure(codes).off)[:, unit])[:SAMPLE]
    if not len(indices):
        return float("nan"), float("nan")
    x = codes.images(indices)
    both = (codes.z[indices], turned(codes, unit, indices, 0.0))
    whole, without = (metrics.squared_error_per_image(x, embedding.decode(codes.run, z)).mean() for z in both)
    return float(whole), float(without)
