"""Controls that stand on several pages: in the same words, with the same meaning, remembered under the same keys."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cae_core import datasets, runs, training
from cae_core.architectures import ARCHITECTURES, published
from cae_core.config import BOTTLENECKS, BOUNDS, SHIPPED_LOSSES, RunConfig
from cae_core.corruptions import NOISE_KINDS
from cae_core.losses import LOSSES
from cae_core.pretrained import NARROWER, SYSTEMS, VARIATIONAL
from pages.parts.common import widgets
from pages.parts.session import identity, state

_ABOUT_LOSSES = "BCE or MSE?"
TRAINED_ON = {"mixed": "Noisy images", "clean": "Clean images"}


def label(registry: Mapping[str, Any]) -> Callable[[str], str]:
    """How a registry's names are shown."""
    return lambda name: registry[name].label


def dataset(names: Sequence[str] | None = None, **more: Any) -> None:
    """Which data set, of `names`: by default those in grey, which most pages are about."""
    names = tuple(names or datasets.GREY)
    widgets.selectbox("Data set", names, format_func=label(datasets.DATASETS), key="dataset", **more)


def main() -> DeltaGenerator:
    """The place of the page's two main controls, which a phone has in sight with the picture: `style.css` docks them."""
    return st.container(key="main_controls")


def noise_kind(kinds: Sequence[str]) -> None:
    widgets.selectbox("Noise kind", kinds, format_func=label(NOISE_KINDS), key="noise_kind")


def noise_factor(key: str = "noise_factor", **more: Any) -> None:
    """The strength of the noise."""
    widgets.slider("Noise factor", 0.0, 1.0, step=0.05, key=key, **more)


def bottleneck(sizes: Sequence[int] = BOTTLENECKS, **more: Any) -> None:
    widgets.select_slider("Bottleneck", sizes, key="bottleneck", **more)


def training_images(key: str, dataset: str, step: int = 500, more: str = "") -> None:
    """How many images to train on: never more than there are, so that nothing says what is not so.

    Args:
        key: of the setting.
        dataset: whose images.
        step: of its buttons.
        more: what is to be said of them.
    """
    bounds = BOUNDS["num_train"]  # not the data set's own: a value that is out of a widget's bounds becomes the lowest
    most = max(bounds.low, training.most_images(dataset))
    if state.values({key: None})[key] > most:  # by hand, by a link, by a run's settings, or as another data set has them
        state.change(**{key: most})
    about = f"{more} {most:,} at most: the last {training.HELD_OUT:,} of {datasets.DATASETS[dataset].label} are held out."
    widgets.number_input("Training images", bounds.low, bounds.high, step=step, key=key, help=about.strip())


def epochs(key: str = "epochs", most: int = 20) -> None:
    widgets.number_input("Epochs", 1, most, step=1, key=key)


def rate(label: str, key: str, **more: Any) -> None:
    """A learning rate."""
    widgets.number_input(label, 1e-6, 1.0, step=0.001, format="%g", key=key, **more)


def seed(key: str = "seed") -> None:
    widgets.number_input("Seed", 0, 2**31 - 1, step=1, key=key)


def sample() -> None:
    widgets.number_input("Sample (seed)", 0, 9999, step=1, key="seed", help="Chooses the ten images.")


def gaussian(key: str) -> None:
    """The strength of gaussian noise, which is none at 0; `gaussian_settings` has its settings of a run."""
    noise_factor(key, help="Strength of the gaussian noise; 0 is none.")


def gaussian_settings(factor: float) -> dict[str, Any]:
    """Of a run under gaussian noise of this strength."""
    return {"noise_kind": "gaussian", "noise_factor": factor} if factor else {"noise_kind": "none"}


def loss(names: Sequence[str] = SHIPPED_LOSSES, key: str = "loss", here: bool = False) -> None:
    """Which loss, and a way to the view about choosing one, in the same session.

    Args:
        names: of the losses.
        key: of the setting.
        here: the page is that view's own, where a link to it would not be read again.
    """
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key=f"choose_{key}"):
        if len(names) > 3:  # more do not fit the sidebar side by side
            widgets.selectbox("Loss", tuple(names), format_func=label(LOSSES), key=key)
        else:
            widgets.segmented_control("Loss", names, format_func=label(LOSSES), key=key)
        if here:
            st.button(_ABOUT_LOSSES, key=f"about_{key}", type="tertiary", on_click=state.change, kwargs={"view": "losses"})
        else:
            st.page_link("architectures.py", label=_ABOUT_LOSSES, query_params={"view": "losses"})


def trained_on() -> None:
    widgets.segmented_control("Model trained on", TRAINED_ON, key="trained_on")


def network(chosen: tuple[str, ...]) -> None:
    """Which network: the app's own, by its settings beside the bottleneck, or by name a visitor's or a published system.

    Args:
        chosen: the setting `run` as it is now.
    """
    if not chosen:
        loss()
        trained_on()
    own = {(name,): title for name, title in own_runs().items()}
    ready = {(name,): title for name, title in systems().items()}
    labels = {(): "Shipped with the app", **({chosen: chosen[0]} if chosen else {}), **own, **ready}
    widgets.selectbox("Network", labels, key="run")


def systems() -> dict[str, str]:
    """The published systems that ship, by name, and what people see; with them the app's own beside its `NETWORK`."""
    labels = {}
    for name, config in SYSTEMS.items():
        entry, usual = ARCHITECTURES[config.architecture], published(config.architecture)
        code = "" if config.bottleneck == usual.bottleneck else f", {config.bottleneck} numbers"
        labels[name] = entry.label + code + ("" if entry.own else ", as published")
    return labels | {
        name: f"{ARCHITECTURES[config.architecture].label}, {datasets.DATASETS[config.dataset].label}, "
        f"{config.bottleneck} numbers, β {config.beta:g}"
        for name, config in VARIATIONAL.items()
    } | {
        name: f"{ARCHITECTURES[config.architecture].label}, {datasets.DATASETS[config.dataset].label}, "
        f"{config.bottleneck} units"
        for name, config in NARROWER.items()
    }  # fmt: skip


def seen_on(config: RunConfig) -> tuple[str, str, str]:
    """Where a trained network can be tried: the page's file, what a link there says, and the setting that names the run."""
    if ARCHITECTURES[config.architecture].sees == "grey":
        return "colour.py", "Colour with it", "colour_run"
    return "denoise.py", "Denoise with it", "run"


def own_runs(channels: int = 1) -> dict[str, str]:
    """The visitor's trained runs by name, newest first, and what people see.

    Args:
        channels: of the images that their networks give: 1 for grey, 3 for colour.
    """
    mine = ("", identity.visitor())
    return {name: label for name, label, owner in _trained(str(runs.runs_dir()), channels) if owner in mine}


@st.cache_data(ttl=3, max_entries=8, show_spinner=False)  # a class asks for them with every move of a slider
def _trained(folder: str, channels: int) -> list[tuple[str, str, str]]:
    """Name, label and owner of everybody's trained runs, newest first."""
    trained = [run for run in runs.networks(Path(folder)) if run.is_trained and run.image_shape[2] == channels]
    return [(run.name, run.label, run.owner) for run in sorted(trained, key=lambda run: run.created, reverse=True)]
