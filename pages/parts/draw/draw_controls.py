"""The Draw page's settings, their controls, and the networks that they choose."""

import streamlit as st

from cae_core import datasets, runs
from cae_core.config import BOTTLENECKS, BOUNDS, SHIPPED_LOSSES, Bounds
from cae_core.corruptions import CORRUPTIONS
from cae_core.inputs import drawing, gallery
from cae_core.losses import LOSSES
from cae_core.pretrained import RECIPES, TRAINED_ON, name_of, ships
from pages.parts.common import controls, widgets
from pages.parts.draw import pad
from pages.parts.session import state
from pages.parts.session.setting import Names, Setting

SHAPE = (drawing.SIZE, drawing.SIZE, 1)
SETS = tuple(name for name in datasets.GREY if datasets.DATASETS[name].image_shape == SHAPE)
NOISES = tuple(kind for kind in CORRUPTIONS if kind != "none")


def settings() -> dict[str, Setting]:
    """Every setting, by the name of its widget; made anew each time, for a data set that was downloaded opens the page."""
    return {
        "dataset": Setting(datasets.default(), SETS),
        "noise_kind": Setting("gaussian", NOISES),
        # Not the other pages' noise_factor: they open with noise, and a drawing is to be seen as it is first.
        "added_noise": Setting(0.0, BOUNDS["noise_factor"]),
        "bottleneck": Setting(32, BOTTLENECKS),
        "loss": Setting("bce", SHIPPED_LOSSES),
        "trained_on": Setting("mixed", tuple(TRAINED_ON)),
        # A narrow code beside the wide one: it is the stricter judge of what is unlike the training data.
        "models": Setting((name_of(datasets.default(), 8, "bce", "mixed"),), Names(3)),
        "centred": Setting(True, (False, True)),
        "ready": Setting("three", (pad.OWN, *gallery.READY)),
        "ink": Setting("auto", tuple(drawing.INKS)),
        "seed": Setting(0, Bounds(0, 9999, integer=True)),
    }


def _models(dataset: str) -> dict[str, str]:
    """Runs to compare with, by name, and what people see: the visitor's own, then those that ship for the data set."""
    shipped = {}
    for name, config in RECIPES.items():
        if config.dataset == dataset:
            trained = "clean" if config.noise_kind == "none" else "noisy"
            shipped[name] = f"{config.bottleneck} numbers, {LOSSES[config.loss].label}, trained on {trained}"
    return controls.own_runs() | shipped | controls.systems()


def _same_models() -> None:
    """With another data set, the shipped models to compare with become those of that one."""
    now = state.values(settings())
    names = []
    for name in now["models"]:
        if (config := RECIPES.get(name)) and ships(now["dataset"]):
            trained_on = "clean" if config.noise_kind == "none" else "mixed"
            name = name_of(now["dataset"], config.bottleneck, config.loss, trained_on)
        names.append(name)
    state.change(models=tuple(names))


def sidebar(now: dict) -> None:
    models = _models(now["dataset"])
    options = list(dict.fromkeys([*now["models"], *models]))
    state.change(compared=list(now["models"]))

    def compare() -> None:
        state.change(models=tuple(state.values({"compared": None})["compared"]))

    with st.sidebar:
        controls.dataset(on_change=_same_models)
        controls.noise_kind(NOISES)
        with controls.main():
            controls.noise_factor("added_noise", help="Noise added to the drawing.")
            controls.bottleneck()
        controls.loss()
        widgets.multiselect(
            "Compare with", options, format_func=lambda name: models.get(name, name), key="compared", max_selections=3,
            on_change=compare, placeholder="up to three networks",
        )  # fmt: skip
        widgets.toggle("Centre like MNIST", key="centred")
        with st.expander("More"):
            controls.trained_on()
            widgets.number_input("Seed of the noise", 0, 9999, step=1, key="seed")


def networks(now: dict) -> tuple[list[runs.Run], list[str]]:
    """The networks to show, the chosen one first, and a sentence for each that cannot be."""
    usable, trouble = [], []
    main = [name_of(now["dataset"], now["bottleneck"], now["loss"], now["trained_on"])] if ships(now["dataset"]) else []
    for name in dict.fromkeys([*main, *now["models"]]):
        try:
            usable.append(runs.network(name))
        except runs.RunError as error:
            trouble.append(str(error))
    return usable, trouble
