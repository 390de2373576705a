"""Results of a drawing: its reconstructions, how unusual it is, and where its code lies."""

from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st

from cae_core import datasets, runs
from cae_core.figures import pictures as figures
from cae_core.figures import plotting
from cae_core.inference import novelty
from cae_core.inference.novelty import Reference, Seen
from cae_core.losses import LOSSES
from pages.parts.common import show

PLANE_POINTS, PLANE_HEIGHT = 500, 330
NEAREST = 5
MARK = "#ffffff"


def names(several: Sequence[runs.Run], dataset: str) -> list[str]:
    """What runs are called above their pictures, on a page of this data set; those called alike have their names, too."""
    called = [_name(run, dataset) for run in several]
    alike = {words for words in called if called.count(words) > 1}
    return [f"{words} ({run.name})" if words in alike else words for run, words in zip(several, called, strict=True)]


def _name(run: runs.Run, dataset: str) -> str:
    if run.path.parent != runs.PRETRAINED_DIR or run.title:
        return run.label
    config = run.config
    whose = "" if config.dataset == dataset else f"{datasets.DATASETS[config.dataset].label}, "
    trained = ", trained clean" if config.noise_kind == "none" else ""
    return f"{whose}{run.code_size} numbers, {LOSSES[config.loss].label}{trained}"


def pictures(
    image: np.ndarray,
    x_noisy: np.ndarray | None,
    how: str,
    results: Sequence[Seen | None],
    names: Sequence[str],
    x: np.ndarray | None,
) -> None:
    """The drawing and, beside it, what each network makes of it; without a network or a drawing the places stay.

    Args:
        image: `(28, 28)` float32, the drawing as it was drawn.
        x_noisy: `(1, 28, 28, 1)`, what the networks get; None without a drawing.
        how: in words, how it was made from the drawing.
        results: what came of it, None where it is not known.
        names: of the networks.
        x: x_noisy without noise, which the errors are against.
    """
    own = _pair(
        "Your drawing", "",
        ("As drawn, 28 × 28", _tile(image, "your drawing in 28 by 28 pixels")),
        ("As the network sees it", _tile(x_noisy, f"what the network sees: {how}")),
        f"<p>{escape(how[:1].upper() + how[1:])}</p>",
    )  # fmt: skip
    is_noisy = x is not None and not np.array_equal(x, x_noisy)
    pairs = [_network(result, words, x, is_noisy) for result, words in zip(results, names, strict=True)]
    bar = figures.data_uri(figures.error_bar_png())
    scale = f'<div class="scale">error 0 <img src="{bar}" alt="scale of absolute error from 0 to 1"> 1</div>'
    st.html(f'<div class="drawn" style="--models: {len(pairs)}">{own}{"".join(pairs)}</div>{scale}')


def _network(result: Seen | None, words: str, x: np.ndarray | None, is_noisy: bool) -> str:
    reconstructed = error = _tile(None, "")
    verdict = "<p></p>"
    if result is not None and x is not None:
        reconstructed = _tile(result.x_hat, f"reconstructed by {words}, mean squared error {result.mse:.4f}")
        error = _tile(np.abs(result.x_hat - x), f"absolute error of {words}", error=True)
        verdict = _verdict(result, is_noisy)
    return _pair("Through", words, ("Reconstructed", reconstructed), ("Absolute error", error), verdict)


def _pair(title: str, note: str, upper: tuple[str, str], lower: tuple[str, str], under: str) -> str:
    both = (upper, lower)
    parts = "".join(f"<figure>{tile}<figcaption>{escape(words)}</figcaption></figure>" for words, tile in both)
    head = f"{escape(title)} {f'<span>{escape(note)}</span>' if note else ''}"
    return f'<section class="pair"><h2>{head}</h2>{parts}<div class="under">{under}</div></section>'


def _tile(image: np.ndarray | None, alt: str, error: bool = False) -> str:
    if image is None:
        return '<div class="blank"></div>'
    image = image.reshape(1, *image.shape[-3:-1], 1) if image.ndim == 4 else image[None, :, :, None]
    png = figures.png(figures.image_grid([figures.error_colours(image)]) if error else figures.image_grid([image])[..., 0])
    return f'<img src="{figures.data_uri(png)}" alt="{escape(alt, quote=True)}">'


def comparison(percentile: float) -> str:
    """A percentile as a sentence; never "100 %", which would be more than was measured."""
    if percentile < 1:
        return "Hardly a test image has a smaller error."
    percent = f"{min(percentile, 99.9):.1f}" if percentile > 99 else f"{percentile:.0f}"
    return f"Larger error than {percent} % of the test images."


