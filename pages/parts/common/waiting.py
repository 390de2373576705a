"""What takes a while on a page: its place at once, itself when the rest of the page is drawn, and nothing drawn twice."""

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cae_core import runtime
from cae_core.runtime import host
from pages.parts.common.outside import plain
from pages.parts.session import state

TICK = 0.05
"""Seconds after which somebody who waits looks whether a control has moved."""

Draw = Callable[[], None]


@dataclass(frozen=True)
class _Later:
    """What is drawn at the page's end, in its place."""

    place: DeltaGenerator
    compute: Draw
    draw: Draw

    def fill(self) -> None:
        """Draws it when nothing of it takes time any more: until then the place stays as it is."""
        with contextlib.suppress(Exception):  # drawing meets it again, and says it
            self.compute()
        with self.place.container():
            self.draw()


class _Page(threading.local):
    """What waits on the page that this thread draws."""

    def __init__(self) -> None:
        self.later: list[_Later] = []
        self.needs_keras: list[_Later] = []


_page = _Page()


def begin() -> None:
    """To be called before a page is drawn: nothing waits yet."""
    _page.later, _page.needs_keras = [], []


def is_ready() -> bool:
    """Whether there is Keras; begins to load it."""
    try:
        return runtime.ready()
    except RuntimeError:  # `runtime.failure` says why
        return False


def for_keras(draw: Draw, meanwhile: Draw, compute: Draw = lambda: None) -> None:
    """Draws something that needs Keras here; until it is loaded, what stands in its place, and why if it cannot be.

    Args:
        draw: draws it.
        meanwhile: draws a single element: of several, Streamlit would leave some behind.
        compute: what of `draw` takes long, and is kept once it is known.
    """
    place = st.empty()
    if is_ready():
        with place.container():
            draw()
        return
    with place:
        meanwhile()
    _page.needs_keras.append(_Later(place, compute, draw))


def to_train(draw: Draw = lambda: None, meanwhile: Draw = lambda: None) -> None:
    """Begins to load what training needs, for a page where one may start it; says here if that cannot be.

    Args:
        draw, meanwhile: as of `for_keras`; where training is switched off, nothing is loaded and it stays at the latter.
    """
    if host.training_off():
        meanwhile()
    else:
        for_keras(draw, meanwhile)


def till_the_end(draw: Draw, meanwhile: Draw, compute: Draw) -> None:
    """Draws something here that takes seconds; before that, what stands in its place, and the rest of the page.

    Args:
        draw, meanwhile, compute: as of `for_keras`.
    """
    place = st.empty()
    with place:
        meanwhile()
    _page.later.append(_Later(place, compute, draw))


def once(what: str, key: Any, draw: Draw, meanwhile: Draw, compute: Draw) -> None:
    """Draws something that takes seconds only the first time for a key: then as of `till_the_end`, else at once."""
    if state.first_time(what, key):
        till_the_end(draw, meanwhile, compute)
    else:
        draw()


def end() -> None:
    """Draws what was put off; for the end of a page itself, whose controls are others than the frame's."""
    for later in _page.later:
        later.fill()
    waiting = _page.needs_keras
    while waiting and not runtime.failure() and not is_ready():
        _wait()
    if trouble := runtime.failure():
        for later in waiting:
            later.place.empty()
        for later in waiting[:1]:
            later.place.error(plain(trouble))
        return
    for later in waiting:
        later.fill()


def _wait() -> None:
    try:
        runtime.ready(TICK)
    except RuntimeError:
        return
    state.kept("")  # asking the session is where Streamlit gives way to a control that has moved
