"""Pictures of a stack: images through all its layers and back, filters, losses, and both classifiers' accuracy."""

import numpy as np
import streamlit as st

from cae_core.config import StackConfig
from cae_core.stacking import charts
from cae_core.stacking.progress import StackProgress
from cae_core.training import run_monitor
from pages.parts.common import show


def draw(config: StackConfig, progress: StackProgress | None) -> None:
    """The pictures at one moment; before there are any, their places."""
    probes = progress or run_monitor.probes(config)
    eight = f"{len(probes.x)} test images"
    noise = show.noise(config.noise_kind, config.noise_factor)
    rows = show.inputs(probes.x, probes.x_noisy, noise, "what the stack gets")
    for number in range(config.layers):
        x_hat = progress.x_hats[number] if progress and number < len(progress.x_hats) else None
        through = show.through_layers(number + 1)
        note = "not trained yet" if x_hat is None else f"and back, MSE {np.mean((x_hat - probes.x) ** 2):.4f}"
        rows.append(show.Row(through, note, x_hat, f"{eight}, {through.lower()} and back down through all, {note}"))
    left, right = st.columns([7, 5], gap="medium")
    with left:
        show.grid(rows, columns=len(probes.x))
        begun = dict(enumerate(progress.filters)) if progress else {}
        show.filters({number: begun.get(number) for number in range(config.layers)})
    with right:
        losses = charts.layer_losses(progress.losses if progress else [], _layer_steps(config, progress))
        st.caption("What each layer minimises: half the squared error of its reconstruction")
        show.chart(losses, "stack_losses", "Half squared error of each layer over its steps")
        st.caption("Then both classifiers: 500 held-out images read right")
        accuracy = charts.tuning(progress.accuracy if progress else {}, config.steps)
        show.chart(
            accuracy, "stack_tuning", f"Share of held-out images read right over {config.steps} steps, two classifiers"
        )


def _layer_steps(config: StackConfig, progress: StackProgress | None) -> int:
    """Right end of the layers' axis: the steps that each has."""
    if progress is None:
        return 1
    at_work = progress.stage_steps if progress.stage < config.layers else 1
    return max([at_work, *(int(line[-1, 0]) for line in progress.losses if len(line))])
