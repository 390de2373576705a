"""How images and figures are put on a page: rows of pictures, the table of figures, the downloadable figure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import streamlit as st

from cae_core import figures as pictures
from cae_core.charts import Figure
from cae_core.description import Layer
from cae_core.metrics import METRICS

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


def question(text: str) -> None:
    """The one question a page answers, as its first line; a title, which the browser can draw without fetching more."""
    st.title(text, anchor=False)


def link_problems(problems: Sequence[str]) -> None:
    """Says what in a link could not be used."""
    st.warning("This link asks for something there is not; defaults are shown instead. " + plain(" ".join(problems)))


def plain(text: str) -> str:
    """Text that came from outside, such as a link or a file's name, so that Markdown shows it as it is."""
    # No backslash keeps an address from becoming a link; an invisible word joiner inside it does.
    text = re.sub(r"(?i)(?<=www)(?=\.)|(?<=:)(?=//)|(?=@)", "\u2060", text)
    return re.sub(r"([\\`*_{}\[\]()<>#+\-!|~$:])", r"\\\1", text)


def grid(rows: Sequence[Row], columns: int = 10) -> None:
    """Rows of images, columns aligned to the pixel; a row without images keeps its place."""
    cells = []
    for row in rows:
        cells.append(f'<div class="label">{escape(row.label)}<small>{escape(row.note)}</small></div>')
        if row.images is None:
            cells.append('<div class="waiting" role="status" aria-label="The network is being loaded"></div>')
        else:
            cells.append(f'<img src="{pictures.data_uri(row.strip())}" alt="{escape(row.alt, quote=True)}">')
    scale = ""
    if any(row.error for row in rows):
        bar = pictures.data_uri(pictures.error_bar_png())
        scale = f'<div></div><div class="scale">error 0 <img src="{bar}" alt="scale of absolute error from 0 to 1"> 1</div>'
    st.html(f'<div class="grid" style="--columns: {columns}">{"".join(cells)}{scale}</div>')


def given(x: np.ndarray, x_noisy: np.ndarray) -> str:
    """The label of what a network gets of images x: their luma, if it colours grey ones."""
    return "Noisy" if x.shape == x_noisy.shape else "Grey"


def ratio(image_size: int, code_size: int) -> str:
    """How much smaller a code is than its image."""
    if code_size >= image_size:
        return f"**{code_size / image_size:.3g} times** larger, no bottleneck at all"
    return f"**{image_size / code_size:.3g} times** smaller"


def chart(figure: Figure, key: str, alt: str) -> None:
    """A Plotly figure as of `charts`, as wide as its place."""
    # Imported here, for a page without a chart comes a tenth of a second sooner. While TensorFlow imports pandas in another
    # thread, Plotly would meet half of it; asking for it waits until it is whole.
    from plotly.optional_imports import get_module

    get_module("pandas")
    st.plotly_chart(figure, height="stretch", key=key, config={"displayModeBar": False}, alt=alt)


def facts(values: Sequence[tuple[str, str]]) -> None:
    """A line of named numbers that stay in their places while they change."""
    cells = "".join(f"<div><small>{escape(name)}</small><span>{escape(value)}</span></div>" for name, value in values)
    st.html(f'<div class="facts">{cells}</div>')


def shortened(text: str, most: int) -> str:
    """The text, or its beginning with an ellipsis."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def seconds(value: float) -> str:
    """A length of time as people say it."""
    if value < 90:
        return f"{value:.0f} s"
    return f"{value / 60:.0f} min" if value < 5400 else f"{value / 3600:.1f} h"


def layers(rows: Sequence[Layer]) -> None:
    """The table of a network's layers."""
    head = "<tr><th>layer</th><th>what it does</th><th>gives</th><th>parameters</th></tr>"
    body, part = "", ""
    for layer in rows:
        if layer.part != part:
            part = layer.part
            body += f'<tr><th colspan="4" scope="rowgroup">{escape(part.capitalize())}</th></tr>'
        shape = " × ".join(map(str, layer.shape))
        cells = f"<td>{escape(layer.kind)}</td><td>{shape}</td><td>{layer.parameters:,}</td>"
        body += f'<tr><th scope="row">{escape(layer.name)}</th>{cells}</tr>'
    st.html(f'<table class="figures layers"><thead>{head}</thead><tbody>{body}</tbody></table>')


def table(rows: Sequence[tuple[str, dict[str, float] | None]]) -> None:
    """Every metric of each row, and how it changed against the first row.

    Args:
        rows: label and figures as of `metrics.summary`; None while they are being computed. The first is "before".
    """
    before = rows[0][1]
    head = "".join(
        f'<th scope="col" title="{escape(f"{m.label}: {m.summary}", quote=True)}">{name.upper()}<br>'
        f"<small>{_direction(m)}</small></th>"
        for name, m in METRICS.items()
    )
    body = ""
    for i, (label, values) in enumerate(rows):
        cells = ""
        for name, metric in METRICS.items():
            if values is None:
                cells += "<td>…</td>"
                continue
            change = "" if i == 0 else _change(name, before[name], values[name], metric.higher_is_better)
            cells += f"<td>{_number(name, values[name])}{change}</td>"
        body += f'<tr><th scope="row">{escape(label)}</th>{cells}</tr>'
    st.html(f'<table class="figures"><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>')


def _direction(metric) -> str:
    unit = f"<span>{metric.unit}, </span>" if metric.unit else ""
    return unit + ("more is better" if metric.higher_is_better else "less is better")


def _number(name: str, value: float) -> str:
    return f"{value:.1f}" if name == "psnr" else f"{value:.3f}" if name in ("ssim", "bce") else f"{value:.4f}"


def _change(name: str, before: float, after: float, higher_is_better: bool) -> str:
    # Decibels and SSIM are differences by nature; errors are told as a share of what they were.
    if name in ("psnr", "ssim"):
        text = f"{after - before:+.1f} dB" if name == "psnr" else f"{after - before:+.3f}"
    else:
        text = f"{(after / before - 1) * 100:+.0f} %" if before > 1e-9 else "from 0"
    better = (after > before) == higher_is_better and after != before
    verdict = "" if better or after == before else " worse"
    return f' <small class="{"better" if better else ""}">{text.replace("-", "−")}{verdict}</small>'


def download(rows: Sequence[Row], title: str, caption: str, name: str) -> None:
    """A button that gives the rows as one labelled PNG, drawn only when it is pressed."""

    def make() -> bytes:
        labels = [f"{row.label}, {row.note}" for row in rows]
        return pictures.labelled_png([row.pixels() for row in rows], labels, title, caption)

    st.download_button(DOWNLOAD, make, file_name=f"{name}.png", mime="image/png", icon=DOWNLOAD_ICON)


def download_later() -> None:
    """The place of that button, while there is nothing to download yet."""
    st.button(DOWNLOAD, icon=DOWNLOAD_ICON, disabled=True)
