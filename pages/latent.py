"""Latent: what did the code learn about digits?"""

import itertools

import streamlit as st

from cae_core import datasets, runs
from cae_core.config import BOTTLENECKS, SHIPPED_LOSSES
from cae_core.latent import embedding, neighbours
from cae_core.pretrained import TRAINED_ON, name_of
from pages.parts.common import controls, missing, show, waiting, widgets, words
from pages.parts.latent import (
    code_sliders,
    code_views,
    generate_view,
    hole_view,
    interpolate,
    number_view,
    plane_view,
    questions,
    selection,
    unit_view,
)
from pages.parts.lesson import strip
from pages.parts.session import address, state
from pages.parts.session.setting import Names, Setting

POINTS = (500, 1000, 2000, 5000, 10_000)
_PAIRS = list(itertools.combinations(range(1, embedding.MAX_COMPONENTS + 1), 2))
COMPONENTS = {f"{a}-{b}": (a, b) for a, b in sorted(_PAIRS, key=sum)}
PARTS = {
    "manifold": "Manifold grid",
    "interpolate": "Interpolate",
    "sliders": "Code sliders",
    "generate": "Generate",
    "numbers": "KL per number",
    "units": "Units",
    "neighbours": "Classes",
    "export": "Export",
}
SETTINGS = {
    "dataset": Setting(datasets.default(), datasets.GREY),
    "trained_on": Setting("clean", tuple(TRAINED_ON)),
    "bottleneck": Setting(2, BOTTLENECKS),
    "loss": Setting("bce", SHIPPED_LOSSES),
    "run": Setting((), Names(1)),
    "points": Setting(2000, POINTS),
    "components": Setting("1-2", tuple(COMPONENTS)),
    "even": Setting(True, (False, True)),
    "grid_behind": Setting(False, (False, True)),
    "part": Setting("manifold", tuple(PARTS)),
    **plane_view.SETTINGS,
    **interpolate.SETTINGS,
    **code_views.SETTINGS,
    **code_sliders.SETTINGS,
    **generate_view.SETTINGS,
    **unit_view.SETTINGS,
    **strip.settings(questions.questions(datasets.default())),
}
LEFT = (
    "image", "even", "grid_behind", "holes", "circles", *code_views.SETTINGS, *code_sliders.SETTINGS, *unit_view.SETTINGS,
)  # fmt: skip
"""Settings that none of the page's questions is about."""


def _sidebar(now: dict) -> None:
    with st.sidebar:
        controls.dataset()
        with controls.main():
            if not now["run"]:
                controls.bottleneck()
            widgets.select_slider(
                "Points shown", POINTS, format_func="{:,}".format, key="points",
                help="How many of the first test images the plane shows.",
            )  # fmt: skip
        controls.network(now["run"])
        widgets.selectbox(
            "Components", tuple(COMPONENTS), format_func=lambda pair: pair.replace("-", " across, ") + " up",
            key="components", disabled=not now["run"] and now["bottleneck"] == 2,
            help="Which principal components of the codes the plane shows. Codes of two numbers are shown as they are.",
        )  # fmt: skip
        with st.expander("More"):
            widgets.number_input(
                "Image", 0, POINTS[-1] - 1, step=1, key="image", on_change=state.change, kwargs=plane_view.NOTHING
            )


def _plane(codes: embedding.Codes, now: dict) -> embedding.Plane:
    """The plane that is asked for; of fewer components, the first two."""
    pair = COMPONENTS[now["components"]]
    return embedding.plane(codes, pair if codes.size >= max(pair) else (1, 2))


def _page() -> None:
    now = show.open_page("latent", "What did the code learn about digits?", SETTINGS)
    _sidebar(now)
    try:
        datasets.load(now["dataset"], "test")
        if not now["run"] and not missing.has_network(now["dataset"]):
            return
        name = now["run"][0] if now["run"] else name_of(*(now[k] for k in ("dataset", "bottleneck", "loss", "trained_on")))
        run = runs.network(name)
        codes = embedding.encode(run, now["dataset"], now["points"])
    except datasets.DataError as error:
        missing.say(now["dataset"], error)
        return
    except (RuntimeError, runs.RunError) as error:
        st.error(show.plain(str(error)))
        return
    plane = _plane(codes, now)
    scale = embedding.scale(plane, now["even"])
    left, right = st.columns([6, 5], gap="medium")
    with left:
        plane_view.draw(codes, plane, scale, now, hole_view.marked(codes, plane, scale, now))
        with st.container(horizontal=True):
            widgets.toggle("Manifold grid behind", key="grid_behind")
            widgets.toggle("Make room where points crowd", key="even")
            hole_view.controls(codes, plane, scale, now)
            number_view.clouds(codes)
    with right:
        digits = now["dataset"] if now["dataset"] in datasets.DIGITS else datasets.default()
        if strip.draw(questions.questions(digits), SETTINGS, now, LEFT) == "sampled":
            questions.quiz(digits)
        selection.draw(codes, plane, scale, now)
        plane_view.mark(now, interpolate.pair(codes, now) if now["part"] == "interpolate" else None)
    with st.container(key="latent_facts"):
        waiting.once(  # a second or two for many points
            "latent_compared",
            (name, now["dataset"], now["points"]),
            lambda: code_views.facts(codes, plane, neighbours.compare(codes)),
            lambda: code_views.facts(codes, plane),
            lambda: neighbours.compare(codes),
        )
    widgets.segmented_control("More about them", PARTS, key="part", label_visibility="collapsed")
    with st.container(key="part_shown"):
        _part(codes, plane, scale, now)
    words.explain("latent")


def _part(codes: embedding.Codes, plane: embedding.Plane, scale: embedding.Scale, now: dict) -> None:
    """One of the `PARTS`."""
    draw = {
        "manifold": lambda: code_views.lattice(codes, plane, scale, now),
        "interpolate": lambda: interpolate.draw(codes, now),
        "sliders": lambda: code_sliders.draw(codes, now),
        "generate": lambda: generate_view.draw(codes, now),
        "numbers": lambda: number_view.draw(codes),
        "units": lambda: unit_view.draw(codes, now),
        "neighbours": lambda: code_views.separation(codes, neighbours.compare(codes)),
        "export": lambda: code_views.export(codes),
    }
    draw[now["part"]]()


_page()
address.write(SETTINGS)
waiting.end()
