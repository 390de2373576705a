"""Holes of the plane: their marks, a button that leads into each, and why the decoder makes up what it shows there."""

import numpy as np
import streamlit as st

from cae_core import datasets
from cae_core.latent import holes
from cae_core.latent.embedding import Codes, Plane, Scale
from cae_core.latent.holes import Hole
from pages.parts.common import show, waiting, widgets
from pages.parts.latent import plane_view
from pages.parts.session import state

_HELP = (
    "The largest circles without a code, though codes lie all around: at least half as far again from the nearest as 99 % "
    "of the codes are."
)
_SHADOW = (
    "Holes are marked in codes of two numbers. The plane of longer ones is a shadow: what looks empty or full in it need "
    "not be so in the code."
)


def marked(codes: Codes, plane: Plane, scale: Scale, now: dict) -> tuple[Hole, ...]:
    """The holes that the plane marks now."""
    return holes.find(codes, plane, scale) if now["holes"] else ()


def controls(codes: Codes, plane: Plane, scale: Scale, now: dict) -> None:
    """The marks on and off, and a button that goes from hole to hole."""
    widgets.toggle("Mark holes", key="holes", disabled=codes.size != 2, help=_HELP if codes.size == 2 else _SHADOW)
    marks = marked(codes, plane, scale, now)
    if not marks:
        if now["holes"] and codes.size == 2:
            st.caption("No hole is large enough to be more than chance.")
        return
    inside = around(codes, plane, scale, now, plane_view.places(now["spot"])[0]) if now["spot"] else None
    place = (marks.index(inside) + 1) % len(marks) if inside else 0
    spot = plane_view.SETTINGS["spot"].allowed.check("spot", marks[place].spot)
    st.button(
        "Look into a hole", key="look_into_hole", on_click=state.change, kwargs={**plane_view.NOTHING, "spot": spot},
        help=f"{len(marks)} marked, the largest first; press again for the next." if len(marks) > 1 else None,
    )  # fmt: skip


def around(codes: Codes, plane: Plane, scale: Scale, now: dict, spot: np.ndarray) -> Hole | None:
    """The marked hole that a spot of the plane lies in."""
    return next((hole for hole in marked(codes, plane, scale, now) if holes.within(hole, scale, spot)), None)


def why(codes: Codes) -> str:
    """Why nothing asked for a code in a hole."""
    digit = "a digit" if codes.dataset in datasets.DIGITS else "an image of any class"
    return (
        "Training only ever asked the decoder about codes of images, and few or none lie here. So it answers with "
        f"whatever lies between its neighbours; nothing forces this to be {digit}."
    )


def figures(codes: Codes, plane: Plane, scale: Scale, hole: Hole, spot: tuple[float, float]) -> None:
    """What shows that a hole is one: how seldom training came here, and that its picture is coded elsewhere."""
    with st.container(key="hole_figures"):
        waiting.once(
            "hole_measured",
            (codes.run.name, codes.run.step),
            lambda: _figures(codes, plane, scale, hole, spot),
            lambda: _facts("…", "…"),
            lambda: holes.training_codes(codes.run),
        )


def _figures(codes: Codes, plane: Plane, scale: Scale, hole: Hole, spot: tuple[float, float]) -> None:
    stray = float(holes.strays(codes, plane, scale, np.array([spot]))[0])
    usual = holes.usual_stray(codes, plane, scale)
    away = f"{show.percent(stray, 1)} away; usually {show.percent(usual, 1)}"
    try:
        asked = holes.asked(codes, plane, scale, hole)
    except datasets.DataError:
        _facts("its images are not here", away)
        return
    _facts(f"{asked.inside} of {asked.num_images:,}; usually {asked.usual:,}", away)


def _facts(inside: str, away: str) -> None:
    show.facts([("Training codes here", inside), ("Encoded again, it is", away)])
    st.caption(
        "Training images with their code in this circle, and how far from the spot its picture is coded, as a share "
        "of the plane's side. Usually: the median around codes of images, where encoder and decoder have learnt to agree."
    )
