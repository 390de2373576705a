"""Images and figures on a page: rows of pictures, the table of metrics, the downloadable figure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import streamlit as st

from cae_core import training
from cae_core.config import RunConfig
from cae_core.corruptions import NOISE_KINDS, is_none
from cae_core.figures import mosaics, pictures, plotting
from cae_core.figures.plotting import Figure
from cae_core.training import duration
from pages.parts.common.outside import plain
from pages.parts.glossary import glossary
from pages.parts.session import state
from pages.parts.session.setting import Setting

seconds = duration.in_words
_WAITING = '<div class="waiting" role="status" aria-label="No picture yet"></div>'
DOWNLOAD, DOWNLOAD_ICON = "Download as PNG", ":material/download:"


@dataclass(frozen=True)
class Row:
    """One row of images.

    Attributes:
        label: at its left.
        note: smaller, under the label.
        images: `(n, H, W, C)` float32 in [0, 1]; None while they are being made.
        alt: what the row shows, for whoever cannot see it.
        error: draw them on the error scale instead of in grey.
    """

    label: str
    note: str
    images: np.ndarray | None
    alt: str
    error: bool = False

    def pixels(self) -> np.ndarray:
        """`(n, H, W, 3)` uint8, or the images themselves when they are grey."""
        return pictures.error_colours(self.images) if self.error else self.images

    def strip(self) -> bytes:
        """The row as PNG, one of its pixels for one of the images'; grey in one channel, a third of the bytes."""
        strip = pictures.image_grid([self.pixels()])
        return pictures.png(strip if self.error or self.images.shape[-1] == 3 else strip[..., 0])


def open_page(name: str, question: str, settings: Mapping[str, Setting]) -> dict[str, Any]:
    """Opens a page with the one question it answers, beside it the glossary, and below what in a link could not be used.

    The question is a title, which the browser can draw without fetching more. Gives every setting as it is now.
    """
    problems = state.open_page(name, settings)
    with st.container(horizontal=True, vertical_alignment="top", key="question"):
        st.title(question, anchor=False)
        glossary.offer()
    if problems:
        st.warning("Part of this link cannot be used; defaults are shown instead. " + plain(" ".join(problems)))
    return state.values(settings)


def grid(rows: Sequence[Row], columns: int = 10) -> None:
    """Rows of images, columns aligned to the pixel; a row without images keeps its place."""
    cells = []
    for row in rows:
        cells.append(f'<div class="label">{escape(row.label)}<small>{escape(row.note)}</small></div>')
        if row.images is None:
            cells.append(_WAITING)
        else:
            cells.append(f'<img src="{pictures.data_uri(row.strip())}" alt="{escape(row.alt, quote=True)}">')
    scale = ""
    if any(row.error for row in rows):
        bar = pictures.data_uri(pictures.error_bar_png())
        scale = f'<div></div><div class="scale">error 0 <img src="{bar}" alt="scale of absolute error from 0 to 1"> 1</div>'
    st.html(f'<div class="grid" style="--columns: {columns}">{"".join(cells)}{scale}</div>')


def figure(src: str | None, alt: str, caption: str) -> str:
    """A picture over its caption, which is HTML; without a source, the picture's place."""
    picture = f'<img src="{src}" alt="{escape(alt, quote=True)}">' if src else _WAITING
    return f"<figure>{picture}<figcaption>{caption}</figcaption></figure>"


def through_layers(count: int) -> str:
    """The label of images that went up and down through so many layers."""
    return "Through layer 1" if count == 1 else f"Through layers 1–{count}"


