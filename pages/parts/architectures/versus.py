"""AE ↔ VAE ↔ β: the same network with a KL term of one weight after another, from none, side by side."""

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from cae_core import metrics
from cae_core.architectures import ARCHITECTURES
from cae_core.comparisons.recipes import BETAS, SIZES, beta_config
from cae_core.config import BOUNDS, Bounds
from cae_core.figures import curves, plotting
from cae_core.latent import neighbours
from pages.parts.common import controls, show, widgets, words
from pages.parts.lesson import strip
from pages.parts.lesson.question import questions_of
from pages.parts.live import group_view, lanes
from pages.parts.live.lanes import Lane
from pages.parts.live.opening import View
from pages.parts.session.setting import Setting, Some

NETWORKS = tuple(name for name, entry in ARCHITECTURES.items() if entry.variational)
WEIGHTS = ("0", "0.1", "0.5", "1", "2", "4", "10", "20")
MOST = len(plotting.CURVE_COLOURS)
CIRCLE = 2.0
"""Radius in which the standard normal distribution of two numbers has 86 % of its codes."""
SETTINGS = {
    "beta_network": Setting("vae", NETWORKS),
    "betas": Setting(tuple(f"{beta:g}" for beta in BETAS), Some(WEIGHTS)),
    "beta_images": Setting(SIZES["beta"]["num_train"], BOUNDS["num_train"]),
    "beta_epochs": Setting(SIZES["beta"]["epochs"], Bounds(1, 40, integer=True)),
    "beta_seed": Setting(0, BOUNDS["seed"]),
}
QUESTIONS = questions_of(
    "beta",
    first_to_go={},
    who_can_draw={"betas": ("0", "1")},
    best_bound={"betas": ("0", "0.1", "1", "4")},
    dearer={"betas": ("1", "10")},
)


def sidebar(now: dict) -> None:
    with st.sidebar:
        controls.dataset()
        names = controls.label(ARCHITECTURES)
        widgets.selectbox("Network", NETWORKS, format_func=names, key="beta_network")
        about = f"Choose two to {MOST}. 0 leaves the KL term out: a plain autoencoder."
        widgets.multiselect("β", WEIGHTS, key="betas", help=about)
        controls.training_images("beta_images", now["dataset"])
        controls.epochs("beta_epochs", 40)
        controls.seed("beta_seed")


def side_by_side(now: dict) -> list[Lane]:
    """What the settings of now would train: equal configurations but for β."""
    shared = {
        "architecture": now["beta_network"], "dataset": now["dataset"], "num_train": now["beta_images"],
        "epochs": now["beta_epochs"], "seed": now["beta_seed"],
    }  # fmt: skip
    titles = {"0": "AE, β 0", "1": "VAE, β 1"}
    chosen = [beta for beta in WEIGHTS if beta in now["betas"]]
    return [Lane(titles.get(beta, f"β {beta}"), beta_config(float(beta), **shared)) for beta in chosen]


VIEW = View("AE to VAE", "beta", side_by_side, SETTINGS)


def problem(now: dict) -> str:
    """Why these settings cannot be compared; "" if they can."""
    if 2 <= len(now["betas"]) <= MOST:
        return ""
    return f"{len(now['betas'])} values of β are chosen: choose two to {MOST} in the sidebar."


def draw(now: dict) -> None:
    strip.draw(QUESTIONS, SETTINGS, now)
    group_view.run(VIEW, now, problem(now), _pictures)
    words.explain("beta")


def costs(lane: Lane) -> np.ndarray:
    """Rate and distortion of held-out images after each epoch, `(n, 2)` float64, in nats per image."""
    rows = lane.progress.history if lane.progress else ()
    return np.array([[row["rate"], row["distortion"]] for row in rows], float).reshape(-1, 2)


def _of_costs(form: Callable[[float, float], str]) -> Callable[[Lane], str]:
    """Says something of the last rate and distortion; a dash before the first epoch is over."""
    return lambda lane: form(*costs(lane)[-1]) if len(costs(lane)) else "–"


@lanes.cell
def kept_class(progress) -> str:
    """Share of the images on the plane whose nearest others are of their class."""
    return show.percent(neighbours.separation(progress.plane.points, progress.labels).accuracy)


@lanes.cell
def sharp(progress) -> str:
    return show.percent(metrics.sharpness(progress.x, progress.x_hat))


def _pictures(compared: Sequence[Lane]) -> None:
    distortion, rate = _of_costs(lambda _, d: f"{d:.1f}"), _of_costs(lambda r, _: f"{r:.1f}")
    width = lanes.number("width", ".4f")
    left, right = st.columns([7, 5], gap="medium")
    with left:
        lanes.rows(compared, lambda lane: f"distortion {distortion(lane)}, {sharp(lane)} as sharp")
        st.markdown("**Drawn from the prior**: what each decoder makes of the same eight codes, which belong to no image.")
        lanes.drawn(compared)
    with right:
        ways = [curves.Line(lane.title, *costs(lane).T, place) for place, lane in enumerate(compared)]
        if ways:
            axes = ("rate, nats per image", "distortion, nats per image")
            alt = "; ".join(f"{lane.title}: rate {rate(lane)}, distortion {distortion(lane)}" for lane in compared)
            show.chart(curves.tradeoff(ways, axes), "beta_costs", f"Distortion over rate in nats per image. {alt}")
        lanes.key(compared, "dotted: on the way there")
        st.markdown(f"**Codes of 500 images**, each plane on its own scale: the circle has a radius of {CIRCLE:g}.")
        lanes.planes(compared, CIRCLE, lambda lane: f"σ {width(lane)}, {kept_class(lane)} beside their class")
    lanes.table(
        compared,
        "Held-out images, nats per image; sharpness and MSE of the eight",
        [
            ("Rate (KL)", rate),
            ("Distortion (BCE)", distortion),
            ("Their sum: −ELBO", _of_costs(lambda r, d: f"{r + d:.1f}")),
            ("Clouds' width σ", width),
            ("Codes' mean |z|", lanes.number("code", ".3g")),
            ("Beside their class", kept_class),
            ("Sharpness", sharp),
            ("MSE per pixel", lanes.number("mse", ".4f")),
        ],
    )
