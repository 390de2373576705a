"""Text from outside, such as a title, a link or an error, on its way to a visitor, and why something is refused."""

import re
from collections.abc import Callable
from typing import Any

from cae_core.runs import schema, sentences

# What is drawn as something else even after a backslash: addresses as links, names of icons and Streamlit's logo as
# pictures, lone arrows and dashes as one sign. An invisible word joiner inside keeps them what they are.
_DRAWN = re.compile(r"(?i)(?<=www)(?=\.)|(?<=:)(?=//|material/|streamlit:)|(?=@)|(?<=(?<!\S)[-<>~])(?=(->|>|-|=)(?!\S))")


def plain(text: str) -> str:
    """Text from outside, such as a title, a link or an error, so that Markdown shows it as it was typed.

    The one way into all that takes Markdown: labels of buttons and expanders, captions, headings, boxes, toasts. What shows
    text as it is, such as a select box or a table's cell, is not given it. Where the server keeps files is left out.
    """
    text = " ".join(schema.legible(sentences.for_visitors(text)).split())
    return re.sub(r"([\\`*_{}\[\]()<>#+\-!|~$:&]|(?<=\d)[.)](?= |$))", r"\\\1", _DRAWN.sub("\u2060", text))


def refusal(act: Callable[..., object], *given: Any) -> str:
    """Does something; returns the sentence of the ValueError that refused it, "" if nothing did."""
    try:
        act(*given)
    except ValueError as error:
        return str(error)
    return ""
