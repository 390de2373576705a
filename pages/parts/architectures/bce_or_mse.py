"""BCE or MSE: one network trained with either loss on the same batches, and both gradients of one wrong pixel."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from cae_core import losses
from cae_core.architectures import ARCHITECTURES
from cae_core.config import BOUNDS, Bounds, RunConfig
from cae_core.figures import curves
from cae_core.inspection import loss_slopes
from cae_core.losses import LOSSES
from pages.parts.architectures import loss_experiments
from pages.parts.common import controls, experiment, show, widgets
from pages.parts.live import group_view, lanes
from pages.parts.live.lanes import Lane
from pages.parts.session.setting import Setting

NETWORKS = ("conv_denoise", "fast", "dense", "dense_deep", "conv_resize")
PAIR = ("bce", "mse")
SETTINGS = {
    "pair_network": Setting("conv_denoise", NETWORKS),
    "pair_noise": Setting(0.0, Bounds(0.0, 1.0)),
    "pair_rate": Setting(0.003, BOUNDS["learning_rate"]),
    "pair_images": Setting(2_000, BOUNDS["num_train"]),
    "pair_epochs": Setting(3, Bounds(1, 20, integer=True)),
    "pair_seed": Setting(0, BOUNDS["seed"]),
    "target": Setting(1.0, Bounds(-0.5, 1.5)),
}
LOGITS = np.linspace(-8, 8, 161)
LOSSES_HEIGHT, SLOPE_HEIGHT = 240, 230


def sidebar(now: dict) -> None:
    with st.sidebar:
        controls.dataset()
        widgets.selectbox("Network", NETWORKS, format_func=controls.label(ARCHITECTURES), key="pair_network")
        widgets.slider("Noise factor", 0.0, 1.0, step=0.05, key="pair_noise", help="Gaussian; 0 is none.")
        widgets.number_input("Learning rate", 1e-6, 1.0, step=0.001, format="%g", key="pair_rate")
        controls.training_images("pair_images", now["dataset"])
        widgets.number_input("Epochs", 1, 20, step=1, key="pair_epochs", help="How often every training image is seen.")
        widgets.number_input("Seed", 0, 2**31 - 1, step=1, key="pair_seed", help="Everything random follows from it.")


def pair(now: dict) -> list[Lane]:
    """What the settings of now would train: equal configurations but for the loss."""
    noise = {"noise_kind": "gaussian", "noise_factor": now["pair_noise"]} if now["pair_noise"] else {"noise_kind": "none"}
    config = {
        "dataset": now["dataset"], "architecture": now["pair_network"], "learning_rate": now["pair_rate"],
        "num_train": now["pair_images"], "epochs": now["pair_epochs"], "seed": now["pair_seed"], "batch_size": 50, **noise,
    }  # fmt: skip
    return [Lane(f"Trained with {LOSSES[loss].label}", RunConfig(loss=loss, **config)) for loss in PAIR]


def draw(now: dict) -> None:
    group_view.run("BCE or MSE", pair(now), "", _pictures)
    _one_pixel()
    experiment.try_this(loss_experiments.EXPERIMENTS, SETTINGS, now)
    loss_experiments.explanation()


def _pictures(pair: Sequence[Lane]) -> None:
    left, right = st.columns([7, 5], gap="medium")
    with left:
        lanes.rows(pair, lambda lane: f"MSE {lanes.value(lane, 'mse'):.4f}, BCE {lanes.value(lane, 'bce'):.3f}")
        lanes.table(
            pair,
            "On the eight images",
            [
                ("MSE per pixel", lanes.number("mse", ".4f")),
                ("BCE per pixel, nats", lanes.number("bce", ".3f")),
                ("Pixels sure and wrong", _share),
                ("There, its loss's slope", lambda lane: _slope(lane, lane.config.loss)),
                ("The other's would be", lambda lane: _slope(lane, "mse" if lane.config.loss == "bce" else "bce")),
            ],
        )
    with right:
        lanes.measured(pair, "mse", losses.axis(["mse"]), "pair_mse")
        lanes.measured(pair, "bce", losses.axis(["bce"]), "pair_bce")
        lanes.key(pair)
        with st.expander("Each by its own loss"):
            lanes.losses(pair, "pair_losses", LOSSES_HEIGHT)


def _share(lane: Lane) -> str:
    if not lane.progress:
        return "–"
    return f"{loss_slopes.sure_and_wrong(lane.progress.x, lane.progress.x_hat).mean() * 100:.1f} %"


def _slope(lane: Lane, loss: str) -> str:
    """Mean size of the slope at the pixels that are sure and wrong."""
    slope = loss_slopes.mean_slope(loss, lane.progress.x, lane.progress.x_hat) if lane.progress else None
    return "–" if slope is None else f"{slope:.2g}" if slope >= 1e-4 else "under 0.0001"


def _one_pixel() -> None:
    """Both losses and their slopes by the logit of one pixel, for a target of the visitor's choice."""
    st.subheader("What a loss tells one pixel", anchor=False)
    target = widgets.slider(
        "Target t of the pixel", -0.5, 1.5, step=0.05, key="target", help="What the pixel should be. Images have 0 to 1."
    )
    try:
        losses.check_targets("bce", target, target)
    except ValueError as error:
        st.warning(show.plain(str(error)))
    axes, ends = "logit l, the pixel is its sigmoid", (float(LOGITS[0]), float(LOGITS[-1]))
    best = float(np.log(target / (1 - target))) if 0 < target < 1 else None
    charts = (
        ("loss", loss_slopes.value, (-4.5, 8.5), "Loss of one pixel"),
        ("slope dL/dl", loss_slopes.slope, (-1.6, 1.6), "Slope of the loss of one pixel"),
    )
    for column, (label, function, up, title) in zip(st.columns(2, gap="medium"), charts, strict=True):
        both = [
            curves.Line(LOSSES[loss].label, LOGITS, function(loss, target, LOGITS), place)
            for place, loss in enumerate(PAIR)
        ]
        with column:
            figure = curves.lines(both, (axes, label), ends, up, best, SLOPE_HEIGHT)
            show.chart(figure, f"pixel_{label.split()[0]}", f"{title} by its logit, target {target:g}, BCE and MSE")
    st.markdown(loss_experiments.pixel(target))