def filters(by_layer: Mapping[int, np.ndarray | None]) -> None:
    """What units of some layers paint or look for, `(n, h, w)` by layer from 0, a mosaic each; None keeps its place."""
    cells = []
    for number, tiles in by_layer.items():
        cells.append(f'<div class="label">Filters, layer {number + 1}</div>')
        if tiles is None:
            cells.append('<div class="waiting" role="status" aria-label="not trained yet"></div>')
        else:
            picture = pictures.data_uri(pictures.png(mosaics.filters(tiles[None])))
            alt = (
                f"{len(tiles)} filters of layer {number + 1}, each {tiles.shape[1]} by {tiles.shape[2]} pixels of the image"
            )
            cells.append(f'<img src="{picture}" alt="{alt}">')
    st.html(f'<div class="grid stack-filters">{"".join(cells)}</div>')


def noise(kind: str, factor: float) -> str:
    """A noise in words, such as "gaussian 0.5"; a strength of 0 is none."""
    return "no noise" if is_none(kind, factor) else f"{NOISE_KINDS[kind].label.lower()} {factor:g}"


def given(x: np.ndarray, x_noisy: np.ndarray, noise: str, more: str = "what the network gets") -> list[Row]:
    """The row of what a network gets of images x, their luma if it colours grey ones; no row where that is x itself.

    Args:
        x: the clean images.
        x_noisy: what the network gets.
        noise: in words, as of `noise`.
        more: what else its alternative text says.
    """
    if np.array_equal(x, x_noisy):
        return []
    label, alt = ("Noisy", f"{noise} noise") if x.shape == x_noisy.shape else ("Grey", noise)
    return [Row(label, noise, x_noisy, f"{len(x)} images, {alt}, {more}")]


def inputs(x: np.ndarray, x_noisy: np.ndarray, noise: str, more: str = "what the network gets") -> list[Row]:
    """The row of clean images, and that of `given`."""
    return [Row("Clean", "x, the target", x, f"{len(x)} images, clean"), *given(x, x_noisy, noise, more)]


def places(config: RunConfig, labels: Sequence[str], columns: int = 10) -> None:
    """The grid of `inputs` and of rows with these labels, while there is no picture yet."""
    kind, factor = training.typical_noise(config)
    between = [] if is_none(kind, factor) else ["Noisy"]
    grid([Row(label, "…", None, "") for label in ("Clean", *between, *labels)], columns)


def ratio(image_size: int, code_size: int) -> str:
    """How much smaller a code is than its image."""
    if code_size >= image_size:
        return f"**{code_size / image_size:.3g} times** larger, so it is no bottleneck at all"
    return f"**{image_size / code_size:.3g} times** smaller"


def chart(figure: Figure, key: str, alt: str, **more: Any) -> Any:
    """A Plotly figure as of `charts`, as wide as its place; `more` and what is returned are Streamlit's."""
    plotting.load_pandas()
    with st.container(key=f"place_{key}"):
        return st.plotly_chart(figure, height="stretch", key=key, config={"displayModeBar": False}, alt=alt, **more)


def facts(values: Sequence[tuple[str, str]]) -> None:
    """A line of named numbers that stay in their places while they change."""
    pairs = [(glossary.marked(escape(name)), escape(value)) for name, value in values]
    cells = "".join(f"<div><small>{name}</small><span>{value}</span></div>" for name, value in pairs)
    st.html(f'<div class="facts">{cells}</div>')


def shortened(text: str, most: int) -> str:
    """The text, or its beginning with an ellipsis."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def listed(words: Sequence[str]) -> str:
    """Words as a sentence has them: a, b and c."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def percent(share: float, digits: int = 0) -> str:
    """A share as everywhere in the app: 77.5 %."""
    return f"{100 * share:.{digits}f} %"


def download(rows: Sequence[Row], title: str, caption: str, name: str) -> None:
    """A button that gives the rows as one labelled PNG, drawn only when it is pressed."""

    def make() -> bytes:
        labels = [f"{row.label}, {row.note}" for row in rows]
        return pictures.labelled_png([row.pixels() for row in rows], labels, title, caption)

    st.download_button(DOWNLOAD, make, file_name=f"{name}.png", mime="image/png", icon=DOWNLOAD_ICON)
