"""`vae_dense`: the variational autoencoder of PyTorch's examples, 784 → 400 → 20 and back.

One hidden layer of rectifiers each way. Its first weights are drawn as PyTorch draws those of a linear layer, uniformly up
to 1 / √inputs; biases are 0 here, and drawn there.

Source: pytorch/examples, vae/main.py, after Kingma and Welling, Auto-Encoding Variational Bayes, ICLR 2014.
"""

from math import prod

import numpy as np

from cae_core.architectures.blocks import seeds
from cae_core.architectures.entry import Architecture
from cae_core.architectures.forward import Layers
from cae_core.architectures.variational import EQUATIONS, TAKES, VariationalAutoencoder
from cae_core.config import RunConfig

HIDDEN = 400


def build(config: RunConfig, image_shape: tuple[int, int, int]) -> VariationalAutoencoder:
    """The network; its code is `(n, bottleneck)`, linear and unbounded."""
    import keras
    from keras import layers

    seed = seeds(config.seed)

    def dense(units: int, name: str, activation: str | None = None):
        first = keras.initializers.VarianceScaling(0.3333, "fan_in", "uniform", next(seed))
        return layers.Dense(units, activation, kernel_initializer=first, name=name)

    x, z = keras.Input(image_shape), keras.Input((config.bottleneck,))
    h = dense(HIDDEN, "hidden", "relu")(layers.Flatten()(x))
    heads = [dense(config.bottleneck, name)(h) for name in ("code", "log_variance")]
    h = dense(prod(image_shape), "logits")(dense(HIDDEN, "hidden_back", "relu")(z))
    decoder = keras.Model(z, layers.Reshape(image_shape)(h), name="decoder")
    return VariationalAutoencoder(keras.Model(x, heads, name="encoder"), decoder, config.output)


def encode(net: Layers, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The encoder in NumPy."""
    h = net.dense("hidden", x, "relu")
    return net.dense("code", h), net.dense("log_variance", h)


def decode(net: Layers, z: np.ndarray) -> np.ndarray:
    """The decoder in NumPy."""
    return net.dense("logits", net.dense("hidden_back", z, "relu")).reshape(-1, *net.image_shape)


ENTRIES = {
    "vae_dense": Architecture(
        "Variational, dense",
        "784 → 400 → 20 and back: the variational autoencoder of PyTorch's examples.",
        "pytorch/examples, vae; Kingma and Welling, ICLR 2014",
        build,
        published={"loss": "elbo", "optimizer": "adam", "learning_rate": 0.001, "schedule": "constant", "batch_size": 128,
                   "epochs": 10, "bottleneck": 20, "noise_kind": "none"},
        equations=EQUATIONS,
        takes=TAKES,
        variational=True,
        forward=(encode, decode),
    ),
}  # fmt: skip
