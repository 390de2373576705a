"""`masci`: one layer of the stacked convolutional autoencoders, h = σ(x ∗ W + b), y = σ(Σ h ∗ W̃ + c).

W̃ are the kernels of the encoder flipped in both axes: one set of weights that reads and paints. Max pooling between
them keeps one value of four in its place and erases the others, which makes the code sparse and its kernels learn whole
strokes rather than copy single pixels. Such layers were stacked, each trained on what the one before gives, to begin a
classifier.

Source: Masci, Meier, Cireşan and Schmidhuber, Stacked Convolutional Auto-Encoders for Hierarchical Feature Extraction,
ICANN 2011, section 3; 20 kernels of 7 × 7 as in its Fig. 1.
"""

import numpy as np

from cae_core.architectures.autoencoder import Autoencoder
from cae_core.architectures.blocks import convolutions, refuse_size, seeds
from cae_core.architectures.entry import Architecture
from cae_core.architectures.forward import Layers
from cae_core.config import RunConfig

MAPS, KERNEL = 20, 7


def build(config: RunConfig, image_shape: tuple[int, int, int]) -> Autoencoder:
    """The network; its code is `(n, H / 2, W / 2, 20)` in (0, 1) and the places of these values."""
    import keras

    from cae_core.architectures.layers import MaxPoolSwitches, TiedConv2DTranspose, Unpool

    refuse_size("masci", image_shape, 2)
    conv = convolutions(seeds(config.seed))(MAPS, KERNEL, "conv", "sigmoid")
    x = keras.Input(image_shape)
    encoder = keras.Model(x, list(MaxPoolSwitches(name="pool")(conv(x))), name="encoder")
    z, switches = keras.Input(encoder.output_shape[0][1:]), keras.Input(encoder.output_shape[1][1:], dtype="int32")
    logits = TiedConv2DTranspose(conv, name="logits")(Unpool(name="unpool")([z, switches]))
    return Autoencoder(encoder, keras.Model([z, switches], logits, name="decoder"), config.output)


def encode(net: Layers, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The encoder in NumPy."""
    return net.max_pool_switches(net.conv("conv", x, "sigmoid"))


def decode(net: Layers, z: np.ndarray, switches: np.ndarray) -> np.ndarray:
    """The decoder in NumPy."""
    return net.conv_transpose("logits", net.unpool(z, switches), tied_to="conv")


ENTRIES = {
    "masci": Architecture(
        "Stacked CAE, one layer",
        "Kernels that read and, flipped, paint; max pooling in between keeps one value of four.",
        "Masci, Meier, Cireşan and Schmidhuber, ICANN 2011",
        build,
        published={"loss": "half", "optimizer": "sgd", "learning_rate": 0.01, "schedule": "constant", "batch_size": 128,
                   "epochs": 10, "noise_kind": "none"},
        equations=(
            r"h^k = \sigma(x * W^k + b^k)",
            r"y = \sigma\Big(\sum_k h^k * \widetilde W^k + c\Big),\quad \widetilde W_{ij} = W_{-i,-j}",
            r"E(\theta) = \frac{1}{2n} \sum_{i=1}^{n} (x_i - y_i)^2",
        ),
        fixed_code=True,
        has_switches=True,
        forward=(encode, decode),
    ),
}  # fmt: skip
