"""Plotly figures that are redrawn while a network learns: loss curves and the plane of codes.

A figure here is a plain dict of the kind `st.plotly_chart` and `plotly.graph_objects.Figure` take, so that this module
imports no Plotly and nothing is checked twice: Streamlit checks what it is given. Numbers are float32 arrays, which travel
as base64: half the size of text with as many digits, and no copying number by number.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cae_core.figures.pictures import PALETTE

Figure = dict[str, Any]
"""A Plotly figure as a dict: `{"data": [trace, ...], "layout": {...}}`; never without a trace, which Streamlit refuses."""

CURVE_COLOURS = ("#2a78d6", "#d9600a", "#8822ff", "#aa5588", "#9c966c")
"""Colours of runs: blue, orange, violet, mauve, sand. Contrast of at least 3 with the light and with the dark page, and
at least 30 apart in CIELAB under every common colour vision deficiency (found by search)."""

GREY = "#7f7f7f"
"""Of what belongs to no run or class: axes' marks and the key to the dashes. Contrast 4 with either page."""

LOG_RATIO = 5.0
"""How many times the lowest loss the highest must be for a logarithmic axis to tell more."""

MAX_POINTS = 400
"""Points of one drawn line, at most: more than its pixels show."""


def load_pandas() -> None:
    """To be called before Plotly is given a figure, in whatever thread that is.

    Plotly asks of every value whether it is one of pandas'. It never loads pandas for that, but uses whatever is there, and
    while another thread imports it, as TensorFlow and tables do, that is half of it. Importing it here waits for the rest.
    """
    from plotly.optional_imports import get_module

    get_module("pandas")


@dataclass(frozen=True, eq=False)
class Curve:
    """The losses of one run so far.

    Attributes:
        label: the run's name in the legend, where there are several.
        epochs: `(n,)` float, epochs done at each training point; may be fractional.
        training: `(n,)` float, the training loss there.
        held_out_epochs: `(m,)` float.
        held_out: `(m,)` float, the loss on images that the run does not train on.
        colour: index into `CURVE_COLOURS`; by default the curve's place among those drawn.
    """

    label: str
    epochs: np.ndarray
    training: np.ndarray
    held_out_epochs: np.ndarray
    held_out: np.ndarray
    colour: int | None = None

    def __post_init__(self) -> None:
        for x, y in (("epochs", "training"), ("held_out_epochs", "held_out")):
            shapes = np.shape(getattr(self, x)), np.shape(getattr(self, y))
            if shapes[0] != shapes[1] or len(shapes[0]) != 1:
                raise ValueError(f"{x} has shape {shapes[0]} and {y} {shapes[1]}; both must be (n,), one epoch a loss.")


def loss_curves(
    curves: Sequence[Curve], loss_label: str, mark: float | None = None, last_epoch: float | None = None, height: int = 260
) -> Figure:
    """Losses over epochs: held-out solid, training dashed.

    The loss axis is logarithmic where all losses are positive and the highest is over `LOG_RATIO` times the lowest. Its
    ends lie on round numbers, so that it moves seldom while a run trains.

    Args:
        curves: up to five; of one alone the legend says which line is which, of several which colour is whose, too.
        loss_label: what the loss is, with its unit.
        mark: epoch to put a vertical line at.
        last_epoch: right end of the epoch axis; by default the last point's.
        height: in pixels, with or without points.
    """
    data = []
    for place, curve in enumerate(curves):
        colour = CURVE_COLOURS[(place if curve.colour is None else curve.colour) % len(CURVE_COLOURS)]
        names = ("training", "held-out") if len(curves) == 1 else (curve.label, curve.label)
        training = line_trace(names[0], colour, "dash", curve.epochs, curve.training)
        training["showlegend"] = len(curves) == 1
        data += [training, line_trace(names[1], colour, "solid", curve.held_out_epochs, curve.held_out)]
    if len(curves) != 1:
        data += [line_trace("held-out", GREY, "solid", [], []), line_trace("training", GREY, "dash", [], [])]

    losses = np.concatenate([np.asarray(v, float) for c in curves for v in (c.training, c.held_out)] or [np.empty(0)])
    ends = [float(v[-1]) for c in curves for v in (c.epochs, c.held_out_epochs) if len(v)]
    end = max(ends, default=0) if last_epoch is None else last_epoch
    layout = base_layout(height)
    if len(curves) == 1:
        layout["legend"] |= {"x": 1, "xanchor": "right", "y": 1, "yanchor": "top"}  # where a falling curve is not
    else:
        legend_beside(layout, [trace["name"] for trace in data if trace["showlegend"]])
    layout["xaxis"] |= {"title": {"text": "epoch"}, "range": [0, float(end) or 1.0]}
    layout["yaxis"] |= loss_axis(losses[np.isfinite(losses)], loss_label)
    if mark is not None:
        layout["shapes"] = [upright(mark)]
    return {"data": data, "layout": layout}


