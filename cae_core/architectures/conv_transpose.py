"""`conv_transpose`: the textbook convolutional autoencoder, one layer each way with one set of kernels.

One convolution and max pooling code the image; one transposed convolution with the *same* kernels paints it back, each
code value adding its kernel to the picture. With a stride of 2 and a kernel of 3 the painted patches overlap unevenly:
every other row and column is reached by twice as many kernel weights, which shows as a **checkerboard**. A kernel of 4,
which the stride divides, reaches every pixel equally often (`conv_transpose_even`).

Sources: Masci, Meier, Cireşan and Schmidhuber, ICANN 2011 (tied kernels, E = 1/(2n) Σ (x − x̂)²); Dumoulin and Visin,
arXiv:1603.07285 (the transposed convolution); Odena, Dumoulin and Olah, Distill 2016 (why it leaves a checkerboard).
"""

import dataclasses
from functools import partial

import numpy as np

from cae_core.architectures.autoencoder import Autoencoder
from cae_core.architectures.blocks import convolutions, refuse_size, seeds
from cae_core.architectures.entry import Architecture
from cae_core.architectures.forward import Layers
from cae_core.config import RunConfig

FILTERS, STRIDE = 32, 2


def build(config: RunConfig, image_shape: tuple[int, int, int], kernel: int = 3) -> Autoencoder:
    """The network; its code is `(n, H / 2, W / 2, 32)`, zero or positive. `config.bottleneck` is not used."""
    import keras
    from keras import layers

    from cae_core.architectures.layers import TiedConv2DTranspose

    refuse_size(config.architecture, image_shape, STRIDE)
    conv = convolutions(seeds(config.seed))(FILTERS, kernel, "conv")
    x = keras.Input(image_shape)
    encoder = keras.Model(x, layers.MaxPooling2D(STRIDE)(conv(x)), name="encoder")
    z = keras.Input(encoder.output_shape[1:])
    decoder = keras.Model(z, TiedConv2DTranspose(conv, STRIDE, name="logits")(z), name="decoder")
    return Autoencoder(encoder, decoder, config.output)


def encode(net: Layers, x: np.ndarray) -> np.ndarray:
    """The encoder in NumPy."""
    return net.max_pool(net.conv("conv", x, "relu"))


def decode(net: Layers, z: np.ndarray) -> np.ndarray:
    """The decoder in NumPy."""
    return net.conv_transpose("logits", z, stride=STRIDE, tied_to="conv")


ENTRIES = {
    "conv_transpose": Architecture(
        "Transpose, kernel 3",
        "The textbook design: its decoder paints with the encoder's own kernels, and leaves a checkerboard.",
        "Masci et al., ICANN 2011; Odena, Dumoulin and Olah, Distill 2016",
        build,
        published={"loss": "half", "optimizer": "adam", "learning_rate": 0.001, "schedule": "constant", "batch_size": 128,
                   "epochs": 10, "noise_kind": "none"},
        equations=(
            r"z = \mathrm{pool}_2(\max(0, W * x + b))",
            r"\hat x = \sigma(W *^{\mathsf T}_2 z + c)",
            r"\langle W * a,\, b\rangle = \langle a,\, W *^{\mathsf T} b\rangle",
        ),
        fixed_code=True,
        forward=(encode, decode),
    ),
}  # fmt: skip
ENTRIES["conv_transpose_even"] = dataclasses.replace(
    ENTRIES["conv_transpose"],
    label="Transpose, kernel 4",
    summary="The same with a kernel size that the stride divides: every pixel is painted equally often.",
    source="Odena, Dumoulin and Olah, Distill 2016",
    make=partial(build, kernel=4),
    equations=(
        r"z = \mathrm{pool}_2(\max(0, W * x + b))",
        r"\hat x = \sigma(W *^{\mathsf T}_2 z + c),\quad 4 \bmod 2 = 0",
    ),
)
