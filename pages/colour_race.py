"""The chain that was meant and the one that was listed, trained on the same batches, side by side."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import streamlit as st

from cae_core import chroma, datasets, description, watching
from cae_core.chroma import NEAR
from cae_core.config import SHIPPED_LOSSES
from cae_core.losses import LOSSES
from cae_core.pretrained import colour_config
from pages import controls as shared
from pages import lanes, together, waiting, widgets
from pages.lanes import Lane

LANES = {"colorize": "As meant", "colorize_listing": "As listed"}
CHART_HEIGHT = 260


def controls() -> None:
    """What both are trained with, in the sidebar."""
    with st.expander("Train both yourself"):
        widgets.segmented_control(
            "Loss", SHIPPED_LOSSES, format_func=shared.label(LOSSES), key="chain_loss", required=True
        )  # fmt: skip
        widgets.number_input("Training images", 100, 60_000, step=500, key="chain_images")
        widgets.number_input("Epochs", 1, 20, step=1, key="chain_epochs", help="How often every training image is seen.")


def racing(now: dict) -> list[Lane]:
    """What the settings of now would train: equal configurations but for the network."""
    size = {"num_train": now["chain_images"], "epochs": now["chain_epochs"]}
    recipes = {title: colour_config(now["dataset"], name, now["chain_loss"]) for name, title in LANES.items()}
    return [Lane(title, dataclasses.replace(config, **size)) for title, config in recipes.items()]


def draw(now: dict) -> None:
    st.subheader("Train both: as meant, and as listed", anchor=False)
    ready = waiting.networks_ready()
    together.run("Grey to colour", racing(now), "", lambda shown: _pictures(shown, ready))


def _pictures(shown: Sequence[Lane], ready: bool) -> None:
    left, right = st.columns([7, 5], gap="medium")
    with left:
        lanes.rows(shown, lambda lane: f"chroma error {_chroma(lane)}")
    with right:
        lanes.losses(shown, "chain_losses", CHART_HEIGHT)
    first = shown[0].seen or watching.probes(shown[0].config)
    lines = [
        ("Chroma error", _chroma),
        ("Predicting grey has", lambda lane: f"{chroma.error_of(first.x, 0.0).mean():.5f}"),
        ("PSNR", lambda lane: "–" if not lane.seen else f"{-10 * np.log10(lanes.value(lane, 'mse')):.1f} dB"),
        ("Parameters", lambda lane: f"{_network(lane).parameters:,}" if ready else "…"),
        ("Numbers in the code", lambda lane: f"{_network(lane).code_size:,}" if ready else "…"),
    ]
    if datasets.DATASETS[shown[0].config.dataset].hues:
        lines.insert(2, (f"Hue within {NEAR:g}°", _near))
    lanes.table(shown, "On the eight images", lines)


def _chroma(lane: Lane) -> str:
    return "–" if not lane.seen else f"{chroma.error(lane.seen.x, np.clip(lane.seen.x_hat, 0, 1)).mean():.5f}"


def _near(lane: Lane) -> str:
    if not lane.seen:
        return "–"
    off = chroma.hue_error(lane.seen.x, np.clip(lane.seen.x_hat, 0, 1))
    return f"{int((off <= NEAR).sum())} of {len(off)}"


def _network(lane: Lane) -> description.Network:
    shape = datasets.DATASETS[lane.config.dataset].image_shape
    return description.network(lane.config.architecture, lane.config.bottleneck, shape)
