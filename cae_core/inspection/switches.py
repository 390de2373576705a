"""Pooling switches: how much of an image they carry past the code, by replacing codes and switches one at a time.

A decoder with switches is told **what** by the code and **where** by the switches (Zhao, Mathieu, Goroshin and LeCun,
Stacked What-Where Auto-encoders, arXiv:1506.02351). A blank code, z = 0, does not tell what switches carry: zeros moved to
other places are zeros still. The mean code says as little of the image, but has values that the switches can place.

How much of the images reconstructions have is told twice, as shares of the variance of the images around their mean m:

- **as drawn**: R² = 1 - sum |x - x_hat|² / sum |x - m|²; 0 for always answering m, negative for worse.
- **contrast corrected**: the square of the correlation of x - m with x_hat - mean(x_hat), which is R² after the best
  single factor and the best constant image; 0 for pictures that are all the same.

Sources: Zeiler and Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014 (switches); Badrinayanan,
Kendall and Cipolla, SegNet, arXiv:1511.00561 (a decoder that has them).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cae_core import datasets, metrics, runs
from cae_core.architectures import ARCHITECTURES, Network
from cae_core.config import lookup

NETWORKS = tuple(name for name, entry in ARCHITECTURES.items() if entry.has_switches)
"""Architectures whose pooling keeps switches."""

NUM_IMAGES = 500
"""Test images that the shares are of, the first ones."""

CODES = {
    "kept": "its own",
    "mean": "the mean over test images",
    "blank": "blank, z = 0",
    "next": "the next image's",
    "first": "the first image's",
}
SWITCHES = {
    "kept": "its own",
    "next": "the next image's",
    "none": "none: all to the first place",
    "random": "drawn at random",
}


@dataclass(frozen=True)
class Share:
    """What one combination of code and switches has of the images.

    Attributes:
        mse: mean squared error per pixel.
        r2: share of the images' variance, as drawn; see the module.
        explained: the same with the contrast corrected.
        own: share of the pictures that are nearer, in squared error, to their own image than to the next one.
    """

    mse: float
    r2: float
    explained: float
    own: float


def decode(
    model: Network, z: np.ndarray, switches: Sequence[np.ndarray], code: str, places: str, mean: np.ndarray
) -> np.ndarray:
    """Reconstructions `(n, H, W, C)` from codes and switches of which one or both are replaced.

    Args:
        model: a network with switches.
        z: codes `(n, ...)`.
        switches: as `Network.switches` gives them.
        code: a key of `CODES`.
        places: a key of `SWITCHES`.
        mean: what a code is replaced by, of the shape of one.
    """
    lookup(CODES, "code", code)
    lookup(SWITCHES, "switches", places)
    if code == "next":
        z = np.roll(z, -1, axis=0)
    elif code != "kept":
        z = np.broadcast_to({"mean": mean, "blank": np.zeros_like(mean), "first": z[0]}[code], z.shape)
    if places == "none":
        return model.decode(z)
    if places == "next":
        switches = [np.roll(indices, -1, axis=0) for indices in switches]
    elif places == "random":
        rng = np.random.default_rng(0)
        switches = [rng.integers(0, 4, indices.shape, dtype="int32") for indices in switches]
    return model.decode(z, switches)


def share(x: np.ndarray, x_hat: np.ndarray) -> Share:
    """What reconstructions have of images `(n, H, W, C)`; see the module."""
    x, x_hat = x.astype(np.float64), x_hat.astype(np.float64)
    d, e = x - x.mean(axis=0), x_hat - x_hat.mean(axis=0)
    dd, ee, de = (float((a * b).sum()) for a, b in ((d, d), (e, e), (d, e)))
    # What rounding leaves of equal pictures is not to be divided by.
    explained = de * de / (dd * ee) if ee > 1e-9 * dd else 0.0
    errors = np.square(x_hat - x).sum(axis=(1, 2, 3))
    others = np.square(x_hat - np.roll(x, -1, axis=0)).sum(axis=(1, 2, 3))
    return Share(metrics.mse(x, x_hat), 1 - float(errors.sum()) / dd, explained, float((errors < others).mean()))


@runs.kept(128)
def measured(run: runs.Run, dataset: str, code: str, places: str) -> Share:
    """The share of one combination over the first `NUM_IMAGES` test images; kept, for it takes a moment.

    Raises:
        RunError: the run's weights cannot be read.
        DataError: the data set is not there.
    """
    x, z, switches = _coded(run, dataset)
    return share(x, decode(runs.model(run), z, switches, code, places, z.mean(axis=0)))


@runs.kept(2)  # 25 MB each
def _coded(run: runs.Run, dataset: str) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    model = runs.model(run)
    x = datasets.as_float(datasets.load(dataset, "test").x[:NUM_IMAGES])
    return x, model.encode(x), model.switches(x)


def ten(run: runs.Run, dataset: str, x: np.ndarray, code: str, places: str) -> np.ndarray:
    """Some images through a run with one combination; the mean code is that of the first test images."""
    model = runs.model(run)
    _, z, _ = _coded(run, dataset)
    return decode(model, model.encode(x), model.switches(x), code, places, z.mean(axis=0))
