"""Waiting for TensorFlow with something on screen: a page's question, and what of it needs no network."""

import itertools
import time

import streamlit as st

from cae_core import runtime
from pages.parts.session import state

FIRST_PAINT = 0.15
"""Seconds in which a new visitor's browser draws the question; sent together, all is drawn together, much later."""


def for_first_paint() -> None:
    """Leaves the browser the time to draw what it was sent."""
    time.sleep(FIRST_PAINT)


def networks_ready() -> bool:
    """Whether networks can be used; where not yet, the page is drawn again as soon as they can."""
    is_ready = _are_networks_ready()
    if not is_ready:
        ask_again()
    return is_ready


def say() -> None:
    """In the place of what needs a network, as long as there may be one."""
    if not runtime.failure():
        st.caption("The networks are being loaded, which takes a few seconds after the start of the program.")


def ask_again() -> None:
    """Has the page drawn once more when this one is on screen and networks can be used."""
    state.keep("again", True)


def draw_again() -> None:
    """Draws the page again where it asked for that, or when networks can never be used; for the end of every page."""
    again, calls = state.kept("again", False), itertools.count()
    state.keep("again", False)
    if runtime.failure() or (_are_networks_ready() and not again):
        return

    @st.fragment(run_every=0.25)
    def look() -> None:
        if next(calls):  # the first call is the page's own; the next come from a browser that has drawn it
            runtime.page_shown()
            if runtime.failure() or (again and _are_networks_ready()):
                st.rerun()

    look()


def _are_networks_ready() -> bool:
    try:
        return runtime.ready()
    except RuntimeError:  # `runtime.failure` says why
        return False
