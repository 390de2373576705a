"""The chain that was meant and the one that was listed, trained on the same batches, side by side."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from cae_core import colours, datasets
from cae_core.architectures import ARCHITECTURES
from cae_core.colours import NEAR
from cae_core.config import SHIPPED_LOSSES
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
    group_view.run("Grey to colour", racing(now), "", _pictures)


def _pictures(chains: Sequence[Lane]) -> None:
    left, right = st.columns([7, 5], gap="medium")
    with left:
        lanes.rows(chains, lambda lane: f"chroma error {_chroma(lane)}")
    with right:
        lanes.losses(chains, "chain_losses", CHART_HEIGHT)
    first = chains[0].seen or run_monitor.probes(chains[0].config)
    lines = [
        ("Chroma error", _chroma),
        ("Predicting grey has", lambda lane: f"{colours.error_of(first.x, 0.0).mean():.5f}"),
        ("Luma error", _luma),
        ("Parameters", lanes.of_network("parameters")),
        ("Numbers in the code", lanes.of_network("code_size")),
    ]
    if datasets.DATASETS[chains[0].config.dataset].hues:
        lines.insert(2, (f"Hue within {NEAR:g}°", _near))

    def table() -> None:
        lanes.table(chains, "On the eight images", lines)

    waiting.for_keras(table, table)


def _chroma(lane: Lane) -> str:
    return "–" if not lane.seen else f"{colours.error(lane.seen.x, np.clip(lane.seen.x_hat, 0, 1)).mean():.5f}"


def _luma(lane: Lane) -> str:
    return "–" if not lane.seen else f"{colours.luma_error(lane.seen.x, np.clip(lane.seen.x_hat, 0, 1)).mean():.5f}"


def _near(lane: Lane) -> str:
    if not lane.seen:
        return "–"
    off = colours.hue_error(lane.seen.x, np.clip(lane.seen.x_hat, 0, 1))
    return f"{int((off <= NEAR).sum())} of {len(off)}"
