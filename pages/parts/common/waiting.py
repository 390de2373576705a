"""What takes a while on a page: its place at once, itself when the rest of the page is drawn, and nothing drawn twice."""

from __future__ import annotations

import threading
from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cae_core import runtime
from pages.parts.common.outside import plain
from pages.parts.session import state

TICK = 0.05
"""Seconds after which somebody who waits looks whether a control has moved."""

Draw = Callable[[], None]


class _Page(threading.local):
    """What waits on the page that this thread draws."""

    def __init__(self) -> None:
        self.later: list[tuple[DeltaGenerator, Draw]] = []
        self.needs_keras: list[tuple[DeltaGenerator, Draw]] = []


_page = _Page()


def begin() -> None:
    """To be called before a page is drawn: nothing waits yet."""
    _page.later, _page.needs_keras = [], []


def say() -> None:
    """In the place of what needs Keras."""
    st.caption("TensorFlow is being loaded, which takes a few seconds, once after the start of the program.")


def is_ready() -> bool:
    """Whether there is Keras; begins to load it."""
    try:
        return runtime.ready()
    except RuntimeError:  # `runtime.failure` says why
        return False


def for_keras(draw: Draw, meanwhile: Draw = say) -> None:
    """Draws something that needs Keras here; until it is loaded, what stands in its place, and why if it cannot be."""
    place = st.empty()
    ready = is_ready()
    with place.container():
        draw() if ready else meanwhile()
    if not ready:
        _page.needs_keras.append((place, draw))


def till_the_end(draw: Draw, meanwhile: Draw) -> None:
    """Draws something here that takes seconds; before that, what stands in its place, and the rest of the page."""
    place = st.empty()
    with place.container():
        meanwhile()
    _page.later.append((place, draw))


def end() -> None:
    """Draws what was put off; for the end of every page."""
    _fill(_page.later)
    while _page.needs_keras and not runtime.failure() and not is_ready():
        _wait()
    if trouble := runtime.failure():
        for place, _ in _page.needs_keras:
            place.empty()
        for place, _ in _page.needs_keras[:1]:
            place.error(plain(trouble))
    else:
        _fill(_page.needs_keras)


def _fill(waiting: list[tuple[DeltaGenerator, Draw]]) -> None:
    for place, draw in waiting:
        with place.container():
            draw()


def _wait() -> None:
    try:
        runtime.ready(TICK)
    except RuntimeError:
        return
    state.kept("")  # asking the session is where Streamlit gives way to a control that has moved
