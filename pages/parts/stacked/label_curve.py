"""The label curve that ships: test error against labels, published figures, and what any point of it misreads."""

import math
from collections.abc import Callable
from typing import Any

import streamlit as st

from cae_core import datasets, metrics
from cae_core.config import ARMS
from cae_core.stacking import charts, results
from cae_core.stacking.label_curve import command
from cae_core.stacking.results import CurveResult, Paired, Point
from pages.parts.common import missing, show, widgets
from pages.parts.stacked import confusion


def draw(result: CurveResult | None, now: dict, ask: Callable[[], Any]) -> None:
    """The curve, what comes out of it, what `ask` draws, and one point of the curve in full."""
    points = result.points if result else ()
    chosen = (now["point"], now["arm"])
    figure = charts.label_curve(points, results.PUBLISHED, chosen)
    alt = "Test error in per cent against the number of labels, with the published figures. " + " ".join(
        map(described, points)
    )
    show.chart(figure, "label_curve", alt)
    if not result:
        st.info(
            "No measured curve ships with the app yet; the open markers are the published figures. This command makes it: "
            f"`{command()} --ship`"
        )
        ask()
        return
    st.markdown(sentence(points))
    show.facts([(f"{point.labels:,} labels", _points(point.gain)) for point in points])
    st.caption(
        "How much pretraining lowers the test error, in **percentage points**, with its 95 % interval: the mean, over the "
        "seeds, of the difference between two classifiers with the same seed. It helps where the whole interval is above 0."
    )
    ask()
    picked = [point.labels for point in points]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        widgets.segmented_control("Labels", picked, format_func=lambda n: f"{n:,}", key="point")
        widgets.segmented_control("Classifier", ARMS, key="arm")
    _point(result, *chosen)
    if result.features:
        nearest = min(result.features, key=lambda n: max(n, now["point"]) / min(n, now["point"]))
        confusion.linear(result.features[nearest], nearest)
        tuned = next((point for point in points if point.labels == nearest), None)
        errors = result.features[nearest].get("encoder", {}).get("error", ())
        if tuned and len(errors) == len(tuned.errors["pretrained"]):
            st.markdown(frozen_or_tuned(tuned, errors))
    _stack(result)
    _made(result)


def described(point: Point) -> str:
    """A point in words."""
    (a, da), (b, db) = point.mean("pretrained"), point.mean("random")
    return f"{point.labels:,} labels: {a:.2f} ± {da:.2f} from the stack, {b:.2f} ± {db:.2f} from random weights."


def sentence(points: tuple[Point, ...]) -> str:
    """What comes out, in a sentence or two; where pretraining does not help, that is said."""
    by = {kind: [f"{p.labels:,}" for p in points if p.verdict == kind] for kind in ("helps", "no difference", "hurts")}
    parts, seeds = [], len(points[0].errors["random"])
    if by["helps"]:
        parts.append(f"Pretraining **helps** with {show.listed(by['helps'])} labels")
    if by["no difference"]:
        parts.append(f"makes **no difference** that {seeds} seeds can show with {show.listed(by['no difference'])}")
    if by["hurts"]:
        parts.append(f"**does harm** with {show.listed(by['hurts'])}")
    if not by["helps"]:
        parts[0] = "Pretraining " + parts[0]
    return show.listed(parts) + "."


def frozen_or_tuned(point: Point, errors: tuple[float, ...]) -> str:
    """Which misreads less: the fine-tuned classifier, or a linear one on the stack as it is; `errors` are its shares."""
    frozen, _ = metrics.mean_and_spread(errors)
    tuned, _ = point.mean("pretrained")
    more = results.paired(errors, point.errors["pretrained"])
    how = {1: "more than", -1: "fewer than", 0: f"not clearly more or fewer, with {len(errors)} seeds, than"}[more.sign]
    return (
        f"With {point.labels:,} labels, the linear classifier on the frozen stack misreads {100 * frozen:.2f} %, "
        f"{how} the {tuned:.2f} % of the one that was fine-tuned end to end: {_points(more)} percentage points."
    )


def _points(difference: Paired) -> str:
    """A difference in percentage points with its interval."""
    if difference.high == math.inf:
        return f"{difference.mean:+.2f}, one seed".replace("-", "−")
    return f"{difference.mean:+.2f} ({difference.low:+.2f} to {difference.high:+.2f})".replace("-", "−")


def _point(result: CurveResult, labels: int, arm: str) -> None:
    """The confusion matrix and the misread images of one point, with the first seed."""
    read = results.shipped_pictures().get(f"predictions/{labels}/{arm}")
    name = result.config.dataset
    try:
        test = datasets.load(name, "test")
    except datasets.DataError as error:
        missing.say(name, error)
        return
    if read is None or len(read) != len(test.y):
        st.caption("The images that this point misreads do not ship with the curve.")
        return
    confusion.reading(test, read, datasets.DATASETS[name].class_names, result.config.seed)


def _stack(result: CurveResult) -> None:
    """The first seed's stack: what comes back through its layers, and its filters."""
    arrays = results.shipped_pictures()
    if "x" not in arrays:
        return
    with st.expander("The stack behind it"):
        rows = [show.Row("Clean", "x, the target", _floats(arrays["x"]), "8 test images, clean")]
        x_hats = [arrays[f"x_hats/{i}"] for i in range(result.config.layers)]
        for i, images in enumerate(x_hats):
            through = show.through_layers(i + 1)
            rows.append(show.Row(through, "and back", _floats(images), f"8 test images, {through.lower()} and back"))
        show.grid(rows, columns=len(arrays["x"]))
        show.filters({i: arrays[f"filters/{i}"] for i in range(result.config.layers)})


def _floats(images):
    return images.astype("float32") / 255


def _made(result: CurveResult) -> None:
    with st.expander("How it was made"):
        config, versions = result.config, ", ".join(f"{what} {version}" for what, version in result.versions.items())
        seeds = len(result.points[0].errors["random"])
        steps = ", ".join(f"{point.steps:,} with {point.labels:,}" for point in result.points)
        st.markdown(
            f"Made on {result.made} with {seeds} seeds in {show.seconds(result.seconds)}; {versions}. "
            f"{config.layers} layers of {config.maps[0]} maps and {config.kernels[0]} × {config.kernels[0]} kernels, "
            f"{config.epochs} epoch{'s' * (config.epochs > 1)} each; fine-tuning steps: {steps}. Lines are means, bars the "
            "standard deviation over seeds. A seed changes the first weights, the labelled images and every batch, of both "
            "classifiers alike."
        )
        st.code(result.command, language="sh", wrap_lines=True)
