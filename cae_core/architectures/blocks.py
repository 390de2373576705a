"""Building blocks of several networks: stacks of dense layers, convolutions, sub-pixel upsampling, seeds, size checks.

Keras is imported when something is built, so that reading what networks there are stays quick.
"""

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any

import numpy as np

from cae_core.architectures.autoencoder import Autoencoder, Stage
from cae_core.architectures.forward import Layers
from cae_core.config import RunConfig

MACHINE_SPREAD = 0.1
"""Standard deviation of the weights that restricted Boltzmann machines begin with, the same both ways (Hinton and
Salakhutdinov, Science 2006, supporting material)."""


def depth_to_space(h, block: int):
    """Sub-pixel upsampling: `(n, H, W, b²C)` to `(n, bH, bW, C)`, channels becoming pixels (Shi et al., CVPR 2016).

    Made of layers that Keras has, so that a saved network opens without this project; the numbers are exactly those of
    `tf.nn.depth_to_space`, and so is the time.
    """
    from keras import layers

    height, width, channels = h.shape[1:]
    h = layers.Reshape((height, width, block, block, channels // block**2))(h)
    h = layers.Permute((1, 3, 2, 4, 5))(h)
    return layers.Reshape((height * block, width * block, channels // block**2))(h)


def dense_stack(
    config: RunConfig,
    image_shape: tuple[int, int, int],
    hidden: Sequence[int],
    code_activation: str | None,
    gain: float = 1.0,
) -> Autoencoder:
    """A mirrored stack of dense layers, sigmoid but for the code and the logits; every pair of layers is a stage.

    Args:
        config: its bottleneck is the size of the code.
        image_shape: `(H, W, C)`.
        hidden: units of the encoder's layers before the code.
        code_activation: of the code; None for a linear one.
        gain: what Glorot's first weights of the sigmoid layers are multiplied by.
    """
    import keras
    from keras import layers

    seed = seeds(config.seed)
    as_machines = config.pretraining and config.pretraining_kind == "rbm"

    def dense(units: int, name: str, activation: str | None = "sigmoid"):
        if as_machines:
            first = keras.initializers.RandomNormal(0.0, MACHINE_SPREAD, next(seed))
        elif activation is None or gain == 1:
            first = keras.initializers.GlorotUniform(next(seed))
        else:
            first = keras.initializers.VarianceScaling(gain**2, "fan_avg", "uniform", next(seed))
        return layers.Dense(units, activation, kernel_initializer=first, name=name)

    names = _names(hidden)
    x = keras.Input(image_shape)
    flat = layers.Flatten()
    up = [dense(units, name) for units, name in zip(hidden, names, strict=True)]
    up.append(dense(config.bottleneck, "code", code_activation))
    down = [dense(units, f"{name}_back") for units, name in zip(hidden[::-1], names[::-1], strict=True)]
    down.append(dense(prod(image_shape), "logits", None))
    image = layers.Reshape(image_shape)

    z = keras.Input((config.bottleneck,))
    encoder = keras.Model(x, _through([flat, *up], x), name="encoder")
    decoder = keras.Model(z, _through([*down, image], z), name="decoder")
    pairs = [Stage((layer,), (back,)) for layer, back in zip(up, down[::-1], strict=True)]
    pairs[0] = Stage((flat, up[0]), (down[-1], image))
    if as_machines:
        for layer, back in zip(up, down[::-1], strict=True):
            back.kernel.assign(keras.ops.transpose(layer.kernel))
    return Autoencoder(encoder, decoder, config.output, pairs)


def dense_forward(hidden: Sequence[int], code_activation: str | None) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """`dense_stack` in NumPy, as of `Architecture.forward`."""
    names = _names(hidden)

    def encode(net: Layers, x: np.ndarray) -> np.ndarray:
        for name in names:
            x = net.dense(name, x, "sigmoid")
        return net.dense("code", x, code_activation)

    def decode(net: Layers, z: np.ndarray) -> np.ndarray:
        for name in names[::-1]:
            z = net.dense(f"{name}_back", z, "sigmoid")
        return net.dense("logits", z).reshape(-1, *net.image_shape)

    return encode, decode


def _names(hidden: Sequence[int]) -> list[str]:
    return ["hidden"] if len(hidden) == 1 else [f"hidden_{i}" for i, _ in enumerate(hidden, 1)]


def _through(chain: Sequence[Any], h: Any) -> Any:
    for layer in chain:
        h = layer(h)
    return h


def seeds(seed: int) -> Iterator[int]:
    """One seed a layer, so that equal configurations start from equal weights whatever else was built before."""
    layer = 0
    while True:
        yield (seed * 1009 + layer) % 2**31
        layer += 1


def convolutions(seed: Iterator[int]):
    """A maker of "same" convolutions, each with a seed of its own: `conv(filters, size, name, activation, ...)`."""
    import keras
    from keras import layers

    def conv(
        filters: int, size: int, name: str, activation: str | None = "relu", kind: type = layers.Conv2D, strides: int = 1
    ):  # fmt: skip
        first = keras.initializers.GlorotUniform(next(seed))
        return kind(filters, size, strides, "same", activation=activation, kernel_initializer=first, name=name)

    return conv


def refuse_size(architecture: str, image_shape: tuple[int, int, int], factor: int) -> None:
    """A ValueError unless the image's sides can be halved as often as the network does it."""
    if image_shape[0] % factor or image_shape[1] % factor:
        raise ValueError(
            f"{architecture} halves the image until it is {factor} times smaller and got "
            f"{image_shape[0]} × {image_shape[1]} pixels: both sides must be multiples of {factor}."
        )
