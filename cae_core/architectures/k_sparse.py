"""`k_sparse`: a wide code, 784 → 1,000 → 784, of which only the k largest numbers stay; all others become 0.

No penalty makes this code sparse: every image is written with exactly k of the 1,000 units, and the gradient reaches these
only. What is left has no other non-linearity, and the decoder paints with the encoder's own weights: an image is the sum of
k pictures, one for each unit that **fires**. How many may fire is the one thing to choose: a few units have to stand for
whole digits, many can be strokes and bits of strokes.

With a small k from the first step on, the units that happen to be largest learn, are largest again, and others never fire:
they are **dead**. So k **starts large and falls**, in a straight line over the first half of the training, and stays
there in the second: every unit has learned something before firing becomes scarce. Once trained, a network may let
α times as many units fire, α ≥ 1, as in training.

Source: Makhzani and Frey, k-Sparse Autoencoders, ICLR 2014, arXiv:1312.5663.
"""

from math import prod
from typing import Any

import numpy as np

from cae_core.architectures.autoencoder import Autoencoder
from cae_core.architectures.blocks import seeds
from cae_core.architectures.entry import Architecture
from cae_core.architectures.forward import Layers
from cae_core.config import RunConfig

FIRST = 0.01
"""Standard deviation of the first weights."""


def num_kept(config: RunConfig) -> int:
    """How many numbers of a code stay once the network is trained: αk, at most all."""
    return min(config.bottleneck, round(config.alpha * config.k))


def k_after(share, k, k_start):
    """How many stay in training: from `k_start`, or without it from k, in a straight line to k after half the steps.

    Args:
        share: of the steps that are done, in (0, 1], a float32 tensor.
        k: how many are to stay in the end.
        k_start: how many stay at first; 0 for k.
    """
    import tensorflow as tf

    return tf.cast(tf.round(k + ((k_start or k) - k) * tf.maximum(0.0, 1.0 - 2.0 * share)), tf.int32)


class KSparseAutoencoder(Autoencoder):
    """A network of whose code in training k numbers stay and, looked at, αk.

    Attributes:
        units: keras.Model, images to the numbers `(n, units)` of which the largest are kept.
    """

    def __init__(self, units: Any, encoder: Any, decoder: Any, config: RunConfig):
        self.units, self._k, self._k_start = units, config.k, config.k_start
        super().__init__(encoder, decoder, config.output)

    @property
    def written(self) -> dict[str, Any]:
        return {"encoder": self.units}

    def logits(self, x: Any, training: bool = False, share: Any = 1.0) -> tuple[Any, Any]:
        from cae_core.architectures.layers import keep_largest

        z = keep_largest(self.units(x), k_after(share, self._k, self._k_start)) if training else self.encoder(x)
        return z, self.decoder(z)


def build(config: RunConfig, image_shape: tuple[int, int, int]) -> KSparseAutoencoder:
    """The network; its code is `(n, bottleneck)`, linear, and zero but in at most αk places."""
    import keras
    from keras import layers

    from cae_core.architectures.layers import Largest, TiedDense

    first = keras.initializers.RandomNormal(0.0, FIRST, next(seeds(config.seed)))
    dense = layers.Dense(config.bottleneck, kernel_initializer=first, name="units")
    x, z = keras.Input(image_shape), keras.Input((config.bottleneck,))
    units = keras.Model(x, dense(layers.Flatten()(x)), name="encoder")
    encoder = keras.Model(x, Largest(num_kept(config), name="code")(units.output), name="encoder")
    image = layers.Reshape(image_shape)(TiedDense(dense, prod(image_shape), name="logits")(z))
    return KSparseAutoencoder(units, encoder, keras.Model(z, image, name="decoder"), config)


def encode(net: Layers, x: np.ndarray) -> np.ndarray:
    """The encoder in NumPy."""
    h = net.dense("units", x)
    least = np.partition(h, -num_kept(net.config), axis=1)[:, -num_kept(net.config), None]
    return np.where(h >= least, h, np.float32(0))


def decode(net: Layers, z: np.ndarray) -> np.ndarray:
    """The decoder in NumPy."""
    return net.dense("logits", z, tied_to="units").reshape(-1, *net.image_shape)


ENTRIES = {
    "k_sparse": Architecture(
        "k-sparse",
        "784 → 1,000 → 784, tied; of each code only the k largest numbers stay.",
        "Makhzani and Frey, ICLR 2014",
        build,
        published={"loss": "half", "output": "linear", "optimizer": "sgd", "learning_rate": 0.01, "schedule": "cosine",
                   "batch_size": 100, "epochs": 10, "bottleneck": 1000, "k": 25, "k_start": 100, "noise_kind": "none"},
        equations=(
            r"h = W^{\mathsf T} x + b",
            r"z_i = h_i \text{ if it is one of the } k \text{ largest, else } 0",
            r"\hat x = W z + b'",
            r"\min\; \tfrac12 \|x - \hat x\|^2",
        ),
        keeps_k=True,
        forward=(encode, decode),
    ),
}  # fmt: skip
