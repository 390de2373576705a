"""`conv_denoise`: the convolutional denoiser of the Keras examples, layer by layer; 28,353 parameters at any image size.

Its code is a quarter of the image's height and width with 32 channels: 1,568 numbers for a 28 x 28 image of 784 pixels,
so nothing forces it to compress. Source: keras.io/examples/vision/autoencoder.
"""

from __future__ import annotations

import keras
from keras import layers

from cae_core.architectures import Autoencoder
from cae_core.architectures.layers import refuse_size, seeds
from cae_core.config import RunConfig

FILTERS = 32


def build(config: RunConfig, image_shape: tuple[int, int, int]) -> Autoencoder:
    """The network; its code is `(n, H / 4, W / 4, 32)`, zero or positive. `config.bottleneck` is not used."""
    refuse_size("conv_denoise", image_shape, 4)
    seed = seeds(config.seed)

    def conv(filters: int, name: str, activation: str | None = "relu"):
        initializer = keras.initializers.GlorotUniform(seed=next(seed))
        return layers.Conv2D(filters, 3, padding="same", activation=activation, kernel_initializer=initializer, name=name)

    x = keras.Input(image_shape)
    h = layers.MaxPooling2D(2)(conv(FILTERS, "conv_1")(x))
    encoder = keras.Model(x, layers.MaxPooling2D(2)(conv(FILTERS, "conv_2")(h)), name="encoder")

    z = keras.Input(encoder.output_shape[1:])
    h = layers.UpSampling2D(2)(conv(FILTERS, "conv_3")(z))
    h = layers.UpSampling2D(2)(conv(FILTERS, "conv_4")(h))
    return Autoencoder(encoder, keras.Model(z, conv(image_shape[2], "logits", None)(h), name="decoder"))
