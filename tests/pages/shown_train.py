"""What the Train page shows in `streamlit.testing`, to a visitor of one's choice."""

from __future__ import annotations

import re
import time

from shown import ShownPage

from cae_core import jobs
from cae_core.config import DEFAULTS


class ShownTrain(ShownPage):
    """One visitor's Train page."""

    FILE, QUESTION = "train.py", "How does a network learn to do that?"

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
    def settings(self) -> dict:
        """Every setting as the session has it."""
        return {key: self.app.session_state[key] for key in (*DEFAULTS.to_dict(), "fork", "fork_step")}

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
