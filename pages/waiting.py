"""Draws a page again when networks can be used; until then the browser has what needs none."""

import itertools

import streamlit as st

from cae_core import backend


def for_networks() -> None:
    """To be called where places are kept for what a network makes; soon after, the page runs again."""
    calls = itertools.count()

    @st.fragment(run_every=0.25)
    def look() -> None:
        if next(calls):  # the first call is the page's own; the next come from a browser that has drawn it
            backend.page_shown()
            if backend.ready():
                st.rerun()

    look()
