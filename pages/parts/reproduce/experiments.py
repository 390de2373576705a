"""Experiments of the Reproduce page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.parts.reproduce import card_view
from pages.parts.session import state


@dataclass(frozen=True)
class Trial:
    """A card worth running.

    Attributes:
        title: on its button.
        card: what is run.
        look_for: what comes out; a test holds it against what ships.
    """

    title: str
    card: str
    look_for: str


TRIALS: dict[str, Trial] = {
    "pca": Trial(
        "Confirm eight figures at once",
        "pca",
        "Principal components are computed, not trained, so this takes seconds and gives the same figures every time. "
        "All eight are met within 0.5 %. One is published, the 13.87 of Hinton and Salakhutdinov: so images and unit are "
        "theirs. The other seven were measured for this project. Each other card is to be read against this curve.",
    ),
    "layers": Trial(
        "Layer by layer, or all at once?",
        "dense_linear_2d",
        "Eight layers of sigmoids around two numbers, once trained all at once and once with each pair of layers alone "
        "first, as deep networks had to be in 2006. Both end far below PCA with as many numbers, and within three per cent "
        "of each other: with today's optimizer the deep network no longer needs the help.",
    ),
    "no_training": Trial(
        "Twenty epochs against none",
        "dense",
        "After all its epochs the plain autoencoder still has more than seven times the error of PCA with as many numbers, "
        "which is not trained at all. Layers alone make no good network: its sigmoids and its MSE learn slowly.",
    ),
}


def try_this(now: Mapping[str, Any], owner: str, can_run: bool) -> None:
    """One-click experiments: each starts a card's runs and shows that card first; `now` are the page's settings."""

    def go(trial: Trial) -> None:
        state.change(card=trial.card)
        card_view.begin(trial.card, owner)

    st.subheader("Try this", anchor=False)
    with st.container(horizontal=True):
        for key, trial in TRIALS.items():
            st.button(trial.title, key=f"try_{key}", on_click=go, args=(trial,), disabled=not can_run)
    on = [trial for trial in TRIALS.values() if trial.card == now["card"]]
    st.markdown(on[0].look_for if on else "Each of these starts runs in the background and puts their card first, below.")
