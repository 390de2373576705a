"""`conv_denoise`: the convolutional denoiser of the Keras examples, layer by layer; 28,353 parameters at any image size.

Convolutions look for the same strokes everywhere; pooling halves the picture twice, upsampling repeats pixels on the
way back. Its code is a quarter of the image's height and width with 32 channels: 1,568 numbers for a 28 × 28 image of
784 pixels, so nothing forces it to compress. What it learns it learns from the noise: the target is the clean x, never
x_noisy.

Source: Keras examples, vision/autoencoder (Valdarrama, 2021), after Chollet, Building Autoencoders in Keras, 2016.
"""

import numpy as np

from cae_core.architectures.autoencoder import Autoencoder
from cae_core.architectures.blocks import convolutions, refuse_size, seeds
from cae_core.architectures.entry import Architecture
from cae_core.architectures.forward import Layers
from cae_core.config import RunConfig

FILTERS = 32


def build(config: RunConfig, image_shape: tuple[int, int, int]) -> Autoencoder:
    """The network; its code is `(n, H / 4, W / 4, 32)`, zero or positive. `config.bottleneck` is not used."""
    import keras
    from keras import layers

    refuse_size("conv_denoise", image_shape, 4)
    conv = convolutions(seeds(config.seed))
    x = keras.Input(image_shape)
    h = layers.MaxPooling2D(2)(conv(FILTERS, 3, "conv_1")(x))
    encoder = keras.Model(x, layers.MaxPooling2D(2)(conv(FILTERS, 3, "conv_2")(h)), name="encoder")

    z = keras.Input(encoder.output_shape[1:])
    h = layers.UpSampling2D(2)(conv(FILTERS, 3, "conv_3")(z))
    h = layers.UpSampling2D(2)(conv(FILTERS, 3, "conv_4")(h))
    decoder = keras.Model(z, conv(image_shape[2], 3, "logits", None)(h), name="decoder")
    return Autoencoder(encoder, decoder, config.output)


def encode(net: Layers, x: np.ndarray) -> np.ndarray:
    """The encoder in NumPy."""
    return net.max_pool(net.conv("conv_2", net.max_pool(net.conv("conv_1", x, "relu")), "relu"))


def decode(net: Layers, z: np.ndarray) -> np.ndarray:
    """The decoder in NumPy."""
    h = net.upsample(net.conv("conv_3", z, "relu"))
    return net.conv("logits", net.upsample(net.conv("conv_4", h, "relu")))


ENTRIES = {
    "conv_denoise": Architecture(
        "Convolutional denoiser",
        "The Keras example: its code has 1,568 numbers for 784 pixels, so it is no bottleneck at all.",
        "Keras examples, vision/autoencoder (Valdarrama, 2021)",
        build,
        published={"loss": "bce", "optimizer": "adam", "learning_rate": 0.001, "schedule": "constant", "batch_size": 128,
                   "epochs": 100, "noise_kind": "gaussian", "noise_factor": 0.5},
        equations=(
            r"h_i = \mathrm{pool}_2(\max(0, W_i * h_{i-1} + b_i)),\quad h_0 = \tilde x,\quad z = h_2",
            r"g_{i+1} = \mathrm{up}_2(\max(0, W'_i * g_i + b'_i)),\quad g_1 = z",
            r"\hat x = \sigma(W'_3 * g_3 + b'_3)",
        ),
        fixed_code=True,
        forward=(encode, decode),
    ),
}  # fmt: skip
