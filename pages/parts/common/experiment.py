"""Experiments of the Denoise page, and how every page shows its experiments."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from cae_core import datasets
from cae_core.corruptions import CORRUPTIONS
from cae_core.losses import LOSSES
from pages.parts.common import words
from pages.parts.session import state
from pages.parts.session.setting import Setting, text


@dataclass(frozen=True)
class Experiment:
    """A setting worth looking at.

    Attributes:
        title: on its button.
        settings: in which it differs from the page as it opens (see `changes`).
        look_for: what to see; a test holds it against the shipped models.
    """

    title: str
    settings: Mapping[str, Any]
    look_for: str


_GAUSSIAN = {"run": (), "noise_kind": "gaussian", "bottleneck": 32, "both_losses": False}

EXPERIMENTS: dict[str, Experiment] = {
    "two_numbers": Experiment(
        "Two numbers for a digit",
        {"run": (), "bottleneck": 2, "noise_factor": 0.0, "loss": "mse", "trained_on": "clean", "both_losses": False},
        "Shapes survive, details do not: what does not fit into two numbers comes back as the blurred average of digits "
        "alike. Move the bottleneck up to 32 and the error falls to less than a fifth.",
    ),
    "never_saw_noise": Experiment(
        "A network that never saw noise",
        {**_GAUSSIAN, "noise_factor": 0.5, "trained_on": "clean"},
        "Trained on clean images, it has no reason to remove noise and makes a mess of it. Switch to the model trained "
        "on noisy images: the same network, and less than a quarter of the error.",
    ),
    "two_judges": Experiment(
        "Does each loss win its own game?",
        {"run": (), "noise_factor": 0.0, "bottleneck": 8, "trained_on": "clean", "both_losses": True},
        "Ten images are too few to tell; the table of the whole test set tells. With 8 numbers and clean images, the "
        "network trained with MSE has the lower MSE, the one trained with BCE the lower BCE. At some other bottleneck one "
        "of them wins both: look for it. To the eye they are twins: on images in [0, 1] both losses have the same best "
        "answer.",
    ),
    "too_much": Experiment(
        "Too much noise",
        {**_GAUSSIAN, "noise_factor": 1.0, "trained_on": "mixed"},
        "The network still answers with clean digits, but some are not the digit that went in: it fills in what is "
        "likely. The error is more than double that at noise 0.5, though nothing looks noisy.",
    ),
}


def changes(
    experiment: Experiment, page: Mapping[str, Setting], now: Mapping[str, Any], leaves: Collection[str] = ()
) -> dict[str, Any]:
    """What pressing an experiment's button sets: whatever its text could depend on, so that nothing from before lasts.

    Args:
        experiment: what is pressed.
        page: every setting of its page or view; those that it does not name become what the page opens with.
        now: the settings as they are. Any data set of digits stays.
        leaves: settings that none of the page's texts depends on; they stay, too.
    """
    opened = {key: setting.default for key, setting in page.items() if key not in leaves and key != "dataset"}
    if now.get("dataset", datasets.DIGITS[0]) not in datasets.DIGITS:
        opened["dataset"] = datasets.default()
    return opened | dict(experiment.settings)


def try_this(
    experiments: Mapping[str, Experiment],
    page: Mapping[str, Setting],
    now: Mapping[str, Any],
    leaves: Collection[str] = (),
) -> None:
    """One-click experiments, with what to look for in the one that is on; arguments as those of `changes`."""
    st.subheader("Try this", anchor=False)
    on = ""
    with st.container(horizontal=True):
        for key, experiment in experiments.items():
            wanted = changes(experiment, page, now, leaves)
            st.button(experiment.title, key=f"try_{key}", on_click=state.change, kwargs=wanted)
            if all(text(now[setting]) == text(value) for setting, value in wanted.items()):
                on = experiment.look_for
    st.markdown(on or "Each of these sets the controls for you and says what to look for.")


def settings(noise_kind: str) -> None:
    """What the settings of the Denoise page do, folded."""
    kind = CORRUPTIONS[noise_kind]
    source = f"; {kind.source}" if kind.source else ""
    words.explain("denoise", noise=words.described([kind]), losses=words.described(LOSSES.values()), source=source)
