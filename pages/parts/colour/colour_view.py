"""Ten grey images, networks' colours for them and the truth; metrics on the test set; the networks as files."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from cae_core import datasets
from cae_core.colours import NEAR, luma
from cae_core.config import SHIPPED_LOSSES
from cae_core.inference import colourise
from cae_core.losses import LOSSES
from cae_core.runs import Run
from pages.parts.common import show, tables, widgets
from pages.parts.common.show import Row
from pages.parts.runs import actions

FILES = ("keras", "architecture", "weights")
"""Exports that are offered here; the Runs page has all of them."""


def title(run: Run, networks: Sequence[Run]) -> str:
    """What a run is called on this page: by its loss, or by its own name where that says nothing."""
    if len(networks) > 1:
        return f"Trained with {LOSSES[run.config.loss].label}"
    return show.shortened(run.label, 28)


def ten(networks: Sequence[Run], x: np.ndarray, now: dict) -> None:
    """The rows of images, with a button that gives them as one picture.

    Args:
        networks: the runs whose guesses are drawn.
        x: `(10, H, W, 3)` float32 in [0, 1], the true colours.
        now: the page's settings.
    """
    count = f"{len(x)} images"
    guesses = [colourise.colour(run, x) for run in networks]
    rows = [Row("Grey", "what the network gets", luma(x), f"{count}, their luma, what the network gets")]
    for place, run in enumerate(networks):
        note, images = f"chroma error {guesses[place].figures['chroma']:.5f}", guesses[place].x_hat
        rows.append(Row(title(run, networks), note, images, f"{count}, coloured, {title(run, networks).lower()}, {note}"))
    rows.append(Row("True colour", "the target", x, f"{count}, in their true colours"))
    for place, run in enumerate(networks):
        error = np.abs(np.clip(guesses[place].x_hat, 0, 1) - x).mean(axis=3, keepdims=True)
        caption = title(run, networks)
        rows.append(
            Row("Absolute error", caption, error, f"{count}, mean absolute error of the channels, {caption.lower()}", True)
        )
    show.grid(rows)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(
            "Nothing in the grey image says which colour it had. It has to be **known** from other images.", width="content"
        )
        if guesses:
            label = datasets.DATASETS[now["dataset"]].label
            name = "-".join(run.name for run in networks)
            show.download(rows, f"{label}, coloured", f"Runs: {name}. Seed {now['seed']}.", name)


def figures(networks: Sequence[Run], dataset: str) -> None:
    """What was measured on the whole test set: of each run, and of who predicts grey or the mean colours.

    Luma and chroma apart: the luma is given, so in a figure of both together grey, which keeps it, would be ahead.
    """
    measured = {title(run, networks): run.metrics.get("clean", {}) for run in networks}
    first = next(iter(measured.values()), {})
    own = {run.config.dataset for run in networks} - {dataset}
    has_hues = "hue_near" in first
    head = ["Luma error<br><small>Y, which was given</small>", "Chroma error<br><small>Cb and Cr, less is better</small>"]
    head += ["Against grey<br><small>chroma error, less is better</small>"]
    head += [f"Hue within {NEAR:g}°<br><small>of the digits</small>"] if has_hues else []
    lines = [
        ("Predicting grey", 0.0 if first else None, first.get("chroma_grey"), None),
        ("Predicting the mean colours", 0.0 if first else None, first.get("chroma_mean"), None),
        *((name, m.get("luma"), m.get("chroma"), m.get("hue_near")) for name, m in measured.items()),
    ]
    rows = []
    for name, luma_error, error, near in lines:
        cells = [_cell(luma_error), _cell(error), _change(error, first.get("chroma_grey"))]
        rows.append((name, [*cells, "–" if near is None else show.percent(near, 1)] if has_hues else cells))
    tables.figures(["", *head], rows)
    label = datasets.DATASETS[next(iter(own), dataset)].label
    if count := first.get("num_images"):
        st.caption(f"Measured on all {count:,} test images of {label}; predicting grey and the mean colours keep the luma.")


def _cell(value: float | None) -> str:
    return "–" if value is None else f"{value:.5f}" if value else "0"


def _change(value: float | None, before: float | None) -> str:
    if value is None or not before:
        return "–"
    change = 100 * (value / before - 1)
    return f"{change:+.0f} %".replace("-", "−") if round(change) else "the same"


def take(networks: Sequence[Run], take_loss: str) -> None:
    """One of the networks as files: in one, or its layers as JSON and its weights as HDF5."""
    with st.expander("Take a network with you"):
        st.markdown(
            "As one `.keras` file, or its layers as JSON and its weights as HDF5. The input is the luma, "
            "`(n, 48, 48, 1)` from 0 to 1; the output is red, green and blue."
        )
        if len(networks) > 1:
            widgets.segmented_control(
                "Which", {loss: f"Trained with {LOSSES[loss].label}" for loss in SHIPPED_LOSSES}, key="take_loss",
                label_visibility="collapsed",
            )  # fmt: skip
        for run in networks:
            if len(networks) == 1 or run.config.loss == take_loss:
                actions.exports(run, FILES)
