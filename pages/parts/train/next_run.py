"""The run that would be trained next: its button, its name, its warm start, and how long it would take."""

import streamlit as st

from cae_core import jobs, runs, validation
from cae_core.config import RunConfig
from cae_core.runtime import host
from pages.parts.common import show, widgets
from pages.parts.common.outside import refusal
from pages.parts.live import estimate
from pages.parts.session import identity, state


def draw(config: RunConfig, now: dict, owner: str) -> None:
    """The button, the run's name, and how long it will take."""
    trouble, off = refusal(validation.check, config), host.training_off()
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(
            "Train this network", type="primary", icon=":material/model_training:", key="train",
            disabled=bool(trouble or off),
        )  # fmt: skip
        title = widgets.text_input(
            "Name", key="title", max_chars=runs.TITLE, placeholder="name (optional)", width=220,
            label_visibility="collapsed",
        )  # fmt: skip
        st.caption(off or ("" if trouble else estimate.plan([config])), width="content")
    if trouble:
        st.error(show.plain(trouble))
        works = validation.fitting(config).to_dict()
        changes = {name: value for name, value in works.items() if value != now[name]}
        st.button("Use settings that work", on_click=state.change, kwargs=changes)
    if now["fork"]:
        _fork(now)
    if pressed:
        origin = {"run": now["fork"][0], "step": now["fork_step"]} if now["fork"] else None
        if refused := refusal(lambda: jobs.default().submit(config, owner, title, origin, identity.address())):
            st.error(show.plain(refused))
        else:
            state.change_next_run(title="")
            st.rerun()


def _fork(now: dict) -> None:
    """Says that the next run starts from another's weights, and offers fresh ones."""
    try:
        parent = runs.network(now["fork"][0])
        whose = f"of **{show.plain(parent.label)}** after step {now['fork_step']:,}"
    except runs.RunError as error:
        whose = f"of a run that cannot be used: {show.plain(str(error))}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"Starts from the weights {whose}.", width="content")
        st.button("Start from fresh weights", on_click=state.change, kwargs={"fork": (), "fork_step": 0})
