"""Waiting so that something can be seen meanwhile: the question of a page, and what of it needs no network."""

import itertools
import time

import streamlit as st

from cae_core import backend
from pages import show

FIRST_PAINT = 0.15
"""Seconds in which a new visitor's browser draws the question; sent together, all is drawn together, much later."""


def for_first_paint() -> None:
    """Leaves the browser the time to draw what it was sent."""
    time.sleep(FIRST_PAINT)


def networks_ready() -> bool:
    """Whether networks can be used; says why, if they never will."""
    try:
        return backend.ready()
    except RuntimeError as error:
        st.error(show.plain(str(error)))
        return False


def for_networks() -> None:
    """Draws the page again when networks can be used; until then the browser has what needs none.

    To be called where places are kept for what a network makes; soon after, the page runs again.
    """
    calls = itertools.count()

    @st.fragment(run_every=0.25)
    def look() -> None:
        if next(calls):  # the first call is the page's own; the next come from a browser that has drawn it
            backend.page_shown()
            if backend.ready():
                st.rerun()

    look()
