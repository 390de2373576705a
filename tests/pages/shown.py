"""What each page shows in `streamlit.testing`: its pictures as arrays, its tables, its address, its runs, all its text."""

import ast
import base64
import hashlib
import importlib
import io
import json
import re
import time
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, parse_qsl

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cae_core import datasets, jobs
from pages.parts.session.setting import Setting

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


def _refuse(*args) -> None:
    raise datasets.DataError("There is no data.")


def settings_of(page: str) -> dict[str, Setting]:
    """What can be set on a page; importing it draws it, which is done in a moment where it finds no data."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets, "load", _refuse)
        return importlib.import_module(f"pages.{page}").SETTINGS


def unescaped(text: str) -> str:
    """Markdown with the backslashes taken out that keep signs from meaning anything."""
    return re.sub(r"\\([\W_])", r"\1", text)


def as_text(value: object) -> str:
    """A setting as a link spells it."""
    return ("off", "on")[value] if isinstance(value, bool) else ",".join(value) if isinstance(value, tuple) else str(value)


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
    texts = []

    def walk(message) -> None:
        for field, value in message.ListFields():
            for part in value if field.is_repeated else [value]:
                if field.type == field.TYPE_MESSAGE and not field.message_type.GetOptions().map_entry:
                    walk(part)
                elif isinstance(part, str) and words in part and (message.DESCRIPTOR.name, field.name) not in AS_IT_IS:
                    texts.append((message.DESCRIPTOR.name, field.name, part))

    for block in (app._tree.main, app._tree.sidebar, *app._tree.children.values()):
        for node in block:
            if getattr(node, "proto", None) is not None:
                walk(node.proto)
    return texts


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

    A page's own class has its `FILE` and what it must `NEVER` say.

    Args:
        visitor: the token that their browser keeps; equal ones are the same visitor.
        kept: what the session has kept already, by name.
        link: the settings in the link.
    """

    FILE = "denoise.py"  # the page that opens by itself
    NEVER = r"Traceback|File \".*\", line|Error\(|object at 0x"

    def __init__(self, visitor: str = "someone", kept: Mapping[str, object] | None = None, **link: object) -> None:
        self.app = AppTest.from_file(FRAME, default_timeout=PATIENCE)
        for name, value in {"token": visitor, **(kept or {})}.items():
            self.app.session_state[f"_kept_{name}"] = value
        if self.FILE != ShownPage.FILE:
            self.app.switch_page(self.FILE)
        for key, value in link.items():
            self.app.query_params[key] = as_text(value)
        self.run()

    def run(self) -> Self:
        """Runs the page again, with what was changed since the last time."""
        self.app.run()
        self._read()
        return self

    def _read(self) -> None:
        """Takes in what the page shows now."""
        self._html = _Html()
        written = [element.value for element in self.app.html if not re.match('<style|<div class="flow"', element.value)]
        for element in written:
            self._html.feed(element)
        self.html = "".join(written)
        # A syntax error in the page leaves `exception` empty, so something that must be there is looked for as well.
        assert not self.app.exception, [e.value for e in self.app.exception]
        source = FRAME.with_name(self.FILE).read_text(encoding="utf-8")
        (question,) = re.findall(r'(?:open_page\("\w+", |question = )"(.*?)"', source)
        assert [title.value for title in self.app.title] == [question]
        assert not re.search(self.NEVER, self.text)

    @property
    def owner(self) -> str:
        """The mark that the visitor's runs bear."""
        return owner(self.app.session_state["_kept_token"])

    @property
    def job(self) -> jobs.Snapshot:
        """The run that the visitor started last."""
        return jobs.default().of(self.owner)[-1]

    @property
    def group(self) -> list[jobs.Snapshot]:
        """All the runs that were started with it."""
        mine = jobs.default().of(self.owner)
        return [job for job in mine if job.group == mine[-1].group]

    def until(self, *states: str, seconds: float = 300) -> Self:
        """Waits until all the runs that were started last are in one of these states, and draws the page then."""
        end = time.monotonic() + seconds
        while not all(job.state in states for job in (self.group if self.job.group else [self.job])):
            assert time.monotonic() < end, self.job
            time.sleep(0.02)
        return self.run()

    def _keyed(self, key: str) -> list:
        return [widget for kind in KINDS for widget in getattr(self.app, kind, ()) if widget.key == key]

    def has(self, key: str) -> bool:
        """Whether there is a widget with this key."""
        return bool(self._keyed(key))

    def widget(self, key: str):
        """The one widget with this key."""
        (widget,) = self._keyed(key)
        return widget

    def labelled(self, start: str):
        """The one button whose label starts so."""
        (button,) = [button for button in self.app.button if button.label.startswith(start)]
        return button

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

    def leave(self, start: str) -> None:
        """Presses a button that leads to another page."""
        self.labelled(start).click()
        self.app.run()
        assert not self.app.exception

    def upload(self, name: str, data: bytes) -> Self:
        """Gives the page a file."""
        self.app.file_uploader[0].set_value((name, data, "image/png"))
        return self.run()

    def component(self, has: str) -> dict:
        """What the one component was given whose data has this."""
        every = [json.loads(json.loads(component.proto.json)["json"]) for component in self.app.get("bidi_component")]
        (data,) = [data for data in every if has in data]
        return data

    @property
    def address(self) -> str:
        """The query string that the page wants in the address bar."""
        return self.component("query")["query"]

    @property
    def query(self) -> dict[str, str]:
        """The same, by setting."""
        return {key: value for key, (value,) in parse_qs(self.address, keep_blank_values=True).items()}

    @property
    def setting(self) -> dict:
        """Everything that the session has."""
        return self.app.session_state

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
    def troubles(self) -> list[str]:
        """Every error and every warning."""
        return self.messages("error") + self.messages("warning")

    @property
    def heads(self) -> list[str]:
        """Every subheader."""
        return [head.value for head in self.app.subheader]

    @property
    def buttons(self) -> list[str]:
        """The labels of the buttons that can be pressed."""
        return [button.label for button in self.app.button if not button.disabled]

    def keys(self, label: str) -> list[str]:
        """The keys of the buttons with this label, top to bottom."""
        return [button.key for button in self.app.button if button.label == label]

    def steering(self, prefix: str) -> dict[str, bool]:
        """The buttons whose keys begin so: label to whether it can be pressed."""
        return {button.label: not button.disabled for button in self.app.button if (button.key or "").startswith(prefix)}

    @property
    def links(self) -> dict[str, tuple[str, dict[str, str]]]:
        """Links to other pages but those of the frame and of the questions: label to page and settings."""
        names = {name for title in frame_pages().values() for name in (title, f":primary[{title}]")}
        every = [
            link.proto
            for link in self.app.main.get("page_link")
            if link.proto.label not in names and "question" not in link.proto.label
        ]
        return {link.label: (link.page, dict(parse_qsl(link.query_string, keep_blank_values=True))) for link in every}

    @property
    def facts(self) -> dict[str, str]:
        """The line of numbers: name to value."""
        pairs = re.findall(r"<div><small>(.*?)</small><span>(.*?)</span></div>", self.html)
        return {re.sub(r"<[^>]*>", "", name): value for name, value in pairs}

    @property
    def lines(self) -> dict[str, list[str]]:
        """Every row of every table: label to cells."""
        return {row[0]: row[1:] for row in self._html.table if len(row) > 1}

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
    def tags(self) -> "set[str]":  # `set` is a method here
        """Every HTML tag the page writes by itself."""
        return self._html.tags

    def picture(self, *words: str) -> np.ndarray:
        """The one picture whose alternative text has these words, `(h, w, 3)` uint8."""
        (alt,) = [alt for alt in self.alts if all(word in alt for word in words)]
        src = self._html.images[alt]
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(src.partition(",")[2]))).convert("RGB"))

    def row(self, *words: str) -> np.ndarray:
        """The one row whose alternative text has these words, as `(10, 28, 28, 3)` uint8."""
        return self.picture(*words).reshape(28, 10, 28, 3).swapaxes(0, 1)


