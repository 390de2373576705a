"""The glossary: what every word of the trade means, and how a page offers it."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from html import escape
from pathlib import Path

import streamlit as st

from cae_core.architectures import ARCHITECTURES
from cae_core.corruptions import NOISE_KINDS
from cae_core.datasets import DATASETS
from cae_core.losses import LOSSES
from cae_core.metrics import METRICS
from cae_core.optimizers import OPTIMIZERS, SCHEDULES
from pages.parts.common import words as texts
from pages.parts.session import component


@dataclass(frozen=True)
class Word:
    """A word of the trade.

    Attributes:
        name: as it is listed.
        forms: every way in which it is written; one that begins with a capital letter is written in no other case.
        meaning: one or two plain sentences.
    """

    name: str
    forms: tuple[str, ...]
    meaning: str


@functools.cache
def words() -> tuple[Word, ...]:
    """Every word that a page may use without a further word: those of `glossary.md`, and the entries of the registries."""
    lines = re.findall(
        r"^- \*\*(.+?)\*\*(?: \((.+?)\))?: (.+)$", (texts.FOLDER / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    listed = [Word(name, (name, *filter(None, others.split(", "))), meaning) for name, others, meaning in lines]
    kinds = {"Optimizer": OPTIMIZERS, "Learning-rate schedule": SCHEDULES, "Data set": DATASETS, "Network": ARCHITECTURES}
    registered = [(f"{kind}. {entry.summary}", entry.label) for kind, every in kinds.items() for entry in every.values()]
    registered += [(f"Noise. {kind.summary}", kind.label.lower()) for name, kind in NOISE_KINDS.items() if name != "none"]
    registered += [(f"Loss. {loss.summary}", loss.label) for loss in LOSSES.values()]
    registered += [(f"{m.label}. {m.summary}", name.upper()) for name, m in METRICS.items() if name not in LOSSES]
    return tuple(sorted((*listed, *(Word(name, (name,), text) for text, name in registered)), key=lambda w: w.name.lower()))


def pattern(form: str) -> str:
    """A regular expression, of Python and of a browser, for a form and its plain plural, not inside another word."""
    letters = [f"[{c}{c.swapcase()}]" if c.isascii() and c.isalpha() and form[0].islower() else re.escape(c) for c in form]
    return rf"(?<![A-Za-z0-9])(?:{''.join(letters)})s?(?![A-Za-z0-9₀-₉])".replace(r"\ ", r"\s+")


@functools.cache
def _finder() -> tuple[re.Pattern[str], tuple[Word, ...]]:
    """What finds a word in a text, the longest first, and the word of each of its groups."""
    every = sorted(((form, word) for word in words() for form in word.forms), key=lambda pair: -len(pair[0]))
    return re.compile("|".join(f"({pattern(form)})" for form, _ in every)), tuple(word for _, word in every)


def meaning(label: str) -> str | None:
    """What a control's label means, for its help; None of one that is no word of the glossary."""
    finder, by_group = _finder()
    match = finder.fullmatch(label) or finder.fullmatch(label.lower())
    return by_group[match.lastindex - 1].meaning if match else None


@functools.cache
def marked(html: str) -> str:
    """HTML whose first word of the trade, if any comes before a tag, shows its meaning when pointed at or focused."""
    finder, by_group = _finder()
    match = finder.search(html.partition("<")[0])
    if not match:
        return html
    text = escape(by_group[match.lastindex - 1].meaning, quote=True)
    word = f'<span class="word" tabindex="0" aria-description="{text}" data-meaning="{text}">{match[0]}</span>'
    return html[: match.start()] + word + html[match.end() :]


def offer() -> None:
    """A button that opens the glossary: first the words in sight, the others folded."""
    with st.popover("Words", type="tertiary"):
        component.mount("words", _SCRIPT, {"words": _listed()}, looks={"css": _STYLE})


@functools.cache
def _listed() -> list[list[str]]:
    """Of each word its name, what finds it in a text, and its meaning."""
    return [[word.name, "|".join(map(pattern, word.forms)), word.meaning] for word in words()]


_SCRIPT = (Path(__file__).parent / "glossary.js").read_text(encoding="utf-8")
_STYLE = """
.words { max-height: min(60vh, 30rem); overflow-y: auto; font-size: 0.9rem; line-height: 1.4; }
.words dl { margin: 0; }
.words dt { font-weight: 600; }
.words dd { margin: 0 0 0.6rem; }
.words summary { cursor: pointer; min-height: 40px; }
"""
