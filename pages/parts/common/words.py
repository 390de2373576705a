"""Words of a page: a Markdown file in `pages/words`, with its questions and a fold for every explanation."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import streamlit as st

from cae_core.runtime.caching import cached

FOLDER = Path(__file__).parents[2] / "words"


@cached()
def text(name: str) -> str:
    """All of `pages/words/<name>.md`, Markdown."""
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8")


@cached()
def questions(name: str) -> dict[str, tuple[str, str, tuple[str, ...], int, str]]:
    """The questions in `pages/words/<name>.md`, by key: title, question, answers, number of the right one, and why.

    Each is `## key: title`, the question, a list of answers with `[x]` before the right one, and the reason.
    """
    parts = re.split(r"^## (\w+): (.*)\n", text(name), flags=re.MULTILINE)[1:]
    threes = zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    return {key: (title, *_question(re.split("^# ", body, flags=re.MULTILINE)[0])) for key, title, body in threes}


def _question(body: str) -> tuple[str, tuple[str, ...], int, str]:
    asks, _, rest = body.strip().partition("\n\n")
    marked = re.findall(r"^- \[([ x])\] (.*)$", rest, re.MULTILINE)
    why = re.sub(r"^- \[[ x]\] .*\n", "", rest, flags=re.MULTILINE)
    right = next((number for number, (mark, _) in enumerate(marked, 1) if mark == "x"), 0)  # sheets ask for nothing
    return " ".join(asks.split()), tuple(answer for _, answer in marked), right, why.strip()


def explain(name: str, **values: str) -> None:
    """Draws what is under each `# title` of `pages/words/<name>.md`, folded; `values` take the places of their names."""
    for fold in re.split("^# ", text(name), flags=re.MULTILINE)[1:]:
        title, _, body = fold.partition("\n")
        for key, value in values.items():
            body = body.replace(f"{{{key}}}", value)
        with st.expander(title):
            st.markdown(body)


def described(entries: Iterable[Any]) -> str:
    """Labels and summaries of a registry's entries, in a line."""
    return " ".join(f"*{entry.label}*: {entry.summary}" for entry in entries)
