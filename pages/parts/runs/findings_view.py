"""What many runs show, on the Runs page: how many numbers a code needs, and which noise which network withstands."""

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from cae_core import datasets, losses, runs
from cae_core.architectures import ARCHITECTURES
from cae_core.datasets import DATASETS
from cae_core.figures import sweeps as charts
from cae_core.pretrained import NETWORK, SHIPPED
from cae_core.runs import RunError
from cae_core.sweeps import findings
from pages.parts.common import show, words
from pages.parts.session import state

VIEWS = {"": "Runs", "sizes": "How many numbers?", "robustness": "Robustness map"}
"""What the page shows, the runs first."""
COLOURS = {"pca": 4, NETWORK: 0, "vae": 2, "k_sparse": 3}
"""Of curves; the others' is the second."""
SYMBOLS = ("circle", "diamond", "square", "cross", "triangle-up", "star")


def draw(view: str) -> None:
    """The picture of a view, its runs to be opened, and what it shows."""
    try:
        shipped = findings.find(datasets.default())
    except RunError as error:
        st.error(show.plain(str(error)))
        return
    names = (_sizes if view == "sizes" else _robustness)(shipped)
    with st.expander("Open a run"), st.container(horizontal=True):
        for name in names:
            _open(name, f"open_{name}")
    words.explain(f"findings_{view}")


def _open(name: str, key: str) -> None:
    """A button that goes to the run."""
    to = {"runs": (name,), "whose": "shipped", "view": "", "sweep": ""}
    st.button(runs.find(name).label, key=key, icon=":material/history:", on_click=state.change, kwargs=to)


def _label(name: str) -> str:
    """A run in words: its network, its numbers and what it was trained on."""
    config = SHIPPED[name]
    network = ARCHITECTURES[config.architecture]
    numbers = "" if network.fixed_code else f" {config.bottleneck}"
    return f"{network.label}{numbers}, {show.noise(config.noise_kind, config.noise_factor)}"


def _lines(name: str) -> list[str]:
    """The same in lines that leave a phone room for the map."""
    network, noise = _label(name).split(", ")
    return [*textwrap.wrap(network, 13), noise]


def _sizes(shipped: findings.Findings) -> list[str]:
    curves: dict[str, list[findings.Point]] = {}
    for point in sorted(shipped.points, key=lambda point: point.bytes):
        curves.setdefault(point.curve, []).append(point)
    (png,) = curves.pop("png")
    tracks = [
        charts.Track(
            ARCHITECTURES[name].label if name in ARCHITECTURES else name.upper(),
            [p.bytes for p in points],
            [p.mse for p in points],
            [p.run for p in points],
            None if name == "jpeg" else COLOURS.get(name, 1),
            "circle" if name in COLOURS else SYMBOLS[number % len(SYMBOLS)],
        )  # fmt: skip
        for number, (name, points) in enumerate(curves.items())
    ]
    axes = "bytes per image, log", losses.axis(["mse"])
    listed = "; ".join(
        f"{track.label} {min(track.y):.4f} at {track.x[int(np.argmin(track.y))]:.0f} bytes" for track in tracks
    )
    alt = f"Error over bytes of a code: {listed}; PNG without error at {png.bytes:.0f} bytes"
    _pick(charts.over_bytes(tracks, (f"PNG {png.bytes:.0f}, no error", png.bytes), axes), "finding_sizes", alt)
    return [*dict.fromkeys(point.run for points in curves.values() for point in points if point.run)]


def _robustness(shipped: findings.Findings) -> list[str]:
    names = [*dict.fromkeys(cell.run for cell in shipped.cells)]
    columns = [show.noise(cell.kind, cell.factor) for cell in shipped.cells if cell.run == names[0]]
    errors = np.reshape([cell.mse for cell in shipped.cells], (len(names), len(columns)))
    alt = "; ".join(
        f"{_label(name)}: {', '.join(f'{column} {mse:.3f}' for column, mse in zip(columns, row, strict=True))}"
        for name, row in zip(names, errors, strict=True)
    )
    _pick(
        charts.noise_map(["<br>".join(_lines(name)) for name in names], columns, errors, names),
        "finding_robustness",
        alt,
        "In the cells: mean squared error per pixel, in thousandths. ",
    )
    return names


def _pick(figure: Mapping[str, Any], key: str, alt: str, unit: str = "") -> None:
    """The picture, and below it the run of the point that was pressed, or what is measured in which unit."""
    picked = show.chart(figure, key, alt, on_select="rerun", selection_mode="points")
    points = picked["selection"]["points"] if picked else []
    name = points[0].get("customdata") if points else ""
    name = name[0] if isinstance(name, list) else name
    if name in SHIPPED:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(show.plain(_label(name)), width="content")
            _open(name, "open_picked")
    else:
        label = DATASETS[datasets.default()].label
        st.caption(f"{unit}Measured on {findings.IMAGES:,} test images of {label}. Press a point to open its run.")
