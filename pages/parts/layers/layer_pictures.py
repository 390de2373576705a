"""Activations of the layers for one image, and filters: a card with one picture for each; folded, those of all layers."""

from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st

from cae_core.figures import mosaics
from cae_core.figures import pictures as figures
from cae_core.inspection.activations import Activation, Filters
from pages.parts.layers.diagram import size
from pages.parts.layers.input_picture import Picture


def pictures(picture: Picture, outputs: Sequence[Activation], x_hat: np.ndarray, error: float, output: str) -> None:
    """The image, what a few layers make of it, and the reconstruction; folded, what every layer makes of it.

    Args:
        picture: what goes in.
        outputs: every layer's output.
        x_hat: `(1, H, W, C)`, the reconstruction.
        error: its mean squared error per pixel.
        output: what makes the reconstruction of the last values, as of `autoencoder.OUTPUTS`.
    """
    fixed = "white is 1, black 0"
    shape = size(picture.x.shape[1:])
    x = _card("x", picture.name, shape, _image(picture.x), fixed, f"what goes in: {picture.name}")
    code = max(i for i, a in enumerate(outputs) if a.layer.part == "encoder")
    how = "the sigmoid of the last layer" if output == "sigmoid" else "the last layer as it is"
    note = f"{how}, MSE {error:.4f}"
    alt = f"the reconstruction, mean squared error {error:.4f} per pixel"
    last = _card("x̂", note, size(x_hat.shape[1:]), _image(x_hat), fixed, alt, "code")
    few = "".join(_layer(outputs[i], "", picture.x.size, i == code) for i in _few(outputs, code))
    st.html(f'<div class="anatomy few">{x}{few}{last}</div>')
    with st.expander(f"What each of the {len(outputs)} layers makes of it"):
        cells = _part("Encoder")
        for i, activation in enumerate(outputs):
            where = f"layer {i + 1} of {len(outputs)}, "
            cells += _layer(activation, where, picture.x.size, i == code) + _switches(activation, where)
            cells += _part("Decoder") if i == code else ""
        st.html(f'<div class="anatomy">{cells}</div>')


def _few(outputs: Sequence[Activation], code: int) -> list[int]:
    """The layers that tell the story: the first, the last before the code, the code, and one half way back."""
    works = [i for i, a in enumerate(outputs) if a.layer.name not in ("flatten", "reshape")]
    before, after = [i for i in works if i < code], [i for i in works if code < i < len(outputs) - 1]
    return sorted({*before[:1], *before[-1:], code, *after[len(after) // 2 :][:1]})


def _layer(activation: Activation, where: str, image_size: int, is_code: bool) -> str:
    layer, scale = activation.layer, mosaics.scale_of(activation.values)
    shape = size(layer.shape)
    if layer.name == "reshape" and activation.values.shape[-1] == 1:
        pixels = mosaics.layer(activation.values)
    else:
        pixels = mosaics.layer(activation.values, image_size)
    name = f"{layer.name}, the code" if is_code and layer.name != "code" else layer.name
    alt = f"{where}{layer.name}, {layer.kind}, {shape}: {scale.words}"
    return _card(name, layer.kind, shape, pixels, scale.words, alt, "code" if is_code else "")


def _switches(activation: Activation, where: str) -> str:
    """What a pooling remembers of where each maximum was; nothing of any other layer."""
    if activation.switches is None:
        return ""
    layer, shape = activation.layer, size(activation.layer.shape)
    share = 100 * activation.tied.mean()
    note = f"{share:.0f} % of the windows are flat and say nothing"
    alt = f"{where}the switches of {layer.name}, {shape}, in four colours: {note}"
    places = mosaics.switches(activation.switches, activation.tied)
    return _card("switches", f"where each maximum was; {note}", shape, places, _legend(), alt, "switches", True)


def _legend() -> str:
    colours = zip((*mosaics.SWITCH_COLOURS, mosaics.TIED), (*mosaics.SWITCH_PLACES, "flat"), strict=True)
    return "".join(f'<span><i style="background: rgb{colour}"></i>{place}</span>' for colour, place in colours)


def _part(words: str) -> str:
    return f"<h3>{words}</h3>"


def _image(x: np.ndarray) -> np.ndarray:
    return figures.image_grid([x])


def _card(
    name: str, kind: str, shape: str, pixels: np.ndarray, scale: str, alt: str, more: str = "", is_html: bool = False
) -> str:
    """A layer: its name, what it does, its shape, its picture, and the scale, which may be HTML of this program's."""
    src = figures.data_uri(figures.png(pixels))
    ratio = pixels.shape[1] / pixels.shape[0]
    image = f'<img src="{src}" alt="{escape(alt, quote=True)}" style="--ratio: {ratio:.4f}">'
    words = f"<b>{escape(name)}</b> <span>{escape(shape)}</span><small>{escape(kind)}</small>"
    scale = scale if is_html else escape(scale)
    return f'<figure class="{more}"><div class="what">{words}</div>{image}<figcaption>{scale}</figcaption></figure>'


def filters(weights: Sequence[Filters], tied: bool) -> None:
    """The filters of every layer that can be seen.

    Args:
        weights: as of `activations.filters`.
        tied: the decoder has the encoder's own kernels.
    """
    cells = ""
    for bank in weights:
        rows, columns, height, width = bank.values.shape
        scale, count = mosaics.scale_of(bank.values), rows * columns
        what = f"{bank.total:,} of {height} × {width}"
        if bank.layer.kind.startswith("dense"):
            verb = "adds to the picture" if bank.paints else "looks for in the image"
            note = f"what each unit {verb}" + (f"; the first {count} of {bank.total:,}" if count < bank.total else "")
        else:
            note = bank.layer.kind
            if min(rows, columns) > 1:
                note += f"; a row for each of {rows} channels in, a column for each of {columns} out"
        alt = f"filters of {bank.layer.name} in the {bank.layer.part}, {what}: {note}, {scale.words}"
        cells += _card(f"{bank.layer.name}, {bank.layer.part}", note, what, mosaics.filters(bank.values), scale.words, alt)
    st.html(f'<div class="anatomy filters">{cells}</div>')
    if tied:
        st.caption("The decoder paints with the encoder's own kernels, so it has none of its own.")
