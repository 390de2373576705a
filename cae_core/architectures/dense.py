"""`dense`: one hidden layer each way around the code, every layer a sigmoid (784 → 256 → 128 → 256 → 784 as published).

Source: the plain deep autoencoder after Hinton and Salakhutdinov, Science 2006, trained from random weights.
"""

from __future__ import annotations

from math import prod

import keras
from keras import layers

from cae_core.architectures import Autoencoder
from cae_core.architectures.layers import seeds
from cae_core.config import RunConfig

HIDDEN = 256


def build(config: RunConfig, image_shape: tuple[int, int, int]) -> Autoencoder:
    """The network; its code is `(n, bottleneck)` in (0, 1)."""
    seed = seeds(config.seed)

    def dense(units: int, name: str, activation: str | None = "sigmoid"):
        return layers.Dense(
            units, activation, kernel_initializer=keras.initializers.GlorotUniform(seed=next(seed)), name=name
        )

    x = keras.Input(image_shape)
    h = dense(HIDDEN, "hidden")(layers.Flatten()(x))
    encoder = keras.Model(x, dense(config.bottleneck, "code")(h), name="encoder")

    z = keras.Input((config.bottleneck,))
    h = dense(HIDDEN, "hidden_back")(z)
    logits = layers.Reshape(image_shape)(dense(prod(image_shape), "logits", None)(h))
    return Autoencoder(encoder, keras.Model(z, logits, name="decoder"))
