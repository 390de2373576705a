"""`vae_binary`: the variational autoencoder of Burda, Grosse and Salakhutdinov, 784 → 200 → 200 → 50 and back.

Two hidden layers of hyperbolic tangents each way. The pixels that it learns from are drawn black or white anew in each
step, white with the probability that their grey level says: then binary cross-entropy is a probability's logarithm, and
the bound one of log p(x).

The paper makes 3,280 passes in batches of 20, while Adam's rate falls from 0.001 in eight stages. Such a run takes days of
two cores; `published` has 50 passes in larger batches, at three times that rate, in one cycle.

Source: Burda, Grosse and Salakhutdinov, Importance Weighted Autoencoders, ICLR 2016, one stochastic layer.
"""

from math import prod

import numpy as np

from cae_core.architectures.blocks import seeds
from cae_core.architectures.entry import Architecture
from cae_core.architectures.forward import Layers
from cae_core.architectures.variational import EQUATIONS, TAKES, VariationalAutoencoder
from cae_core.config import RunConfig

HIDDEN, LAYERS = 200, 2


def build(config: RunConfig, image_shape: tuple[int, int, int]) -> VariationalAutoencoder:
    """The network; its code is `(n, bottleneck)`, linear and unbounded."""
    import keras
    from keras import layers

    seed = seeds(config.seed)

    def dense(units: int, name: str, activation: str | None = None):
        return layers.Dense(units, activation, kernel_initializer=keras.initializers.GlorotUniform(next(seed)), name=name)

    x, z = keras.Input(image_shape), keras.Input((config.bottleneck,))
    h = layers.Flatten()(x)
    for i in range(LAYERS):
        h = dense(HIDDEN, f"hidden_{i + 1}", "tanh")(h)
    heads = [dense(config.bottleneck, name)(h) for name in ("code", "log_variance")]
    h = z
    for i in range(LAYERS):
        h = dense(HIDDEN, f"hidden_{i + 1}_back", "tanh")(h)
    decoder = keras.Model(z, layers.Reshape(image_shape)(dense(prod(image_shape), "logits")(h)), name="decoder")
    return VariationalAutoencoder(keras.Model(x, heads, name="encoder"), decoder, config.output)


def encode(net: Layers, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The encoder in NumPy."""
    for i in range(LAYERS):
        x = net.dense(f"hidden_{i + 1}", x, "tanh")
    return net.dense("code", x), net.dense("log_variance", x)


def decode(net: Layers, z: np.ndarray) -> np.ndarray:
    """The decoder in NumPy."""
    for i in range(LAYERS):
        z = net.dense(f"hidden_{i + 1}_back", z, "tanh")
    return net.dense("logits", z).reshape(-1, *net.image_shape)


ENTRIES = {
    "vae_binary": Architecture(
        "Variational, black or white",
        "784 → 200 → 200 → 50 and back: the network with which importance weighted autoencoders were published.",
        "Burda, Grosse and Salakhutdinov, ICLR 2016",
        build,
        published={"loss": "elbo", "optimizer": "adam", "learning_rate": 0.003, "schedule": "one_cycle", "batch_size": 100,
                   "epochs": 50, "bottleneck": 50, "noise_kind": "none"},
        equations=(*EQUATIONS, r"\text{with } k \text{ codes:}\quad \min\; -\log \frac1k \sum_i p(x, z_i) / q(z_i \mid x)"),
        takes=TAKES,
        variational=True,
        binarises=True,
        forward=(encode, decode),
    ),
}  # fmt: skip
