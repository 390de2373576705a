"""Summary of a network as a table: its layers in words, their output shapes and parameters.

Reads Keras layers by their class's name and attributes and imports no Keras itself, so that a new network needs no change
here: an unknown layer shows its class's name.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

from cae_core.architectures import build, fitting
from cae_core.architectures.autoencoder import Autoencoder
from cae_core.config import RunConfig
from cae_core.runtime.caching import cached

ACTIVATIONS = {
    "relu": "ReLU", "silu": "SiLU", "gelu": "GELU", "elu": "ELU", "selu": "SELU", "leaky_relu": "leaky ReLU", "linear": "",
}  # fmt: skip
"""Names as papers write them; others are shown as Keras calls them."""

_SUB_PIXEL = ("Reshape", "Permute", "Reshape")


@dataclass(frozen=True)
class Layer:
    """One line of the table.

    Attributes:
        part: "encoder" or "decoder".
        name: the layer's own.
        kind: what it does, in plain words with its settings.
        shape: of its output for one image.
        parameters: how many weights it has.
    """

    part: str
    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int


@dataclass(frozen=True)
class Network:
    """The whole table.

    Attributes:
        layers: those of the encoder, then those of the decoder, in the order they are computed.
        parameters: weights of both.
        image_shape: `(H, W, C)`.
        code_shape: of one image's code.
    """

    layers: tuple[Layer, ...]
    parameters: int
    image_shape: tuple[int, ...]
    code_shape: tuple[int, ...]

    @property
    def image_size(self) -> int:
        """Numbers in one image."""
        return prod(self.image_shape)

    @property
    def code_size(self) -> int:
        """Numbers in one code."""
        return prod(self.code_shape)


def describe(model: Autoencoder) -> Network:
    """The table of a network, trained or not."""
    layers = tuple(line for line, _ in lines(model))
    parameters = sum(part.count_params() for part in model.parts.values())
    return Network(layers, parameters, tuple(model.image_shape), tuple(model.code_shape))


def lines(model: Autoencoder) -> list[tuple[Layer, Any]]:
    """Each line of the table with the Keras layer whose output it shows; of several layers in one line, the last."""
    return [line for name, part in model.parts.items() for line in _part(name, part, model.encoder.outputs[0])]


@cached(most=64)
def network(architecture: str, bottleneck: int, image_shape: tuple[int, int, int], seed: int = 0) -> Network:
    """The table of a network that does not exist yet; builds it, so TensorFlow must have been loaded.

    Raises:
        ValueError: the architecture is unknown, or cannot take this image size.
    """
    config = RunConfig(architecture=architecture, bottleneck=bottleneck, seed=seed)
    return describe(build(fitting(config), image_shape))


def flow(described: Network) -> str:
    """The shapes that an image goes through, in Markdown with the code in bold; what changes no shape is left out.

    Such as "28×28×1 → 784 → 256 → **32** → 256 → 784 → 28×28×1".
    """
    steps = [described.image_shape]
    code = 0
    for layer in described.layers:
        if layer.shape != steps[-1] or (layer.part == "decoder" and code == len(steps) - 1):
            steps.append(layer.shape)
        if layer.part == "encoder":
            code = len(steps) - 1
    words = ["×".join(map(str, shape)) for shape in steps]
    return " → ".join(f"**{word}**" if place == code else word for place, word in enumerate(words))


def _part(part: str, model: Any, code: Any) -> Iterator[tuple[Layer, Any]]:
    layers = [layer for layer in model.layers if _class(layer) != "InputLayer"]
    layers.sort(key=lambda layer: layer.output is code)  # last, also where the encoder gives a log-variance beside it
    while layers:
        group = layers[: 3 if _is_sub_pixel(layers[:3]) else 1]
        del layers[: len(group)]
        first, last = group[0], group[-1]
        output = last.output[0] if isinstance(last.output, list | tuple) else last.output  # the switches are as many
        factor = output.shape[1] // first.input.shape[1] if len(group) > 1 else 0
        kind = f"sub-pixel upsampling {factor} ×" if factor else _kind(first)
        parameters = sum(layer.count_params() for layer in group)
        yield Layer(part, _name(first), kind, tuple(output.shape[1:]), parameters), last


def _class(layer: Any) -> str:
    return type(layer).__name__


def _is_sub_pixel(layers: list[Any]) -> bool:
    """Whether three layers are what `layers.depth_to_space` makes: channels to pixels."""
    return tuple(map(_class, layers)) == _SUB_PIXEL and tuple(layers[1].dims) == (1, 3, 2, 4, 5)


def _name(layer: Any) -> str:
    """The layer's name, without the number that Keras appends when it has seen as many of its class in this process."""
    numbered = re.fullmatch(r"(.+)_\d+", layer.name)
    return numbered[1] if numbered and numbered[1].replace("_", "") == _class(layer).lower() else layer.name


def _kind(layer: Any) -> str:
    name = _class(layer)
    words = _KINDS[name](layer) if name in _KINDS else (name, _activation(layer))
    return ", ".join(filter(None, words))


def _activation(layer: Any) -> str:
    name = getattr(getattr(layer, "activation", None), "__name__", "")
    return ACTIVATIONS.get(name, name)


def _by(sizes: Any) -> str:
    sizes = (sizes,) * 2 if isinstance(sizes, int) else sizes
    return " × ".join(map(str, sizes))


def _times(sizes: tuple[int, ...]) -> str:
    """A factor, or one a direction: "2" or "2 × 1"."""
    return str(sizes[0]) if len(set(sizes)) == 1 else _by(sizes)


def _convolution(word: str):
    def words(layer: Any) -> tuple[str, ...]:
        stride = f"stride {_times(layer.strides)}" if set(layer.strides) != {1} else ""
        return f"{word} {_by(layer.kernel_size)}", stride, _activation(layer)

    return words


_KINDS = {
    "Activation": lambda layer: (_activation(layer) or "no change",),
    "Add": lambda layer: ("sum of two paths",),
    "AveragePooling2D": lambda layer: (f"average pooling {_by(layer.pool_size)}",),
    "BatchNormalization": lambda layer: ("batch normalisation",),
    "Concatenate": lambda layer: ("two paths side by side",),
    "Conv2D": _convolution("convolution"),
    "Conv2DTranspose": _convolution("transposed convolution"),
    "Dense": lambda layer: ("dense", _activation(layer)),
    "Dropout": lambda layer: (f"dropout {layer.rate:g}",),
    "Flatten": lambda layer: ("flatten",),
    "Largest": lambda layer: ("the k largest stay, all others become 0",),
    "MaxPoolSwitches": lambda layer: ("max pooling 2 × 2 that keeps each maximum's place, the switches",),
    "MaxPooling2D": lambda layer: (f"max pooling {_by(layer.pool_size)}",),
    "Permute": lambda layer: ("axes in another order",),
    "ReLU": lambda layer: ("ReLU",),
    "Reshape": lambda layer: ("reshape",),
    "Resizing": lambda layer: (f"resize to {layer.height} × {layer.width}, {layer.interpolation} pixel",),
    "SubtractBias": lambda layer: ("minus one bias per channel",),
    "TiedDense": lambda layer: ("dense", "the encoder's own weights"),
    "TiedConv2DTranspose": lambda layer: (*_convolution("transposed convolution")(layer), "the encoder's own kernels"),
    "Unpool": lambda layer: ("unpooling 2 ×: each value back to its place, by the switches",),
    "UpSampling2D": lambda layer: (f"{layer.interpolation} upsampling {_times(layer.size)} ×",),
}
