"""A network at work, whatever it is computed with: images to codes, codes to images."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from cae_core.architectures.forward import ACTIVATIONS, Layers
from cae_core.colours import luma
from cae_core.config import RunConfig

INFERENCE_BATCH = 500
"""Images that go through a network together at most: bounds memory, and stays quick enough to be interrupted."""


class Network(ABC):
    """What pages and measurements ask of a network; `Autoencoder` computes it with Keras, `NumpyNetwork` with NumPy.

    Attributes:
        image_shape: `(H, W, C)` of the images it gives.
        input_shape: of those it takes: the same, but `(H, W, 1)` for a network that colours grey images.
        code_shape: of one image's code.
        switch_shapes: of the switches of each pooling that has them, for one image.
        is_variational: whether it has a `posterior`; `encode` then gives its means.
    """

    image_shape: tuple[int, ...]
    input_shape: tuple[int, ...]
    code_shape: tuple[int, ...]
    switch_shapes: tuple[tuple[int, ...], ...]
    is_variational = False

    @abstractmethod
    def _coded(self, x: np.ndarray) -> Sequence[np.ndarray]:
        """Codes of a batch of checked images, and the switches of each pooling."""

    @abstractmethod
    def _decoded(self, z: np.ndarray, *switches: np.ndarray) -> np.ndarray:
        """Images of a batch of codes and of the switches of each pooling."""

    def _distribution(self, x: np.ndarray) -> Sequence[np.ndarray]:
        """Means and log-variances of the codes of a batch of checked images."""
        raise ValueError("This network gives every image one code, and no distribution of codes: choose a variational one.")

    def _reconstructed(self, x: np.ndarray) -> np.ndarray:
        """Images of a batch of images."""
        return self._decoded(*self._coded(x))

    @property
    def code_size(self) -> int:
        """How many numbers the code of one image has; switches are not counted."""
        return prod(self.code_shape)

    def seen(self, x: Any) -> Any:
        """What the network is shown of images `(n, H, W, C)`, before any noise: their luma if it colours grey ones, else x.

        Args:
            x: floats in [0, 1], a NumPy array or a tensor.
        """
        return luma(x) if self.input_shape != self.image_shape and x.shape[-1] == 3 else x

    def encode(self, x: np.ndarray) -> np.ndarray:
        """Codes `(n, ...)` float32 of what is seen of images, `(n, *input_shape)` float32 in [0, 1]."""
        return self._in_batches(lambda x: self._coded(x)[:1], _checked(x, self.input_shape))[0]

    def posterior(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means and log-variances of the normal distributions that are a variational network's codes, each as of `encode`.

        Raises:
            ValueError: it is not variational.
        """
        mean, log_variance = self._in_batches(self._distribution, _checked(x, self.input_shape))
        return mean, log_variance

    def switches(self, x: np.ndarray) -> list[np.ndarray]:
        """Of each pooling where in its window every maximum was, `(n, h, w, C)` int32, counted row by row."""
        return self._in_batches(lambda x: self._coded(x)[1:], _checked(x, self.input_shape))

    def decode(self, z: np.ndarray, switches: Sequence[np.ndarray] | None = None) -> np.ndarray:
        """Images `(n, H, W, C)` float32 of codes `(n, ...)`, in [0, 1] if the output is a sigmoid.

        Args:
            z: the codes.
            switches: as `switches` gives them; without, every value goes to its window's first place.
        """
        z = _checked(z, self.code_shape)
        if switches is None:
            switches = [np.zeros((len(z), *shape), "int32") for shape in self.switch_shapes]
        return self._in_batches(lambda z, *s: [self._decoded(z, *s)], z, *switches)[0]

    def reconstruct(self, x: np.ndarray) -> np.ndarray:
        """x_hat `(n, *image_shape)` float32 of `(n, *input_shape)`, noisy or clean; in [0, 1] if it is a sigmoid's."""
        return self._in_batches(lambda x: [self._reconstructed(x)], _checked(x, self.input_shape))[0]

    @staticmethod
    def _in_batches(function: Any, *arrays: np.ndarray) -> list[np.ndarray]:
        starts = range(0, len(arrays[0]), INFERENCE_BATCH)
        batches = [function(*(a[start : start + INFERENCE_BATCH] for a in arrays)) for start in starts]
        return [np.concatenate(parts) for parts in zip(*batches, strict=True)]


def _checked(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    values = np.asarray(values, dtype="float32")
    if values.shape[1:] != shape or not len(values):
        raise ValueError(f"Got an array of shape {values.shape}; the network takes (n, {', '.join(map(str, shape))}).")
    return values


class NumpyNetwork(Network):
    """A network in NumPy, as its file writes it.

    Args:
        forward: `Architecture.forward`, its encoder and its decoder.
        image_shape: `(H, W, C)` of the images it gives.
        input_shape: of those it takes.
        weights: every weight by the name that Keras gives it.
        config: what was trained.
        is_variational: whether the encoder gives means and log-variances.

    Raises:
        ValueError: the weights are not this network's.
    """

    def __init__(
        self,
        forward: tuple[Callable[..., Any], Callable[..., np.ndarray]],
        image_shape: tuple[int, int, int],
        input_shape: tuple[int, int, int],
        weights: Mapping[str, np.ndarray],
        config: RunConfig,
        is_variational: bool = False,
    ) -> None:
        self._encoder, self._decoder = forward
        self.is_variational = is_variational
        self.image_shape, self.input_shape = tuple(image_shape), tuple(input_shape)
        self._layers = Layers(weights, self.image_shape, config)
        self._x_hat = ACTIVATIONS[None if config.output == "linear" else config.output]
        coded = self._coded(np.zeros((1, *self.input_shape), np.float32))
        self.code_shape, *self.switch_shapes = (part.shape[1:] for part in coded)
        if (shape := self._decoded(*coded).shape[1:]) != self.image_shape:
            raise ValueError(f"The weights do not fit the network: they give images of {shape}, not {self.image_shape}.")
        if odd := sorted(weights.keys() - self._layers.used):
            raise ValueError(f"The weights do not fit the network: it has no {odd[0]}.")

    def _coded(self, x: np.ndarray) -> Sequence[np.ndarray]:
        coded = self._encoder(self._layers, x)
        if self.is_variational:
            return coded[:1]
        return coded if isinstance(coded, tuple) else (coded,)

    def _distribution(self, x: np.ndarray) -> Sequence[np.ndarray]:
        return self._encoder(self._layers, x) if self.is_variational else super()._distribution(x)

    def _decoded(self, z: np.ndarray, *switches: np.ndarray) -> np.ndarray:
        return self._x_hat(self._decoder(self._layers, z, *switches))
