"""BCE or MSE: one network trained with either loss on the same batches, and both gradients of one wrong pixel."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from cae_core import losses
from cae_core.architectures import ARCHITECTURES
from cae_core.comparisons.recipes import SIZES, loss_config
from cae_core.config import BOUNDS, Bounds
from cae_core.figures import curves
from cae_core.inspection import loss_slopes
from cae_core.losses import LOSSES
from cae_core.training import run_monitor
from pages.parts.common import controls, show, widgets, words
from pages.parts.common.outside import refusal
from pages.parts.lesson import strip
from pages.parts.lesson.question import questions_of
from pages.parts.live import group_view, lanes
from pages.parts.live.lanes import Lane
from pages.parts.live.opening import View
from pages.parts.session.setting import Setting

NETWORKS = ("conv_denoise", "fast", "dense", "dense_deep", "conv_resize")
PAIR = ("bce", "mse")
SETTINGS = {
    "pair_network": Setting("conv_denoise", NETWORKS),
    "pair_noise": Setting(0.0, Bounds(0.0, 1.0)),
    "pair_rate": Setting(0.003, BOUNDS["learning_rate"]),
    "pair_images": Setting(SIZES["losses"]["num_train"], BOUNDS["num_train"]),
    "pair_epochs": Setting(SIZES["losses"]["epochs"], Bounds(1, 20, integer=True)),
    "pair_seed": Setting(0, BOUNDS["seed"]),
    "target": Setting(1.0, Bounds(-0.5, 1.5)),
}
LOGITS = np.linspace(-8, 8, 161)
WHEN = (
    "**BCE when** every target is in [0, 1] and the output is a sigmoid, above all if most pixels are black or white: "
    "its slope is as large as the error, so a pixel that is sure and wrong can turn back.  \n"
    "**MSE when** targets can be any number, the output is linear, or squared error is what you are judged by; with a "
    "sigmoid, take small steps and check that the loss is not stuck at its value for a black image."
)
"""Which of the two to take."""
QUESTIONS = questions_of(  # on MNIST even small steps tell the two apart, and large ones stop neither
    "bce_or_mse",
    stuck_in_black={"dataset": "strokes"},
    twins={"dataset": "strokes", "pair_network": "fast"},
    large_steps={"dataset": "strokes", "pair_network": "fast", "pair_rate": 0.01},
    outside={"dataset": "strokes", "target": 1.2},
)


def sidebar(now: dict) -> None:
    with st.sidebar:
        controls.dataset()
        widgets.selectbox("Network", NETWORKS, format_func=controls.label(ARCHITECTURES), key="pair_network")
        controls.gaussian("pair_noise")
        controls.rate("Learning rate", "pair_rate")
        controls.training_images("pair_images", now["dataset"])
        controls.epochs("pair_epochs")
        controls.seed("pair_seed")


def pair(now: dict) -> list[Lane]:
    """What the settings of now would train: equal configurations but for the loss."""
    config = {
        "dataset": now["dataset"], "architecture": now["pair_network"], "learning_rate": now["pair_rate"],
        "num_train": now["pair_images"], "epochs": now["pair_epochs"], "seed": now["pair_seed"],
        **controls.gaussian_settings(now["pair_noise"]),
    }  # fmt: skip
    return [Lane(f"Trained with {LOSSES[loss].label}", loss_config(loss, **config)) for loss in PAIR]


VIEW = View("BCE or MSE", "losses", pair, SETTINGS)


def draw(now: dict) -> None:
    about_a_pixel = strip.draw(QUESTIONS, SETTINGS, now) == "outside"
    if about_a_pixel:  # what it sets stands beside it
        _one_pixel()
    group_view.run(VIEW, now, "", _pictures)
    if not about_a_pixel:
        _one_pixel()
    st.markdown(WHEN)
    words.explain("bce_or_mse")


def _pictures(pair: Sequence[Lane]) -> None:
    mse, bce = lanes.number("mse", ".4f"), lanes.number("bce", ".3f")
    left, right = st.columns([7, 5], gap="medium")
    with left:
        lanes.rows(pair, lambda lane: f"MSE {mse(lane)}, BCE {bce(lane)}")
        lanes.table(
            pair,
            "On the eight images",
            [
                ("MSE per pixel", mse),
                ("BCE per pixel, nats", bce),
                ("Pixels sure and wrong", _share),
                ("Slope of its loss at those pixels", lambda lane: _slope(lane, lane.config.loss)),
                ("Slope of the other loss there", lambda lane: _slope(lane, "mse" if lane.config.loss == "bce" else "bce")),
            ],
        )
    with right:
        lanes.measured(pair, "mse", losses.axis(["mse"]), "pair_mse")
        lanes.measured(pair, "bce", losses.axis(["bce"]), "pair_bce")
        lanes.key(pair)
        with st.expander("Each by its own loss"):
            lanes.losses(pair, "pair_losses")


@lanes.cell
def _share(progress: run_monitor.Progress) -> str:
    return f"{loss_slopes.sure_and_wrong(progress.x, progress.x_hat).mean() * 100:.1f} %"


def _slope(lane: Lane, loss: str) -> str:
    """Mean size of the slope at the pixels that are sure and wrong."""
    slope = loss_slopes.mean_slope(loss, lane.progress.x, lane.progress.x_hat) if lane.progress else None
    return "–" if slope is None else f"{slope:.2g}" if slope >= 1e-4 else "under 0.0001"


def _one_pixel() -> None:
    """Both losses and their slopes by the logit of one pixel, for a target of the visitor's choice."""
    st.subheader("What a loss tells one pixel", anchor=False)
    target = widgets.slider(
        "Target t of the pixel", -0.5, 1.5, step=0.05, key="target",
        help="The value that the pixel should have; in images it is from 0 to 1.",
    )  # fmt: skip
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
            figure = curves.lines(both, (axes, label), ends, up, best)
            show.chart(figure, f"pixel_{label.split()[0]}", f"{title} by its logit, target {target:g}, BCE and MSE")
    if refused := refusal(losses.check_targets, "bce", target, target):
        st.warning(show.plain(refused))
    st.markdown(_pixel(target))


def _pixel(target: float) -> str:
    """What the two charts show at this target."""
    if not 0 <= target <= 1:
        side = "right" if target > 1 else "left"
        return (
            f"At a target of {target:g} the curve of BCE has no minimum: it falls without end to the {side}, and its slope "
            f"never comes to 0. MSE is least at the {side} end, where a sigmoid comes closest; only a **linear output** "
            "gets there."
        )
    return (
        "BCE's slope is p − t, the error itself. MSE's is 2 (p − t) p (1 − p): the last two factors vanish at both ends, "
        "however wrong the pixel is there. A pixel in such a place is **saturated**."
    )
