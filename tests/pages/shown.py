"""What a page shows in `streamlit.testing`: its pictures as arrays, its table as numbers, its address, all its text."""

from __future__ import annotations

import ast
import base64
import hashlib
import io
import json
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs

import numpy as np
from PIL import Image
from streamlit.testing.v1 import AppTest

FRAME = Path(__file__).parents[2] / "pages" / "frame.py"
KINDS = (
    "selectbox", "slider", "select_slider", "segmented_control", "toggle", "number_input", "text_input", "button",
    "multiselect",
)  # fmt: skip
PATIENCE = 120  # seconds for one run of a page; far more than it takes, so that a busy machine fails nothing


def frame_pages() -> dict[str, str]:
    """Every page's file and title, in the order of the navigation; read, for the frame draws a page when it is imported."""
    assigned = (node for node in ast.parse(FRAME.read_text(encoding="utf-8")).body if isinstance(node, ast.Assign))
    return next(ast.literal_eval(node.value) for node in assigned if node.targets[0].id == "PAGES")


def unescaped(text: str) -> str:
    """Markdown with the backslashes taken out that keep signs from meaning anything."""
    return re.sub(r"\\([\W_])", r"\1", text)


def owner(visitor: str) -> str:
    """The mark on the runs of a visitor with this token."""
    return hashlib.sha256(visitor.encode()).hexdigest()[:16]


AS_IT_IS = {
    ("Selectbox", "options"), ("Selectbox", "raw_value"), ("MultiSelect", "options"), ("MultiSelect", "raw_values"),
    ("TextInput", "default"), ("TextInput", "value"), ("Html", "body"), ("PlotlyChart", "spec"), ("BidiComponent", "json"),
    ("Arrow", "selection_default"),
}  # fmt: skip
"""Kinds of elements and their fields that take text as it is; all others take Markdown, or nothing from outside."""


def as_markdown(app: AppTest, words: str) -> list[tuple[str, str, str]]:
    """Everything with these words that a page hands to Streamlit as Markdown: kind of element, field, text."""
    found = []

    def walk(message) -> None:
        for field, value in message.ListFields():
            for one in value if field.is_repeated else [value]:
                if field.type == field.TYPE_MESSAGE and not field.message_type.GetOptions().map_entry:
                    walk(one)
                elif isinstance(one, str) and words in one and (message.DESCRIPTOR.name, field.name) not in AS_IT_IS:
                    found.append((message.DESCRIPTOR.name, field.name, one))

    for block in (app._tree.main, app._tree.sidebar, *app._tree.children.values()):
        for node in block:
            if getattr(node, "proto", None) is not None:
                walk(node.proto)
    return found


class _Html(HTMLParser):
    """Collects the pictures, the labels and the table of figures."""

    def __init__(self) -> None:
        super().__init__()
        self.images: dict[str, str] = {}  # alternative text to src
        self.labels: list[str] = []
        self.waiting = 0
        self.table: list[list[str]] = []
        self.tags: set[str] = set()
        self._into: list[str] | None = None

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.add(tag)
        classes = (attributes.get("class") or "").split()
        if tag == "img":
            assert attributes.get("alt"), "a picture has no alternative text"
            assert attributes["alt"] not in self.images, "two pictures have the same alternative text"
            self.images[attributes["alt"]] = attributes["src"]
        elif "label" in classes:
            self.labels.append("")
            self._into = self.labels
        elif "waiting" in classes:
            self.waiting += 1
        elif tag == "tr":
            self.table.append([])
        elif tag in ("td", "th"):
            self.table[-1].append("")
            self._into = self.table[-1]

    def handle_endtag(self, tag):
        if tag in ("td", "th", "div"):
            self._into = None

    def handle_data(self, data):
        if self._into is not None:
            self._into[-1] += data


