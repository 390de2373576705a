"""Comparison of runs that learn side by side: the same images, one curve per run in one chart, a table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import streamlit as st

from cae_core import datasets, training
from cae_core import losses as named_losses
from cae_core.architectures import num_epochs
from cae_core.config import RunConfig
from cae_core.figures import curves, plotting, small_plane
from cae_core.inspection import summary
from cae_core.jobs.job import Snapshot
from cae_core.runs import Run
from cae_core.runtime import host
from cae_core.training import run_monitor
from pages.parts.common import show, waiting
from pages.parts.runs import settings_table


@dataclass(frozen=True)
class Lane:
    """One of the runs.

    Attributes:
        title: short, on its row and in the charts.
        config: what is trained.
        job: the run as it is now; None before it is started.
        run: what ships of it; None for one of the visitor's.
    """

    title: str
    config: RunConfig
    job: Snapshot | None = None
    run: Run | None = None

    @property
    def progress(self) -> run_monitor.Progress | None:
        return self.job.progress if self.job else None


def rows(
    lanes: Sequence[Lane], note: Callable[[Lane], str], beside: Callable[[np.ndarray], np.ndarray] | None = None
) -> None:
    """The same eight images, clean, noisy and as each lane gives them back, a row each.

    Args:
        note: under a lane's title, once there is something to say.
        beside: of a row's images, one more picture to its right, `(H, W)` in [0, 1].
    """
    if not lanes:
        return
    first = lanes[0].progress or run_monitor.probes(lanes[0].config)
    eight = f"{len(first.x)} images"

    def row(label: str, under: str, images: np.ndarray | None, alt: str) -> show.Row:
        if images is not None and beside:
            images = np.concatenate([np.clip(images, 0, 1), beside(images)[None, ..., None].repeat(images.shape[3], 3)])
        return show.Row(label, under, images, f"{eight}, {alt}")

    pictures = [row("Clean", "x, the target", first.x, "clean")]
    noise = show.noise(*training.typical_noise(lanes[0].config))
    for noisy in show.given(first.x, first.x_noisy, noise):
        pictures.append(row(noisy.label, noise, first.x_noisy, f"{noise}, what the networks get"))
    for lane in lanes:
        x_hat, under = (lane.progress.x_hat, note(lane)) if lane.progress else (None, "not trained yet")
        pictures.append(row(lane.title, under, x_hat, f"reconstructed by {lane.title}, {under}"))
    show.grid(pictures, columns=len(first.x) + bool(beside))


def drawn(lanes: Sequence[Lane]) -> None:
    """What each lane makes of the same codes from the prior, a row each."""
    pictures = []
    for lane in lanes:
        images = lane.progress and lane.progress.drawn
        pictures.append(show.Row(lane.title, "", images, f"images that {lane.title} makes of eight codes from the prior"))
    show.grid(pictures, columns=run_monitor.NUM_PROBES)


def planes(lanes: Sequence[Lane], circle: float, note: Callable[[Lane], str]) -> None:
    """The plane of each lane's codes as a small drawing, with a circle of this radius; `note` under its title."""
    figures = ""
    for lane in lanes:
        progress, src, words = lane.progress, None, ""
        if progress and progress.plane:
            src = small_plane.data_uri(progress.plane.points, progress.labels, circle)
            words = f"{lane.title}: the codes of {len(progress.labels)} images on a plane, {note(lane)}"
        figures += show.figure(src, words, f"{escape(lane.title)}<small>{escape(note(lane))}</small>")
    st.html(f'<div class="small-planes">{figures}</div>')


