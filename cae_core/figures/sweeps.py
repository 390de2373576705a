"""Plotly figures of many runs: parallel coordinates, error over bytes, and a map of noise met over noise learned."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cae_core.figures.plotting import CURVE_COLOURS, GREY, Figure, base_layout, legend_beside, loss_axis, upright

SCALE = "Viridis"
"""Perceptual, and told apart under every common colour vision deficiency."""
FEW = 12
"""Different numbers that get places side by side on an axis; more lie by their size."""


@dataclass(frozen=True)
class Track:
    """A line of points, each of which may stand for a run.

    Attributes:
        label: in the legend.
        x, y: `(n,)` positive numbers.
        runs: their names.
        colour: index into `CURVE_COLOURS`; None for grey.
        symbol: of its points, as Plotly calls it.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    runs: Sequence[str]
    colour: int | None
    symbol: str = "circle"


def parallel(settings: Sequence[tuple[str, Sequence[Any]]], results: Sequence[tuple[str, Sequence[float]]]) -> Figure:
    """Parallel coordinates: a line for each run, from setting to setting to what came out; coloured by the last result.

    Args:
        settings: what is varied, and each run's value.
        results: figures, positive, on logarithmic axes.
    """
    dimensions = []
    for label, values in settings:
        different = sorted({*values}, key=lambda value: (isinstance(value, str), value))
        if len(different) <= FEW or isinstance(different[-1], str):
            places = {value: place for place, value in enumerate(different)}
            own = {"values": [places[value] for value in values], "tickvals": [*places.values()]}
            own |= {"ticktext": [f"{value:g}" if isinstance(value, float) else str(value) for value in different]}
            own |= {"range": [-0.2, max(0.2, len(different) - 0.8)]}
        else:
            own = {"values": [*values]}
        dimensions.append({"label": label, **own})
    for label, values in results:
        logs = np.log10(np.maximum(np.asarray(values, float), 1e-12))
        ends = [float(logs.min()), float(logs.max())]
        ends = ends if ends[1] > ends[0] else [ends[0] - 0.1, ends[0] + 0.1]
        ticks = np.linspace(*ends, 5)
        dimensions.append({"label": label, "values": logs.tolist(), "range": ends, "tickvals": ticks.tolist(),
                           "ticktext": [f"{10**tick:.3g}" for tick in ticks]})  # fmt: skip
    line = {"color": dimensions[-1]["values"], "colorscale": SCALE, "reversescale": True}
    layout = base_layout(320) | {"margin": {"l": 60, "r": 60, "t": 40, "b": 16, "autoexpand": False}}
    return {"data": [{"type": "parcoords", "dimensions": dimensions, "line": line}], "layout": layout}


def over_bytes(tracks: Sequence[Track], exact: tuple[str, float], axes: tuple[str, str]) -> Figure:
    """Error over bytes, both logarithmic; each point has its run's name as `customdata`.

    Args:
        tracks: the curves.
        exact: what has no error, and its bytes: a line from top to bottom.
        axes: what is across and up, with units.
    """
    data = []
    for track in tracks:
        colour = GREY if track.colour is None else CURVE_COLOURS[track.colour]
        data.append({
            "type": "scatter", "mode": "lines+markers", "name": track.label, "x": [*track.x], "y": [*track.y],
            "customdata": [*track.runs],
            "line": {"color": colour, "width": 2, "dash": "solid" if any(track.runs) else "dot"},
            "marker": {"color": colour, "size": 9, "symbol": track.symbol}, "showlegend": True,
            "hovertemplate": "%{x:.3~g} bytes, MSE %{y:.3~g}<extra></extra>",
        })  # fmt: skip
    layout = base_layout(420) | {"dragmode": "pan"}  # otherwise no click on a point arrives
    legend_beside(layout, [track.label for track in tracks])
    values = [value for track in tracks for value in track.x] + [exact[1]]
    ends = [math.log10(min(values)) - 0.1, math.log10(max(values)) + 0.1]
    layout["xaxis"] |= {"type": "log", "title": {"text": axes[0]}, "range": ends, "dtick": "D2", "tickformat": "~g"}
    layout["yaxis"] |= loss_axis(np.array([value for track in tracks for value in track.y]), axes[1])
    layout["shapes"] = [upright(exact[1])]
    layout["annotations"] = [{"x": math.log10(exact[1]), "y": 0, "yref": "paper", "text": exact[0], "showarrow": False,
                              "xanchor": "right", "yanchor": "bottom"}]  # fmt: skip
    return {"data": data, "layout": layout}


def noise_map(rows: Sequence[str], columns: Sequence[str], errors: np.ndarray, runs: Sequence[str]) -> Figure:
    """Errors as a heat map on a logarithmic scale, thousandths in each cell; a click on one gives its row's run.

    Args:
        rows, columns: their labels.
        errors: `(rows, columns)` positive.
        runs: the name of each row's.
    """
    logs = np.log10(errors)
    ticks = [value for power in range(-4, 1) for value in (10.0**power, 3 * 10.0**power)]
    ticks = [value for value in ticks if logs.min() <= math.log10(value) <= logs.max()]
    heat = {
        "type": "heatmap", "z": logs.tolist(), "x": [*columns], "y": [*rows], "colorscale": SCALE, "hoverinfo": "skip",
        "text": [[f"{1000 * error:.0f}" for error in row] for row in errors], "texttemplate": "%{text}",
        "xgap": 1, "ygap": 1,
        "colorbar": {
            "tickvals": np.log10(ticks).tolist(),
            "ticktext": [f"{tick:g}" for tick in ticks], "orientation": "h", "y": 0, "ypad": 128, "yanchor": "top",
            "thickness": 10, "len": 0.8,
        },
    }  # fmt: skip
    # Plotly reports no click on a heat map, so that invisible points lie on its cells.
    cells = [(column, row, name) for row, name in zip(rows, runs, strict=True) for column in columns]
    points = {
        "type": "scatter", "mode": "markers", "x": [cell[0] for cell in cells], "y": [cell[1] for cell in cells],
        "customdata": [cell[2] for cell in cells], "marker": {"symbol": "square", "size": 26, "opacity": 0},
        "text": [f"{error:.4f}" for error in errors.ravel()], "showlegend": False,
        "hovertemplate": "%{y}<br>meets %{x}: MSE %{text}<extra></extra>",
    }  # fmt: skip
    layout = base_layout(170 + 54 * len(rows)) | {
        "dragmode": "pan",
        "margin": {"l": 96, "r": 8, "t": 8, "b": 170, "autoexpand": False},
    }
    layout["xaxis"] |= {"tickangle": 90, "range": [-0.5, len(columns) - 0.5]}
    layout["yaxis"] |= {"range": [len(rows) - 0.5, -0.5]}
    return {"data": [heat, points], "layout": layout}
