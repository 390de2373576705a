"""The chain that was meant and the one that was listed, trained on the same batches, side by side."""

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from cae_core import colours, datasets
from cae_core.architectures import ARCHITECTURES
from cae_core.colours import NEAR
from cae_core.comparisons.recipes import SIZES
from cae_core.config import BOUNDS, SHIPPED_LOSSES, Bounds
from cae_core.pretrained import COLOUR_NETWORKS, colour_config
from cae_core.training import run_monitor
from pages.parts.common import controls as shared
from pages.parts.live import group_view, lanes
from pages.parts.live.lanes import Lane
from pages.parts.live.opening import View
from pages.parts.session.setting import Setting

SETTINGS = {
    "chain_loss": Setting("mse", SHIPPED_LOSSES),
    "chain_images": Setting(SIZES["colouring"]["num_train"], BOUNDS["num_train"]),
    "chain_epochs": Setting(SIZES["colouring"]["epochs"], Bounds(1, 20, integer=True)),
}


def controls(dataset: str) -> None:
    """What both are trained with on a data set, in the sidebar."""
    with st.expander("Train both yourself"):
        shared.loss(key="chain_loss")
        shared.training_images("chain_images", dataset)
        shared.epochs("chain_epochs")


def racing(now: dict) -> list[Lane]:
    """What the settings of now would train: equal configurations but for the network."""
    size = {"num_train": now["chain_images"], "epochs": now["chain_epochs"]}
    recipes = {name: colour_config(now["dataset"], name, now["chain_loss"], **size) for name in COLOUR_NETWORKS}
    return [Lane(ARCHITECTURES[name].label, recipe) for name, recipe in recipes.items()]


VIEW = View("Grey to colour", "colouring", racing, SETTINGS)


def draw(now: dict) -> None:
    st.subheader("Train both: as meant, and as listed", anchor=False)
    group_view.run(VIEW, now, "", _pictures)


def _pictures(chains: Sequence[Lane]) -> None:
    chroma = _of(colours.error)
    left, right = st.columns([7, 5], gap="medium")
    with left:
        lanes.rows(chains, lambda lane: f"chroma error {chroma(lane)}")
    with right:
        lanes.losses(chains, "chain_losses")
    first = chains[0].progress or run_monitor.probes(chains[0].config)
    lines = [
        ("Chroma error", chroma),
        ("Chroma error of plain grey", lambda lane: f"{colours.error_of(first.x, 0.0).mean():.5f}"),
        ("Luma error", _of(colours.luma_error)),
        *reversed(lanes.sizes()),
    ]
    if datasets.DATASETS[chains[0].config.dataset].hues:
        lines.insert(2, (f"Hue within {NEAR:g}°", _near))
    lanes.table(chains, "On the eight images", lines)


def _of(error: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Callable[[Lane], str]:
    """Gives a lane's mean error of this kind over the eight."""
    return lanes.cell(lambda progress: f"{error(progress.x, np.clip(progress.x_hat, 0, 1)).mean():.5f}")


@lanes.cell
def _near(progress: run_monitor.Progress) -> str:
    off = colours.hue_error(progress.x, np.clip(progress.x_hat, 0, 1))
    return f"{int((off <= NEAR).sum())} of {len(off)}"