def measured(lanes: Sequence[Lane], name: str, label: str, chart: str, up: tuple[float, float] | None = None) -> None:
    """One of `run_monitor.MEASURES` of every lane over the epochs."""
    empty = np.empty((0, 2))
    points = [lane.progress.measured[name] if lane.progress else empty for lane in lanes]
    over_epochs = [
        curves.Line(lane.title, line[:, 0], line[:, 1], place)
        for place, (lane, line) in enumerate(zip(lanes, points, strict=True))
    ]
    if not over_epochs:
        return
    last = max(num_epochs(lane.config) for lane in lanes)
    figure = _without_key(curves.lines(over_epochs, ("epoch", label), (0, last), up))
    show.chart(figure, chart, f"{label} over epochs of {len(lanes)} runs")


def _without_key(figure: plotting.Figure) -> plotting.Figure:
    """The figure without a legend, which on a narrow screen would lie on its axes: `key` is one that wraps."""
    figure["layout"]["showlegend"] = False
    figure["layout"]["margin"]["r"] = 12
    return figure


def key(lanes: Sequence[Lane], more: str = "") -> None:
    """Which colour is whose, under charts."""
    swatches = "".join(
        f'<span><i style="background: {plotting.CURVE_COLOURS[place]}"></i>{escape(lane.title)}</span>'
        for place, lane in enumerate(lanes)
    )
    st.html(f'<div class="lanes-key">{swatches}{escape(more)}</div>')


def curve(progress: run_monitor.Progress | None, title: str = "") -> plotting.Curve:
    """The losses of a run so far."""
    steps, history = (progress.curve, progress.history) if progress else (np.empty((0, 2)), ())
    done = np.array([[row["epoch"], row["held_out_loss"]] for row in history], float).reshape(-1, 2)
    return plotting.Curve(title, steps[:, 0], steps[:, 1], done[:, 0], done[:, 1])


def losses(lanes: Sequence[Lane], name: str) -> None:
    """Each lane's own loss, training dashed, held-out solid."""
    over_steps = [curve(lane.progress, lane.title) for lane in lanes]
    if not over_steps:
        return
    label = named_losses.axis_of(lane.config for lane in lanes)
    last = max(num_epochs(lane.config) for lane in lanes)
    figure = _without_key(plotting.loss_curves(over_steps, label, last_epoch=last))
    show.chart(figure, name, f"{label} over epochs of {len(over_steps)} runs, training dashed, held-out solid")
    key(lanes, "held-out solid, training dashed")


def table(lanes: Sequence[Lane], title: str, lines: Sequence[tuple[str, Callable[[Lane], str]]]) -> None:
    """A column a lane, under the colour of its curve; a cell is a dash before there is anything to say."""

    def draw() -> None:
        cells = [settings_table.Line(label, tuple(cell(lane) for lane in lanes)) for label, cell in lines]
        settings_table.table([lane.title for lane in lanes], [(title, cells)], coloured=True)

    if lanes:
        with st.container(key="lanes_table"):
            waiting.to_train(draw, draw)


def cell(words: Callable[[run_monitor.Progress], str]) -> Callable[[Lane], str]:
    """Gives what is to be said of a lane's last pictures; a dash before the first."""
    return lambda lane: words(lane.progress) if lane.progress else "–"


def number(name: str, form: str) -> Callable[[Lane], str]:
    """Gives a lane's last measure as text; a dash before the first."""
    return cell(lambda progress: format(float(progress.measured[name][-1, 1]), form))


def size(name: str) -> Callable[[Lane], str]:
    """Gives a number of a lane's network, as of `summary.Network`, as text; an ellipsis or dash where there is no Keras."""

    def text(lane: Lane) -> str:
        if lane.run:
            return f"{getattr(lane.run, name):,}"
        if host.training_off() or not waiting.is_ready():
            return "–" if host.training_off() else "…"
        shape = datasets.DATASETS[lane.config.dataset].image_shape
        return f"{getattr(summary.network(lane.config.architecture, lane.config.bottleneck, shape), name):,}"

    return text


def sizes() -> list[tuple[str, Callable[[Lane], str]]]:
    """Lines of `table` with what each network has to go by."""
    return [("Numbers in the code", size("code_size")), ("Parameters", size("parameters"))]
