"""What each number of a variational network's code says: its KL divergence, and what moving it changes."""

import contextlib
import functools

import numpy as np
import streamlit as st

from cae_core import runs
from cae_core.figures import curves
from cae_core.latent import embedding, posterior
from cae_core.latent.embedding import Codes
from cae_core.latent.posterior import Numbers
from cae_core.pretrained import VARIATIONAL
from pages.parts.common import show, tables, waiting, widgets

FLOOR = 1e-4
"""Nats at which the chart begins."""
WALK = np.linspace(-3, 3, 11)
"""Where a number is moved to, in standard deviations of the prior."""
NONE = (
    "The codes of this network are numbers and no distributions, so there is no KL divergence that would press some of "
    "them silent. Choose a variational network under *Network*."
)


def name(place: int) -> str:
    """A number of the code by its place from 0, such as z₁."""
    return "z" + "".join("₀₁₂₃₄₅₆₇₈₉"[int(digit)] for digit in str(place + 1))


def says(numbers: Numbers, place: int) -> str:
    """How much a number says, in words."""
    return "silent" if numbers.silent[place] else f"{numbers.rates[place]:.2f} nats"


def walks(codes: Codes, places: list[int]) -> np.ndarray:
    """The average code with one of its numbers moved along `WALK`, decoded: `(places, 11, H, W, C)` float32."""
    z = np.repeat(codes.z.mean(axis=0)[None], len(places) * len(WALK), axis=0)
    z[np.arange(len(z)), np.repeat(places, len(WALK))] = np.tile(WALK, len(places))
    x_hat = embedding.decode(codes.run, z)
    return x_hat.reshape(len(places), len(WALK), *x_hat.shape[1:])


def draw(codes: Codes) -> None:
    """The chart, and some numbers moved."""
    if not posterior.is_variational(codes):
        st.info(NONE)
        return
    numbers = posterior.numbers(codes.run, codes.dataset)
    order, silent = numbers.order, int(numbers.silent.sum())
    active = int((numbers.variances > posterior.ACTIVE_VARIANCE).sum())
    show.facts(
        [
            ("KL of all", f"{numbers.rates.sum():.1f} nats"),
            ("Silent numbers", f"{silent} of {codes.size}"),
            ("Active by μ", f"{active} of {codes.size}"),
        ]
    )
    labels = [name(place) for place in order]
    figure = curves.bars(
        labels, numbers.rates[order], ("says something", "silent"), posterior.SILENT_NATS,
        axes=("number of the code", "KL in nats"), floor=FLOOR,
    )  # fmt: skip
    alt = f"KL of the {codes.size} numbers of the code, from {numbers.rates.max():.2g} to {numbers.rates.min():.2g} nats"
    show.chart(figure, "kl_numbers", f"{alt}; {silent} are silent, below {posterior.SILENT_NATS:g}")
    places = [int(order[place]) for place in dict.fromkeys((0, len(order) // 2, len(order) - 1))]
    show.grid([_row(numbers, place, x_hat) for place, x_hat in zip(places, walks(codes, places), strict=True)], len(WALK))
    st.caption(
        "Each row decodes the average code with one number moved from −3 to 3, as far as the prior goes. A number is "
        f"**silent** if its KL divergence is below {posterior.SILENT_NATS:g} nats, mean over {numbers.num_images:,} test "
        "images: its distribution is the prior whatever the image is, so the decoder has learnt not to listen to it "
        "(**posterior collapse**). Burda and others call a number **active** if its mean μ varies over images with a "
        f"variance above {posterior.ACTIVE_VARIANCE:g}."
    )
    shipped = [key for key, config in VARIATIONAL.items() if config.dataset == codes.dataset]
    rows, measuring = functools.partial(_rows, shipped), functools.partial(st.caption, "Measuring the other networks …")
    waiting.once("numbers", codes.dataset, lambda: _table(rows()), measuring, rows)  # some seconds for all that ship


def _rows(names: list[str]) -> list[tuple[str, list[str]]]:
    """What the shipped networks with these names say, by their size and β."""
    rows = []
    for key in names:
        with contextlib.suppress(runs.RunError):  # one that is damaged has no figures
            run = runs.network(key)
            measured = posterior.numbers(run, run.config.dataset)
            figures = [f"{measured.rates.sum():.1f} nats", f"{measured.silent.sum()}"]
            rows.append((f"{run.code_size} numbers, β {run.config.beta:g}", figures))
    return rows


def _table(rows: list[tuple[str, list[str]]]) -> None:
    if rows:  # of this data set
        tables.figures(("variational networks that ship", "KL of all", "silent numbers"), rows)


def clouds(codes: Codes) -> None:
    """The switch for codes as circles."""
    can = posterior.is_variational(codes)
    about = (
        f"The first {posterior.CLOUDS} codes as the clouds they are: one standard deviation σ around their mean μ."
        if can
        else "Only codes of a variational network are clouds. Choose one under Network."
    )
    widgets.toggle("Codes as circles", key="circles", disabled=not can, help=about)


def _row(numbers: Numbers, place: int, x_hat: np.ndarray) -> show.Row:
    label, note = name(place), says(numbers, place)
    return show.Row(label, note, x_hat, f"the average code decoded with {label}, {note}, moved from −3 to 3")
