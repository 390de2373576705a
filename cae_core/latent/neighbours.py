"""Nearest neighbours among codes by exact distances, and how well classes separate.

Distances are Euclidean and computed for some rows at a time, so that memory grows with the number of codes and not with
its square. NumPy only.
"""

import math
from dataclasses import dataclass

import numpy as np

from cae_core import datasets, pca
from cae_core.latent.embedding import Codes
from cae_core.runtime.caching import cached

K = 5
"""Neighbours that are asked for a class."""

MAX_WORK = 2 * 10**10
"""Products that one comparison of all with all may take, some seconds' worth: long codes are compared on fewer images."""

LINEAR_IMAGES = 10_000
"""Training images that the linear codes are fitted on."""

_SHORT = 4  # numbers up to which differences are quicker than a matrix product, whose threads wait for each other
_ROWS, _ROWS_SHORT = 512, 16  # of distances at a time: 40 MB for 10,000 codes, and what stays in a core's cache


def nearest(z: np.ndarray, code: np.ndarray, k: int, without: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The codes nearest to one, the nearest first, and how far they are.

    Args:
        z: `(n, d)` float.
        code: `(d,)` float, any code.
        k: how many; fewer where there are not so many.
        without: index of a code that is not to be among them, such as its own.

    Returns:
        Indices `(k,)` and distances `(k,)` float64 in the codes' unit; of equally near ones the first in z comes first.
    """
    distances = np.sqrt(np.square(z - np.asarray(code, np.float64)).sum(axis=1))
    order = np.argsort(distances, kind="stable")
    order = order[order != without][:k] if without is not None else order[:k]
    return order, distances[order]


def of_each(z: np.ndarray, k: int = K) -> np.ndarray:
    """The k nearest other codes of each, `(n, k)` indices, the nearest first.

    Args:
        z: `(n, d)` float, n more than k.

    Raises:
        ValueError: there are not so many others, or a code is not finite.
    """
    z = np.asarray(z, np.float64)
    if not 1 <= k < len(z):
        raise ValueError(
            f"k is {k} for {len(z)} codes; it must be from 1 to {len(z) - 1}: a code is no neighbour of itself."
        )
    if not np.isfinite(z).all():
        raise ValueError("z has NaN or infinite values; every code must be finite.")
    z = z - z.mean(axis=0)
    squares = np.square(z).sum(axis=1)
    short = z.shape[1] <= _SHORT
    step = _ROWS_SHORT if short else _ROWS
    nearest = np.empty((len(z), k), np.int64)
    for start in range(0, len(z), step):
        some = z[start : start + step]
        if short:
            distances = sum(np.square(some[:, [j]] - z[:, j]) for j in range(z.shape[1]))
        else:  # |a - b|² less |a|², which changes no order
            distances = some @ z.T
            distances *= -2
            distances += squares
        rows = np.arange(len(some))
        distances[rows, start + rows] = np.inf
        for place in range(k):  # k passes for the least are quicker than one partial sort
            nearest[start : start + step, place] = least = distances.argmin(axis=1)
            distances[rows, least] = np.inf
    return nearest


def vote(labels: np.ndarray) -> np.ndarray:
    """The class most of the neighbours have; of equally many, the one that has the nearest of them.

    Args:
        labels: `(n, k)` non-negative integers, the nearest neighbour's first.

    Returns:
        `(n,)` integers.
    """
    labels = np.asarray(labels)
    n, k = labels.shape
    scores = np.zeros((n, int(labels.max()) + 1))
    for place in range(k):  # the shares of all later neighbours together stay below an earlier one's, and below a vote
        np.add.at(scores, (np.arange(n), labels[:, place]), 1 + 0.5 ** (place + 2))
    return scores.argmax(axis=1)


@dataclass(frozen=True)
class Separation:
    """How well neighbours tell the class, each image judged by the others.

    Attributes:
        accuracy: share of images whose `K` nearest others vote for their class, in [0, 1].
        hardest: class with the lowest share.
        hardest_accuracy: that share.
        mistaken_for: the class that its images are most often taken for.
    """

    accuracy: float
    hardest: int
    hardest_accuracy: float
    mistaken_for: int


def separation(z: np.ndarray, labels: np.ndarray, k: int = K) -> Separation:
    """k-nearest-neighbour classification, leaving out the one judged (Fix and Hodges 1951; Cover and Hart 1967).

    Args:
        z: `(n, d)` float.
        labels: `(n,)` integers, the classes.
    """
    labels = np.asarray(labels).astype(int)
    voted = vote(labels[of_each(z, k)])
    classes = np.unique(labels)
    shares = np.array([np.mean(voted[labels == label] == label) for label in classes])
    hardest = int(classes[shares.argmin()])
    wrong = np.bincount(voted[labels == hardest], minlength=hardest + 1)
    wrong[hardest] = 0
    return Separation(float(np.mean(voted == labels)), hardest, float(shares.min()), int(wrong.argmax()))


@dataclass(frozen=True)
class Comparison:
    """A network's codes and linear ones of the same size.

    Attributes:
        codes: of the network's.
        linear: of PCA's, with as many numbers as the code has but no more than an image.
        linear_size: how many that are.
        num_images: images compared.
    """

    codes: Separation
    linear: Separation
    linear_size: int
    num_images: int


@cached(most=16)
def compare(codes: Codes) -> Comparison:
    """How well codes separate the classes, against PCA at the same size; on fewer images where codes are very long."""
    n = min(len(codes.z), math.isqrt(MAX_WORK // codes.size))
    labels = codes.labels[:n]
    x = codes.images(range(n))
    size = min(codes.size, x[0].size, LINEAR_IMAGES)
    fitted = _linear(codes.dataset).truncate(size)
    return Comparison(separation(codes.z[:n], labels), separation(fitted.encode(x), labels), size, n)


@cached(most=3)
def _linear(dataset: str) -> pca.PCA:
    """The principal components of training images; one decomposition serves every size."""
    x = datasets.as_float(datasets.load(dataset, "train", keep=False).x[:LINEAR_IMAGES])
    return pca.fit(x, min(x[0].size, len(x)))
