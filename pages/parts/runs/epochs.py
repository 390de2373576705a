"""One slider of epochs over all compared runs: the same images and each run's plane of codes, at that epoch."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import streamlit as st

from cae_core import runs
from cae_core.figures import small_plane
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
    epoch = widgets.select_slider("Epoch of all", epochs, key="epoch", format_func=in_words, help="0 is untrained.")
    chosen = {}
    for run in compared:
        moments = of_run[run.name]
        at = max((moment for moment in moments if moment <= epoch), default=min(moments))
        when = (
            "end: keeps no epochs" if len(moments) == 1 else "untrained" if not at else f"epoch {at:g} of {run.num_epochs}"
        )
        chosen[run.name] = moments[at], when
    return chosen


def in_words(epoch: float) -> str:
    return f"{epoch:g}" if epoch else "0, untrained"


def planes(compared: Sequence[Run], chosen: Mapping[str, tuple[int, str]]) -> None:
    """The planes of the runs' codes side by side, each as wide as all its moments take; a circle holds these."""
    figures = ""
    for run in compared:
        step, when = chosen[run.name]
        title = show.shortened(run.label, 28)
        try:
            past = replay.replay(run)
        except Exception as error:  # weights that are damaged, or of a network for other images, fail in many ways
            st.caption(show.plain(f"{title}: {str(error).partition(chr(10))[0]}"))
            continue
        reach = max(float(np.linalg.norm(moment.points, axis=1).max()) for moment in past.planes)
        src = small_plane.data_uri(past.planes[past.steps.index(step)].points, past.labels, reach)
        whose = f"{run.label.replace('<', '‹')} ({run.name})"
        alt = f"Codes of {len(past.labels)} images by {whose} on a plane, coloured by class, {when}"
        figures += show.figure(src, alt, f"{escape(title)}<small>{when}</small>")
    st.html(f'<div class="small-planes">{figures}</div>')
