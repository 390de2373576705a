"""Experiments and explanations of the Reproduce page, and what counts as reproduced."""

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


def explanation() -> None:
    """What counts, and why; folded."""
    with st.expander("What counts as reproduced?"):
        st.markdown(
            """
A **published** figure is one of a paper or page. It is **reproduced** when the figure obtained here is within the card's
tolerance of it, **better** when there is less error than that, and **missed** when there is more. It counts once, for the
run that is nearest to its source's settings. What is missed stays on this page, with what was tried.

What is **this project's own** is counted apart, as **met** or **missed**: figures that were measured for it in another way,
bars to be met, such as a published figure tried with another recipe, and, where a source gives no figure but says that one
network does better than another, one run against another.

- **Test images.** Every figure is taken on all 10,000 test images, once, when training is over. No run trains on them,
  and no setting was chosen by them.
- **55,000 images.** The sources train on all 60,000 training images of MNIST. Here the last 5,000 are **held out**: what a
  source leaves open, such as the number of epochs, is chosen by the loss on those, never by the test images. That costs
  a little error.
- **Seeds.** Everything random in a run follows from its seed. Where a card was run with several, you see the mean and,
  after ±, the standard deviation between them: how much of a difference chance alone can make. Your own runs have one seed.
- **Your own runs** have the full length: a network that is still learning says nothing of where it ends. They train in the
  background, one at a time, also when you leave the page, and what you stop can go on.
- **Units.** Squared error per image is the sum over its 784 pixels, in [0, 1] each; MSE and BCE are means per pixel.

*Sources:* Hinton and Salakhutdinov, *Science* 2006; Bengio, Lamblin, Popovici and Larochelle, *NIPS* 2006 (layer by layer);
Valdarrama, *Keras examples* 2021; Chollet, *The Keras Blog* 2016.
"""
        )
