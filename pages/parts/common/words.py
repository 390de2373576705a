"""Folded explanations of a page: a Markdown file in `pages/words`, with a fold for every title in it."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import streamlit as st

FOLDER = Path(__file__).parents[2] / "words"


@functools.cache
def _folds(name: str) -> list[tuple[str, str]]:
    """Titles and texts of one file."""
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    return [part.partition("\n")[::2] for part in re.split(r"^# ", text, flags=re.MULTILINE)[1:]]


def explain(name: str, **values: str) -> None:
    """Draws the folds of `pages/words/<name>.md`; each `values` takes the place of its name in braces."""
    for title, body in _folds(name):
        for key, value in values.items():
            body = body.replace(f"{{{key}}}", value)
        with st.expander(title):
            st.markdown(body)


def described(entries: Iterable[Any]) -> str:
    """Labels and summaries of a registry's entries, in a line."""
    return " ".join(f"*{entry.label}*: {entry.summary}" for entry in entries)
