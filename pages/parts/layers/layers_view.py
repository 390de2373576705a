"""One network layer by layer: its diagram, activations of an image, its filters, its code."""

from typing import Any

import numpy as np
import streamlit as st

from cae_core import datasets, metrics, runs
from cae_core.architectures import ARCHITECTURES, published, suited
from cae_core.config import Bounds
from cae_core.inference import trained
from cae_core.inspection import activations, summary
from cae_core.pretrained import NETWORK, RECIPES
from pages.parts.common import controls, missing, show, tables, waiting, widgets, words
from pages.parts.layers import diagram, input_picture, layer_pictures, questions
from pages.parts.lesson import strip
from pages.parts.session import identity
from pages.parts.session.setting import Setting

QUESTIONS = questions.QUESTIONS
NETWORKS = suited(datasets.GREY[0])
"""Those that take images in grey, which this view is about."""
WEIGHTS = {"trained": "Trained", "fresh": "Fresh"}
SETTINGS = {
    "architecture": Setting(NETWORK, NETWORKS),
    "weights": Setting("trained", tuple(WEIGHTS)),
    "source": Setting("test", tuple(input_picture.SOURCES)),
    "image": Setting(0, Bounds(0, 9999, integer=True)),
}


IDEA = "The idea, and what it computes"
STORY = (
    "An image goes in, each layer turns what it gets into something new, and in the middle the **code** is left. From the "
    "code the decoder has to paint the image again."
)


def sidebar(now: dict) -> None:
    with st.sidebar:
        controls.dataset()
        with controls.main():
            widgets.selectbox("Network", NETWORKS, format_func=controls.label(ARCHITECTURES), key="architecture")
            about = "Fresh: as they are before the first step of training."
            widgets.segmented_control("Weights", WEIGHTS, key="weights", help=about)
        input_picture.controls(now)


def draw(now: dict) -> None:
    entry = ARCHITECTURES[now["architecture"]]
    st.markdown(f"**{entry.label}.** {entry.summary} {STORY}")
    strip.draw(QUESTIONS, SETTINGS, now, leaves=("image",))
    picture = input_picture.chosen(now)
    waiting.for_keras(lambda: _look_inside(picture, now), lambda: st.html(diagram.waiting()), lambda: _network(now))
    _idea(now["architecture"])
    with st.expander("Its code"):
        st.code(entry.file.read_text(encoding="utf-8"), language="python")
    words.explain("layers")


def _look_inside(picture: input_picture.Picture, now: dict) -> None:
    """Everything that needs the network's layers."""
    hero, facts = st.container(key="diagram"), st.container(key="layer_facts")
    about, layers = st.container(key="layer_weights"), st.container(key="layer_pictures")
    try:
        run, model, trouble = _network(now)
        with about, st.container(horizontal=True, vertical_alignment="center"):
            if trouble:
                st.error(show.plain(trouble))
            st.markdown(_which(run, now), width="content")
            missing.link_to_training(now["architecture"], now["dataset"], "Train it with its published settings")
        _opened(model, picture, now, hero, facts, layers)
    except (RuntimeError, ValueError) as error:
        st.error(show.plain(str(error)))


def _network(now: dict) -> tuple[runs.Run | None, Any, str]:
    """The run whose weights are shown, the network with them, and why it is another one than could be."""
    name, dataset = now["architecture"], now["dataset"]
    image_shape, run, trouble = datasets.DATASETS[dataset].image_shape, None, ""
    try:
        run = trained.find(name, dataset, identity.visitor())
        if run is not None and run.image_shape != image_shape:
            run = None
        if run is not None and now["weights"] == "trained":
            model = runs.keras_model(run)
        else:
            model = activations.fresh(activations.config_of(name, dataset, run), image_shape)
    except runs.RunError as error:
        trouble = str(error)
        model = activations.fresh(activations.config_of(name, dataset, None), image_shape)
    return run, model, trouble


def _which(run: runs.Run | None, now: dict) -> str:
    """One sentence: whose weights these are."""
    if run is None:
        return "Weights: fresh. Nothing has been learned yet: train it."
    trained = datasets.DATASETS[run.config.dataset].label
    if now["weights"] == "fresh":
        return f"Weights: fresh, as they were before it was trained on {trained}."
    if run.path.parent != runs.PRETRAINED_DIR:
        return f"Weights: your run “{show.plain(run.label)}”, trained on {trained}."
    if run.name in RECIPES:
        return f"Weights: trained on noisy images of {trained}, as on the Denoise page."
    whole = published(run.config.architecture).epochs
    shorter = f", for {run.config.epochs} epochs in place of {whole}" if run.config.epochs < whole else ""
    return f"Weights: trained on {trained} at the published settings{shorter}."


def _opened(model: Any, picture: input_picture.Picture, now: dict, hero, facts, layers) -> None:
    """The diagram, the numbers and the pictures."""
    network = summary.describe(model)
    outputs = activations.activations(model, picture.x)
    x_hat = model.reconstruct(picture.x)
    with hero:
        st.html(diagram.html(ARCHITECTURES[now["architecture"]].label, network, bool(model.switch_shapes)))
    error = metrics.mse(picture.x, np.clip(x_hat, 0, 1))
    with facts:
        show.facts([
            ("Parameters", f"{network.parameters:,}"),
            ("Code", f"{network.code_size:,} numbers"),
            ("Code to image", _against(network.image_size, network.code_size)),
            ("MSE of this image", f"{error:.4f} per pixel"),
        ])  # fmt: skip
    with layers:
        st.subheader("Push an image through", anchor=False)
        layer_pictures.pictures(picture, outputs, x_hat, error, model.output)
        with st.expander("What its filters look like"):
            layer_pictures.filters(activations.filters(model), any("own kernels" in line.kind for line in network.layers))
        with st.expander("Shapes and parameters of every layer"):
            tables.layers(network.layers)


def _against(image_size: int, code_size: int) -> str:
    """How much smaller a code is than its image."""
    if code_size < image_size:
        return f"{image_size / code_size:.3g} times fewer"
    return f"{code_size / image_size:.3g} times more"


def _idea(architecture: str) -> None:
    """What the network's file says of it, and what it computes."""
    about, source = activations.idea(architecture)
    with st.expander(IDEA):
        left, right = st.columns(2, gap="medium")
        with left:
            st.markdown(about)
            st.caption(f"Source: {source}")
        with right, st.container(key="equations"):
            for equation in ARCHITECTURES[architecture].equations:
                for line in equation.split(r",\quad"):  # side by side they would be too wide for a phone
                    st.latex(line)
