"""Sparsity: an L1 penalty on the code, how many units it silences, a linear decoder beside; and codes that keep k."""

from collections.abc import Sequence

import streamlit as st

from cae_core import losses
from cae_core.architectures import ARCHITECTURES
from cae_core.comparisons.recipes import FIRST_K, PENALTY, SIZES, WIDE, k_config, sparse_config
from cae_core.config import BOUNDS, Bounds
from cae_core.pretrained import k_sparse_name
from pages.parts.common import controls, show, widgets, words
from pages.parts.common.outside import refusal
from pages.parts.lesson import strip
from pages.parts.lesson.question import questions_of
from pages.parts.live import group_view, lanes
from pages.parts.live.lanes import Lane
from pages.parts.live.opening import View
from pages.parts.session.setting import Setting

WEIGHTS = (0.0003, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.3, 1.0)
KS = (1, 2, 3, 5, 7, 10, 15, 25, 40, 70, 100)
NETWORKS, JUDGES, OUTPUTS = ("dense", "fast", "k_sparse"), ("mse", "bce"), ("sigmoid", "linear")
SETTINGS = {
    "sparse_network": Setting("dense", NETWORKS),
    "sparse_output": Setting("sigmoid", OUTPUTS),
    "sparse_loss": Setting("mse", JUDGES),
    "weak": Setting(0.001, WEIGHTS),
    "strong": Setting(0.005, WEIGHTS),
    "few": Setting(10, KS),
    "many": Setting(40, KS),
    "other_output": Setting(True, (True, False)),
    "sparse_images": Setting(SIZES["sparsity"]["num_train"], BOUNDS["num_train"]),
    "sparse_epochs": Setting(SIZES["sparsity"]["epochs"], Bounds(1, 40, integer=True)),
    "sparse_seed": Setting(0, BOUNDS["seed"]),
}
OTHER = dict(zip(OUTPUTS, OUTPUTS[::-1], strict=True))
QUESTIONS = questions_of(
    "sparsity",
    a_price={},
    collapse={"strong": 0.1, "other_output": False},
    bce_pays_more={"sparse_loss": "bce", "other_output": False},
    linear_code={"sparse_network": "fast", "weak": 0.003, "strong": 0.03, "other_output": False, "sparse_epochs": 2},
    all_at_once={"sparse_network": "k_sparse"},
    ten_or_forty={"sparse_network": "k_sparse"},
)


def sidebar(now: dict) -> None:
    with st.sidebar:
        controls.dataset()
        widgets.segmented_control("Network", NETWORKS, format_func=controls.label(ARCHITECTURES), key="sparse_network")
        if now["sparse_network"] == "k_sparse":
            with controls.main():
                widgets.select_slider("Smaller k", KS, key="few", help=f"How many of the {WIDE:,} numbers of a code stay.")
                widgets.select_slider("Larger k", KS, key="many")
        else:
            _penalties(now)
        with st.expander("More"):
            controls.training_images("sparse_images", now["dataset"])
            controls.epochs("sparse_epochs", 40)
            controls.seed("sparse_seed")


def _penalties(now: dict) -> None:
    widgets.segmented_control("Output", OUTPUTS, format_func=str.capitalize, key="sparse_output")
    controls.loss(JUDGES, "sparse_loss", here=True)
    with controls.main():
        widgets.select_slider(
            "Weaker penalty", WEIGHTS, key="weak", help="How much the mean size of the code's numbers adds to the loss."
        )
        widgets.select_slider("Stronger penalty", WEIGHTS, key="strong")
    widgets.toggle(f"Also with a {OTHER[now['sparse_output']]} output", key="other_output")


def side_by_side(now: dict) -> list[Lane]:
    """What the settings of now would train: equal configurations but for the penalty, the last with the other output."""
    output = now["sparse_output"]
    shared = {
        "dataset": now["dataset"], "num_train": now["sparse_images"], "epochs": now["sparse_epochs"],
        "seed": now["sparse_seed"],
    }  # fmt: skip
    if now["sparse_network"] == "k_sparse":
        few, many = now["few"], now["many"]
        return [
            Lane(f"k = {few}", k_config(few, FIRST_K, **shared)),
            Lane(f"k = {many}", k_config(many, FIRST_K, **shared)),
            Lane(f"k = {few} at once", k_config(few, 0, **shared)),
            Lane(f"All stay, penalty {PENALTY:g}", k_config(WIDE, 0, sparsity=PENALTY, **shared)),
        ]
    shared |= {"architecture": now["sparse_network"], "loss": now["sparse_loss"]}

    def lane(title: str, weight: float, output: str) -> Lane:
        return Lane(title, sparse_config(weight, output, **shared))

    planned = [lane("No penalty" if not w else f"Penalty {w:g}", w, output) for w in (0.0, now["weak"], now["strong"])]
    if now["other_output"]:
        planned.append(lane(f"Penalty {now['strong']:g}, {OTHER[output]}", now["strong"], OTHER[output]))
    return planned


VIEW = View("Sparsity", "sparsity", side_by_side, SETTINGS)


def problem(now: dict) -> str:
    """Why these settings cannot be trained; "" if they can."""
    if now["sparse_network"] == "k_sparse":
        few, many = now["few"], now["many"]
        return f"The smaller k is {few} and the larger {many}: make the larger one larger." if few >= many else ""
    if now["weak"] >= now["strong"]:
        return f"The weaker penalty is {now['weak']:g} and the stronger {now['strong']:g}: make the stronger one larger."
    lanes_of_now = side_by_side(now)
    return next(filter(None, (refusal(losses.loss_of, lane.config.loss, lane.config.output) for lane in lanes_of_now)), "")


def draw(now: dict) -> None:
    strip.draw(QUESTIONS, SETTINGS, now)
    group_view.run(VIEW, now, problem(now), _pictures)
    if now["sparse_network"] == "k_sparse":
        link = {"dataset": now["dataset"], "run": k_sparse_name(now["dataset"]), "part": "units"}
        st.page_link("latent.py", label="Look at each unit of a trained one", query_params=link)
    words.explain("sparsity")


def _pictures(compared: Sequence[Lane]) -> None:
    mse = lanes.number("mse", ".4f")
    silent = lanes.cell(lambda progress: show.percent(progress.measured["silent"][-1, 1]))
    left, right = st.columns([7, 5], gap="medium")
    with left:
        lanes.rows(compared, lambda lane: f"{silent(lane)} silent, MSE {mse(lane)}")
    with right:
        lanes.measured(compared, "silent", "share of silent units", "sparse_silent", (-0.03, 1.03))
        lanes.measured(compared, "code", "mean |z|", "sparse_code")
        lanes.key(compared)
    lanes.table(
        compared,
        "Codes of 500 held-out images; MSE of the eight",
        [
            ("Silent units", silent),
            ("Mean |z|", lanes.number("code", ".3g")),
            ("MSE per pixel", mse),
            ("Output", lambda lane: lane.config.output),
        ],
    )
