"""One run: the time machine over its saved epochs, its settings and metrics, and the actions on it."""

import numpy as np
import streamlit as st

from cae_core import datasets, losses, runs, training
from cae_core.figures import plotting
from cae_core.inference import replay
from cae_core.runs import AnyRun, Run, RunError, holder
from cae_core.runtime import host
from pages.parts.common import missing, show, waiting, widgets
from pages.parts.runs import actions, compare, run_facts
from pages.parts.runs.epochs import in_words
from pages.parts.session import address, state

_played: set = set()
"""Runs that were played back since the program started; `replay` has the last few of them in memory."""


def page(run: AnyRun, settings: dict) -> None:
    """All of one run; its place in the address is `settings`."""
    mine = actions.is_mine(run)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="run_head"):
        st.subheader(show.plain(run.label), anchor=False, width="content")
        st.markdown(_told(run, mine), width="content")
    if isinstance(run, Run) and run.is_trained:
        _time_machine(run, settings)
    else:
        address.write(settings)
        is_here = mine and run.state in runs.AT_WORK and holder.of(run.path) == holder.THIS and not actions.unsaved(run)
        if isinstance(run, Run) and is_here:
            st.page_link("train.py", label="See it on the Train page", icon=":material/show_chart:", query_params={})
    actions.actions(run, mine)
    run_facts.facts(run)
    if isinstance(run, Run) and run.is_trained:
        actions.exports(run)


def _told(run: AnyRun, mine: bool) -> str:
    """Where it stands, in a sentence or two."""
    refused = actions.unsaved(run)
    how = "Training" if run.state == "running" else runs.STATES[run.state].capitalize()
    done = f"{run.epochs} of {run.num_epochs} epochs" if isinstance(run, Run) else f"{run.step} of {run.num_steps} steps"
    parts = [f"{'Not saved' if refused else how}, {done}."]
    if refused:
        parts.append(show.plain(refused.message))
    elif run.state in runs.AT_WORK and holder.of(run.path) != holder.THIS:
        parts.append(
            show.plain(holder.sentence("It", run.path, "watch and stop it there, and see it here when it is finished"))
        )
    if run.message:
        parts.append(show.plain(run.message))
    if run.origin:
        per_epoch = run.num_steps / run.num_epochs or 1
        parts.append(_forked_from(str(run.origin.get("run")), run.origin.get("step"), per_epoch))
    if run.path.parent == runs.PRETRAINED_DIR:
        parts.append("It ships with the app, which keeps only its final state.")
    elif not mine:
        parts.append("It is another visitor's: look at it, or fork it to continue with a copy of your own.")
    return " ".join(parts)


def _forked_from(name: str, step: object, per_epoch: float) -> str:
    when = ""
    try:
        parent = runs.network(name)
        per_epoch, name = parent.num_steps / parent.num_epochs, parent.label
    except RunError:
        when = " (which is no longer there)"
    if isinstance(step, int) and step >= 0:
        when = f" after epoch {step / per_epoch:.3g}{when}" if step else f", untrained{when}"
    return f"Forked from {show.plain(name)}{when}."


def _time_machine(run: Run, settings: dict) -> None:
    """The probe images, the plane and the curve at one saved moment after the other."""
    moments = st.fragment(_moments)  # nothing of the page but this is drawn again when the slider moves
    if _here(run) in _played:
        moments(run, settings)
        return
    words = f"Playing back {len(runs.saved_steps(run))} saved moments …"
    waiting.till_the_end(  # reading the data and asking every saved network takes seconds
        lambda: moments(run, settings),
        lambda: st.html(f'<div class="place run-time" role="status">{words}</div>'),
        lambda: replay.replay(run),
    )


def _here(run: Run) -> tuple:
    """What `replay` tells runs apart by."""
    return run.path, run.step, run.created


def _moments(run: Run, settings: dict) -> None:
    steps = runs.saved_steps(run)
    per_epoch = run.num_steps / run.num_epochs
    epochs = [round(step / per_epoch, 2) for step in steps]
    epoch = state.values(settings)["epoch"]
    moment = int(np.abs(np.array(epochs) - epoch).argmin())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if len(epochs) > 1:
            state.change(epoch=epochs[moment])
            epoch = widgets.select_slider(
                "Epoch", epochs, key="epoch", format_func=in_words, help="0 is the untrained network."
            )
            moment = epochs.index(epoch)
        label = "Fork from this epoch" if len(epochs) > 1 else "Fork from its end"
        if st.button(label, icon=":material/call_split:", key="fork", disabled=bool(host.training_off())):
            state.change_next_run(**run.config.to_dict(), fork=(run.name,), fork_step=steps[moment])
            st.switch_page("train.py", query_params={})
    address.write(settings)
    try:
        past = replay.replay(run)
        _played.add(_here(run))
        _draw(run, epochs, moment, past)
    except datasets.DataError as error:
        missing.say(run.config.dataset, error)
    except Exception as error:  # weights that are damaged, or of a network for other images, fail in many ways
        st.error(show.plain(str(error).partition("\n")[0]))


def _draw(run: Run, epochs: list[float], moment: int, past: replay.Replay) -> None:
    config = run.config
    noise = show.noise(*training.typical_noise(config))
    when = f"after epoch {epochs[moment]:g}" if epochs[moment] else "untrained"
    left, right = st.columns([3, 2], gap="medium")
    with left:
        x, x_hat = past.x, past.x_hat[moment]
        rows = show.inputs(x, past.x_noisy, noise)
        mse = f"MSE {np.mean((x_hat - x) ** 2):.4f}"
        rows.append(show.Row("Reconstructed", mse, x_hat, f"{len(x)} images, reconstructed {when}, {mse}"))
        show.grid(rows, columns=len(x))
        label = losses.axis_of([config])
        mark = epochs[moment] if len(epochs) > 1 else None
        show.chart(
            plotting.loss_curves([compare.curve(run)], label, mark=mark, last_epoch=run.num_epochs),
            "run_curve",
            f"{label} over epochs, training dashed, held-out solid, a mark at epoch {epochs[moment]:g}",
        )
    with right:
        names = datasets.DATASETS[config.dataset].class_names
        plane = past.planes[moment]
        every = np.concatenate([other.points for other in past.planes])
        low, high = float(every.min()), float(every.max())  # of all moments: the cloud moves, the axes do not
        limits = (low - 0.05 * (high - low), high + 0.05 * (high - low))
        show.chart(
            plotting.plane(plane.points, past.labels, names, plane.axes, limits=limits),
            "run_plane",
            f"Codes of {len(past.labels)} images on a plane, coloured by class, {when}",
        )
        if plane.explained < 0.995:
            st.caption(f"The plane shows {show.percent(plane.explained)} of the codes' variance.")
    title, step = f"{run.label}, {when}", past.steps[moment]
    show.download(rows, title, f"{noise}; {mse}. Run {run.name}, step {step}.", f"{run.name}-{step}")
