"""Activations and filters: every layer's output for one image, kernels as images, and which weights to show."""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod
from typing import Any, NamedTuple

import numpy as np

from cae_core import runs
from cae_core.architectures import ARCHITECTURES, build, fitting, published
from cae_core.architectures.autoencoder import Autoencoder
from cae_core.config import RunConfig, lookup
from cae_core.inspection import summary
from cae_core.inspection.summary import Layer
from cae_core.runtime.caching import cached

PROBES = 8
"""Networks whose compiled functions for all layers are kept, about 2 MB each."""

MOST_FILTERS = 64
"""Units of a dense layer whose weights are shown as images, the first ones."""


@dataclass(frozen=True, eq=False)
class Activation:
    """What one layer gives for one image.

    Attributes:
        layer: its line in the table of `summary.describe`.
        values: its output, of the shape `layer.shape`, float32.
        switches: where in its window every maximum was, of the same shape, int32, 0 to 3 row by row; None for a layer
            that has none.
        tied: of the same shape, where all four values of the window were equal, so that its switch says nothing.
    """

    layer: Layer
    values: np.ndarray = field(repr=False)
    switches: np.ndarray | None = field(default=None, repr=False)
    tied: np.ndarray | None = field(default=None, repr=False)


def activations(model: Autoencoder, x: np.ndarray) -> list[Activation]:
    """What every layer of encoder and decoder makes of an image, in the order they are computed.

    All are computed in one compiled call. The last are logits: the reconstruction is their sigmoid, or they themselves
    where the decoder is linear.

    Args:
        model: trained or not.
        x: one image `(1, H, W, C)` float32 in [0, 1].

    Raises:
        ValueError: it is not one image of the network's size.
    """
    x = np.asarray(x, dtype="float32")
    if x.shape != (1, *model.image_shape):
        raise ValueError(f"x has shape {x.shape}; the layers are shown for one image, {(1, *model.image_shape)}.")
    lines, probe = _probe(model)
    outputs = []
    for line, tensors in zip(lines, probe(x), strict=True):
        values, *switched = (tensor.numpy()[0] for tensor in tensors)
        switches, before = switched or (None, None)
        outputs.append(Activation(line, values, switches, None if before is None else _tied(before)))
    return outputs


@cached(most=PROBES)
def _probe(model: Autoencoder) -> tuple[list[Layer], Callable]:
    """The lines of a network's table, and a compiled function of an image to every layer's tensors.

    Of a layer with switches these are its values, the switches and what it was given; of any other its values.
    """
    import keras
    import tensorflow as tf

    lines, wanted = [], {"encoder": [], "decoder": []}
    for line, layer in summary.lines(model):
        outputs = _listed(layer.output)
        lines.append(line)
        wanted[line.part].append([*outputs, layer.input] if len(outputs) > 1 else outputs)
    coded = len(model.encoder.outputs)
    encoder = keras.Model(model.encoder.inputs, [*sum(wanted["encoder"], []), *model.encoder.outputs])
    decoder = keras.Model(model.decoder.inputs, sum(wanted["decoder"], []))
    sizes = [len(tensors) for part in wanted.values() for tensors in part]

    def every(x: Any) -> list[list[Any]]:
        up = _listed(encoder(x, training=False))
        z = up[-coded:]
        flat = [*up[:-coded], *_listed(decoder(z if coded > 1 else z[0], training=False))]
        return [[flat.pop(0) for _ in range(size)] for size in sizes]

    signature = [tf.TensorSpec((1, *model.image_shape), tf.float32)]
    return lines, tf.function(every, input_signature=signature, autograph=False)


def _listed(tensors: Any) -> list[Any]:
    return list(tensors) if isinstance(tensors, list | tuple) else [tensors]


