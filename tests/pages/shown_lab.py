"""What the Architectures page shows of runs side by side in `streamlit.testing`, to a visitor of one's choice."""

from __future__ import annotations

import re
import time

from shown import ShownPage

from cae_core import jobs


class ShownLab(ShownPage):
    """One visitor's Architectures page."""

    FILE, QUESTION = "architectures.py", "How do the published designs differ, and what leaks past the code?"

    @property
    def group(self) -> list[jobs.Snapshot]:
        """The runs that the visitor started last."""
        mine = jobs.default().of(self.owner)
        return [job for job in mine if job.group == mine[-1].group]

    def until(self, *states: str, seconds: float = 300) -> list[jobs.Snapshot]:
        """Waits until all the runs started last are in one of these states, and draws the page then."""
        end = time.monotonic() + seconds
        while not all(job.state in states for job in self.group):
            assert time.monotonic() < end, self.group
            time.sleep(0.05)
        self.run()
        return self.group

    @property
    def facts(self) -> dict[str, str]:
        """The line of numbers: name to value."""
        return dict(re.findall(r"<div><small>(.*?)</small><span>(.*?)</span></div>", self.html))

    @property
    def lines(self) -> dict[str, list[str]]:
        """Every row of every table with a column for each run: label to cells."""
        return {row[0]: row[1:] for row in self._html.table if len(row) > 1}

    @property
    def can(self) -> dict[str, bool]:
        """The buttons that steer the runs, and whether they can be pressed."""
        return {b.label: not b.disabled for b in self.app.button if (b.key or "").startswith("together_")}

    @property
    def links(self) -> dict[str, str]:
        """Links to other pages: label to page and query string."""
        return {link.proto.label: f"{link.proto.page}?{link.proto.query_string}" for link in self.app.get("page_link")}
