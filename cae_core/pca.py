"""Principal component analysis: the best linear autoencoder, to hold the networks against.

A linear autoencoder trained on squared error finds the same subspace (Baldi & Hornik, Neural Networks 2, 1989), so what
a network gains over these figures it gains by not being linear. NumPy only.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from cae_core.config import Bounds

_CHUNK_VALUES = 2**20  # values turned to float64 at a time: 8 MiB, whatever the number of images


def _chunks(x: np.ndarray) -> Iterator[np.ndarray]:
    """Successive rows of x as `(rows, values)` float64."""
    step = max(1, _CHUNK_VALUES // x[0].size)
    for start in range(0, len(x), step):
        part = x[start : start + step]
        yield part.reshape(len(part), -1).astype(np.float64)


@dataclass(frozen=True, eq=False)
class PCA:
    """A fitted linear code of k numbers for images of d values.

    Attributes:
        mean: `(d,)` float64, the mean training image.
        components: `(k, d)` float64, orthonormal rows, most variance first; in each the entry of largest magnitude is
            positive, so equal data give equal signs.
        explained_variance_ratio: `(k,)` float64 in [0, 1], the share of the training variance along each component.
        image_shape: shape of one image; its product is d.
    """

    mean: np.ndarray
    components: np.ndarray
    explained_variance_ratio: np.ndarray
    image_shape: tuple[int, ...]

    @property
    def num_components(self) -> int:
        """Numbers in the code."""
        return len(self.components)

    def truncate(self, num_components: int) -> Self:
        """The PCA of the first `num_components`, 1 to k: the same as fitting again with fewer."""
        k = Bounds(1, self.num_components, integer=True).check("num_components", num_components)
        ratio = self.explained_variance_ratio[:k]
        return dataclasses.replace(self, components=self.components[:k], explained_variance_ratio=ratio)

    def encode(self, x: np.ndarray) -> np.ndarray:
        """Codes `(n, k)` float32 of images `(n, *image_shape)`, on the scale that was fitted."""
        x = np.asarray(x)
        if x.shape[1:] != self.image_shape or len(x) == 0:
            raise ValueError(f"x has shape {x.shape}; it must be (n, {_join(self.image_shape)}) with n at least 1.")
        parts = [(part - self.mean) @ self.components.T for part in _chunks(x)]
        return np.concatenate(parts).astype(np.float32)

    def decode(self, z: np.ndarray) -> np.ndarray:
        """Images `(n, *image_shape)` float32 of codes `(n, k)`; linear, so values may leave [0, 1]."""
        z = np.asarray(z)
        if z.shape[1:] != (self.num_components,) or len(z) == 0:
            raise ValueError(f"z has shape {z.shape}; it must be (n, {self.num_components}) with n at least 1.")
        x_hat = np.empty((len(z), self.mean.size), dtype=np.float32)
        step = max(1, _CHUNK_VALUES // self.mean.size)
        for start in range(0, len(z), step):
            x_hat[start : start + step] = z[start : start + step] @ self.components + self.mean
        return x_hat.reshape(len(z), *self.image_shape)

    def reconstruct(self, x: np.ndarray) -> np.ndarray:
        """`decode(encode(x))`: the images nearest to x, in squared error, that the code can express."""
        return self.decode(self.encode(x))


def _join(shape: tuple[int, ...]) -> str:
    return ", ".join(map(str, shape))


def axis(number: int, share: float) -> str:
    """What the axis of a principal component is called: its number, from 1, and its share of the variance in [0, 1]."""
    return f"component {number}, {100 * share:.0f} % of the variance"


def fit(x: np.ndarray, num_components: int) -> PCA:
    """The directions of most variance, from the eigenvectors of the covariance matrix.

    Sums are in float64 and over chunks of images, so that 60,000 images of 784 values need some 40 MiB besides x.

    Args:
        x: `(n, ...)` numbers, one image a row, such as `(n, 28, 28, 1)` float32 in [0, 1].
        num_components: length of the code, 1 to min(n, d) with d values an image.

    Raises:
        ValueError: x is empty or has values that are not finite, or num_components is out of range.
    """
    x = np.asarray(x)
    if x.ndim < 2 or x.size == 0:
        raise ValueError(f"x has shape {x.shape}; it must be (images, ...) with at least one image and one value.")
    d = x[0].size
    k = Bounds(1, min(len(x), d), integer=True).check("num_components", num_components)
    mean = sum(part.sum(axis=0) for part in _chunks(x)) / len(x)
    if not np.isfinite(mean).all():
        raise ValueError("x has NaN or infinite values; every value must be finite.")
    covariance = np.zeros((d, d))
    for part in _chunks(x):
        part -= mean
        covariance += part.T @ part
    covariance /= len(x)
    variances, vectors = np.linalg.eigh(covariance)  # ascending
    components = vectors[:, ::-1].T[:k]
    largest = components[np.arange(k), np.abs(components).argmax(axis=1)]
    components = components * np.sign(largest)[:, None]
    total = np.trace(covariance)
    # Identical images have no variance to explain; rounding can make a zero variance slightly negative.
    ratio = np.clip(variances[::-1][:k], 0, None) / total if total > 0 else np.zeros(k)
    return PCA(mean, components, ratio, x.shape[1:])
