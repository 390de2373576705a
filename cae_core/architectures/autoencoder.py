"""The autoencoder: an encoder and a decoder with compiled inference, weights by name, the switches where there are any."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cae_core.architectures.network import Network


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


class Autoencoder(Network):
    """An encoder and a decoder of Keras layers, with compiled inference; see `Network` for what it does.

    Attributes:
        encoder: keras.Model, what is seen of images, float32 in [0, 1], to codes z `(n, ...)` float32; where it pools with
            switches, to a list of z and the switches of each pooling, int32.
        decoder: keras.Model, codes, or that list, to logits `(n, H, W, C)` float32.
        output: one of `config.OUTPUTS`.
        stages: the pairs of layers that greedy pretraining trains, outermost first; () if it cannot.
    """

    def __init__(self, encoder: Any, decoder: Any, output: str = "sigmoid", stages: Sequence[Stage] = ()):
        import tensorflow as tf

        self.encoder, self.decoder, self.output, self.stages = encoder, decoder, output, tuple(stages)
        self.input_shape, self.image_shape = tuple(encoder.input_shape[1:]), tuple(decoder.output_shape[1:])
        outputs = encoder.outputs
        self.code_shape = tuple(outputs[0].shape[1:])
        self.switch_shapes = tuple(tuple(switches.shape[1:]) for switches in outputs[1:])
        self._x_hat = x_hat = tf.sigmoid if output == "sigmoid" else tf.identity
        # Fixed signatures: one trace for every batch size. 2 ms a call, where model.predict takes 78 ms.
        x = tf.TensorSpec((None, *self.input_shape), tf.float32)
        z = tf.TensorSpec((None, *self.code_shape), tf.float32)
        s = [tf.TensorSpec((None, *shape), tf.int32) for shape in self.switch_shapes]

        def compiled(function: Callable, *signature: Any) -> Any:
            return tf.function(function, input_signature=signature, autograph=False)

        self._encode = compiled(self._through_encoder, x)
        self._decode = compiled(lambda z, *s: x_hat(self._through_decoder([z, *s])), z, *s)
        self._reconstruct = compiled(lambda x: x_hat(self._through_decoder(self._through_encoder(x))), x)

    def _coded(self, x: np.ndarray) -> list[np.ndarray]:
        return [part.numpy() for part in self._encode(x)]

    def _decoded(self, z: np.ndarray, *switches: np.ndarray) -> np.ndarray:
        return self._decode(z, *switches).numpy()

    def _reconstructed(self, x: np.ndarray) -> np.ndarray:
        return self._reconstruct(x).numpy()

    @property
    def parts(self) -> dict[str, Any]:
        """The Keras models that it is made of, with every layer that is trained."""
        return {"encoder": self.encoder, "decoder": self.decoder}

    @property
    def written(self) -> dict[str, Any]:
        """Those of `parts` that a script is to build; what is left out of them the script export writes by hand."""
        return self.parts

    @property
    def trainable_variables(self) -> list[Any]:
        return [variable for part in self.parts.values() for variable in part.trainable_variables]

    def logits(self, x: Any, training: bool = False, share: Any = 1.0) -> tuple[Any, Any]:
        """Codes and logits of a batch of tensors, for use inside a training step with this share of all steps done."""
        coded = self._through_encoder(x, training)
        return coded[0], self._through_decoder(coded, training)

    def reconstruct_through(self, x: np.ndarray, count: int) -> np.ndarray:
        """x_hat as of `reconstruct`, of images that go up and down through the outermost `count` stages only."""
        import tensorflow as tf

        h = tf.constant(x, tf.float32)
        for stage in self.stages[:count]:
            h = stage.up(h)
        for stage in self.stages[count - 1 :: -1]:
            h = stage.down(h)
        return self._x_hat(h).numpy()

    def _through_encoder(self, x: Any, training: bool = False) -> list[Any]:
        coded = self.encoder(x, training=training)
        return coded if isinstance(coded, list) else [coded]

    def _through_decoder(self, coded: list[Any], training: bool = False) -> Any:
        return self.decoder(coded if len(coded) > 1 else coded[0], training=training)

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
        return [variable for part in self.parts.values() for variable in part.variables]
