"""What a page shows in `streamlit.testing`: its pictures as arrays, its table as numbers, its address, all its text."""

from __future__ import annotations

import base64
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
from PIL import Image
from streamlit.testing.v1 import AppTest

FRAME = Path(__file__).parents[2] / "pages" / "frame.py"
QUESTION = "What does the bottleneck keep, what does the loss prefer, and how much noise can be undone?"
PATIENCE = 120  # seconds for one run of a page; far more than it takes, so that a busy machine fails nothing


def unescaped(text: str) -> str:
    """Markdown with the backslashes taken out that keep signs from meaning anything."""
    return re.sub(r"\\([\W_])", r"\1", text)


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


class Shown:
    """One visitor's page. Looking at it always checks that it is whole: the question is there and no traceback is."""

    def __init__(self, **link: str) -> None:
        self.app = AppTest.from_file(FRAME, default_timeout=PATIENCE)
        for key, value in link.items():
            self.app.query_params[key] = value
        self.run()

    def run(self) -> Shown:
        """Runs the page again, with what was changed since the last time."""
        self.app.run()
        self._html = _Html()
        for element in self.app.html:
            if not element.value.startswith("<style"):
                self._html.feed(element.value)
        # A syntax error in the page leaves `exception` empty, so something that must be there is looked for as well.
        assert not self.app.exception, [e.value for e in self.app.exception]
        assert [title.value for title in self.app.title] == [QUESTION]
        assert not re.search(r"Traceback|File \".*\", line|Error\(|object at 0x", self.text)
        return self

    def widget(self, key: str):
        """The one widget with this key."""
        kinds = ("selectbox", "slider", "select_slider", "segmented_control", "toggle", "number_input", "button")
        (found,) = [w for kind in kinds for w in getattr(self.app, kind) if w.key == key]
        return found

    def labelled(self, start: str):
        """The one button whose label starts so."""
        (found,) = [b for b in self.app.button if b.label.startswith(start)]
        return found

    def set(self, **values) -> Shown:
        """Sets widgets by their keys, all at once, and runs the page."""
        for key, value in values.items():
            self.widget(key).set_value(value)
        return self.run()

    def click(self, start: str) -> Shown:
        """Presses the one button whose label starts so."""
        self.labelled(start).click()
        return self.run()

    @property
    def values(self) -> dict:
        """What the controls stand at."""
        keys = ("dataset", "noise_kind", "noise_factor", "trained_on", "bottleneck", "loss", "both_losses", "seed")
        return {key: self.widget(key).value for key in keys}

    @property
    def address(self) -> str:
        """The query string that the page wants in the address bar."""
        (component,) = self.app.get("bidi_component")
        return json.loads(component.proto.json)["query"]

    @property
    def text(self) -> str:
        """Everything a visitor can read, with Markdown's backslashes taken out."""
        parts = [self.app.markdown, self.app.caption, self.app.warning, self.app.error, self.app.info, self.app.html]
        return unescaped("\n".join(str(element.value) for part in parts for element in part))

    def messages(self, kind: str) -> list[str]:
        """The texts of all boxes of this kind ("warning", "error"), with Markdown's backslashes taken out."""
        return [unescaped(element.value) for element in getattr(self.app, kind)]

    @property
    def labels(self) -> list[str]:
        """Labels of the rows, top to bottom."""
        return self._html.labels

    @property
    def alts(self) -> list[str]:
        """Alternative texts of the rows, top to bottom; the error scale is left out."""
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

    @property
    def table(self) -> dict[str, list[str]]:
        """The table of figures: label to its cells MSE, PSNR, SSIM, BCE as text."""
        return {row[0]: row[1:] for row in self._html.table[1:]}
