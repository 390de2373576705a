"""Where the checkerboard comes from: decoders' pictures under the magnifying glass, and how kernels overlap, drawn."""

from html import escape

import numpy as np
import streamlit as st

from cae_core import comparisons, datasets
from cae_core.architectures import ARCHITECTURES
from cae_core.comparisons.recipes import KINDS, race_config
from cae_core.figures import pictures
from cae_core.inspection import checkerboard
from cae_core.runtime.caching import cached
from pages.parts.common import show

NETWORKS = ("conv_transpose", "conv_transpose_even", "conv_resize")
"""Of the racers, those whose pictures stand side by side."""
SIDE = 12
"""Pixels a side of the crop."""
STRIDE, VALUES = 2, 5
KERNELS = {3: "uneven", 5: "uneven", 4: "even"}
"""Sizes of the kernels that are drawn."""

_WORDS = (
    "In a **transposed convolution** each value of the small map paints its kernel into the large image, the next value "
    "one stride further on. Where the kernel is no multiple of the stride, some pixels are painted more often than their "
    "neighbours. Across and down the counts multiply, 1, 2 and 4 for kernel 3: that is the **checkerboard** (Odena, "
    "Dumoulin and Olah, *Distill* 2016). An even overlap leaves only what the weights themselves do unevenly; "
    "resizing first and then convolving treats every pixel alike."
)


def draw(dataset: str) -> None:
    """The crops, the kernels and why."""
    st.subheader("Where a checkerboard comes from", anchor=False)
    try:
        raced, crops, scores = _crops(dataset)
    except (RuntimeError, ValueError) as error:
        st.error(show.plain(str(error)))
    else:
        names = {"clean": "The image", **{name: ARCHITECTURES[name].label for name in NETWORKS}}
        figures = "".join(_figure(names[name], crops[name], scores.get(name)) for name in names)
        st.html(f'<div class="crops">{figures}</div>')
        st.caption(
            f"The same {SIDE} × {SIDE} pixels of the race that ships with the app, on {datasets.DATASETS[raced].label}: "
            "the place where kernel 3 leaves the strongest pattern. The checkerboard score is that of all eight images; "
            "a faithful copy has 1."
        )
    st.html('<div class="overlaps">' + "".join(kernels(size, f"{how} overlap") for size, how in KERNELS.items()) + "</div>")
    st.markdown(_WORDS)


@cached(most=4)
def _crops(dataset: str) -> tuple[str, dict[str, np.ndarray], dict[str, float | None]]:
    """Whose race it is; the same crop of the image and of each picture, `(SIDE, SIDE)` in [0, 1]; the networks' scores."""
    raced = dataset if dataset in KINDS["race"][1] else KINDS["race"][1][0]
    watched = comparisons.find("race", [race_config(name, dataset=raced) for name in NETWORKS])
    x, x_hats = watched[0].progress.x, {name: each.progress.x_hat for name, each in zip(NETWORKS, watched, strict=True)}
    i, row, column = checkerboard.clearest(x, x_hats[NETWORKS[0]], SIDE)
    crops = {
        name: np.clip(images[i, row : row + SIDE, column : column + SIDE, 0], 0, 1)
        for name, images in {"clean": x, **x_hats}.items()
    }
    return raced, crops, {name: checkerboard.score(x, x_hat) for name, x_hat in x_hats.items()}


def _figure(name: str, crop: np.ndarray, score: float | None) -> str:
    """A crop, magnified by the browser."""
    src = pictures.data_uri(pictures.png(np.rint(crop * 255).astype(np.uint8)))
    note = "" if score is None else f"<small>checkerboard {score:.2f}</small>"
    alt = f"{name}, {SIDE} by {SIDE} pixels magnified" + ("" if score is None else f"; checkerboard score {score:.2f}")
    return show.figure(src, alt, f"{escape(name)}{note}")


def kernels(size: int, note: str) -> str:
    """Kernels along one axis as bars, each a stride after the last, over the number that reach each pixel."""
    counts = checkerboard.overlap(size, STRIDE, VALUES)
    bars = "".join(f'<i style="grid-area: {v + 1} / {v * STRIDE + 1} / auto / span {size}"></i>' for v in range(VALUES))
    cells = "".join(f'<b style="--count: {count}">{count}</b>' for count in counts)
    listed = ", ".join(map(str, counts))
    alt = f"{VALUES} kernels of {size} pixels at a stride of {STRIDE}; reaching each pixel: {listed}"
    head = f"Kernel {size}, stride {STRIDE}: {note}"
    return (
        f'<figure><figcaption>{head}</figcaption><div class="kernels" role="img" aria-label="{alt}" '
        f'style="--pixels: {len(counts)}; --rows: {VALUES}">{bars}{cells}</div></figure>'
    )
