"""The table of runs: sorted by a click on a column, and up to four of its rows marked."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from cae_core import runs
from cae_core.runs import AnyRun
from pages.parts.runs import actions, settings_table
from pages.parts.session import state

MOST = 4
"""Runs that can be compared."""
STATES = {**{name: name for name in runs.STATES}, "running": "training"}
"""States in one word."""
HEIGHT = 198
"""In pixels: the head and four runs and a half, which says that there is more below."""
NOTHING = {"rows": [], "columns": [], "cells": []}


def _figure(run: AnyRun, condition: str) -> float | None:
    return run.metrics.get(condition, {}).get("mse")


def created(run: AnyRun) -> datetime:
    time = datetime.fromisoformat(run.created)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _row(run: AnyRun) -> dict:
    config = run.config
    noise = settings_table.setting(config, "noise_kind")
    return {
        "Title": run.label,
        "State": "not saved" if actions.unsaved(run) else STATES[run.state],
        "Network": settings_table.setting(config, "architecture"),
        "MSE clean": _figure(run, "clean"),
        "MSE noise 0.5": _figure(run, "gaussian 0.5"),
        "Bottleneck": run.code_size or getattr(config, "bottleneck", None),
        "Loss": settings_table.setting(config, "loss"),
        "Noise": noise if config.noise_kind == "none" else f"{noise} {config.noise_factor:g}",
        "Data set": settings_table.setting(config, "dataset"),
        "Epochs": getattr(run, "epochs", None),
        "Seconds": run.seconds,
        "Date": created(run),
    }


def _columns() -> dict:
    number, column = st.column_config.NumberColumn, st.column_config.Column
    per_pixel = "Mean squared error per pixel over the whole test set; less is better."
    return {
        "Title": column(width=190),
        "State": column(width=82),
        "Network": column(width=112, help="Which network, or a stack of autoencoders."),
        "MSE clean": number(width=86, format="%.5f", help=per_pixel),
        "MSE noise 0.5": number(width=112, format="%.5f", help=f"{per_pixel} The images have gaussian noise 0.5."),
        "Bottleneck": number(width=86, format="%d", help="Numbers in the code."),
        "Loss": column(width=58),
        "Noise": column(width=110, help="What it was trained on, and the noise factor."),
        "Data set": column(width=100),
        "Epochs": number(width=66, format="%d", help="Epochs finished."),
        "Seconds": number(width=72, format="%.0f", help="Seconds spent training."),
        "Date": st.column_config.DatetimeColumn(width=150, format="D MMM YYYY, HH:mm", timezone=st.context.timezone),
    }


def order(others: Sequence[AnyRun], chosen: Sequence[AnyRun], whose: str) -> list[AnyRun]:
    """The runs as they are listed: those that a link or a button chose, where they can be seen, then the newest first.

    Args:
        others: runs that are listed anyway.
        chosen: runs that are shown, listed anyway or not.
        whose: which list it is.
    """
    names = tuple(run.name for run in chosen)
    if state.first_time("marked", (whose, names)):  # not by a hand in the table: there, no row moves
        state.keep("listed_first", names)
    first = state.kept("listed_first", ())
    runs_by_name = {run.name: run for run in (*others, *chosen)}
    newest = sorted(runs_by_name.values(), key=lambda run: (created(run), run.name), reverse=True)
    return sorted(newest, key=lambda run: first.index(run.name) if run.name in first else len(first))


def table(listed: Sequence[AnyRun], chosen: tuple[str, ...], whose: str) -> None:
    """The runs, with the chosen ones marked; a selection that was made elsewhere, as by a link, is handed to it."""
    names = [run.name for run in listed]
    key = "table_" + hashlib.sha256(",".join(names).encode()).hexdigest()[:12]
    rows = [names.index(name) for name in chosen]
    selection = {"selection": {**NOTHING, "rows": sorted(rows)}}
    if state.first_time("table", (key, chosen)):
        state.change(**{key: selection})

    def choose() -> None:
        marked = [names[row] for row in state.values({key: None})[key]["selection"]["rows"] if row < len(names)]
        before = [name for name in chosen if name in marked]
        now = tuple([*before, *(name for name in marked if name not in before)][:MOST])
        state.first_time("table", (key, now))
        state.first_time("marked", (whose, now))
        state.change(runs=now, epoch=actions.END)

    grid = st.dataframe(
        [_row(run) for run in listed], height=HEIGHT, hide_index=True, column_config=_columns(), key=key, placeholder="",
        on_select=choose, selection_mode="multi-row", selection_default=selection,
        alt=f"{len(listed)} runs with their settings and errors; those marked are shown below",
    )  # fmt: skip
    if len(grid["selection"]["rows"]) > MOST:
        st.warning(f"You marked {len(grid['selection']['rows'])} runs: the first {MOST} of them are compared.")
