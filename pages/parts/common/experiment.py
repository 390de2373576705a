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


def experiments_of(name: str, **settings: Mapping[str, Any]) -> dict[str, Experiment]:
    """Experiments with these settings, by key; their titles and texts stand in `pages/words/<name>.md`."""
    texts = words.experiments(name)
    if texts.keys() != settings.keys():
        raise ValueError(f"{name}.md has the experiments {[*texts]}, there are settings of {[*settings]}: name the same.")
    return {key: Experiment(texts[key][0], chosen, texts[key][1]) for key, chosen in settings.items()}


_NO_NOISE = {"run": (), "noise_factor": 0.0, "trained_on": "clean"}
_GAUSSIAN = {"run": (), "noise_kind": "gaussian", "bottleneck": 32, "both_losses": False}

EXPERIMENTS = experiments_of(
    "denoise",
    two_numbers={**_NO_NOISE, "bottleneck": 2, "loss": "mse", "both_losses": False},
    never_saw_noise={**_GAUSSIAN, "noise_factor": 0.5, "trained_on": "clean"},
    two_judges={**_NO_NOISE, "bottleneck": 8, "both_losses": True},
    too_much={**_GAUSSIAN, "noise_factor": 1.0, "trained_on": "mixed"},
)


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
    experiments: Mapping[str, Experiment], page: Mapping[str, Setting], now: Mapping[str, Any], leaves: Collection[str] = ()
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
