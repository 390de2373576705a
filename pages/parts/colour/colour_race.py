"""The chain that was meant and the one that was listed, trained on the same batches, side by side."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from cae_core import colours, datasets
from cae_core.architectures import ARCHITECTURES
from cae_core.colours import NEAR
from cae_core.config import SHIPPED_LOSSES
from cae_core.inspection import summary
from cae_core.losses import LOSSES
from cae_core.pretrained import colour_config
from cae_core.training import run_monitor
from pages.parts.common import controls as shared
from pages.parts.common import waiting, widgets
from pages.parts.live import group_view, lanes
from pages.parts.live.lanes import Lane

LANES = ("colorize", "colorize_listing")
CHART_HEIGHT = 260


def controls(dataset: str) -> None:
    """What both are trained with on a data set, in the sidebar."""
    with st.expander("Train both yourself"):
        widgets.segmented_control(
            "Loss", SHIPPED_LOSSES, format_func=shared.label(LOSSES), key="chain_loss", required=True
        )  # fmt: skip
        shared.training_images("chain_images", dataset)
        widgets.number_input("Epochs", 1, 20, step=1, key="chain_epochs", help="How often every training image is seen.")


def racing(now: dict) -> list[Lane]:
    """What the settings of now would train: equal configurations but for the network."""
    size = {"num_train": now["chain_images"], "epochs": now["chain_epochs"]}
    recipes = {name: colour_config(now["dataset"], name, now["chain_loss"], **size) for name in LANES}
    return [Lane(ARCHITECTURES[name].label, recipe) for name, recipe in recipes.items()]


def draw(now: dict) -> None:
    st.subheader("Train both: as meant, and as listed", anchor=False)
    ready = waiting.networks_ready()
    group_view.run("Grey to colour", racing(now), "", lambda started: _pictures(started, ready))


def _pictures(chains: Sequence[Lane], ready: bool) -> None:
    left, right = st.columns([7, 5], gap="medium")
    with left:
        lanes.rows(chains, lambda lane: f"chroma error {_chroma(lane)}")
    with right:
        lanes.losses(chains, "chain_losses", CHART_HEIGHT)
    first = chains[0].progress or run_monitor.probes(chains[0].config)
    lines = [
        ("Chroma error", _chroma),
        ("Predicting grey has", lambda lane: f"{colours.error_of(first.x, 0.0).mean():.5f}"),
        ("Luma error", _luma),
        ("Parameters", lambda lane: f"{_network(lane).parameters:,}" if ready else "…"),
        ("Numbers in the code", lambda lane: f"{_network(lane).code_size:,}" if ready else "…"),
    ]
    if datasets.DATASETS[chains[0].config.dataset].hues:
        lines.insert(2, (f"Hue within {NEAR:g}°", _near))
    lanes.table(chains, "On the eight images", lines)


def _chroma(lane: Lane) -> str:
    return _mean(lane, colours.error)


def _luma(lane: Lane) -> str:
    return _mean(lane, colours.luma_error)


def _mean(lane: Lane, error) -> str:
    return f"{error(lane.progress.x, np.clip(lane.progress.x_hat, 0, 1)).mean():.5f}" if lane.progress else "–"


def _near(lane: Lane) -> str:
    if not lane.progress:
        return "–"
    off = colours.hue_error(lane.progress.x, np.clip(lane.progress.x_hat, 0, 1))
    return f"{int((off <= NEAR).sum())} of {len(off)}"


def _network(lane: Lane) -> summary.Network:
    shape = datasets.DATASETS[lane.config.dataset].image_shape
    return summary.network(lane.config.architecture, lane.config.bottleneck, shape)
