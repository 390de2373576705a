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
def _text(name: str) -> str:
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8")


def experiments(name: str) -> dict[str, tuple[str, str]]:
    """Titles and texts of the experiments in `pages/words/<name>.md`, by key; each is `## key: title` and a paragraph."""
    every = re.findall(r"^## (\w+): (.*)\n\n((?:.+\n)+)", _text(name), re.MULTILINE)
    return {key: (title, " ".join(text.split())) for key, title, text in every}


def explain(name: str, **values: str) -> None:
    """Draws what is under each `# title` of `pages/words/<name>.md`, folded; `values` take the places of their names."""
    for fold in re.split("^# ", _text(name), flags=re.MULTILINE)[1:]:
        title, _, text = fold.partition("\n")
        for key, value in values.items():
            text = text.replace(f"{{{key}}}", value)
        with st.expander(title):
            st.markdown(text)


def described(entries: Iterable[Any]) -> str:
    """Labels and summaries of a registry's entries, in a line."""
    return " ".join(f"*{entry.label}*: {entry.summary}" for entry in entries)
