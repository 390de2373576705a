"""Text for terminals that cannot encode all of it: what the encoding lacks is written in other letters."""

from __future__ import annotations

import codecs
import unicodedata
from typing import TextIO

INSTEAD = {"×": "x", "−": "-", "–": "-", "—": "-", "→": "->", "±": "+/-", "≤": "<=", "≥": ">=", "·": "*"}
"""Letters that Unicode knows no simpler form of; others, such as "é", lose their accents, or become "?"."""


def write_everything(*streams: TextIO) -> None:
    """Lets streams write any text in the encoding they have, such as cp1252 or ASCII."""
    for stream in streams:
        if hasattr(stream, "reconfigure"):  # not where a notebook or a test has put something else
            stream.reconfigure(errors="cae_core.simpler")


def _simpler(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    return "".join(INSTEAD.get(letter) or _without_accents(letter) for letter in letters), error.end


def _without_accents(letter: str) -> str:
    return unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode() or "?"


codecs.register_error("cae_core.simpler", _simpler)
