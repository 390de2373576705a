"""Words of a page: a Markdown file in `pages/words`, with its experiments and a fold for every explanation."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import streamlit as st

FOLDER = Path(__file__).parents[2] / "words"


@functools.cache
def _parts(name: str, mark: str) -> list[tuple[str, str]]:
    """Titles and texts of one file, of the parts whose titles have this mark."""
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    return [part.partition("\n")[::2] for part in re.split(rf"^{mark} ", text, flags=re.MULTILINE)[1:]]


def experiments(name: str) -> dict[str, tuple[str, str]]:
    """Titles and texts of the experiments in `pages/words/<name>.md`, by key; each is `## key: title` and a text."""
    parts = [(*head.split(": ", 1), re.split("^# ", text, flags=re.MULTILINE)[0]) for head, text in _parts(name, "##")]
    return {key: (title, " ".join(text.split())) for key, title, text in parts}


def explain(name: str, **values: str) -> None:
    """Draws the folds of `pages/words/<name>.md`; each `values` takes the place of its name in braces."""
    for title, body in _parts(name, "#"):
        for key, value in values.items():
            body = body.replace(f"{{{key}}}", value)
        with st.expander(title):
            st.markdown(body)


def described(entries: Iterable[Any]) -> str:
    """Labels and summaries of a registry's entries, in a line."""
    return " ".join(f"*{entry.label}*: {entry.summary}" for entry in entries)
