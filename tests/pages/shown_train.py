"""What the Train page shows in `streamlit.testing`, to a visitor of one's choice."""

from __future__ import annotations

import hashlib
import json
import re
import time

from shown import FRAME, PATIENCE, Shown, _Html
from streamlit.testing.v1 import AppTest

from cae_core import jobs
from cae_core.config import DEFAULTS

QUESTION = "How does a network learn to do that?"


class ShownTrain(Shown):
    """One visitor's Train page.

    Args:
        visitor: the token that their browser keeps; equal ones are the same visitor.
        link: the settings in the link.
    """

    def __init__(self, visitor: str = "someone", **link: str) -> None:
        self.app = AppTest.from_file(FRAME, default_timeout=PATIENCE)
        self.app.session_state["_token"] = visitor
        self.app.switch_page("train.py")
        for key, value in link.items():
            self.app.query_params[key] = value
        self.run()

    def run(self) -> ShownTrain:
        self.app.run()
        self._html, self.html = _Html(), ""
        for element in self.app.html:
            if not element.value.startswith("<style"):
                self._html.feed(element.value)
                self.html += element.value
        assert not self.app.exception, [e.value for e in self.app.exception]
        assert [title.value for title in self.app.title] == [QUESTION]
        assert not re.search(r"Traceback|File \".*\", line|Error\(|object at 0x", self.text)
        return self

    def until(self, *states: str, seconds: float = 120) -> jobs.Snapshot:
        """Waits until the visitor's newest run is in one of these states, and draws the page then."""
        end = time.monotonic() + seconds
        while self.job.state not in states:
            assert time.monotonic() < end, self.job
            time.sleep(0.02)
        self.run()
        return self.job

    @property
    def job(self) -> jobs.Snapshot:
        """The visitor's newest run."""
        return jobs.default().of(self.owner)[-1]

    @property
    def owner(self) -> str:
        """The mark that the visitor's runs bear."""
        return hashlib.sha256(self.app.session_state["_token"].encode()).hexdigest()[:16]

    def widget(self, key: str):
        if key == "title":
            return self.app.text_input(key=key)
        return super().widget(key)

    @property
    def settings(self) -> dict:
        """Every setting as the session has it."""
        return {key: self.app.session_state[key] for key in (*DEFAULTS.to_dict(), "fork", "fork_step")}

    @property
    def address(self) -> str:
        asked = [json.loads(component.proto.json) for component in self.app.get("bidi_component")]
        (query,) = [data["query"] for data in asked if "query" in data]
        return query

    @property
    def buttons(self) -> dict[str, bool]:
        """Every button's label, and whether it can be pressed."""
        return {button.label: not button.disabled for button in self.app.button}

    @property
    def facts(self) -> dict[str, str]:
        """The line of numbers: name to value."""
        found = re.findall(r"<div><small>(.*?)</small><span>(.*?)</span></div>", self.html)
        return dict(found)

    @property
    def links(self) -> dict[str, str]:
        """Links to other pages: label to page and query string."""
        return {link.proto.label: f"{link.proto.page}?{link.proto.query_string}" for link in self.app.get("page_link")}
