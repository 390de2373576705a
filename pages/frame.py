"""The frame around every page: title, styles, navigation. `app.py` runs it for every visitor and every change."""

from pathlib import Path

import streamlit as st

from cae_core.runs import holder
from pages.parts.common import waiting
from pages.parts.session import copies, identity, state

PAGES = {
    "denoise.py": "Denoise",
    "train.py": "Train",
    "runs.py": "Runs",
    "latent.py": "Latent",
    "draw.py": "Draw",
    "architectures.py": "Architectures",
    "reproduce.py": "Reproduce",
    "stacked.py": "Stacked",
    "colour.py": "Colour",
    "teach.py": "Teach",
}
"""File to title, in the order of the navigation; the first is the one that opens."""


def _pages(at_guess: bool) -> list[st.Page]:
    """All of them. The first is at the root, and, hidden, at the address that anybody would guess: there, the other is.

    Kept for the visitor, for Streamlit looks for each file six times.
    """
    before, pages = state.kept("pages", (None, []))
    if before != (of := (PAGES, at_guess)):
        state.keep("pages", (of, pages := _every(at_guess)))
    return pages


def _every(at_guess: bool) -> list[st.Page]:
    first, *others = PAGES
    visibility = ("visible", "hidden")
    root = st.Page(first, title=PAGES[first], default=True, url_path="root", visibility=visibility[at_guess])
    guess = st.Page(first, title=PAGES[first], visibility=visibility[not at_guess])
    return [root, guess, *(st.Page(file, title=PAGES[file]) for file in others)]


def _navigate() -> st.Page:
    """Draws the navigation, in which the page that is open is marked, and gives that page."""
    at_guess = state.kept("at_guess", False)
    current = st.navigation(pages := _pages(at_guess), position="top")
    if (current is pages[1]) != at_guess:
        state.keep("at_guess", not at_guess)
        current = st.navigation(pages := _pages(not at_guess), position="top")
    with st.container(key="pages", horizontal=True, gap=None):  # seen on a phone, where Streamlit hides its own
        for page in pages:
            if page.visibility == "visible":
                st.page_link(page, label=f":primary[{page.title}]" if page is current else None, width="content")
    return current


st.set_page_config(page_title="Autoencoder explorer", page_icon="🔢", layout="wide")
st.html(Path(__file__).parent / "parts/common/style.css")
holder.introduce(f"the app at port {st.get_option('server.port')}")
waiting.begin()
page = _navigate()
if copies.answer_in_turn():
    st.warning(
        "Several copies of this app answer you in turn, and what you upload, train or guess reaches only one of them. "
        "Whoever runs it has to send each visitor to one copy every time (sticky sessions): `.deploy/proxy.md` shows how."
    )
if identity.is_forgotten():
    st.info(
        "Your browser keeps nothing for this page inside another one: what you train here is yours until you reload it. "
        f"[Open it in a tab of its own]({identity.own_tab()}) to keep it."
    )
page.run()
identity.remember()
