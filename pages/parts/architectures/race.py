"""The decoder race: five ways from a small code back to a large image, trained on the same batches, side by side."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from cae_core.architectures import ARCHITECTURES
from cae_core.comparisons.recipes import RACERS, SIZES, race_config
from cae_core.config import BOUNDS, Bounds
from cae_core.inspection import checkerboard
from cae_core.training import run_monitor
from pages.parts.architectures import overlap
from pages.parts.common import controls, widgets, words
from pages.parts.lesson import strip
from pages.parts.lesson.question import questions_of
from pages.parts.live import group_view, lanes
from pages.parts.live.lanes import Lane
from pages.parts.live.opening import View
from pages.parts.session.setting import Setting, Some

SETTINGS = {
    "racers": Setting(RACERS, Some(RACERS)),
    "race_noise": Setting(0.0, Bounds(0.0, 1.0)),
    "race_images": Setting(SIZES["race"]["num_train"], BOUNDS["num_train"]),
    "race_epochs": Setting(SIZES["race"]["epochs"], Bounds(1, 20, integer=True)),
    "race_seed": Setting(0, BOUNDS["seed"]),
}
QUESTIONS = questions_of(
    "race",
    all_five={},
    one_pixel={"racers": ("conv_transpose", "conv_transpose_even")},
    training_longer={"racers": ("conv_transpose", "conv_resize"), "race_epochs": 8},
    switches_and_noise={"racers": ("conv_denoise", "conv_unpool"), "race_noise": 0.5},
)


def sidebar(now: dict) -> None:
    with st.sidebar:
        controls.dataset()
        names = controls.label(ARCHITECTURES)
        widgets.multiselect("Decoders", RACERS, format_func=names, key="racers", help="Choose two to five.")
        controls.gaussian("race_noise")
        controls.training_images("race_images", now["dataset"])
        controls.epochs("race_epochs")
        controls.seed("race_seed")


def racing(now: dict) -> list[Lane]:
    """What the settings of now would train: equal configurations but for the network."""
    noise = controls.gaussian_settings(now["race_noise"])
    shared = {"num_train": now["race_images"], "epochs": now["race_epochs"], "seed": now["race_seed"], **noise}
    chosen = [name for name in RACERS if name in now["racers"]]
    return [Lane(ARCHITECTURES[name].label, race_config(name, dataset=now["dataset"], **shared)) for name in chosen]


CHECKERBOARD = ("all_five", "one_pixel")
"""Questions that the magnified crops answer."""
VIEW = View("Decoder race", "race", racing, SETTINGS)


def draw(now: dict) -> None:
    question = strip.draw(QUESTIONS, SETTINGS, now)
    problem = "" if len(now["racers"]) > 1 else "A race needs two: choose at least two decoders in the sidebar."
    if question in CHECKERBOARD:  # its picture stands beside it
        overlap.draw(now["dataset"])
    group_view.run(VIEW, now, problem, _pictures)
    if question not in CHECKERBOARD:
        overlap.draw(now["dataset"])
    words.explain("race")


@lanes.cell
def score(progress: run_monitor.Progress) -> str:
    """The checkerboard score of the eight, with as many digits as mean something."""
    ratio = checkerboard.score(progress.x, progress.x_hat)
    return f"{ratio:.1f}" if ratio >= 10 else f"{ratio:.2f}"


def _spectrum(images: np.ndarray) -> np.ndarray:
    """As large as an image, also where its sides are odd."""
    picture = checkerboard.spectrum(images)
    return np.pad(picture, [(0, side - length) for side, length in zip(images.shape[1:3], picture.shape, strict=True)])


def _pictures(racers: Sequence[Lane]) -> None:
    left, right = st.columns([7, 5], gap="medium")
    with left:
        lanes.rows(racers, lambda lane: f"checkerboard {score(lane)}", _spectrum)
        st.caption(
            "The last column is the mean **spectrum**, with slow changes in its middle and patterns of two pixels at its "
            "edge: a checkerboard shows as bright spots there."
        )
    with right:
        lanes.losses(racers, "race_losses")
    code, parameters = lanes.sizes()
    lines = [
        ("Checkerboard (faithful: 1)", score),
        ("MSE per pixel", lanes.number("mse", ".4f")),
        code,
        ("Passes beside the code", _besides),
        parameters,
    ]

    lanes.table(racers, "The eight images, and what each network can use", lines)


def _besides(lane: Lane) -> str:
    """What the decoder gets besides the code: one switch a number, where it pools with switches."""
    has_switches = ARCHITECTURES[lane.config.architecture].has_switches
    return f"{lanes.size('code_size')(lane)} switches" if has_switches else "nothing"
