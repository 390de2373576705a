"""The image that goes through a network: a test image, the visitor's drawing, or a picture from a file."""

from dataclasses import dataclass, field

import numpy as np
import streamlit as st

from cae_core import datasets
from cae_core.inputs import drawing, uploads
from pages.parts.common import upload, widgets
from pages.parts.draw import pad
from pages.parts.session import state

SOURCES = {"test": "Test image", "drawing": "My drawing", "file": "A file"}
SHAPE = (drawing.SIZE, drawing.SIZE, 1)


@dataclass(frozen=True, eq=False)
class Picture:
    """One image for a network.

    Attributes:
        x: `(1, H, W, C)` float32 in [0, 1].
        name: what it is, in words.
    """

    x: np.ndarray = field(repr=False)
    name: str


def controls(now: dict) -> None:
    """Which image, in the sidebar."""
    widgets.segmented_control("Image", SOURCES, key="source")
    if now["source"] == "test":
        widgets.number_input("Number of the test image", 0, 9999, step=1, key="image")
    elif now["source"] == "file":
        upload.place("Upload a picture", "layers_upload", _take_file)


def _take_file(data: bytes, name: str) -> None:
    """Keeps an uploaded picture."""
    x = drawing.to_network(drawing.to_ink(drawing.fit(uploads.read(data, name).grey)), True)
    state.keep("layers_file", Picture(x, "your picture, centred like MNIST"))


def chosen(now: dict) -> Picture:
    """The image to show; where there is none of the kind that is asked for, a sentence and a test image."""
    own = _own(now) if datasets.DATASETS[now["dataset"]].image_shape == SHAPE else None
    if own is not None:
        return own
    if now["source"] == "drawing":
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("You have not drawn anything yet; here is a test image.", width="content")
            st.page_link("draw.py", label="Draw something", icon=":material/draw:", query_params={})
    elif now["source"] == "file":
        st.markdown("Choose a file in the sidebar; until then, here is a test image.")
    test = datasets.load(now["dataset"], "test")
    i = min(now["image"], len(test.x) - 1)
    entry = datasets.DATASETS[now["dataset"]]
    return Picture(datasets.as_float(test.x[[i]]), f"test image {i:,} of {entry.label}: {entry.class_names[test.y[i]]}")


def _own(now: dict) -> Picture | None:
    """The visitor's own, None where there is none."""
    if now["source"] == "file":
        return state.kept("layers_file")
    if now["source"] == "test":
        return None
    own = pad.own()
    try:
        ink = drawing.to_ink(own.upload) if own.upload is not None else own.picture
        return None if ink is None else Picture(drawing.to_network(ink, True), "your drawing, centred like MNIST")
    except drawing.DrawingError:
        return None
