"""`colorize`: grey in, colour out: a convolutional network whose target is not its input.

Three times convolve and pool, 48 → 24 → 12 → 6, then three times upsample and convolve back; the last layer gives red,
green and blue. What goes in is the image's luma. Which colour belongs to a shape has to be known, for grey does not say:
the network can only have learned it from coloured examples. Where several colours are possible both losses are smallest
at their mean, which is why its guesses are pale.

The listing that it was published with calls its second convolution on the input instead of on the first one's result:

    h = MaxPooling2D()(Conv2D(16, ...)(x))
    h = MaxPooling2D()(Conv2D(32, ...)(x))    # x where h was meant

So its first convolution is dead: nothing reads it, no gradient reaches it, and Keras leaves it out of the model without a
word. As it halves the image once less, two upsamplings bring it back to 48 and no shape is wrong. `colorize` is the chain
that was meant, with the third upsampling that it needs; `colorize_listing` is the one that was run.

Source: a tutorial's colourising autoencoder (BCE or MSE, RMSprop, batch 148, 10 epochs); pale guesses: Zhang, Isola and
Efros, Colorful Image Colorization, ECCV 2016, section 2.
"""

import dataclasses
from functools import partial

import numpy as np

from cae_core.architectures.autoencoder import Autoencoder
from cae_core.architectures.blocks import convolutions, refuse_size, seeds
from cae_core.architectures.entry import Architecture
from cae_core.architectures.forward import Layers
from cae_core.config import RunConfig

DOWN, UP, KERNEL = (16, 32, 64), (32, 16), 3


def build(config: RunConfig, image_shape: tuple[int, int, int], is_listing: bool = False) -> Autoencoder:
    """The network; images `(H, W, 3)`, both sides multiples of 8, of which it sees `(H, W, 1)`.

    Its code is `(n, H / 8, W / 8, 64)`, in the listing `(n, H / 4, W / 4, 64)`, zero or positive; `config.bottleneck` is
    not used.

    Raises:
        ValueError: the images are not in colour, or a side is no multiple of 8.
    """
    import keras
    from keras import layers

    if image_shape[2] != 3:
        raise ValueError(
            f"{config.architecture} gives colour and got images with {image_shape[2]} channel(s): choose a data set in "
            "colour, or another architecture."
        )
    refuse_size(config.architecture, image_shape, 8)
    conv = convolutions(seeds(config.seed))

    x = keras.Input((*image_shape[:2], 1))
    h = layers.MaxPooling2D(2)(conv(DOWN[0], KERNEL, "conv_1")(x))
    h = layers.MaxPooling2D(2)(conv(DOWN[1], KERNEL, "conv_2")(x if is_listing else h))
    encoder = keras.Model(x, layers.MaxPooling2D(2)(conv(DOWN[2], KERNEL, "conv_3")(h)), name="encoder")

    h = z = keras.Input(encoder.output_shape[1:])
    for i, filters in enumerate(UP, 1):
        h = conv(filters, KERNEL, f"conv_{i}_back")(layers.UpSampling2D(2)(h))
    h = h if is_listing else layers.UpSampling2D(2)(h)
    decoder = keras.Model(z, conv(image_shape[2], KERNEL, "logits", None)(h), name="decoder")
    return Autoencoder(encoder, decoder, config.output)


def encode(net: Layers, x: np.ndarray) -> np.ndarray:
    """The encoder in NumPy; the listing has no first convolution."""
    if net.has("conv_1"):
        x = net.max_pool(net.conv("conv_1", x, "relu"))
    return net.max_pool(net.conv("conv_3", net.max_pool(net.conv("conv_2", x, "relu")), "relu"))


def decode(net: Layers, z: np.ndarray) -> np.ndarray:
    """The decoder in NumPy."""
    for i in range(1, len(UP) + 1):
        z = net.conv(f"conv_{i}_back", net.upsample(z), "relu")
    return net.conv("logits", net.upsample(z) if net.has("conv_1") else z)


ENTRIES = {
    "colorize": Architecture(
        "Grey to colour, as meant",
        "Sees an image's luma and has to give its colours: a target that is not the input.",
        "a published tutorial, its chain as it was meant; Zhang, Isola and Efros, ECCV 2016, for what its losses prefer",
        build,
        published={"dataset": "cifar10", "loss": "mse", "optimizer": "rmsprop", "learning_rate": 0.001,
                   "schedule": "constant", "batch_size": 148, "epochs": 10, "noise_kind": "none"},
        equations=(
            r"Y = 0.299\,R + 0.587\,G + 0.114\,B",
            r"h_i = \mathrm{pool}_2(\max(0, W_i * h_{i-1} + b_i)),\quad h_0 = Y,\quad z = h_3",
            r"(\hat R, \hat G, \hat B) = \sigma(W' * g_0 + b')",
        ),
        sees="grey",
        fixed_code=True,
        forward=(encode, decode),
    ),
}  # fmt: skip
ENTRIES["colorize_listing"] = dataclasses.replace(
    ENTRIES["colorize"],
    label="Grey to colour, as listed",
    summary="The same network as it was printed: its second convolution reads the input, so its first one is dead.",
    source="a published tutorial, as listed",
    make=partial(build, is_listing=True),
    equations=(
        r"h_1 = \mathrm{pool}_2(\max(0, W_1 * Y + b_1))\ \text{(read by nothing)}",
        r"h_2 = \mathrm{pool}_2(\max(0, W_2 * Y + b_2)),\quad z = \mathrm{pool}_2(\max(0, W_3 * h_2 + b_3))",
        r"(\hat R, \hat G, \hat B) = \sigma(W' * g_0 + b')",
    ),
)
