"""A run in training, live: its pictures, numbers and curves, several times a second, and the buttons that steer it."""

import math

import numpy as np
import streamlit as st

from cae_core import datasets, jobs, losses, runs, training
from cae_core.architectures import ARCHITECTURES, num_epochs
from cae_core.config import RunConfig
from cae_core.figures import plotting
from cae_core.jobs import Snapshot
from cae_core.losses import LOSSES
from cae_core.runs import Run, holder
from cae_core.runtime import host
from cae_core.training import run_monitor
from pages.parts.common import controls, show
from pages.parts.common.outside import refusal
from pages.parts.live import lanes, queue_words, steering
from pages.parts.session import identity


def latest(owner: str) -> Snapshot | None:
    """The visitor's run to show: the one at work, else the first that waits, else the last that ended."""
    mine = [job for job in jobs.default().of(owner) if isinstance(job.config, RunConfig)]  # other training has its page
    live = sorted((job for job in mine if job.is_live), key=lambda job: job.place)
    return live[0] if live else mine[-1] if mine else None


def elsewhere(owner: str) -> None:
    """Says of the visitor's runs that another program trains, which cannot be seen here, which program that is."""
    for other in runs.at_work():
        if other.owner == owner and holder.of(other.path) != holder.THIS:
            where = holder.sentence(f"Your run {other.label}", other.path, "watch and stop it there")
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(show.plain(where), width="content")
                st.page_link("runs.py", label="Its settings", icon=":material/history:", query_params={"runs": other.name})


def interrupted(owner: str) -> None:
    """Offers to go on with the visitor's last run, if it ended with the server that trained it."""
    last = runs.latest(owner)
    if not isinstance(last, Run) or last.state != "interrupted":
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"Your run **{show.plain(last.label)}** was interrupted after step {last.step:,}.", width="content")
        off = bool(host.training_off())
        resumes = st.button("Resume", icon=":material/play_arrow:", key="resume_interrupted", disabled=off)
        st.page_link("runs.py", label="What it has learned", icon=":material/history:", query_params={"runs": last.name})
    if resumes:
        if refused := refusal(lambda: jobs.default().resume(last.name, owner, identity.address())):
            st.error(show.plain(refused))
        else:
            st.rerun()


def run(job: Snapshot | None, config: RunConfig, owner: str) -> None:
    """The run, drawn again and again until it is over; without one, what will be there under the settings of now."""
    steering.follow(
        lambda: job and jobs.default().snapshot(job.name), steering.is_queued, lambda now: _draw(now, config, owner)
    )


def _draw(job: Snapshot | None, config: RunConfig, owner: str) -> None:
    _buttons(job, owner)
    progress, config = (job.progress, job.config) if job else (None, config)
    step, num_steps = (progress.step, progress.num_steps) if progress else (0, 1)
    steering.bar(step, num_steps)
    show.facts(_facts(job, config))
    if job and job.message:
        st.error(show.plain(job.message))
    _pictures(config, progress)


def _facts(job: Snapshot | None, config: RunConfig) -> list[tuple[str, str]]:
    """What changes with every step, in words and numbers."""
    progress = job and job.progress
    words = queue_words.place(job) if job else "Not started"
    row = progress.history[-1] if progress and progress.history else {}
    unit = LOSSES[config.loss].label
    if progress and progress.layer is not None:
        words += f", layer {progress.layer + 1} alone"
        unit = unit if config.pretraining_kind == "autoencoder" and not progress.layer else "MSE"
    held_out = f"{row['held_out_loss']:.4f}" if row else "–"
    if "rate" in row:
        held_out += f" = {row['distortion']:.1f} + {config.beta:g} × {row['rate']:.1f}"
    return [
        (show.shortened(job.title, 24) if job and job.title else "State", words),
        ("Epoch", f"{progress.step / progress.steps_per_epoch if progress else 0:.1f} of {num_epochs(config)}"),
        ("Step", f"{progress.step:,} of {progress.num_steps:,}" if progress else "–"),
        ("Speed", f"{progress.steps_per_second:.0f} steps/s" if progress else "–"),
        queue_words.time(job, "Time left", progress and progress.seconds_left),
        (f"Held-out {unit}", held_out),
    ]


def _buttons(job: Snapshot | None, owner: str) -> None:
    """Steering, and where to go once it is over."""
    with st.container(horizontal=True, vertical_alignment="center"):
        steering.buttons(job, owner, "live")
        if job and job.state in ("finished", "stopped", "failed"):
            st.page_link("runs.py", label="Time machine", icon=":material/history:", query_params={"runs": job.name})
        queue_words.say_why(job, owner)
        if job and job.state in ("finished", "stopped"):
            page, label, key = controls.seen_on(job.config)
            link = {key: job.name, "dataset": job.config.dataset}
            st.page_link(page, label=label, icon=":material/auto_fix_high:", query_params=link)


def _pictures(config: RunConfig, progress: run_monitor.Progress | None) -> None:
    probes = progress or run_monitor.probes(config)
    layer = progress.layer if progress else None
    way = "Reconstructed" if layer is None else show.through_layers(layer + 1)
    x, x_hat = probes.x, progress.x_hat if progress else None
    noise = show.noise(*training.typical_noise(config))
    left, right = st.columns([7, 5], gap="medium")
    with left:
        mse = "" if x_hat is None else f"MSE {np.mean((x_hat - x) ** 2):.4f}"
        show.grid(
            [
                *show.inputs(x, probes.x_noisy, noise),
                show.Row(way, mse or "not trained yet", x_hat, f"{len(x)} images, {way.lower()}, {mse}"),
            ],
            columns=len(x),
        )
        if config.pretraining:
            stages = ARCHITECTURES[config.architecture].stages
            depth = stages if layer is None else layer + 1
            show.filters({depth - 1: progress and progress.filters})
        loss = losses.axis_of([config])
        curves = plotting.loss_curves([lanes.curve(progress)], loss, last_epoch=num_epochs(config))
        show.chart(curves, "live_curve", f"{loss} over epochs, training dashed, held-out solid")
    with right:
        names = datasets.DATASETS[config.dataset].class_names
        points, axes, labels, limits = None, ("z₁", "z₂"), None, None
        if progress and progress.plane:
            points, axes, labels = progress.plane.points, progress.plane.axes, progress.labels
            limits = _limits(points)
        codes = plotting.plane(points, labels, names, axes, limits=limits)
        show.chart(codes, "live_plane", f"Codes of {run_monitor.NUM_CODES} images on a plane, coloured by class")


def _limits(points: np.ndarray) -> tuple[float, float]:
    """Ends for both axes that hold the points and change seldom: powers of the square root of two."""
    reach = float(np.abs(points).max()) or 1.0
    reach = 2 ** (math.ceil(2 * math.log2(reach) + 0.1) / 2)
    return -reach, reach
