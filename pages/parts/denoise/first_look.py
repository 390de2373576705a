"""What an autoencoder is, in three sentences and a picture of one image on its way through the network of the page."""

from html import escape

import numpy as np
import streamlit as st

from cae_core import runs
from cae_core.figures import pictures
from cae_core.inference.reconstruction import Reconstruction, Sample
from pages.parts.common import words

WHICH = 2
"""Of the ten images, the one on the picture."""
MOST = 32
"""Numbers of a code that are drawn."""


def draw(sample: Sample, through: Reconstruction | None, code_size: int) -> None:
    """The picture beside the sentences.

    Args:
        sample: the ten images.
        through: what the network makes of them; None where there is no network.
        code_size: how many numbers the code has.
    """
    size = sample.x[0].size
    image = _figure(_image(sample.x_noisy[WHICH], "One image, as the network gets it"), f"{size} pixels")
    if through is None:
        code, drawing = "", '<div class="blank"></div>'
    else:
        code = _bars(through.run, sample.x_noisy[WHICH : WHICH + 1])
        drawing = _image(through.x_hat[WHICH], "The same image, drawn again from the code alone")
    numbers = _figure(code, f"{code_size} {'number' if code_size == 1 else 'numbers'}")
    ways = [f"<span>{name}</span>" for name in ("encoder", "decoder")]
    picture, sentences = st.columns([2, 3], gap="medium", vertical_alignment="center")
    with picture:
        st.html(f'<div class="flow">{image}{ways[0]}{numbers}{ways[1]}{_figure(drawing, f"{size} pixels")}</div>')
    with sentences:
        st.markdown(words.text("first_look"))


def _figure(content: str, caption: str) -> str:
    return f"<figure>{content}<figcaption>{escape(caption)}</figcaption></figure>"


def _image(pixels: np.ndarray, alt: str) -> str:
    png = pictures.png(pictures.image_grid([pixels[None]]))
    return f'<img src="{pictures.data_uri(png)}" alt="{escape(alt, quote=True)}">'


def _bars(run: runs.Run, x: np.ndarray) -> str:
    """The code as bars from the middle, up where a number is positive; of a long code the first `MOST`."""
    network = runs.model(run)
    z = network.encode(network.seen(x)).reshape(-1)[:MOST]
    largest = float(np.abs(z).max()) or 1.0
    bars = "".join(f'<i style="--z: {value / largest:.2f}"></i>' for value in z)
    return f'<div class="bars" role="img" aria-label="{z.size} numbers of the code as bars">{bars}</div>'
