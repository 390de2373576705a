"""Teach: how do I use this with a class?"""

import streamlit as st

from pages.parts.common import show, widgets
from pages.parts.lesson import path, strip
from pages.parts.session import address, identity, state
from pages.parts.session.setting import Setting
from pages.parts.teach import sheet

SETTINGS = {"sheet": Setting("denoise", tuple(sheet.SHEETS)), **strip.settings()}


def _tidy_name() -> None:
    state.change(**{"class": SETTINGS["class"].parse("class", state.value("class") or "")})


def _page() -> None:
    now = show.open_page("teach", "How do you use this with a class?", SETTINGS)
    with st.sidebar:
        widgets.selectbox("Sheet", tuple(sheet.SHEETS), format_func=sheet.title, key="sheet")
        widgets.text_input(
            "Name of the class", key="class", max_chars=strip.MOST_NAME, on_change=_tidy_name, placeholder="Class 8b",
            help="Everybody who opens the link is in the class: their guesses are counted, without names, for a day.",
        )  # fmt: skip
    root = identity.root_for_others()
    with st.container(key="teach_links"):
        st.markdown(_about(now["class"]))
        st.code(sheet.path_link(root, now["class"]), language=None)
    with st.container(key="teach_sheet", border=True):
        st.markdown(sheet.for_students(now["sheet"], root, now["class"]))
        st.html('<div class="page-break"></div>')
        st.markdown(sheet.for_the_teacher(now["sheet"]))
        st.markdown(sheet.plans())


def _about(class_name: str) -> str:
    """What the link below is for."""
    whose = f"in the class {show.plain(class_name)}" if class_name else "each by themselves"
    counted = (
        "On the projector, open the same link and press *Just show me*: the guesses come in beside the outcome."
        if class_name
        else "Give the class a name at the left, and everybody's guesses are shown beside the outcome, live."
    )
    return (
        f"The path of {len(path.PATH)} questions, for students who take it {whose}. {counted} "
        "Below is a sheet for each page; your browser prints it (Ctrl+P), the part for the students on a page of its own."
    )


_page()
address.write(SETTINGS)
