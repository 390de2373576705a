"""Stacked: does learning without labels help when labels are few?"""

import streamlit as st

from cae_core.config import MOST_LAYERS
from cae_core.corruptions import NOISE_KINDS
from cae_core.optimizers import OPTIMIZERS
from cae_core.runs import old_stacks
from cae_core.stacking import results
from pages.parts.common import controls, missing, show, waiting, widgets, words
from pages.parts.lesson import strip
from pages.parts.session import address, identity, state
from pages.parts.stacked import label_curve, next_stack, questions, stack_view
from pages.parts.stacked.stack_setting import VIEWS, config_of, settings

SETTINGS = settings() | strip.settings(questions.QUESTIONS)


def _sidebar(now: dict) -> None:
    with st.sidebar:
        controls.dataset()
        with controls.main():
            widgets.slider("Layers", 1, MOST_LAYERS, key="layers", help="Autoencoders, one on top of the other.")
            widgets.slider("Maps", 1, 64, key="maps", help="Pictures that each layer makes of what it reads.")
        widgets.select_slider("Kernel", SETTINGS["kernel"].allowed, key="kernel", help="Side of the kernels, in pixels.")
        widgets.toggle("Max-pooling", key="pooling", help="Keeps the largest of four neighbours and erases the others.")
        controls.noise_factor("stack_noise", help="Noise on the images that the layers see while they learn.")
        widgets.number_input("Labels", 2, 60_000, step=100, key="labels", help="Labelled images that both classifiers get.")
        with st.expander("More"):
            widgets.selectbox(
                "Noise kind", SETTINGS["stack_noise_kind"].allowed, format_func=controls.label(NOISE_KINDS),
                key="stack_noise_kind",
            )  # fmt: skip
            controls.training_images("stack_images", now["dataset"], 1_000, "How many images the layers learn from.")
            widgets.number_input("Epochs per layer", 1, 100, step=1, key="stack_epochs")
            controls.rate("Learning rate", "stack_rate", help="For the layers.")
            widgets.number_input(
                "Fine-tuning steps", 1, 100_000, step=100, key="tuning_steps", help="For both classifiers."
            )
            controls.rate("Fine-tuning rate", "tuning_rate")
            widgets.number_input("Batch size", 1, 1024, step=10, key="stack_batch", help="Images per step.")
            widgets.selectbox("Optimizer", tuple(OPTIMIZERS), format_func=controls.label(OPTIMIZERS), key="stack_optimizer")
            widgets.number_input(
                "Hidden units", 0, 1024, step=10, key="hidden",
                help="Of a dense layer between maps and classes; 0 leaves it out.",
            )  # fmt: skip
            widgets.slider(
                "Dropout", 0.0, 0.9, step=0.1, key="dropout",
                help="Share of the maps' numbers set to 0 in each step while both classifiers learn.",
            )  # fmt: skip
            controls.seed("stack_seed")


def _page() -> None:
    now = show.open_page("stacked", "Does learning without labels help when labels are few?", SETTINGS)
    owner = identity.visitor()
    if now["stack_view"] == "mine":
        _sidebar(now)
    else:
        st.sidebar.caption("The curve belongs to one stack, described below it. Choose *Your stack* to train another.")
    widgets.segmented_control("View", VIEWS, key="stack_view", label_visibility="collapsed")
    if now["stack_view"] == "curve":
        result, trouble = results.shipped()
        if trouble:
            st.warning(show.plain(trouble))
        label_curve.draw(result, now, lambda: strip.draw(questions.QUESTIONS, SETTINGS, now))
        words.explain("stacked")
        return
    strip.draw(questions.QUESTIONS, SETTINGS, now)
    config = config_of(now)
    if not missing.has_images(config.dataset):
        return
    if moved := old_stacks.move_in():
        state.keep("moved_stacks", moved)  # the Runs page says it
    waiting.to_train()
    next_stack.draw(config, owner)
    stack_view.draw(config, owner, now["arm"], state.values(SETTINGS)["stack"])
    words.explain("stacked")


_page()
address.write(SETTINGS)
waiting.end()