def _tied(h: np.ndarray) -> np.ndarray:
    """Where the four values of each 2 × 2 window of `(H, W, C)` are equal, `(H / 2, W / 2, C)` bool."""
    windows = h.reshape(h.shape[0] // 2, 2, h.shape[1] // 2, 2, h.shape[2])
    return windows.max(axis=(1, 3)) == windows.min(axis=(1, 3))


@dataclass(frozen=True, eq=False)
class Filters:
    """The weights of one layer as images.

    Attributes:
        layer: its line in the table.
        values: `(rows, columns, h, w)` float32. Of a convolution the kernels, a row for each channel that comes in and a
            column for each that goes out; of a dense layer one row of images, what each unit looks for or paints.
        total: how many there are of these; all but a dense layer's beyond `MOST_FILTERS` are in `values`.
        paints: they are what a unit adds to the picture, rather than what it looks for.
    """

    layer: Layer
    values: np.ndarray = field(repr=False)
    total: int
    paints: bool = False


def filters(model: Autoencoder) -> list[Filters]:
    """The weights that can be seen as images: kernels of convolutions, dense layers next to the image.

    A transposed convolution that uses the encoder's kernels has none of its own and is left out.
    """
    weights = []
    for line, layer in summary.lines(model):
        kind = type(layer).__name__
        if kind not in ("Conv2D", "Conv2DTranspose", "Dense"):
            continue
        kernel, paints = layer.kernel.numpy(), line.part == "decoder"
        if kind == "Dense":
            images = _as_images(kernel, line, model.image_shape)
            if images is not None:
                weights.append(Filters(line, images[None, :MOST_FILTERS], len(images), paints))
            continue
        if kind == "Conv2DTranspose":
            kernel = kernel.swapaxes(2, 3)  # it has the outgoing channels first
        weights.append(Filters(line, kernel.transpose(2, 3, 0, 1), prod(kernel.shape[2:]), paints))
    return weights


def _as_images(kernel: np.ndarray, line: Layer, image_shape: tuple[int, ...]) -> np.ndarray | None:
    """A dense layer's weights towards an image or from one, `(units, H, W)`; None for those between other layers."""
    size = prod(image_shape)
    if line.part == "encoder" and len(kernel) == size:
        return kernel.T.reshape(-1, *image_shape).mean(axis=3)
    if line.part == "decoder" and kernel.shape[1] == size and len(kernel) != size:
        return kernel.reshape(-1, *image_shape).mean(axis=3)
    return None


def deep_filters(model: Autoencoder, count: int) -> np.ndarray:
    """What each unit of the last of the outermost `count` stages looks for in the image, through the layers below without
    their sigmoids: `(units, H, W)`, at most `MOST_FILTERS`."""
    *below, last = [next(layer.kernel.numpy() for layer in stage.encode if layer.weights) for stage in model.stages[:count]]
    kernel = last[:, :MOST_FILTERS]
    for lower in below[::-1]:
        kernel = lower @ kernel
    return kernel.T.reshape(-1, *model.image_shape).mean(axis=3)


class Idea(NamedTuple):
    """What the file of a network says of it, as Markdown, and who had the idea."""

    about: str
    source: str


@cached()
def idea(architecture: str) -> Idea:
    """The docstring of a network's file, read as text: nothing of it is imported."""
    entry = lookup(ARCHITECTURES, "architecture", architecture)
    text = ast.get_docstring(ast.parse(entry.file.read_text(encoding="utf-8"))) or ""
    paragraphs = [" ".join(paragraph.split()) for paragraph in re.sub(r"^`\w+`: ", "", text).split("\n\n")]
    sources = [p.partition(": ")[2] for p in paragraphs if re.match(r"Sources?: ", p)]
    about = "\n\n".join(p for p in paragraphs if not re.match(r"Sources?: ", p))
    return Idea(about[:1].upper() + about[1:], " ".join(sources) or entry.source)


def config_of(architecture: str, dataset: str, run: runs.Run | None) -> RunConfig:
    """The settings of a run, else those that the network was published with, on this data set."""
    if run is not None:
        return run.config
    return fitting(RunConfig.from_dict({**published(architecture).to_dict(), "dataset": dataset}))


@cached(most=PROBES)
def fresh(config: RunConfig, image_shape: tuple[int, int, int]) -> Autoencoder:
    """The network of a configuration as it is before its first step; the last few are kept."""
    return build(config, image_shape)
