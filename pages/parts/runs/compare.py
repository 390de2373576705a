"""Comparison of two to four runs: the settings that differ, their metrics, curves and pictures."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import streamlit as st

from cae_core import datasets, losses, runs, training
from cae_core.figures import plotting
from cae_core.inference import reconstruction
from cae_core.runs import AnyRun, Run
from pages.parts.common import missing, show
from pages.parts.runs import actions, epochs, settings_table
from pages.parts.session import address, state
from pages.parts.session.setting import Setting


def curve(run: Run, label: str = "", colour: int = 0) -> plotting.Curve:
    """The run's losses, as far as they were written down."""
    history = runs.history(run)
    ends = history.get("epoch", np.empty(0))
    held_out = history.get("held_out_loss", np.empty(0))
    return plotting.Curve(label, ends, history.get("loss", np.empty(0)), ends[: len(held_out)], held_out, colour)


def runs_side_by_side(compared: Sequence[AnyRun], page: Mapping[str, Setting]) -> None:
    """All of them; the place in the address is `page`."""
    differ, same = settings_table.settings([run.config for run in compared])
    left, right = st.columns([11, 9], gap="medium")
    with left:
        title = "Settings that differ" if differ else "All settings are the same"
        groups = [(title, differ), settings_table.results(compared)]
        settings_table.table([run.label for run in compared], groups, coloured=True)
    networks = [run for run in compared if isinstance(run, Run)]
    with right:
        if networks:
            _curves(compared)
        for run in compared:
            if run not in networks:
                actions.on_stacked_page(run, f"Curves and pictures of {show.shortened(run.label, 40)}")
    if networks:
        _pictures(networks, page)
    else:
        address.write(page)
    if same:
        with st.expander(f"{len(same)} settings are the same in all"):
            settings_table.table(["all"], [("Settings", same)])


def _curves(every: Sequence[AnyRun]) -> None:
    """The losses of the networks among them, in the colours of their places."""
    networks = [(place, run) for place, run in enumerate(every) if isinstance(run, Run)]
    loss_curves = []
    for place, run in networks:
        try:
            label = escape(show.shortened(run.label, 20), quote=False)  # Plotly takes a name for a kind of HTML
            loss_curves.append(curve(run, label, place))
        except (runs.RunError, ValueError) as error:
            st.error(show.plain(str(error)))
    label = losses.axis_of(run.config for _, run in networks)
    alt = f"{label} over epochs of {len(loss_curves)} runs, training dashed, held-out solid"
    show.chart(plotting.loss_curves(loss_curves, label), "compared_curves", alt)
    unlike = [
        what
        for what, values in (
            ("data sets", {run.config.dataset for _, run in networks}),
            ("losses", {run.config.loss for _, run in networks}),
            ("noises", {show.noise(*training.typical_noise(run.config)) for _, run in networks}),
        )
        if len(values) > 1
    ]
    if unlike:
        where = "each run by its own data set" if "data sets" in unlike else "by the figures in the table"
        st.caption(
            f"These curves have different {show.listed(unlike)}, so which one is lower says little: compare their shapes, "
            f"and judge {where}."
        )


def _pictures(compared: Sequence[Run], page: Mapping[str, Setting]) -> None:
    """The same ten images through each network, under the first run's noise, and the planes of its codes."""
    place = st.container()
    if state.first_time("compared", [run.name for run in compared]):
        place = st.empty()
        with place.container():
            show.places(compared[0].config, [show.shortened(run.label, 28) for run in compared])
    with place.container():
        st.fragment(_rows)(compared, page)  # nothing but this is drawn again when the slider moves


def _rows(compared: Sequence[Run], page: Mapping[str, Setting]) -> None:
    first = compared[0].config
    chosen = epochs.slider([run for run in compared if run.is_trained])
    address.write(page)
    kind, factor = training.typical_noise(first)
    try:
        sample = reconstruction.sample(first.dataset, kind, factor, 0)
    except datasets.DataError as error:
        missing.say(first.dataset, error)
        return
    noise, ten = show.noise(kind, factor), f"{len(sample.x)} images"
    rows = show.inputs(sample.x, sample.x_noisy, noise, f"MSE {sample.noisy_figures['mse']:.4f}")
    trouble = []
    for run in compared:
        label = run.label.replace("<", "‹")  # the browser's cleaner drops an alternative text with a tag in it
        step, when = chosen.get(run.name, (0, ""))
        x_hat, note = _through(sample, run, step, when) if run.is_trained else (None, "it has no trained network")
        if x_hat is None:
            trouble.append(f"{run.label}: {note}")
        else:
            rows.append(show.Row(show.shortened(run.label, 28), note, x_hat, f"{ten}, by {label} ({run.name}), {note}"))
    show.grid(rows)
    for sentence in trouble:
        st.caption(show.plain(sentence))
    if len(chosen) > 1:
        epochs.planes([run for run in compared if run.name in chosen], chosen)
    names = "-".join(run.name for run in compared)[:150]
    show.download(rows, "The same ten images", f"Noise: {noise}. Runs: {names}.", names)


def _through(sample: reconstruction.Sample, run: Run, step: int, when: str) -> tuple[np.ndarray | None, str]:
    """What the run makes of the images after a step, and its error; without one, why."""
    try:
        (result,) = reconstruction.reconstruct(sample, [run.name], step)
    except Exception as error:  # weights that are damaged, or of a network for other images, fail in many ways
        return None, str(error).partition("\n")[0]
    return result.x_hat, f"MSE {result.figures['mse']:.4f}{', ' * bool(when)}{when}"