def plane(
    z: np.ndarray | None,
    labels: np.ndarray,
    class_names: Sequence[str],
    axes: tuple[str, str] = ("z₁", "z₂"),
    limits: tuple[float, float] | None = None,
    height: int = 300,
) -> Figure:
    """Codes as points on a plane, one colour per class, with one scale on both axes.

    The points are SVG. WebGL is quicker only from some thousand points on, and a browser allows few such contexts at once
    and forgets the oldest.

    Args:
        z: `(n, 2)` float; None draws the empty axes.
        labels: `(n,)` integers, indices into class_names.
        class_names: up to ten, in the legend's order.
        axes: what the two numbers are.
        limits: low and high that both axes reach at least; the longer one goes on at the same scale. By default they
            hold all points.
        height: in pixels, with or without points.

    Raises:
        ValueError: z is not `(n, 2)`, there is not one label a point, or a class has no name or colour.
    """
    if z is None:
        z, labels = np.empty((0, 2)), np.empty(0, int)
    z, labels = np.asarray(z), np.asarray(labels)
    if z.ndim != 2 or z.shape[1] != 2 or labels.shape != (len(z),):
        raise ValueError(f"z has shape {z.shape} and labels {labels.shape}; they must be (n, 2) and (n,).")
    if len(class_names) > len(PALETTE) or (len(z) and not 0 <= labels.min() <= labels.max() < len(class_names)):
        raise ValueError(f"There are {len(class_names)} class names; every label needs one, and there are 10 colours.")
    data = []
    for index, name in enumerate(class_names):
        own = z[labels == index]
        marker = {"color": PALETTE[index], "size": 7, "line": {"color": "#202124", "width": 0.6}}
        data.append(dots(str(name), own[:, 0], own[:, 1], marker, f"{name}<br>%{{x:.3~g}}, %{{y:.3~g}}<extra></extra>"))
    layout = base_layout(height)
    legend_beside(layout, class_names)
    limits = (-1.0, 1.0) if limits is None and not len(z) else limits
    for axis, label in zip(("xaxis", "yaxis"), axes, strict=True):
        layout[axis] |= {"title": {"text": label}, "zeroline": False, "constrain": "domain"}  # or each new width zooms out
        layout[axis] |= {"autorange": True} if limits is None else {"range": [float(limit) for limit in limits]}
    layout["yaxis"] |= {"scaleanchor": "x", "constraintoward": "top"}
    return {"data": data or [line_trace("", GREY, "solid", [], [])], "layout": layout}


def over_sizes(
    figures: Mapping[str, tuple[Sequence[int], Sequence[float]]],
    lines: Sequence[tuple[str, Sequence[int], Sequence[float]]],
    axes: tuple[str, str],
) -> Figure:
    """Figures from elsewhere as dots and what came out here as lines, over the size of the code on a logarithmic axis.

    Args:
        figures: by what they are called, up to two of sizes of the code and values, positive.
        lines: up to four of label, sizes and values.
        axes: what is across and up, with units.
    """
    data = []
    for (name, x, y), colour, dash in zip(lines, CURVE_COLOURS, ("solid", "dash", "dot", "dashdot"), strict=False):
        data.append(line_trace(name, colour, dash, x, y) | {"hovertemplate": "%{x}: %{y:.4~g}<extra></extra>"})
    for (name, (x, y)), symbol in zip(figures.items(), ("circle", "diamond"), strict=False):
        marker = {"color": "rgba(0,0,0,0)", "size": 11, "symbol": symbol, "line": {"color": GREY, "width": 2}}
        data.append(dots(name, x, y, marker, "%{x}: %{y:.4~g}<extra></extra>"))
    sizes = sorted(size for x, _ in figures.values() for size in x)
    layout = base_layout(220)
    layout["legend"] |= {"x": 1, "xanchor": "right", "y": 1, "yanchor": "top"}  # where a falling curve is not
    layout["xaxis"] |= {"type": "log", "title": {"text": axes[0]}, "tickangle": 0}
    layout["xaxis"]["tickvals"] = [b for a, b in zip((0, *sizes), sizes, strict=False) if b > 1.2 * a]  # numbers have room
    values = np.concatenate([np.asarray(v, float) for v in (*(y for _, y in figures.values()), *(y for _, _, y in lines))])
    layout["yaxis"] |= loss_axis(values, axes[1])
    return {"data": data, "layout": layout}


def histogram(values: Sequence[np.ndarray], names: Sequence[str], axes: tuple[str, str], bins: int = 24) -> Figure:
    """How often values lie where, stacked by class, one colour for each.

    Args:
        values: of each class.
        names: of the classes, up to ten.
        axes: what is across and up.
        bins: bars from the least value to the greatest.
    """
    every = np.concatenate([np.asarray(of_class, float) for of_class in values])
    edges = np.histogram_bin_edges(every, bins)
    middles = (edges[1:] + edges[:-1]) / 2
    data = [
        {
            "type": "bar", "name": str(name), "x": _numbers(middles), "y": _numbers(np.histogram(of_class, edges)[0]),
            "marker": {"color": PALETTE[index]}, "hovertemplate": f"{name}<br>%{{x:.3~g}}: %{{y}}<extra></extra>",
        }
        for index, (of_class, name) in enumerate(zip(values, names, strict=True))
    ]  # fmt: skip
    layout = base_layout(300) | {"barmode": "stack", "bargap": 0.05}
    legend_beside(layout, names)
    for axis, label in zip(("xaxis", "yaxis"), axes, strict=True):
        layout[axis] |= {"title": {"text": label}}
    return {"data": data, "layout": layout}


