"""The networks, by name. A new one is a file with a `build` and a line in `ARCHITECTURES`.

`build(config, image_shape)` returns an `Autoencoder`. The decoder ends in logits; the reconstruction is their sigmoid.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from cae_core.config import Entry, RunConfig, lookup

INFERENCE_BATCH = 500
"""Images a compiled call takes at most: bounds memory, and stays quick enough to be interrupted between calls."""


@dataclass(frozen=True)
class Architecture(Entry):
    """A registry line of `ARCHITECTURES`; `make` is the file's `build`.

    Attributes:
        fixed_code: the code's size follows from the image's; `bottleneck` changes nothing.
    """

    fixed_code: bool = False


def _lazily(module: str):
    """The `build` of a file of this package, imported when first called, so that reading the registry loads no Keras."""

    def make(config: RunConfig, image_shape: tuple[int, int, int]):
        from importlib import import_module

        return import_module(f"{__name__}.{module}").build(config, image_shape)

    return make


ARCHITECTURES: dict[str, Architecture] = {
    "fast": Architecture(
        "Fast",
        "Strided convolutions down, work at low resolution, sub-pixel upsampling back: the app's own default.",
        "sub-pixel upsampling: Shi et al., CVPR 2016",
        _lazily("fast"),
    ),
    "dense": Architecture(
        "Dense",
        "784 → 256 → code → 256 → 784, every layer a sigmoid.",
        "Hinton and Salakhutdinov, Science 2006, without the pretraining",
        _lazily("dense"),
    ),
    "conv_denoise": Architecture(
        "Convolutional denoiser",
        "The Keras example: its code has 1,568 numbers for 784 pixels, so it is no bottleneck at all.",
        "Keras examples, vision/autoencoder (Valdarrama, 2021)",
        _lazily("conv_denoise"),
        fixed_code=True,
    ),
}


class Autoencoder:
    """An encoder and a decoder, with compiled inference.

    Attributes:
        encoder: keras.Model, images `(n, H, W, C)` float32 in [0, 1] to codes z `(n, ...)` float32.
        decoder: keras.Model, codes to logits `(n, H, W, C)` float32.
        image_shape: `(H, W, C)`.
    """

    def __init__(self, encoder: Any, decoder: Any):
        import tensorflow as tf

        self.encoder, self.decoder = encoder, decoder
        self.image_shape = tuple(encoder.input_shape[1:])
        # Fixed signatures: one trace for every batch size. 2 ms a call, where model.predict takes 78 ms.
        x = tf.TensorSpec((None, *self.image_shape), tf.float32)
        z = tf.TensorSpec((None, *self.code_shape), tf.float32)

        def compiled(function, signature):
            return tf.function(function, input_signature=[signature], autograph=False)

        self._encode = compiled(lambda x: encoder(x, training=False), x)
        self._decode = compiled(lambda z: tf.sigmoid(decoder(z, training=False)), z)
        self._reconstruct = compiled(lambda x: tf.sigmoid(decoder(encoder(x, training=False), training=False)), x)

    @property
    def code_shape(self) -> tuple[int, ...]:
        return tuple(self.encoder.output_shape[1:])

    @property
    def code_size(self) -> int:
        """How many numbers the code of one image has."""
        return prod(self.code_shape)

    @property
    def trainable_variables(self) -> list[Any]:
        return [*self.encoder.trainable_variables, *self.decoder.trainable_variables]

    def logits(self, x: Any, training: bool = False) -> tuple[Any, Any]:
        """Codes and logits of a batch of tensors, for use inside a training step."""
        z = self.encoder(x, training=training)
        return z, self.decoder(z, training=training)

    def encode(self, x: np.ndarray) -> np.ndarray:
        """Codes `(n, ...)` float32 of images `(n, H, W, C)` float32 in [0, 1]."""
        return self._in_batches(self._encode, x, self.image_shape)

    def decode(self, z: np.ndarray) -> np.ndarray:
        """Images `(n, H, W, C)` float32 in [0, 1] of codes `(n, ...)` float32."""
        return self._in_batches(self._decode, z, self.code_shape)

    def reconstruct(self, x: np.ndarray) -> np.ndarray:
        """x_hat `(n, H, W, C)` float32 in [0, 1] of images of the same shape, noisy or clean."""
        return self._in_batches(self._reconstruct, x, self.image_shape)

    def weights(self) -> dict[str, np.ndarray]:
        """Every weight by name, in a fixed order."""
        return {variable.path: variable.numpy() for variable in self._variables()}

    def set_weights(self, weights: dict[str, np.ndarray]) -> None:
        """The inverse of `weights`; a missing, extra or wrong-shaped weight is a ValueError naming it."""
        variables = {variable.path: variable for variable in self._variables()}
        if odd := sorted(variables.keys() ^ weights.keys()):
            raise ValueError(f"The weights do not fit the network: {odd[0]} is in only one of the two.")
        for path, variable in variables.items():
            if tuple(weights[path].shape) != tuple(variable.shape):
                raise ValueError(
                    f"The weights do not fit the network: {path} is {weights[path].shape}, not {tuple(variable.shape)}."
                )
        for path, variable in variables.items():
            variable.assign(weights[path].astype("float32"))

    def _variables(self) -> list[Any]:
        return [*self.encoder.variables, *self.decoder.variables]

    @staticmethod
    def _in_batches(function: Any, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        values = np.asarray(values, dtype="float32")
        if values.shape[1:] != shape or not len(values):
            raise ValueError(f"Got an array of shape {values.shape}; the network takes (n, {', '.join(map(str, shape))}).")
        starts = range(0, len(values), INFERENCE_BATCH)
        return np.concatenate([function(values[start : start + INFERENCE_BATCH]).numpy() for start in starts])


_building = threading.Lock()  # Keras builds one network at a time


def build(config: RunConfig, image_shape: tuple[int, int, int] = (28, 28, 1)) -> Autoencoder:
    """The untrained network of a configuration.

    Raises:
        ValueError: the architecture is unknown, or cannot take this image size.
    """
    make = lookup(ARCHITECTURES, "architecture", config.architecture).make
    with _building:
        return make(config, image_shape)
