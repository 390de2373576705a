"""One slider of epochs over all compared runs: the same images and each run's plane of codes, at that epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import streamlit as st

from cae_core import datasets, runs
from cae_core.figures import plotting
from cae_core.inference import replay
from cae_core.runs import Run
from pages.parts.common import show, widgets
from pages.parts.session import state


def _moments(run: Run) -> dict[float, int]:
    """The steps whose weights a run keeps, by epoch."""
    per_epoch = run.num_steps / run.num_epochs
    return {round(step / per_epoch, 2): step for step in runs.saved_steps(run)}


def slider(compared: Sequence[Run]) -> Mapping[str, tuple[int, str]]:
    """The slider, if any of the runs keeps its epochs.

    Returns:
        Of each run's name the step to show it at, its last one at or before the epoch that is chosen, and what to say of
        when that is.
    """
    of_run = {run.name: _moments(run) for run in compared}
    epochs = sorted({epoch for moments in of_run.values() if len(moments) > 1 for epoch in moments})
    if not epochs:
        if len(compared) > 1:
            st.caption("None of these runs keeps its epochs, as no shipped one does: they are shown at their end.")
        return {name: (step, "") for name, moments in of_run.items() for step in [*moments.values()][-1:]}
    now = state.value("epoch")
    state.change(epoch=min(epochs, key=lambda epoch: abs(epoch - now)))
    epoch = widgets.select_slider("Epoch of all", epochs, key="epoch", format_func=_in_words, help="0 is untrained.")
    chosen = {}
    for run in compared:
        moments = of_run[run.name]
        at = max((moment for moment in moments if moment <= epoch), default=min(moments))
        when = (
            "end: keeps no epochs" if len(moments) == 1 else "untrained" if not at else f"epoch {at:g} of {run.num_epochs}"
        )
        chosen[run.name] = moments[at], when
    return chosen


def _in_words(epoch: float) -> str:
    return f"{epoch:g}" if epoch else "0, untrained"


def planes(compared: Sequence[Run], chosen: Mapping[str, tuple[int, str]]) -> None:
    """The planes of the runs' codes side by side, axes as wide as all moments of each take."""
    for place, (column, run) in enumerate(zip(st.columns(len(compared), gap="small"), compared, strict=True)):
        step, when = chosen[run.name]
        with column:
            try:
                past = replay.replay(run)
            except Exception as error:  # weights that are damaged, or of a network for other images, fail in many ways
                st.caption(show.plain(str(error).partition("\n")[0]))
                continue
            plane, every = past.planes[past.steps.index(step)], np.concatenate([other.points for other in past.planes])
            margin = 0.05 * float(np.ptp(every))
            limits = float(every.min()) - margin, float(every.max()) + margin
            names = datasets.DATASETS[run.config.dataset].class_names
            figure = plotting.plane(plane.points, past.labels, names, plane.axes, limits=limits)
            figure["layout"]["showlegend"] = False
            figure["layout"]["margin"] = {**figure["layout"]["margin"], "r": 12}
            st.html(f"<small>{escape(show.shortened(run.label, 28))}{', ' * bool(when)}{when}</small>")
            alt = (
                f"Codes of {len(past.labels)} images by {run.label.replace('<', '‹')} on a plane, coloured by class, {when}"
            )
            show.chart(figure, f"compared_{place}_plane", alt)