class ShownPage:
    """One visitor's page. Looking at it always checks that it is whole: the question is there and no traceback is.

    A page's own class has its `FILE`, "" for the page that opens by itself, its `QUESTION`, and what it must `NEVER` say.

    Args:
        visitor: the token that their browser keeps; equal ones are the same visitor.
        kept: what the session has kept already, by name.
        link: the settings in the link.
    """

    FILE, QUESTION = "", ""
    NEVER = r"Traceback|File \".*\", line|Error\(|object at 0x"

    def __init__(self, visitor: str = "someone", kept: Mapping[str, object] | None = None, **link: object) -> None:
        self.app = AppTest.from_file(FRAME, default_timeout=PATIENCE)
        for name, value in {"token": visitor, **(kept or {})}.items():
            self.app.session_state[f"_kept_{name}"] = value
        if self.FILE:
            self.app.switch_page(self.FILE)
        for key, value in link.items():
            self.app.query_params[key] = str(value)
        self.run()

    def run(self) -> Self:
        """Runs the page again, with what was changed since the last time."""
        self.app.run()
        self._read()
        return self

    def _read(self) -> None:
        """Takes in what the page shows now."""
        self._html = _Html()
        written = [element.value for element in self.app.html if not element.value.startswith("<style")]
        for element in written:
            self._html.feed(element)
        self.html = "".join(written)
        # A syntax error in the page leaves `exception` empty, so something that must be there is looked for as well.
        assert not self.app.exception, [e.value for e in self.app.exception]
        assert [title.value for title in self.app.title] == [self.QUESTION]
        assert not re.search(self.NEVER, self.text)

    @property
    def owner(self) -> str:
        """The mark that the visitor's runs bear."""
        return owner(self.app.session_state["_kept_token"])

    def _keyed(self, key: str) -> list:
        return [widget for kind in KINDS for widget in getattr(self.app, kind, ()) if widget.key == key]

    def has(self, key: str) -> bool:
        """Whether there is a widget with this key."""
        return bool(self._keyed(key))

    def widget(self, key: str):
        """The one widget with this key."""
        (found,) = self._keyed(key)
        return found

    def labelled(self, start: str):
        """The one button whose label starts so."""
        (found,) = [b for b in self.app.button if b.label.startswith(start)]
        return found

    def set(self, **values) -> Self:
        """Sets widgets by their keys, all at once, and runs the page."""
        for key, value in values.items():
            self.widget(key).set_value(value)
        return self.run()

    def click(self, start: str) -> Self:
        """Presses the one button whose label starts so."""
        self.labelled(start).click()
        return self.run()

    def press(self, key: str) -> Self:
        """Presses the one button with this key."""
        self.widget(key).click()
        return self.run()

    def component(self, has: str) -> dict:
        """What the one component was given whose data has this."""
        every = [json.loads(json.loads(one.proto.json)["json"]) for one in self.app.get("bidi_component")]
        (found,) = [data for data in every if has in data]
        return found

    @property
    def address(self) -> str:
        """The query string that the page wants in the address bar."""
        return self.component("query")["query"]

    @property
    def query(self) -> dict[str, str]:
        """The same, by setting."""
        return {key: value for key, (value,) in parse_qs(self.address, keep_blank_values=True).items()}

    @property
    def text(self) -> str:
        """Everything a visitor can read, with Markdown's backslashes taken out."""
        parts = [self.app.markdown, self.app.caption, self.app.warning, self.app.error, self.app.info, self.app.html]
        text = "\n".join(str(element.value) for part in parts for element in part)
        return unescaped(re.sub(r'"data:[^"]*"', '""', text))

    def messages(self, kind: str) -> list[str]:
        """The texts of all boxes of this kind ("warning", "error"), with Markdown's backslashes taken out."""
        return [unescaped(element.value) for element in getattr(self.app, kind)]

    @property
    def labels(self) -> list[str]:
        """Labels of the rows, top to bottom."""
        return self._html.labels

    @property
    def alts(self) -> list[str]:
        """Alternative texts of the pictures, top to bottom; the error scale is left out."""
        return [alt for alt in self._html.images if not alt.startswith("scale")]

    @property
    def waiting(self) -> int:
        """Rows whose place is kept."""
        return self._html.waiting

    @property
    def tags(self) -> set[str]:
        """Every HTML tag the page writes by itself."""
        return self._html.tags

    def row(self, *words: str) -> np.ndarray:
        """The one row whose alternative text has these words, as `(10, 28, 28, 3)` uint8."""
        (alt,) = [alt for alt in self.alts if all(word in alt for word in words)]
        src = self._html.images[alt]
        picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(src.partition(",")[2]))).convert("RGB"))
        assert picture.shape == (28, 280, 3)
        return picture.reshape(28, 10, 28, 3).swapaxes(0, 1)


class Shown(ShownPage):
    """One visitor's Denoise page."""

    QUESTION = "What does the bottleneck keep, what does the loss prefer, and how much noise can be undone?"

    @property
    def values(self) -> dict:
        """What the controls stand at."""
        keys = ("dataset", "noise_kind", "noise_factor", "trained_on", "bottleneck", "loss", "both_losses", "seed")
        return {key: self.widget(key).value for key in keys}

    @property
    def table(self) -> dict[str, list[str]]:
        """The table of figures: label to its cells MSE, PSNR, SSIM, BCE as text."""
        return {row[0]: row[1:] for row in self._tables[0]}

    @property
    def whole_test_set(self) -> dict[str, list[str]]:
        """The table under it, of what was measured on the whole test set: label to a cell for each loss."""
        return {row[0]: row[1:] for row in self._tables[1]}

    @property
    def _tables(self) -> list[list[list[str]]]:
        heads = [place for place, row in enumerate(self._html.table) if row[0] == ""]
        return [self._html.table[a + 1 : b] for a, b in zip(heads, [*heads[1:], None], strict=True)]
