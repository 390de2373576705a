"""The glossary: what every word of the trade means, and how a page offers it."""

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
from cae_core.runtime.caching import cached
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


@cached()
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


@cached()
def _by_form() -> dict[str, Word]:
    return {form: word for word in words() for form in word.forms}


def _word_of(phrase: str) -> Word | None:
    """The word that a phrase is a form of, or the plain plural of one, also with a capital at its beginning."""
    for text in (phrase, phrase.removesuffix("s")):
        for form in (text, text.lower()):
            if form in _by_form():
                return _by_form()[form]
    return None


def meaning(label: str) -> str | None:
    """What a control's label means, for its help; None of one that is no word of the glossary."""
    word = _word_of(label)
    return word and word.meaning


@cached(most=1024)
def marked(html: str) -> str:
    """HTML whose first word of the trade, if any comes before a tag, shows its meaning when pointed at or focused."""
    parts = list(re.finditer(r"[^\s,;:()]+", html.partition("<")[0]))
    for i, first in enumerate(parts):
        for last in reversed(parts[i:]):
            phrase = html[first.start() : last.end()]
            if word := _word_of(phrase):
                text = escape(word.meaning, quote=True)
                span = f'<span class="word" tabindex="0" aria-description="{text}" data-meaning="{text}">{phrase}</span>'
                return html[: first.start()] + span + html[last.end() :]
    return html


def offer() -> None:
    """A button that opens the glossary: first the words in sight, the others folded."""
    with st.popover("Words", type="tertiary"):
        component.mount("words", _SCRIPT, {"words": _listed()}, looks={"css": _STYLE})


@cached()
def _listed() -> list[tuple[str, tuple[str, ...], str]]:
    """Of each word its name, its forms and its meaning."""
    return [(word.name, word.forms, word.meaning) for word in words()]


_SCRIPT = (Path(__file__).parent / "glossary.js").read_text(encoding="utf-8")
_STYLE = """
.words { max-height: min(60vh, 30rem); overflow-y: auto; font-size: 0.9rem; line-height: 1.4; }
.words dl { margin: 0; }
.words dt { font-weight: 600; }
.words dd { margin: 0 0 0.6rem; }
.words summary { cursor: pointer; min-height: 40px; }
"""
