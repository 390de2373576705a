"""Plotly figures of stacks: error against labels, and both classifiers' accuracy while they are fine-tuned."""

from collections.abc import Mapping, Sequence

import numpy as np

from cae_core.config import ARMS
from cae_core.figures.plotting import CURVE_COLOURS, GREY, Figure, base_layout, line_trace, loss_axis
from cae_core.stacking.results import Point

COLOURS = dict(zip(ARMS, CURVE_COLOURS, strict=False))
"""Of both classifiers, in every chart."""


def label_curve(
    points: Sequence[Point], published: Mapping[int, Mapping[str, float]], chosen: tuple[int, str] | None = None
) -> Figure:
    """Test error over labels, on logarithmic axes: means as lines, standard deviations as bars, published figures open.

    Args:
        points: measured.
        published: by labels and arm, in per cent.
        chosen: labels and arm of the point to mark.

    Returns:
        A Plotly figure as a dict.
    """
    data, labels = [], [point.labels for point in points]
    for arm, name in ARMS.items():
        means = [point.mean(arm) for point in points]
        trace = line_trace(name, COLOURS[arm], "solid", labels, [mean for mean, _ in means])
        spread = np.asarray([spread for _, spread in means], np.float32)
        data.append(trace | {
            "mode": "lines+markers",
            "marker": {"size": 8},
            "error_y": {"type": "data", "array": spread, "thickness": 1.5, "width": 5, "color": COLOURS[arm]},
            "customdata": [[arm, n] for n in labels],
            "hovertemplate": "%{x:,} labels: %{y:.3~g} %<extra></extra>",
        })  # fmt: skip
    for arm, name in ARMS.items() if published else ():
        data.append({
            "type": "scatter",
            "mode": "markers",
            "name": f"Published: {name[0].lower()}{name[1:]}",
            "x": np.asarray(list(published), np.float32),
            "y": np.asarray([figures[arm] for figures in published.values()], np.float32),
            "marker": {"symbol": "diamond-open", "size": 11, "color": COLOURS[arm], "line": {"width": 2}},
            "hovertemplate": "%{x:,} labels: %{y:.3~g} %<extra></extra>",
            "showlegend": True,
        })  # fmt: skip
    if chosen and chosen[0] in labels:
        value = points[labels.index(chosen[0])].mean(chosen[1])[0]
        ring = {"symbol": "circle-open", "size": 18, "color": GREY, "line": {"width": 2}}
        data.append({"type": "scatter", "mode": "markers", "name": "chosen", "x": [chosen[0]], "y": [value], "marker": ring,
                     "hoverinfo": "skip", "showlegend": False})  # fmt: skip
    layout = base_layout(330)
    # Below a falling curve, not above it: on a narrow screen it would lie on the published figures there.
    layout["legend"] |= {"x": 0, "xanchor": "left", "y": 0, "yanchor": "bottom"}
    ticks = sorted({*labels, *published})
    ticks = [n for n in ticks if n not in published or n in labels or all(n / m > 1.5 or m / n > 1.5 for m in labels)]
    layout["xaxis"] |= {"type": "log", "title": {"text": "labelled images"}, "tickvals": ticks, "tickangle": 0}
    layout["xaxis"]["ticktext"] = [f"{n:,}" for n in ticks]
    low = [mean - spread for point in points for mean, spread in map(point.mean, ARMS) if mean > spread]
    high = [sum(point.mean(arm)) for point in points for arm in ARMS]
    other = [value for figures in published.values() for value in figures.values()]
    layout["yaxis"] |= loss_axis(np.asarray([*low, *high, *other]), "test images misread, %")
    return {"data": data, "layout": layout}


def tuning(accuracy: Mapping[str, np.ndarray], steps: int) -> Figure:
    """The share of held-out images read right over the steps of fine-tuning, a line for each classifier.

    Args:
        accuracy: by arm, `(k, 2)`: step and share.
        steps: of fine-tuning in all.
    """
    data = []
    for arm, name in ARMS.items():
        line = accuracy.get(arm, np.empty((0, 2)))
        trace = line_trace(name, COLOURS[arm], "solid", line[:, 0], 100 * line[:, 1])
        data.append(trace | {"hovertemplate": "step %{x:.0f}: %{y:.1f} %<extra></extra>"})
    layout = base_layout(200)
    layout["legend"] |= {"x": 1, "xanchor": "right", "y": 0, "yanchor": "bottom"}  # where a rising curve is not
    layout["xaxis"] |= {"title": {"text": "step of fine-tuning"}, "range": [0, steps]}
    layout["yaxis"] |= {"title": {"text": "read right, %"}, "range": [0, 100]}
    return {"data": data, "layout": layout}


def layer_losses(losses: Sequence[np.ndarray], steps: int) -> Figure:
    """What each layer makes small over its steps, on a logarithmic axis where that tells more.

    Args:
        losses: of each layer that has begun, `(k, 2)`: step and 1/(2n) Σ (x − y)².
        steps: of one layer.
    """
    data = [
        line_trace(f"layer {i}", CURVE_COLOURS[(i - 1) % len(CURVE_COLOURS)], "solid", line[:, 0], line[:, 1])
        | {"hovertemplate": f"layer {i}, step %{{x:.0f}}: %{{y:.4~g}}<extra></extra>"}
        for i, line in enumerate(losses or [np.empty((0, 2))], 1)
    ]
    layout = base_layout(200)
    layout["legend"] |= {"x": 1, "xanchor": "right", "y": 1, "yanchor": "top"}
    layout["xaxis"] |= {"title": {"text": "step of its layer"}, "range": [0, steps]}
    values = np.concatenate([line[:, 1] for line in losses]) if losses else np.empty(0)
    layout["yaxis"] |= loss_axis(values[np.isfinite(values)], "½ squared error")
    return {"data": data, "layout": layout}
