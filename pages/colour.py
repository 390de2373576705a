"""Colour: can the target be something other than the input?"""

import streamlit as st

from cae_core import datasets, runs
from cae_core.architectures import ARCHITECTURES, suited
from cae_core.config import SHIPPED_LOSSES, Bounds
from cae_core.inference import reconstruction
from cae_core.pretrained import colour_name
from cae_core.runs import Run
from pages.parts.colour import colour_race, colour_view, photo, questions
from pages.parts.common import controls, missing, show, waiting, widgets, words
from pages.parts.lesson import strip
from pages.parts.session import address, state
from pages.parts.session.setting import Names, Setting

NETWORKS = suited(datasets.COLOUR[0])
SETTINGS = {
    "dataset": Setting(datasets.COLOUR[0], datasets.COLOUR),
    "chain": Setting("colorize", NETWORKS),
    "colour_run": Setting((), Names(1)),
    "seed": Setting(0, Bounds(0, 9999, integer=True)),
    "take_loss": Setting("mse", SHIPPED_LOSSES),
    **colour_race.SETTINGS,
    **strip.settings(questions.QUESTIONS),
}
LEFT = ("take_loss", *colour_race.SETTINGS)
"""Settings that none of the page's questions is about."""


def _sidebar(now: dict) -> None:
    with st.sidebar:
        with controls.main():
            controls.dataset(datasets.COLOUR)
            widgets.selectbox(
                "Network", NETWORKS, format_func=controls.label(ARCHITECTURES), key="chain",
                help="As listed, its second convolution reads the input, so its first one is dead.",
            )  # fmt: skip
        chosen = now["colour_run"]
        labels = {(): "Shipped with the app", **({chosen: chosen[0]} if chosen else {})}
        labels |= {(name,): title for name, title in controls.own_runs(channels=3).items()}
        if len(labels) > 1:
            widgets.selectbox("Whose", labels, key="colour_run")
        st.button("New images", icon=":material/shuffle:", on_click=_new_images, width="stretch")
        colour_race.controls(now["dataset"])
        with st.expander("More"):
            controls.sample()


def _new_images() -> None:
    state.change(seed=(state.values(SETTINGS)["seed"] + 1) % 10_000)


def _shown(now: dict) -> list[Run]:
    """The runs to look at: one of the visitor's, or the two that ship, one for each loss; none where none do."""
    if now["colour_run"]:
        return [runs.network(now["colour_run"][0])]
    if not missing.has_network(now["dataset"], now["chain"]):
        return []
    return [runs.network(colour_name(now["dataset"], now["chain"], loss)) for loss in SHIPPED_LOSSES]


def _page() -> None:
    now = show.open_page("colour", "Can the target be something other than the input?", SETTINGS)
    _sidebar(now)
    strip.draw(questions.QUESTIONS, SETTINGS, now, LEFT)
    try:
        x = reconstruction.sample(now["dataset"], "none", 0.0, now["seed"]).x
    except datasets.DataError as error:
        missing.say(now["dataset"], error)
        return
    networks: list[Run] = []
    try:
        networks = _shown(now)
        colour_view.ten(networks, x, now)
    except (RuntimeError, ValueError) as error:
        st.error(show.plain(str(error)))
    colour_view.figures(networks, now["dataset"])
    photo.draw(networks)
    colour_race.draw(now)
    colour_view.take(networks, now["take_loss"])
    words.explain("colour")


_page()
address.write(SETTINGS)
waiting.end()
