"""Plotly figures of several lines over one axis: a measure of several runs, or a function of one number."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cae_core.figures.plotting import (
    CURVE_COLOURS,
    GREY,
    Figure,
    base_layout,
    dots,
    legend_beside,
    line_trace,
    loss_axis,
    upright,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Line:
    """One of several lines of a quantity over another.

    Attributes:
        label: in the legend.
        x: `(n,)` float.
        y: `(n,)` float.
        colour: index into `CURVE_COLOURS`.
    """

    label: str
    x: np.ndarray
    y: np.ndarray
    colour: int


def lines(
    curves: Sequence[Line],
    axes: tuple[str, str],
    across: tuple[float, float],
    up: tuple[float, float] | None = None,
    mark: float | None = None,
) -> Figure:
    """Lines of one quantity over another, all solid.

    Args:
        curves: at least one.
        axes: what is across and what is up, with their units.
        across: left and right end.
        up: lower and upper end; by default round numbers around the values, logarithmic as a loss's axis may be.
        mark: place across to put a vertical line at.
    """
    data = [line_trace(curve.label, CURVE_COLOURS[curve.colour], "solid", curve.x, curve.y) for curve in curves]
    for trace in data:
        trace["hovertemplate"] = f"{axes[0]} %{{x:.3~g}}<br>{axes[1]} %{{y:.3~g}}<extra></extra>"
    layout = base_layout(200)
    legend_beside(layout, [curve.label for curve in curves])
    layout["xaxis"] |= {"title": {"text": axes[0]}, "range": [float(end) for end in across], "zeroline": False}
    values = np.concatenate([np.asarray(curve.y, float) for curve in curves])
    own = {"title": {"text": axes[1]}, "range": [float(end) for end in up]} if up else None
    layout["yaxis"] |= own or loss_axis(values[np.isfinite(values)], axes[1])
    if mark is not None:
        layout["shapes"] = [upright(mark)]
    return {"data": data, "layout": layout}


def bars(
    names: Sequence[str],
    values: Sequence[float] | np.ndarray,
    kinds: tuple[str, str],
    least: float,
    axes: tuple[str, str],
    floor: float,
) -> Figure:
    """Values as bars on a logarithmic axis, those below a bound in grey, and the bound as a line.

    Args:
        names: of the bars from the left, no two the same.
        values: as many; those below `floor` are drawn as high as it.
        kinds: what a bar from the bound on is, and one below it.
        least: the bound.
        axes: what is across and what is up, with its unit.
        floor: where the axis begins.
    """
    values, data = np.asarray(values, float), []
    for kind, colour, chosen in zip(kinds, (CURVE_COLOURS[0], GREY), (values >= least, values < least), strict=True):
        if chosen.any():
            own = [name for name, is_chosen in zip(names, chosen, strict=True) if is_chosen]
            trace = {"type": "bar", "name": kind, "x": own, "y": np.maximum(values[chosen], floor), "showlegend": True}
            trace |= {"customdata": values[chosen], "marker": {"color": colour}}
            data.append(trace | {"hovertemplate": f"%{{x}}: %{{customdata:.2~g}} {axes[1]}<extra></extra>"})
    layout = base_layout(240)
    layout["legend"] |= {"x": 1, "xanchor": "right", "y": 1, "yanchor": "top"}
    order = {"type": "category", "categoryorder": "array", "categoryarray": list(names)}
    layout["xaxis"] |= {"title": {"text": axes[0]}, **order}
    ends = [math.log10(floor), math.ceil(math.log10(max(values.max(), least)))]
    layout["yaxis"] |= {
        "title": {"text": f"{axes[1]}, log"},
        "type": "log",
        "dtick": 1,
        "tickformat": ".3~g",
        "range": ends,
    }
    line = {"color": GREY, "width": 1.5, "dash": "dash"}
    layout["shapes"] = [{"type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": least, "y1": least, "line": line}]
    return {"data": data, "layout": layout}


def tradeoff(paths: Sequence[Line], axes: tuple[str, str]) -> Figure:
    """Where several things have got to between two costs: each one's way as a thin line to a dot, the dots joined in grey.

    Args:
        paths: each with the places it went through, the last of which is where it is; none of one that has not begun.
        axes: what is across and what is up, with their units.
    """
    ends = np.array([(path.x[-1], path.y[-1]) for path in paths if len(path.x)], float).reshape(-1, 2)
    data = [line_trace("", GREY, "dot", *ends[ends[:, 0].argsort()].T)]
    hover = f"{axes[0]} %{{x:.4~g}}<br>{axes[1]} %{{y:.4~g}}<extra></extra>"
    for path in paths:
        colour = CURVE_COLOURS[path.colour]
        way = line_trace(path.label, colour, "dot", path.x, path.y) | {"hovertemplate": hover}
        end = dots(path.label, path.x[-1:], path.y[-1:], {"color": colour, "size": 11}, hover)
        data += [way, end | {"cliponaxis": False}]
    layout = base_layout(260)
    layout["showlegend"] = False
    for axis, values, title in zip(("xaxis", "yaxis"), ends.T, axes, strict=True):
        layout[axis] |= loss_axis(values, title)  # of the ends, which are to be told apart: a way may begin off the chart
    return {"data": data, "layout": layout}