def _numbers(values: Sequence[float] | np.ndarray) -> np.ndarray | list[None]:
    """The values as float32; of none, one gap, for Plotly hides a trace without values from the legend."""
    values = np.asarray(values, dtype=np.float32)
    return values if len(values) else [None]


def dots(name: str, x: Any, y: Any, marker: dict[str, Any], hover: str) -> dict[str, Any]:
    trace = {"type": "scatter", "mode": "markers", "name": name, "x": _numbers(x), "y": _numbers(y), "marker": marker}
    return trace | {"hovertemplate": hover, "showlegend": True}


def _thinned(values: np.ndarray) -> np.ndarray:
    """At most `MAX_POINTS` values, the last among them. The step is a power of two: while a run trains and the values
    become more, those drawn stay the same for long."""
    values = np.asarray(values)
    step = 2 ** max(0, math.ceil(math.log2(max(1, len(values)) / (MAX_POINTS - 1))))
    return np.concatenate([values[:-1:step], values[-1:]])


def line_trace(name: str, colour: str, dash: str, x: Any, y: Any) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines+markers" if dash == "solid" and len(x) == 1 else "lines",  # a first point alone has no line
        "name": name,
        "x": _numbers(_thinned(x)),
        "y": _numbers(_thinned(y)),
        "line": {"color": colour, "dash": dash, "width": 2 if dash == "solid" else 1.5},
        "hovertemplate": "epoch %{x:.3~g}<br>loss %{y:.4~g}<extra></extra>",
        "showlegend": True,
    }


def upright(place: float) -> dict[str, Any]:
    """A thin line from bottom to top."""
    line = {"color": GREY, "width": 1}
    return {"type": "line", "x0": place, "x1": place, "y0": 0, "y1": 1, "yref": "paper", "line": line}


def base_layout(height: int) -> dict[str, Any]:
    """What all figures share. Margins are fixed, or the axes would move with the width of their numbers."""
    axis = {"automargin": False, "fixedrange": True}
    return {
        "height": height,
        "margin": {"l": 60, "r": 16, "t": 8, "b": 44, "autoexpand": False},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "dragmode": False,  # a finger on the chart scrolls the page
        "hovermode": "closest",
        "uirevision": "keep",
        "showlegend": True,
        "legend": {"bgcolor": "rgba(0,0,0,0)", "title": {"text": ""}, "font": {"size": 12}},
        "xaxis": dict(axis),
        "yaxis": dict(axis),
    }


def legend_beside(layout: dict[str, Any], names: Sequence[str]) -> None:
    """Puts the legend at the right of the axes, in a margin as wide as its longest name needs, up to a limit."""
    layout["legend"] |= {"x": 1.01, "xanchor": "left", "y": 1, "yanchor": "top"}
    layout["margin"]["r"] = min(160, 56 + 7 * max((len(str(name)) for name in names), default=0))


def loss_axis(losses: np.ndarray, label: str) -> dict[str, Any]:
    """Kind, title and range of the loss axis; a zoom is kept as long as its kind stays."""
    low, high = (float(losses.min()), float(losses.max())) if len(losses) else (0.0, 1.0)
    if low > 0 and high > LOG_RATIO * low:
        bottom = max(end for end in _round_numbers(low) if end <= low)
        top = min(end for end in _round_numbers(high) if end >= high)
        title, range_ = {"text": f"{label}, log"}, [math.log10(bottom), math.log10(top)]  # Plotly wants exponents
        ticks = "D2" if top <= 100 * bottom else 1  # of more decades the powers of ten alone have room
        return {"type": "log", "uirevision": "log", "title": title, "tickformat": ".3~g", "dtick": ticks, "range": range_}
    span = (high - low) or abs(high) or 1.0
    step = 10.0 ** math.floor(math.log10(span)) / 2
    ends = [math.floor(low / step) * step, math.ceil(high / step) * step]
    if ends[0] == ends[1]:
        ends = [ends[0] - step, ends[1] + step]
    return {"type": "linear", "uirevision": "linear", "title": {"text": label}, "tickformat": ".4~g", "range": ends}


def _round_numbers(value: float) -> list[float]:
    """1, 2 and 5 times the powers of ten around a value."""
    power = math.floor(math.log10(value))
    return [digit * 10.0**exponent for exponent in (power - 1, power, power + 1) for digit in (1, 2, 5)]
