"""What the Runs page shows in `streamlit.testing`, to a visitor of one's choice."""

from __future__ import annotations

import json

from shown import ShownPage


class ShownRuns(ShownPage):
    """One visitor's Runs page, run again until nothing waits any more."""

    FILE, QUESTION = "runs.py", "Which settings made the difference?"

    def run(self) -> ShownRuns:
        for _ in range(2):  # what takes long comes with a second run, which the browser asks for
            self.app.run()
            self._read()
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

    def mark(self, *titles: str) -> ShownRuns:
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

    @property
    def heads(self) -> list[str]:
        """Every subheader."""
        return [head.value for head in self.app.subheader]

    @property
    def lines(self) -> dict[str, list[str]]:
        """Every row of every table with a column for each run: label to cells."""
        return {row[0]: row[1:] for row in self._html.table if len(row) > 1}

    @property
    def buttons(self) -> list[str]:
        """The labels of the buttons that can be pressed."""
        return [button.label for button in self.app.button if not button.disabled]

    @property
    def setting(self) -> dict:
        """Everything that the session has, such as what was handed to another page."""
        return self.app.session_state
