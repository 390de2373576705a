"""Gaps of a distribution of codes: how many of the pictures that are decoded from it no class claims.

A class claims a picture if at least `AGREE` of the `K` training images most like it are of this class, and the first of
them is as like as it is to 95 of 100 real test images. Likeness is the cosine between two pictures, so a fainter copy is
as like as the original, and an empty picture is like none. It is asked of pictures and not of codes, for only so
networks compare whose codes have nothing in common. NumPy only.
"""

from dataclasses import dataclass

import numpy as np

from cae_core import datasets, runs
from cae_core.latent import embedding, generate
from cae_core.runs import Run
from cae_core.runtime.caching import cached

K, AGREE = 5, 4
NEAR = 0.95
"""Share of the test images that are as like a training image as a picture must be."""
SAMPLES, TESTS, TRAINING = 400, 400, 5_000
"""Pictures drawn, test images and training images that they are compared with."""


@dataclass(frozen=True)
class Gaps:
    """What the classes claim of some pictures.

    Attributes:
        unclaimed: share that no class claims.
        most: the class that claims most of the others.
        most_share: the share that it claims, of all.
    """

    unclaimed: float
    most: int
    most_share: float


def likeness(x: np.ndarray, images: np.ndarray) -> np.ndarray:
    """The cosine of every picture with every image, `(n, N)` float32; less of pictures dimmer than one white pixel.

    Args:
        x: `(n, H, W, C)` float32.
        images: `(N, H, W, C)` uint8.
    """
    return _unit(x) @ _unit(images.astype(np.float32) / 255).T


def _unit(x: np.ndarray) -> np.ndarray:
    flat = x.reshape(len(x), -1)
    return flat / np.maximum(np.sqrt(np.einsum("ij,ij->i", flat, flat)), 1)[:, None]


def claims(likeness: np.ndarray, labels: np.ndarray, least: float) -> np.ndarray:
    """The class that claims each picture, `(n,)` integers; -1 where none does.

    Args:
        likeness: `(n, N)` of pictures to images.
        labels: `(N,)` integers, the images' classes.
        least: likeness that the image most like a picture must have.
    """
    near = np.argpartition(-likeness, K - 1, axis=1)[:, :K]
    votes = np.stack([np.bincount(some, minlength=10) for some in labels[near]])
    is_claimed = (votes.max(axis=1) >= AGREE) & (likeness.max(axis=1) >= least)
    return np.where(is_claimed, votes.argmax(axis=1), -1)


def _summary(classes: np.ndarray) -> Gaps:
    counts = np.bincount(classes + 1, minlength=2)  # of no class first
    most = int(counts[1:].argmax())
    return Gaps(float(counts[0] / len(classes)), most, float(counts[1 + most] / len(classes)))


def _trained_on(dataset: str, num_train: int) -> tuple[np.ndarray, np.ndarray]:
    train = datasets.load(dataset, "train")
    n = min(TRAINING, num_train)
    return train.x[:n], train.y[:n].astype(int)


@cached(most=4)
def of_tests(dataset: str, num_train: int) -> tuple[Gaps, float]:
    """What the classes claim of real test images, and the least likeness that is asked of any picture.

    Raises:
        datasets.DataError: the data set is not there.
    """
    images, labels = _trained_on(dataset, num_train)
    like = likeness(datasets.as_float(datasets.load(dataset, "test").x[:TESTS]), images)
    least = float(np.quantile(like.max(axis=1), 1 - NEAR))
    return _summary(claims(like, labels, least)), least


@runs.kept(32)
def of_samples(run: Run, drawn_from: str) -> Gaps:
    """What they claim of pictures decoded from codes that are drawn from one of `generate.DRAWN_FROM`, or are of "images".

    Raises:
        datasets.DataError: the images that the run was trained on are not there.
        RunError: its weights are missing or damaged.
    """
    images, labels = _trained_on(run.config.dataset, run.num_train)
    if drawn_from == "images":
        x_hat = runs.model(run).reconstruct(datasets.as_float(datasets.load(run.config.dataset, "test").x[:TESTS]))
    else:
        x_hat = embedding.decode(run, generate.codes_of(run, drawn_from, SAMPLES, seed=0))
    return _summary(claims(likeness(x_hat, images), labels, of_tests(run.config.dataset, run.num_train)[1]))
