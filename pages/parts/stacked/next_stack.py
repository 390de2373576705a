"""The stack that would be trained next: its button, why it cannot be, and how much work it is."""

import streamlit as st

from cae_core import datasets, jobs
from cae_core.config import StackConfig
from cae_core.runtime import host
from cae_core.stacking.config import check, fitting, num_images
from cae_core.stacking.phases import stages
from cae_core.validation import code_size
from pages.parts.common import show
from pages.parts.common.outside import refusal
from pages.parts.session import identity, state


def draw(config: StackConfig, owner: str) -> None:
    """The button and what it would train."""
    trouble, off = refusal(check, config), host.training_off()
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(
            "Train this stack", type="primary", icon=":material/layers:", key="train_stack", disabled=bool(trouble or off)
        )
        st.caption(off or ("" if trouble else _plan(config)), width="content")
    if trouble:
        st.error(show.plain(trouble))
        works = fitting(config)
        changes = {
            "layers": works.layers, "maps": works.maps[0], "kernel": works.kernels[0], "labels": works.labels,
            "stack_images": works.num_train,
        }  # fmt: skip
        st.button("Use settings that work", on_click=state.change, kwargs=changes, key="stack_works")
    if pressed:
        state.change(stack=())  # the one in training is shown, not one that a link named
        title = f"Stack of {config.layers} layer{'s' * (config.layers > 1)}, {config.labels:,} labels"
        if refused := refusal(lambda: jobs.default().submit(config, owner, title, address=identity.address())):
            st.error(show.plain(refused))


def _plan(config: StackConfig) -> str:
    entry = datasets.DATASETS[config.dataset]
    images = num_images(config)
    plan = stages(config, images)
    size = code_size(config, entry.image_shape)
    pixels = entry.image_shape[0] * entry.image_shape[1] * entry.image_shape[2]
    layer = f"{config.layers} × {plan[0].steps:,} steps on {images:,} images without labels"
    return f"{layer}, then {config.steps:,} steps on {config.labels:,} labels; code: {size:,} numbers for {pixels} pixels"