def _verdict(result: Seen, is_noisy: bool) -> str:
    """The error, and how unusual it is; under noise that is said of the error without, which then stands with it."""
    mse = f"<p>MSE {result.mse:.4f} per pixel</p>"
    if result.percentile is None:
        entry = datasets.DATASETS[result.run.config.dataset]
        why = (
            "Comparing it with the test set…"
            if entry.on_machine()
            else f"{entry.label} is not on this machine to compare it with."
        )
        return f"{mse}<p>{escape(why)}</p>"
    words = f"<b>{novelty.verdict(result.percentile)}.</b> {comparison(result.percentile)}"
    if is_noisy:
        words = f"<b>{novelty.verdict(result.percentile)}</b> without noise: MSE {result.mse_without_noise:.4f}. "
        words += comparison(result.percentile)
    alarm = " alarm" if result.percentile >= novelty.UNUSUAL else ""
    bar = f'<div class="share{alarm}" style="--share: {result.percentile:.1f}%" aria-hidden="true"></div>'
    return f"{mse}{bar}<p>{words}</p>"


def place(result: Seen | None, reference: Reference | None) -> None:
    """Where the drawing's code lies among those of test images, and the images nearest to it."""
    left, right = st.columns([6, 5], gap="medium", vertical_alignment="top")
    with left:
        st.subheader("Where it falls among the test images", anchor=False)
        _plane(result, reference)
    with right:
        st.subheader("The nearest real images", anchor=False)
        _nearest(result, reference)


def _plane(result: Seen | None, reference: Reference | None) -> None:
    names = datasets.DATASETS[reference.codes.dataset].class_names if reference else datasets.DATASETS["mnist"].class_names
    points = reference.plane.points[:PLANE_POINTS] if reference else None
    axes = reference.plane.axes if reference else ("z₁", "z₂")
    spot = reference.place(result.z)[0] if result and reference else None
    reach = max(float(np.abs(points).max()), float(np.abs(spot).max()) if spot is not None else 0.0) if reference else 1.0
    labels = reference.codes.labels[:PLANE_POINTS] if reference else None
    figure = plotting.plane(points, labels, names, axes, limits=(-1.08 * reach, 1.08 * reach), height=PLANE_HEIGHT)
    if spot is not None:
        figure["data"].append({
            "type": "scatter", "mode": "markers", "name": "drawing", "x": [float(spot[0])], "y": [float(spot[1])],
            "marker": {"symbol": "star", "size": 21, "color": MARK, "line": {"color": "#202124", "width": 2}},
            "hovertemplate": "your drawing<br>%{x:.3~g}, %{y:.3~g}<extra></extra>", "showlegend": True,
        })  # fmt: skip
    figure["layout"]["margin"]["r"] = max(figure["layout"]["margin"]["r"], 100)
    where = f"your drawing at {spot[0]:.2f}, {spot[1]:.2f}" if spot is not None else "no drawing"
    show.chart(figure, "drawn_plane", f"Codes of {PLANE_POINTS} test images on a plane, coloured by class, and {where}")
    if reference and reference.codes.size > 2:
        explained = 100 * sum(reference.plane.explained)
        st.caption(f"The plane shows {explained:.0f} % of the variance of codes of {reference.codes.size} numbers.")


def _nearest(result: Seen | None, reference: Reference | None) -> None:
    tiles, words = '<figure><div class="blank"></div><figcaption>&nbsp;</figcaption></figure>' * NEAREST, ""
    if result and reference:
        test, names = datasets.load(reference.codes.dataset, "test"), datasets.DATASETS[reference.codes.dataset].class_names
        order, distances = reference.nearest(result.z, NEAREST)
        tiles = ""
        for place_, (index, distance) in enumerate(zip(order, distances, strict=True), 1):
            label = names[test.y[index]]
            tile = _tile(datasets.as_float(test.x[index])[..., 0], f"nearest test image {place_}: {label}")
            tiles += f"<figure>{tile}<figcaption><b>{escape(label)}</b><br>{distance:.2f}</figcaption></figure>"
        labels = {names[test.y[index]] for index in order}
        words = "all of one class" if len(labels) == 1 else f"of {len(labels)} classes"
        words = (
            f"Test images whose **codes** are nearest, {words}; under each its class and the distance between the codes."
        )
    st.html(f'<div class="nearest">{tiles}</div>')
    st.caption(words or "Draw something to see them; they are found by their codes.")
