"""Colourisation of the visitor's own picture: of any size, in colour or in grey."""

import dataclasses
from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st

from cae_core import datasets
from cae_core.figures import pictures
from cae_core.inference import colourise
from cae_core.inference.colourise import Coloured, Fitted
from cae_core.inputs import uploads
from cae_core.runs import Run
from pages.parts.colour import colour_view
from pages.parts.common import show, upload
from pages.parts.session import state

LARGEST = 420
"""Pixels of the longer side of a picture on the page."""


def _take_file(data: bytes, name: str) -> None:
    """Keeps an uploaded picture, no larger than it is shown."""
    photo = uploads.read_photograph(data, name)
    state.keep("photo", dataclasses.replace(photo, rgb=_shrunk(photo.rgb)))


def draw(networks: Sequence[Run]) -> None:
    """The place to drop a file, and what the runs make of it."""
    st.subheader("Colour your own picture", anchor=False)
    label = "A photograph, in colour or in grey"
    upload.place(label, "photo_upload", _take_file, lambda: state.keep("photo", None))
    photo = state.kept("photo")
    if photo is None:
        st.caption(
            "Your picture stays on this machine. If it is in colour, you see the guess beside the truth; if it is grey, "
            "the guess alone."
        )
        return
    if photo.note:
        st.info(show.plain(photo.note))
    fitted = colourise.fit(photo.rgb)
    height, width = fitted.small.shape[1:3]
    guesses: list[Coloured] = []
    try:
        guesses = [colourise.colour(run, fitted.small, known=not photo.is_grey) for run in networks]
    except (RuntimeError, ValueError) as error:
        st.error(show.plain(str(error)))
    _pictures(photo, fitted, guesses, networks)
    was = f"{photo.size[0]:,} × {photo.size[1]:,} pixels"
    st.markdown(
        f"Your picture has {was}. The network saw its luma at **{width} × {height}**, the size of what it was trained on; "
        "its guess of the two chroma channels was then laid over the picture's own luma."
    )
    if any(datasets.DATASETS[run.config.dataset].hues for run in networks):
        st.caption("These networks have seen nothing but digits. For a photograph, choose CIFAR-10 in the sidebar.")
    if photo.is_grey:
        st.info("This picture has no colours of its own, so there is nothing to compare with: you see only the guess.")
    elif guesses:
        facts = [("Predicting grey", f"chroma error {guesses[0].figures['chroma_grey']:.5f}")]
        facts += [
            (colour_view.title(guess.run, networks), f"chroma error {guess.figures['chroma']:.5f}") for guess in guesses
        ]
        with st.container(key="photo_facts"):
            show.facts(facts)


def _shrunk(rgb: np.ndarray) -> np.ndarray:
    """No larger than it is shown, each pixel the mean of those it stands for."""
    from PIL import Image

    scale = LARGEST / max(rgb.shape[:2])
    if scale >= 1:
        return rgb
    size = tuple(max(1, round(side * scale)) for side in rgb.shape[1::-1])
    image = Image.fromarray(np.rint(rgb * 255).astype(np.uint8)).resize(size, Image.Resampling.BOX)
    return np.asarray(image).astype(np.float32) / np.float32(255)


def _pictures(photo: uploads.Photograph, fitted: Fitted, guesses: Sequence[Coloured], networks: Sequence[Run]) -> None:
    """Grey, coloured by each run, and as it was where that is known."""
    tiles = [_tile("Grey", np.repeat(fitted.luma, 3, axis=2), "your picture in grey")]
    for place, run in enumerate(networks):
        title = colour_view.title(run, networks)
        guess = colourise.on(fitted, guesses[place].x_hat) if guesses else None
        tiles.append(_tile(title, guess, f"your picture coloured, {title.lower()}", fitted.luma.shape))
    if not photo.is_grey:
        tiles.append(_tile("As it was", photo.rgb, "your picture as it was"))
    st.html(f'<div class="photos" style="--count: {len(tiles)}">{"".join(tiles)}</div>')


def _tile(title: str, rgb: np.ndarray | None, alt: str, shape: Sequence[int] = ()) -> str:
    if rgb is None:
        body = f'<div class="waiting" role="status" style="aspect-ratio: {shape[1]} / {shape[0]}"></div>'
    else:
        source = pictures.data_uri(pictures.png(np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)))
        body = f'<img src="{source}" alt="{escape(alt, quote=True)}">'
    return f"<figure>{body}<figcaption>{escape(title)}</figcaption></figure>"
