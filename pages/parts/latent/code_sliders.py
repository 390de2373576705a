"""Sliders for the numbers of a code, or for the leading directions of long ones, decoded as they move."""

import numpy as np
import streamlit as st

from cae_core.config import Bounds
from cae_core.latent import embedding, posterior
from cae_core.latent.embedding import MAX_DIRECTIONS, Codes
from pages.parts.common import show, widgets
from pages.parts.latent import number_view, selection
from pages.parts.session import state
from pages.parts.session.setting import Setting

REACH = 4.0
"""Standard deviations of the codes that a slider moves, either way."""
QUIETEST = 3
"""Sliders of a long variational code that are for its quietest numbers."""
KEYS = tuple(f"move_{place}" for place in range(1, MAX_DIRECTIONS + 1))
STARTS = {"mean": "The average code", "image": "The chosen image"}
SETTINGS = {
    "start": Setting("mean", tuple(STARTS)),
    **{key: Setting(0.0, Bounds(-REACH, REACH)) for key in KEYS},
}


def moves(codes: Codes) -> tuple[np.ndarray, list[str]]:
    """What one standard deviation on each slider adds to a code, `(sliders, d)` float64, and the sliders' names.

    A code of up to `MAX_DIRECTIONS` numbers has a slider for each; longer ones for their leading principal components. Of a
    variational network they are numbers in any case, of many those that say most and the quietest, and move by standard
    deviations of the prior: by its own a silent one would not move.
    """
    if posterior.is_variational(codes):
        numbers = posterior.numbers(codes.run, codes.dataset)
        ends = [*numbers.order[: MAX_DIRECTIONS - QUIETEST], *numbers.order[-QUIETEST:]]
        places = [*range(codes.size)] if codes.size <= MAX_DIRECTIONS else ends
        labels = [f"{number_view.name(place)}, {number_view.says(numbers, place)}" for place in places]
        return np.eye(codes.size)[places], labels
    if codes.size <= MAX_DIRECTIONS:
        return np.diag(codes.z.std(axis=0, dtype=np.float64)), [number_view.name(place) for place in range(codes.size)]
    fitted = embedding.principal(codes)
    spread = ((codes.z - fitted.mean) @ fitted.components.T).std(axis=0)
    shares = fitted.explained_variance_ratio
    return fitted.components * spread[:, None], [
        f"Component {i + 1}, {show.percent(share)}" for i, share in enumerate(shares)
    ]


def draw(codes: Codes, now: dict) -> None:
    """The sliders, and the picture before and after."""
    step, names = moves(codes)
    i = selection.index(codes, now["image"])
    left, right = st.columns([3, 2], gap="large")
    with left:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            widgets.segmented_control("Start from", STARTS, key="start")
            st.button("All to 0", on_click=state.change, kwargs=dict.fromkeys(KEYS, 0.0))
        columns = st.columns(2) if len(names) > 4 else [st.container()]
        for place, (key, name) in enumerate(zip(KEYS, names, strict=False)):
            with columns[place * len(columns) // len(names)]:
                widgets.slider(name, -REACH, REACH, step=0.1, key=key)
    base = codes.z[i] if now["start"] == "image" else codes.z.mean(axis=0)
    moved = base + np.array([now[key] for key in KEYS[: len(names)]]) @ step
    before, after = embedding.decode(codes.run, np.stack([base, moved]))
    with right:
        what = f"image {i:,}, reconstructed" if now["start"] == "image" else "the average code"
        some = [("Start", before, f"decoded: {what}"), ("Moved", after, "decoded after the sliders' moves")]
        st.html(f'<div class="chosen"><div class="tiles large">{selection.tiles(some)}</div></div>')
    what, unit = "numbers of the code", "the codes shown"
    if posterior.is_variational(codes):
        what, unit = f"{what} with what each says, its KL", "the prior"
        what += f"; of {codes.size}, those that say most and the quietest" if codes.size > MAX_DIRECTIONS else ""
    elif codes.size > MAX_DIRECTIONS:
        what = "principal components of the codes, in which they differ most"
    start = f"the code of image {i:,}" if now["start"] == "image" else "the mean of all codes, which belongs to no image"
    st.caption(f"The sliders are the {what}; 1 is one standard deviation of {unit}. Start: {start}.")
