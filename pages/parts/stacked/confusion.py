"""Confusion matrix and misread images of a classifier, and the scores of the linear probe."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import streamlit as st

from cae_core.config import FEATURES
from cae_core.datasets import Split
from cae_core.figures.pictures import data_uri, png
from cae_core.metrics import mean_and_spread
from cae_core.stacking.linear_probe import FEW
from cae_core.stacking.results import confusion
from pages.parts.common import show, tables

MOST = 40
"""Misread images that are shown."""


def reading(test: Split, read: np.ndarray, class_names: Sequence[str], seed: int) -> None:
    """The confusion matrix beside the misread images.

    Args:
        test: the test images and their classes.
        read: the class `(n,)` read in each.
        class_names: of the data set.
        seed: of the classifier.
    """
    left, right = st.columns([6, 6], gap="medium")
    wrong = np.flatnonzero(read != test.y)
    with left:
        rate = f"{100 * len(wrong) / len(read):.2f} %"
        st.markdown(f"**Confusion matrix** of seed {seed}: {len(wrong):,} of {len(read):,} test images misread, {rate}")
        _matrix(confusion(test.y, read, len(class_names)), class_names)
    with right:
        examples = wrong[np.linspace(0, len(wrong) - 1, min(MOST, len(wrong))).astype(int)] if len(wrong) else wrong
        some = f"{len(examples)} of the misread" if len(examples) < len(wrong) else "All that are misread"
        st.markdown(f"**{some}**: what it is → what was read")
        _images(test, read, examples, class_names)


def _matrix(counts: np.ndarray, names: Sequence[str]) -> None:
    most = max(1, int((counts - np.diag(np.diag(counts))).max()))
    head = "".join(f'<th scope="col">{escape(name[:3])}</th>' for name in names)
    body = ""
    for i, name in enumerate(names):
        cells = ""
        for j, other in enumerate(names):
            count = int(counts[i, j])
            share = 0 if i == j else round(75 * (count / most) ** 0.5)
            cell_title = f"{count} of {escape(name)} read as {escape(other)}"
            right = ' class="right"' if i == j else ""
            cells += f'<td{right} style="--share: {share}%" title="{cell_title}">{count or "·"}</td>'
        body += f'<tr><th scope="row" title="{escape(name)}">{escape(name[:3])}</th>{cells}</tr>'
    st.html(
        '<table class="confusion"><caption>Rows: what it is. Columns: what was read.</caption>'
        f"<thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _images(test: Split, read: np.ndarray, examples: np.ndarray, names: Sequence[str]) -> None:
    cells = ""
    for i in examples:
        image = test.x[i]
        picture = data_uri(png(np.ascontiguousarray(image[..., 0] if image.shape[-1] == 1 else image)))
        truth, other = names[int(test.y[i])], names[int(read[i])]
        alt, caption = f"test image {i}, {truth}, read as {other}", f"{truth[:3]} → {other[:3]}"
        cells += show.figure(picture, alt, escape(caption))
    st.html(f'<div class="misread">{cells}</div>')


def linear(scores: Mapping[str, Any], labels: int) -> None:
    """The scores of the encoder without fine-tuning, against pixels and PCA at the same size.

    Args:
        scores: as of `linear_probe.scores`; each figure one value, or several seeds'.
        labels: that the linear classifier learnt from.
    """

    def values(kind: str, name: str) -> tuple[float, ...]:
        figures = scores.get(kind, {}).get(name, ())
        return tuple(figures) if isinstance(figures, list | tuple) else (figures,)

    def mean_error(kind: str, name: str) -> str:
        errors = values(kind, name)
        if not errors:
            return "–"
        mean, spread = mean_and_spread(errors)
        return f"{100 * mean:.2f}" + (f" ± {100 * spread:.2f}" if len(errors) > 1 else "")

    def size(kind: str) -> int:
        return round(values(kind, "size")[0])

    columns = [(label, kind, kind, "error") for kind, label in FEATURES.items() if kind in scores]
    if "same_error" in scores["pixels"]:
        columns.append(("PCA of the pixels", "encoder", "pixels", "same_error"))
    rows = [
        (label, (f"{size(sized):,}", mean_error(kind, name), mean_error(kind, "few_error")))
        for label, sized, kind, name in columns
    ]
    st.markdown(f"**Features as they are**: a linear classifier with {labels:,} labels, nothing fine-tuned")
    tables.figures(("", "numbers", "misread, %", f"cut to {FEW} by PCA, %"), rows)
    if size("encoder") >= size("pixels"):
        st.caption(
            f"The encoder gives {size('encoder'):,} numbers, PCA of the pixels at most {size('pixels')}, which together "
            f"hold all that the pixels do. So each of the three is also cut to {FEW} numbers by PCA, to compare them at "
            "the same size."
        )
