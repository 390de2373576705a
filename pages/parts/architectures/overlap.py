"""Where the checkerboard comes from: decoders' pictures under the magnifying glass, and how kernels overlap, drawn."""

from __future__ import annotations

import functools
from html import escape

import numpy as np
import streamlit as st

from cae_core import datasets, runs
from cae_core.architectures import ARCHITECTURES
from cae_core.figures import pictures
from cae_core.inspection import checkerboard
from pages.parts.common import show, waiting
from pages.parts.session import state

NETWORKS = ("conv_transpose", "conv_transpose_even", "conv_resize")
"""Of the shipped networks, those whose pictures stand side by side."""
TRAINED_ON = "mnist"
SIDE, IMAGES = 12, 20
"""Pixels a side of the crop, and test images that it is looked for in and that are scored."""
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
    if state.first_time("crops_shown", dataset):  # a second or two, once a data set
        empty = '<figure><div class="waiting"></div><figcaption>…</figcaption></figure>' * (1 + len(NETWORKS))
        meanwhile = f'<div class="crops" role="status" aria-label="No pictures yet">{empty}</div>'
        waiting.till_the_end(lambda: _magnified(dataset), lambda: st.html(meanwhile), lambda: _crops(dataset))
    else:
        _magnified(dataset)
    st.html('<div class="overlaps">' + "".join(kernels(size, f"{how} overlap") for size, how in KERNELS.items()) + "</div>")
    st.markdown(_WORDS)


def _magnified(dataset: str) -> None:
    """The crops, side by side."""
    try:
        crops, scores = _crops(dataset)
    except (RuntimeError, ValueError) as error:
        st.error(show.plain(str(error)))
    else:
        names = {"clean": "The image", **{name: ARCHITECTURES[name].label for name in NETWORKS}}
        figures = "".join(_figure(names[name], crops[name], scores.get(name)) for name in names)
        st.html(f'<div class="crops">{figures}</div>')
        here, trained = (datasets.DATASETS[name].label for name in (dataset, TRAINED_ON))
        st.caption(
            f"The same {SIDE} × {SIDE} pixels of a test image of {here} through networks that ship with the app, trained "
            f"on {trained}: the place where kernel 3 leaves the strongest pattern in {IMAGES} images. The checkerboard "
            f"score is that of all {IMAGES}; a faithful copy has 1."
        )


@functools.lru_cache(maxsize=4)
def _crops(dataset: str) -> tuple[dict[str, np.ndarray], dict[str, float | None]]:
    """The same crop of the image and of each network's picture, `(SIDE, SIDE)` in [0, 1]; scores of the networks."""
    x = datasets.as_float(datasets.load(dataset, "test").x[:IMAGES])
    networks = {name: runs.model(runs.find(f"{TRAINED_ON}-{name}")) for name in NETWORKS}
    x_hats = {name: network.decode(network.encode(x)) for name, network in networks.items()}
    i, row, column = checkerboard.clearest(x, x_hats[NETWORKS[0]], SIDE)
    crops = {
        name: np.clip(images[i, row : row + SIDE, column : column + SIDE, 0], 0, 1)
        for name, images in {"clean": x, **x_hats}.items()
    }
    return crops, {name: checkerboard.score(x, x_hat) for name, x_hat in x_hats.items()}


def _figure(name: str, crop: np.ndarray, score: float | None) -> str:
    """A crop, magnified by the browser."""
    src = pictures.data_uri(pictures.png(np.rint(crop * 255).astype(np.uint8)))
    note = "" if score is None else f"<small>checkerboard {score:.2f}</small>"
    alt = f"{name}, {SIDE} by {SIDE} pixels magnified" + ("" if score is None else f"; checkerboard score {score:.2f}")
    return f'<figure><img src="{src}" alt="{escape(alt)}"><figcaption>{escape(name)}{note}</figcaption></figure>'


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
