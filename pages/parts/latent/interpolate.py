"""Interpolation from one image to another: between their codes, and for contrast between their pixels."""

import numpy as np
import streamlit as st

from cae_core.config import Bounds
from cae_core.latent import embedding, manifold
from cae_core.latent.embedding import Codes
from pages.parts.common import show, widgets
from pages.parts.latent import selection
from pages.parts.session import state
from pages.parts.session.setting import Setting

STEPS = 11
"""Images from A to B, both included; odd, so that there is a middle."""
SETTINGS = {
    "image_a": Setting(0, Bounds(0, 9999, integer=True)),
    "image_b": Setting(1, Bounds(0, 9999, integer=True)),
}


def pair(codes: Codes, now: dict) -> tuple[int, int]:
    """The two images that are chosen."""
    return selection.index(codes, now["image_a"]), selection.index(codes, now["image_b"])


def ways(codes: Codes, a: int, b: int) -> tuple[np.ndarray, np.ndarray]:
    """From a to b through the codes, and through the pixels: each `(STEPS, H, W, C)` float32 in [0, 1]."""
    through_codes = embedding.decode(codes.run, manifold.straight(codes.z[a], codes.z[b], STEPS))
    return through_codes, manifold.straight(*codes.images([a, b]), STEPS)


def grey(image: np.ndarray) -> float:
    """Share of the pixels between a quarter and three quarters: little in a clean drawing, much where two overlap."""
    return float(np.mean((image > 0.25) & (image < 0.75)))


def draw(codes: Codes, now: dict) -> None:
    """The two ways as strips, with what to choose and to download."""
    last = len(codes.z) - 1
    a, b = pair(codes, now)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for letter, key, i in (("A", "image_a", a), ("B", "image_b", b)):
            if now[key] != i:
                state.change(**{key: i})  # a link made with more images
            widgets.number_input(f"Image {letter}", 0, last, step=1, key=key, width=130)
        st.button("Swap", on_click=state.change, kwargs={"image_a": b, "image_b": a})
    through_codes, through_pixels = ways(codes, a, b)
    half = STEPS // 2
    greys = [grey(way[half]) for way in (through_codes, through_pixels)]
    show.grid(
        [
            show.Row(
                "Through the code", f"middle {show.percent(greys[0])} grey", through_codes,
                f"{STEPS} images from test image {a} to {b}, decoded from equal steps between their codes",
            ),
            show.Row(
                "Through the pixels", f"middle {show.percent(greys[1])} grey", through_pixels,
                f"{STEPS} images from test image {a} to {b}, one fading into the other",
            ),
        ],
        columns=STEPS,
    )  # fmt: skip
    st.caption(
        "The upper row starts and ends with the reconstructions of A and B and decodes the codes between them; the lower "
        "one fades one picture out while the other fades in. Grey pixels, between ¼ and ¾, are few in a real image."
    )
    with st.container(horizontal=True):
        selection.gif_button(through_codes, f"{a}-to-{b}", codes)
