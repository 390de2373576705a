"""The autoencoder: an encoder and a decoder with compiled inference, weights by name, the switches where there are any."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from cae_core.colours import luma

INFERENCE_BATCH = 500
"""Images a compiled call takes at most: bounds memory, and stays quick enough to be interrupted between calls."""


@dataclass(frozen=True)
class Stage:
    """A layer that can be trained alone, and the one that undoes it.

    Attributes:
        encode: layers of the encoder, from what the stage before gives to what this one gives.
        decode: layers of the decoder, the way back; in the first stage they end in logits.
    """

    encode: tuple[Any, ...]
    decode: tuple[Any, ...]

    def up(self, h: Any) -> Any:
        for layer in self.encode:
            h = layer(h)
        return h

    def down(self, h: Any) -> Any:
        for layer in self.decode:
            h = layer(h)
        return h

    @property
    def trainable_variables(self) -> list[Any]:
        return [v for layer in (*self.encode, *self.decode) for v in layer.trainable_variables]


class Autoencoder:
    """An encoder and a decoder, with compiled inference.

    Attributes:
        encoder: keras.Model, what is seen of images, float32 in [0, 1], to codes z `(n, ...)` float32; where it pools with
            switches, to a list of z and the switches of each pooling, int32.
        decoder: keras.Model, codes, or that list, to logits `(n, H, W, C)` float32.
        output: one of `config.OUTPUTS`.
        stages: the pairs of layers that greedy pretraining trains, outermost first; () if it cannot.
        image_shape: `(H, W, C)` of the images it gives.
        input_shape: of those it takes: the same, but `(H, W, 1)` for a network that colours grey images.
    """

    def __init__(self, encoder: Any, decoder: Any, output: str = "sigmoid", stages: Sequence[Stage] = ()):
        import tensorflow as tf

        self.encoder, self.decoder, self.output, self.stages = encoder, decoder, output, tuple(stages)
        self.input_shape, self.image_shape = tuple(encoder.input_shape[1:]), tuple(decoder.output_shape[1:])
        outputs = encoder.outputs
        self.code_shape = tuple(outputs[0].shape[1:])
        self.switch_shapes = tuple(tuple(switches.shape[1:]) for switches in outputs[1:])
        self._x_hat = tf.sigmoid if output == "sigmoid" else tf.identity
        # Fixed signatures: one trace for every batch size. 2 ms a call, where model.predict takes 78 ms.
        x = tf.TensorSpec((None, *self.input_shape), tf.float32)
        z = tf.TensorSpec((None, *self.code_shape), tf.float32)
        s = [tf.TensorSpec((None, *shape), tf.int32) for shape in self.switch_shapes]

        def compiled(function: Callable, *signature: Any) -> Any:
            return tf.function(function, input_signature=signature, autograph=False)

        self._encode = compiled(lambda x: self._coded(x)[0], x)
        self._switches = compiled(lambda x: self._coded(x)[1:], x)
        self._decode = compiled(lambda z, *s: self._x_hat(self._decoded([z, *s])), z, *s)
        self._reconstruct = compiled(lambda x: self._x_hat(self._decoded(self._coded(x))), x)

    def _coded(self, x: Any, training: bool = False) -> list[Any]:
        coded = self.encoder(x, training=training)
        return coded if isinstance(coded, list) else [coded]

    def _decoded(self, coded: list[Any], training: bool = False) -> Any:
        return self.decoder(coded if len(coded) > 1 else coded[0], training=training)

    @property
    def code_size(self) -> int:
        """How many numbers the code of one image has; switches are not counted."""
        return prod(self.code_shape)

    @property
    def trainable_variables(self) -> list[Any]:
        return [*self.encoder.trainable_variables, *self.decoder.trainable_variables]

    def seen(self, x: Any) -> Any:
        """What the network is shown of images `(n, H, W, C)`, before any noise: their luma if it colours grey ones, else x.

        Args:
            x: floats in [0, 1], a NumPy array or a tensor.
        """
        return luma(x) if self.input_shape != self.image_shape and x.shape[-1] == 3 else x

    def logits(self, x: Any, training: bool = False) -> tuple[Any, Any]:
        """Codes and logits of a batch of tensors, for use inside a training step."""
        coded = self._coded(x, training)
        return coded[0], self._decoded(coded, training)

    def encode(self, x: np.ndarray) -> np.ndarray:
        """Codes `(n, ...)` float32 of what is seen of images, `(n, *input_shape)` float32 in [0, 1]."""
        return self._in_batches(self._encode, self._checked(x, self.input_shape))

    def switches(self, x: np.ndarray) -> list[np.ndarray]:
        """Of each pooling where in its window every maximum was, `(n, h, w, C)` int32, counted row by row."""
        x = self._checked(x, self.input_shape)
        starts = range(0, len(x), INFERENCE_BATCH)
        parts = [self._switches(x[start : start + INFERENCE_BATCH]) for start in starts]
        return [np.concatenate([part[i] for part in parts]) for i in range(len(self.switch_shapes))]

    def decode(self, z: np.ndarray, switches: Sequence[np.ndarray] | None = None) -> np.ndarray:
        """Images `(n, H, W, C)` float32 of codes `(n, ...)`, in [0, 1] if the output is a sigmoid.

        Args:
            z: the codes.
            switches: as `switches` gives them; without, every value goes to its window's first place.
        """
        z = self._checked(z, self.code_shape)
        if switches is None:
            switches = [np.zeros((len(z), *shape), "int32") for shape in self.switch_shapes]
        return self._in_batches(self._decode, z, *switches)

    def reconstruct(self, x: np.ndarray) -> np.ndarray:
        """x_hat `(n, *image_shape)` float32 of `(n, *input_shape)`, noisy or clean; in [0, 1] if it is a sigmoid's."""
        return self._in_batches(self._reconstruct, self._checked(x, self.input_shape))

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
    def _checked(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        values = np.asarray(values, dtype="float32")
        if values.shape[1:] != shape or not len(values):
            raise ValueError(f"Got an array of shape {values.shape}; the network takes (n, {', '.join(map(str, shape))}).")
        return values

    @staticmethod
    def _in_batches(function: Any, *arrays: np.ndarray) -> np.ndarray:
        starts = range(0, len(arrays[0]), INFERENCE_BATCH)
        return np.concatenate([function(*(a[start : start + INFERENCE_BATCH] for a in arrays)).numpy() for start in starts])