def open_page(file: str, visitor: str = "someone", **link: object) -> ShownPage:
    """Any page, by its file."""
    return type("AnyPage", (ShownPage,), {"FILE": file})(visitor, **link)


class ShownLatent(ShownPage):
    FILE, NEVER = "latent.py", ShownPage.NEVER + r"|\bnan\b"


class ShownArchitectures(ShownPage):
    FILE = "architectures.py"


class ShownReproduce(ShownPage):
    FILE = "reproduce.py"


class ShownStacked(ShownPage):
    """The Stacked page, at one's own stack."""

    FILE = "stacked.py"

    def __init__(self, visitor: str = "someone", **link: object) -> None:
        super().__init__(visitor, **{"stack_view": "mine", **link})


class ShownTrain(ShownPage):
    FILE = "train.py"


class ShownRuns(ShownPage):
    """The Runs page, run again until nothing waits any more."""

    FILE = "runs.py"

    def run(self) -> Self:
        for _ in range(2):  # what takes long comes with a second run, which the browser asks for
            super().run()
            if not self.waiting:
                break
        return self

    @property
    def listed(self):
        """The table of runs, as a data frame."""
        (table,) = self.app.dataframe
        return table.value

    @property
    def titles(self) -> list[str]:
        """The titles in the table, top to bottom."""
        return list(self.listed["Title"]) if self.app.dataframe else []

    @property
    def marked(self) -> list[str]:
        """The titles that a browser opening the page now would show marked."""
        (table,) = self.app.dataframe
        return [self.titles[row] for row in json.loads(table.proto.selection_default)["selection"]["rows"]]

    def mark(self, *titles: str) -> Self:
        """Marks these rows, and no others, as a hand does in a browser."""
        (table,) = self.app.dataframe
        rows = [self.titles.index(title) for title in titles]
        states = self.app._tree.get_widget_states()
        widget = states.widgets.add()
        widget.id = table.proto.id
        widget.string_value = json.dumps({"selection": {"rows": sorted(rows), "columns": [], "cells": []}})
        self.app._run(states)
        self._read()
        return self.run() if self.waiting else self
