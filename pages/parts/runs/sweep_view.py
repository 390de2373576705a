"""A sweep on the Runs page: its runs as parallel coordinates, and mean and spread over the seeds of each combination."""

from collections import Counter
from collections.abc import Sequence
from html import escape

import streamlit as st

from cae_core import runs
from cae_core.figures import sweeps as charts
from cae_core.runs import AnyRun, Run
from cae_core.sweeps import grid, summary
from pages.parts.common import show, tables, widgets
from pages.parts.runs import settings_table

MOST = 200
"""Rows of the table."""


def choose(chosen: str) -> grid.Kept | None:
    """The control that says of which sweep runs are listed, where there are any; the sweep that is chosen."""
    sweeps = {kept.key: kept for kept in grid.every()}
    if sweeps or chosen:
        titles = {"": "None: all runs", **{key: kept.grid.title for key, kept in sweeps.items()}}
        titles.setdefault(chosen, chosen)
        widgets.selectbox(
            "Sweep", [*titles], format_func=titles.get, key="sweep", help="Runs that one command made of a grid."
        )
    if chosen and chosen not in sweeps:
        st.warning(show.plain(f"There is no sweep called {chosen!r} here: it was begun on another machine."))
    return sweeps.get(chosen)


def listed(kept: grid.Kept) -> list[AnyRun]:
    """The runs of a sweep that there are; damaged ones are passed over."""
    names = {*kept.runs}
    return [run for run in runs.networks(runs.runs_dir()) if run.name in names]


def draw(kept: grid.Kept, several: Sequence[Run]) -> None:
    """The picture and the table of a sweep."""
    st.subheader(show.plain(kept.grid.title), anchor=False)
    states = Counter(run.state for run in several)
    missing = len(kept.runs) - len(several)
    counted = [f"{count:,} {state}" for state, count in states.items()] + [f"{missing:,} not begun"] * bool(missing)
    st.markdown(f"{len(kept.runs):,} runs: {show.listed(counted)}.")
    finished = [run for run in several if run.state == "finished" and run.metrics]
    names = summary.varied(finished)
    if len(finished) > 1:
        labels = settings_table.SETTINGS
        settings = [(labels[name], [getattr(run.config, name) for run in finished]) for name in [*names, "seed"]]
        settings = [(label, values) for label, values in settings if len({*values}) > 1]
        measured = [of for of in settings_table.MEASURED if all(of in run.metrics for run in finished)]
        results = [(f"MSE {settings_table.MEASURED[of]}", [run.metrics[of]["mse"] for run in finished]) for of in measured]
        varying = show.listed([label.lower() for label, _ in settings])
        alt = f"A line for each of {len(finished)} runs, from {varying} to the errors that came out"
        show.chart(charts.parallel(settings, results[::-1]), "sweep_parallel", alt)
    if finished:
        _table(finished, names)
    failed = [run for run in several if run.state == "failed"]
    for sentence, count in Counter(run.message for run in failed).items():
        st.warning(show.plain(f"{count} failed: {sentence}"))


def _table(finished: Sequence[Run], names: Sequence[str]) -> None:
    rows = []
    for group in summary.groups(finished)[:MOST]:
        label = ", ".join(settings_table.setting(group.runs[0].config, name) for name in names) or "All"
        figures = [group.figure(condition) for condition in settings_table.MEASURED]
        cells = ["–" if figure is None else f"{figure[0]:#.4g}" + f" ± {figure[1]:.2g}" * (len(group.runs) > 1)
                 for figure in figures]  # fmt: skip
        rows.append((label, [str(len(group.runs)), *cells]))
    heads = [", ".join(settings_table.SETTINGS[name] for name in names) or "Settings", "Runs"]
    tables.figures([*map(escape, heads), *(f"MSE {words}" for words in settings_table.MEASURED.values())], rows, "layers")
    st.caption("Mean squared error per pixel on the whole test set: the mean over the seeds, ± their standard deviation.")
