"""What the Stacked page shows in `streamlit.testing`, to a visitor of one's choice."""

from __future__ import annotations

import re
import time

from shown import ShownPage

from cae_core import jobs
from cae_core.runs import StackRun
from cae_core.stacking import stacks


class ShownStacked(ShownPage):
    """One visitor's Stacked page."""

    FILE, QUESTION = "stacked.py", "Does learning without labels help when labels are few?"

    def __init__(self, visitor: str = "someone", **link: object) -> None:
        super().__init__(visitor, **{"stack_view": "mine", **link})

    @property
    def job(self) -> jobs.Snapshot:
        """The visitor's stack."""
        return jobs.default().of(self.owner)[-1]

    @property
    def kept(self) -> StackRun:
        """The same on disk."""
        return stacks.latest(self.owner)

    def until(self, *states: str, seconds: float = 300) -> jobs.Snapshot:
        """Waits until it is in one of these states, and draws the page then."""
        end = time.monotonic() + seconds
        while self.job.state not in states:
            assert time.monotonic() < end, self.job
            time.sleep(0.05)
        self.run()
        return self.job

    def train(self) -> jobs.Snapshot:
        """Trains the stack that is set, to its end."""
        self.press("train_stack")
        job = self.until("finished", "failed")
        assert job.state == "finished", job.message
        return job

    @property
    def facts(self) -> dict[str, str]:
        """The line of numbers: name to value."""
        return dict(re.findall(r"<div><small>(.*?)</small><span>(.*?)</span></div>", self.html))

    @property
    def can(self) -> dict[str, bool]:
        """The buttons that steer it, and whether they can be pressed."""
        return {b.label: not b.disabled for b in self.app.button if b.key in ("stack_pause", "stack_step", "stack_stop")}
