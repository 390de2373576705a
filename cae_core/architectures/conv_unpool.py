"""`conv_unpool`: a convolutional autoencoder whose pooling remembers where each maximum was.

Pooling keeps the strongest of four values and the **switch**, its place among them. Unpooling puts each value back
where it came from, so edges stay where they were. But the switches never pass the bottleneck: with them the decoder
knows the position of every stroke to a pixel, whatever the code says. From here it went on to SegNet (Badrinayanan,
Kendall and Cipolla, 2015), which upsamples with the encoder's switches to label every pixel of a street, and to the
pictures of what a classifier's features see (Zeiler and Fergus, ECCV 2014).

Source: Zeiler, Taylor and Fergus, Adaptive Deconvolutional Networks, ICCV 2011 (unpooling with switches).
"""

import numpy as np

from cae_core.architectures.autoencoder import Autoencoder
from cae_core.architectures.blocks import convolutions, refuse_size, seeds
from cae_core.architectures.entry import Architecture
from cae_core.architectures.forward import Layers
from cae_core.config import RunConfig

FILTERS = (16, 32)


def build(config: RunConfig, image_shape: tuple[int, int, int]) -> Autoencoder:
    """The network; its code is `(n, H / 2, W / 2, 32)`, zero or positive. `config.bottleneck` is not used."""
    import keras
    from keras import layers

    from cae_core.architectures.layers import MaxPoolSwitches, SubtractBias, Unpool

    refuse_size("conv_unpool", image_shape, 2)
    conv = convolutions(seeds(config.seed))
    x = keras.Input(image_shape)
    h = conv(FILTERS[1], 3, "conv_2")(conv(FILTERS[0], 5, "conv_1")(x))
    encoder = keras.Model(x, list(MaxPoolSwitches(name="pool")(h)), name="encoder")

    z, switches = keras.Input(encoder.output_shape[0][1:]), keras.Input(encoder.output_shape[1][1:], dtype="int32")
    back = {"kind": layers.Conv2DTranspose}
    h = SubtractBias(name="bias_2")(Unpool(name="unpool")([z, switches]))
    h = SubtractBias(name="bias_1")(conv(FILTERS[0], 3, "conv_2_back", **back)(h))
    logits = conv(image_shape[2], 5, "logits", None, **back)(h)
    return Autoencoder(encoder, keras.Model([z, switches], logits, name="decoder"), config.output)


def encode(net: Layers, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The encoder in NumPy."""
    return net.max_pool_switches(net.conv("conv_2", net.conv("conv_1", x, "relu"), "relu"))


def decode(net: Layers, z: np.ndarray, switches: np.ndarray) -> np.ndarray:
    """The decoder in NumPy."""
    h = net.unpool(z, switches) - net.bias("bias_2", FILTERS[1])
    h = net.conv_transpose("conv_2_back", h, "relu") - net.bias("bias_1", FILTERS[0])
    return net.conv_transpose("logits", h)


ENTRIES = {
    "conv_unpool": Architecture(
        "Unpooling with switches",
        "Pooling remembers where each maximum was, and unpooling puts it back there, past the code.",
        "Zeiler, Taylor and Fergus, ICCV 2011; SegNet, 2015",
        build,
        published={"loss": "mse", "optimizer": "rmsprop", "learning_rate": 0.01, "schedule": "constant", "batch_size": 50,
                   "epochs": 20, "noise_kind": "none"},
        equations=(
            r"z_{ij} = \max_{p \in \Omega_{ij}} h_p,\quad s_{ij} = \arg\max_{p \in \Omega_{ij}} h_p",
            r"u_p = z_{ij}\,[\,p = s_{ij}\,]",
            r"g = W_2^{\prime} *^{\mathsf T} (u - b_2),\quad \hat x = W_1^{\prime} *^{\mathsf T} (\max(0, g) - b_1)",
        ),
        fixed_code=True,
        has_switches=True,
        forward=(encode, decode),
    ),
}  # fmt: skip
