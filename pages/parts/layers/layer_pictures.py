"""What every layer makes of an image, and what filters look like: a card with one picture for each."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st

from cae_core.figures import mosaics
from cae_core.figures import pictures as figures
from cae_core.inspection.activations import Activation, Filters
from pages.parts.layers.diagram import size
from pages.parts.layers.input_picture import Picture


def pictures(picture: Picture, found: Sequence[Activation], x_hat: np.ndarray, error: float, output: str) -> None:
    """The image, what each layer makes of it, and the reconstruction.

    Args:
        picture: what goes in.
        found: every layer's output.
        x_hat: `(1, H, W, C)`, the reconstruction.
        error: its mean squared error per pixel.
        output: what makes the reconstruction of the last values, as of `autoencoder.OUTPUTS`.
    """
    fixed = "white is 1, black 0"
    shape = size(picture.x.shape[1:])
    cells = _part("Encoder") + _card("x", picture.name, shape, _image(picture.x), fixed, f"what goes in: {picture.name}")
    code = max(i for i, a in enumerate(found) if a.layer.part == "encoder")
    for i, one in enumerate(found):
        if i == code + 1:
            cells += _part("Decoder")
        cells += _layer(one, f"layer {i + 1} of {len(found)}", picture.x.size, i == code)
    how = "the sigmoid of the last layer" if output == "sigmoid" else "the last layer as it is"
    said = f"{how}, MSE {error:.4f}"
    alt = f"the reconstruction, mean squared error {error:.4f} per pixel"
    cells += _card("x̂", said, size(x_hat.shape[1:]), _image(x_hat), fixed, alt, "code")
    st.html(f'<div class="anatomy">{cells}</div>')


def _layer(one: Activation, where: str, image_size: int, is_code: bool) -> str:
    layer, scale = one.layer, mosaics.scale_of(one.values)
    shape = size(layer.shape)
    if layer.name == "reshape" and one.values.shape[-1] == 1:
        pixels = mosaics.layer(one.values)
    else:
        pixels = mosaics.layer(one.values, image_size)
    name = f"{layer.name}, the code" if is_code and layer.name != "code" else layer.name
    alt = f"{where}, {layer.name}, {layer.kind}, {shape}: {scale.words}"
    card = _card(name, layer.kind, shape, pixels, scale.words, alt, "code" if is_code else "")
    if one.switches is not None:
        share = 100 * one.tied.mean()
        note = f"{share:.0f} % of the windows are flat and say nothing"
        alt = f"{where}, the switches of {layer.name}, {shape}, in four colours: {note}"
        places = mosaics.switches(one.switches, one.tied)
        card += _card("switches", f"where each maximum was; {note}", shape, places, _legend(), alt, "switches", True)
    return card


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


def filters(found: Sequence[Filters], tied: bool) -> None:
    """The filters of every layer that can be seen.

    Args:
        found: as of `anatomy.filters`.
        tied: the decoder has the encoder's own kernels.
    """
    cells = ""
    for one in found:
        rows, columns, height, width = one.values.shape
        scale, shown = mosaics.scale_of(one.values), rows * columns
        what = f"{one.total:,} of {height} × {width}"
        if one.layer.kind.startswith("dense"):
            verb = "adds to the picture" if one.paints else "looks for in the image"
            said = f"what each unit {verb}" + (f"; the first {shown} of {one.total:,}" if shown < one.total else "")
        else:
            said = one.layer.kind
            if min(rows, columns) > 1:
                said += f"; a row for each of {rows} channels in, a column for each of {columns} out"
        alt = f"filters of {one.layer.name} in the {one.layer.part}, {what}: {said}, {scale.words}"
        cells += _card(f"{one.layer.name}, {one.layer.part}", said, what, mosaics.filters(one.values), scale.words, alt)
    st.html(f'<div class="anatomy filters">{cells}</div>')
    if tied:
        st.caption("The decoder paints with the encoder's own kernels, so it has none of its own.")
