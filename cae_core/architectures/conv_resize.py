"""`conv_resize`: a denoiser whose decoder resizes to each size the encoder has passed, then convolves.

The encoder pools three times, 28 → 14 → 7 → 4. The decoder repeats the nearest pixel until the picture has the stored
size again, 4 → 7 → 14 → 28, and only then convolves: every output pixel is reached by the same number of kernel
weights, so there is none of the checkerboard that a strided transposed convolution leaves. Storing the sizes lets it
take images of any size.

Sources: Odena, Dumoulin and Olah, Deconvolution and Checkerboard Artifacts, Distill 2016; the denoising autoencoder of
Udacity's deep learning course (32, 32 and 16 filters, a code of 4 × 4 × 16).
"""

import numpy as np

from cae_core.architectures.autoencoder import Autoencoder
from cae_core.architectures.blocks import convolutions, seeds
from cae_core.architectures.entry import Architecture
from cae_core.architectures.forward import Layers
from cae_core.config import RunConfig

FILTERS = (32, 32, 16)
LEAST = 8
"""Pixels a side from which the code is more than one point."""


def build(config: RunConfig, image_shape: tuple[int, int, int]) -> Autoencoder:
    """The network; its code is `(n, ⌈H / 8⌉, ⌈W / 8⌉, 16)`, zero or positive. `config.bottleneck` is not used."""
    import keras
    from keras import layers

    if min(image_shape[:2]) < LEAST:
        size = f"{image_shape[0]} × {image_shape[1]}"
        raise ValueError(
            f"conv_resize halves the image three times and got {size} pixels: it takes {LEAST} × {LEAST} or more."
        )
    conv = convolutions(seeds(config.seed))
    h = x = keras.Input(image_shape)
    sizes = []
    for i, filters in enumerate(FILTERS, 1):
        sizes.append(h.shape[1:3])
        h = layers.MaxPooling2D(2, padding="same")(conv(filters, 3, f"conv_{i}")(h))
    encoder = keras.Model(x, h, name="encoder")

    h = z = keras.Input(encoder.output_shape[1:])
    for i, (size, filters) in enumerate(zip(sizes[::-1], FILTERS[::-1], strict=True), 1):
        h = layers.Resizing(*size, interpolation="nearest", name=f"resize_{i}")(h)
        h = conv(filters, 3, f"conv_{i}_back")(h)
    decoder = keras.Model(z, conv(image_shape[2], 3, "logits", None)(h), name="decoder")
    return Autoencoder(encoder, decoder, config.output)


def encode(net: Layers, x: np.ndarray) -> np.ndarray:
    """The encoder in NumPy."""
    for i in range(1, len(FILTERS) + 1):
        x = net.max_pool(net.conv(f"conv_{i}", x, "relu"))
    return x


def decode(net: Layers, z: np.ndarray) -> np.ndarray:
    """The decoder in NumPy."""
    for i in range(1, len(FILTERS) + 1):
        height, width = (-(-side // 2 ** (len(FILTERS) - i)) for side in net.image_shape[:2])
        z = net.conv(f"conv_{i}_back", net.resize(z, height, width), "relu")
    return net.conv("logits", z)


ENTRIES = {
    "conv_resize": Architecture(
        "Resize, then convolve",
        "Its decoder resizes to each size the encoder has passed, then convolves: no checkerboard, any image size.",
        "Odena, Dumoulin and Olah, Distill 2016",
        build,
        published={"loss": "bce", "optimizer": "adam", "learning_rate": 0.001, "schedule": "constant", "batch_size": 200,
                   "epochs": 20, "noise_kind": "gaussian", "noise_factor": 0.5},
        equations=(
            r"h_i = \mathrm{pool}_2(\max(0, W_i * h_{i-1} + b_i)),\quad h_0 = \tilde x,\quad z = h_3",
            r"u_i = \mathrm{resize}(g_i, |h_{i-1}|),\quad g_{i-1} = \max(0, W'_i * u_i + b'_i),\quad g_3 = z",
            r"\hat x = \sigma(W' * g_0 + b')",
        ),
        fixed_code=True,
        forward=(encode, decode),
    ),
}  # fmt: skip
