"""Units of the code: all in one picture by how often they fire, and one of them, turned off or up."""

from html import escape

import numpy as np
import streamlit as st

from cae_core import datasets, metrics
from cae_core.config import Bounds
from cae_core.figures import mosaics, pictures, plotting
from cae_core.latent import embedding, units
from cae_core.latent.embedding import Codes
from cae_core.latent.units import Units
from cae_core.runtime.caching import cached
from pages.parts.common import show, widgets
from pages.parts.session import state
from pages.parts.session.setting import Setting

MOST_TIMES = 4.0
MOST_DEAD = 40
"""Dead units, at most, that are shown: they look alike, and the others want the room."""
NUM_DRIVERS = 10
SETTINGS = {
    "unit": Setting(1, Bounds(1, 1024, integer=True)),
    "unit_times": Setting(0.0, Bounds(0.0, MOST_TIMES)),
}


def draw(codes: Codes, now: dict) -> None:
    """The dashboard of a network's units; a sentence where its code has none."""
    if not units.has_units(codes):
        st.markdown(
            "This network's code is a stack of maps, and each of its numbers belongs to a place in the image. Units are "
            "shown of codes without places: choose another network, such as *k-sparse*."
        )
        return
    measured = units.measure(codes)
    place = min(now["unit"], codes.size)
    if place != now["unit"]:
        state.change(unit=place)  # a link made with a wider code
    unit = int(measured.order[place - 1])
    left, right = st.columns([3, 2], gap="large")
    with left:
        _overview(codes, measured, place)
    with right:
        _choose(codes, measured)
        _facts(codes, measured, unit)
        _histogram(codes, measured, unit)
    _rows(codes, measured, unit, now["unit_times"])


def _overview(codes: Codes, measured: Units, place: int) -> None:
    often, dead = measured.rates[measured.order[0]], measured.num_dead
    alt = (
        f"What each of {codes.size:,} units adds to a picture, from the one that fires most often, for "
        f"{show.percent(often)} of the images, on; {dead:,} that never fire are tinted; number {place} is framed"
    )
    src = _source(codes, place)
    st.html(f'<div class="chosen"><img class="sheet whole" src="{src}" alt="{escape(alt, quote=True)}"></div>')
    tinted = f"{dead:,} are **dead**: they fire for none; here they are tinted" if dead else "None of them is dead"
    tinted += f", and the first {MOST_DEAD} stand for all." if dead > MOST_DEAD else "."
    st.caption(
        f"What each of the {codes.size:,} units adds to a picture: white is more ink, black less. They are ordered by how "
        f"often they fire for the {len(codes.z):,} images shown, row by row. {tinted}"
    )


@cached(most=8)
def _source(codes: Codes, place: int) -> str:
    measured = units.measure(codes)
    num_dead = min(measured.num_dead, MOST_DEAD)
    in_picture = measured.order[: codes.size - measured.num_dead + num_dead]
    values = units.pictures(codes)[in_picture].mean(axis=3)
    return pictures.data_uri(pictures.png(mosaics.units(values, num_dead, min(place, len(in_picture)) - 1)))


def _choose(codes: Codes, measured: Units) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        widgets.number_input(
            "Unit, by how often it fires", 1, codes.size, step=1, key="unit", help="1 fires for the most images.", width=200
        )
        if dead := measured.num_dead:
            first = {"unit": codes.size - dead + 1}
            st.button("A dead one", key="dead_unit", on_click=state.change, kwargs=first)
        widgets.slider(
            "This unit ×", 0.0, MOST_TIMES, step=0.25, key="unit_times",
            help="0 turns it off, 1 leaves it as it is, more turns it up.",
        )  # fmt: skip


def _facts(codes: Codes, measured: Units, unit: int) -> None:
    rate = measured.rates[unit]
    whole, without = units.errors_without(codes, unit)
    show.facts(
        [
            ("Fires for", show.percent(rate, 1)),
            ("Squared error", f"{whole:.1f}" if rate else "–"),
            ("Without it", f"{without:.1f}" if rate else "–"),
        ]
    )


def _histogram(codes: Codes, measured: Units, unit: int) -> None:
    firing = units.fires(codes, measured.off)[:, unit]
    if not firing.any():
        st.markdown(
            "It fires for none of these images, so training has no gradient for it either: a dead unit stays dead while k "
            "stays. What keeps units alive is a k that **starts large and falls**."
        )
        return
    names = datasets.DATASETS[codes.dataset].class_names
    values = [codes.z[firing & (codes.labels == label), unit] for label in range(len(names))]
    figure = plotting.histogram(values, names, ("what it gives, where it fires", "images"))
    counts = ", ".join(f"{name} {len(of_class):,}" for name, of_class in zip(names, values, strict=True))
    show.chart(figure, "unit_histogram", f"Histogram of what the unit gives where it fires; images by class: {counts}")


def _rows(codes: Codes, measured: Units, unit: int, times: float) -> None:
    """The images that drive it most, what comes back of them, and that with the unit turned off or up."""
    indices = units.drivers(codes, unit, NUM_DRIVERS)
    x = codes.images(indices)
    z = codes.z[indices]
    x_hat, turned = (
        np.clip(embedding.decode(codes.run, part), 0, 1) for part in (z, units.turned(codes, unit, indices, times))
    )
    how = "off" if not times else f"× {times:g}"
    whose = "images that drive it most" if measured.rates[unit] else "the first images: none drives it"
    named = datasets.DATASETS[codes.dataset].class_names
    listed = ", ".join(named[label] for label in codes.labels[indices])
    each = ((x_hat, "as it is"), (turned, f"this unit {how}"))
    notes = [f"{words}; MSE\u00a0{metrics.mse(x, images):.4f}" for images, words in each]
    change = np.abs(turned - x_hat).mean(axis=3)
    show.grid(
        [
            show.Row("Images", whose, x, f"{NUM_DRIVERS} test images, {whose}: {listed}"),
            show.Row("Reconstruction", notes[0], x_hat, f"their reconstructions, {notes[0]}"),
            show.Row("Reconstruction", notes[1], turned, f"their reconstructions, {notes[1]}"),
            show.Row("Change", "what the unit makes", change, "what turning the unit changes", error=True),
        ]
    )
