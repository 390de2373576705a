"""`vae_conv`: the convolutional variational autoencoder of Keras's examples, with a code of two numbers.

Two strided convolutions down to 7 × 7, a dense layer of 16 units, and the way back by transposed convolutions.

Source: keras.io, Variational AutoEncoder, after Kingma and Welling, Auto-Encoding Variational Bayes, ICLR 2014.
"""

import numpy as np

from cae_core.architectures.blocks import convolutions, refuse_size, seeds
from cae_core.architectures.entry import Architecture
from cae_core.architectures.forward import Layers
from cae_core.architectures.variational import EQUATIONS, TAKES, VariationalAutoencoder
from cae_core.config import RunConfig

FILTERS, KERNEL, UNITS = (32, 64), 3, 16


def build(config: RunConfig, image_shape: tuple[int, int, int]) -> VariationalAutoencoder:
    """The network; its code is `(n, bottleneck)`, linear and unbounded. Both sides of its images are multiples of 4."""
    import keras
    from keras import layers

    refuse_size(config.architecture, image_shape, 4)
    seed = seeds(config.seed)
    conv = convolutions(seed)

    def dense(units: int, name: str, activation: str | None = None):
        return layers.Dense(units, activation, kernel_initializer=keras.initializers.GlorotUniform(next(seed)), name=name)

    x, z = keras.Input(image_shape), keras.Input((config.bottleneck,))
    h = x
    for i, filters in enumerate(FILTERS, 1):
        h = conv(filters, KERNEL, f"conv_{i}", strides=2)(h)
    low = h.shape[1:]
    h = dense(UNITS, "hidden", "relu")(layers.Flatten()(h))
    heads = [dense(config.bottleneck, name)(h) for name in ("code", "log_variance")]

    h = layers.Reshape(low)(dense(low[0] * low[1] * low[2], "expand", "relu")(z))
    for i, filters in enumerate(FILTERS[::-1], 1):
        h = conv(filters, KERNEL, f"conv_{i}_back", kind=layers.Conv2DTranspose, strides=2)(h)
    logits = conv(image_shape[2], KERNEL, "logits", None, kind=layers.Conv2DTranspose)(h)
    decoder = keras.Model(z, logits, name="decoder")
    return VariationalAutoencoder(keras.Model(x, heads, name="encoder"), decoder, config.output)


def encode(net: Layers, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The encoder in NumPy."""
    for i, _ in enumerate(FILTERS, 1):
        x = net.conv(f"conv_{i}", x, "relu", stride=2)
    h = net.dense("hidden", x, "relu")
    return net.dense("code", h), net.dense("log_variance", h)


def decode(net: Layers, z: np.ndarray) -> np.ndarray:
    """The decoder in NumPy."""
    height, width, _ = net.image_shape
    h = net.dense("expand", z, "relu").reshape(len(z), height // 4, width // 4, -1)
    for i, _ in enumerate(FILTERS, 1):
        h = net.conv_transpose(f"conv_{i}_back", h, "relu", stride=2)
    return net.conv_transpose("logits", h)


ENTRIES = {
    "vae_conv": Architecture(
        "Variational, convolutional",
        "Strided convolutions, and transposed ones back: the variational autoencoder of Keras's examples.",
        "keras.io, Variational AutoEncoder; Kingma and Welling, ICLR 2014",
        build,
        published={"loss": "elbo", "optimizer": "adam", "learning_rate": 0.001, "schedule": "constant", "batch_size": 128,
                   "epochs": 30, "bottleneck": 2, "noise_kind": "none"},
        equations=EQUATIONS,
        takes=TAKES,
        variational=True,
        forward=(encode, decode),
    ),
}  # fmt: skip
