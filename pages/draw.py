"""Draw: what does the network make of *my* drawing?"""

import functools
import time

import numpy as np
import streamlit as st

from cae_core import datasets, runs, runtime
from cae_core.corruptions import corrupt
from cae_core.inference import novelty
from cae_core.inputs import drawing, gallery, uploads
from pages.parts.common import missing, show, upload, widgets, words
from pages.parts.draw import draw_controls, pad, questions, result
from pages.parts.lesson import strip
from pages.parts.session import address, state

SETTINGS = draw_controls.settings() | strip.settings(questions.questions(datasets.default()))


def _picture(now: dict, own: pad.Own) -> tuple[str, np.ndarray | None]:
    """What is on the pad: its edition and the picture, None where nothing is."""
    if now["ready"] != pad.OWN:
        return f"ready:{now['ready']}", gallery.picture(now["ready"])
    if own.upload is not None:
        return f"{own.edition}:{now['ink']}", drawing.shrink(drawing.to_ink(own.upload, now["ink"]), drawing.PAD)
    return own.edition, own.picture


def _take_file(data: bytes, name: str) -> None:
    """Puts an uploaded picture on the pad."""
    picture = uploads.read(data, name)
    grey = drawing.fit(picture.grey)
    drawing.to_ink(grey)
    state.keep("own", pad.Own(edition=f"upload:{time.monotonic_ns()}", upload=grey, note=picture.note))
    state.change(ready=pad.OWN)


def _instead(now: dict, own: pad.Own) -> None:
    """Ready drawings and files."""
    names = {pad.OWN: "Mine"} | {name: ready.label for name, ready in gallery.READY.items()}
    widgets.pills("Ready drawings", names, key="ready", wrap=True)
    upload.place("Upload a picture", "upload", _take_file)
    if own.upload is not None and now["ready"] == pad.OWN:
        widgets.segmented_control("Ink", drawing.INKS, key="ink")
        if own.note:
            st.caption(show.plain(own.note))


@st.fragment
def _drawing(networks: list[runs.Run]) -> None:
    """Everything that a stroke changes; nothing else of the page runs again for it."""
    now, own = state.values(SETTINGS), pad.own()
    edition, picture = _picture(now, own)
    problem, x, x_noisy, results = own.problem if now["ready"] == pad.OWN else "", None, None, [None] * len(networks)
    left, right = st.columns([10, 23], gap="medium")
    with left:
        pad.show(edition, picture, own.strokes if now["ready"] == pad.OWN else ())
        _instead(now, own)
    try:
        picture = np.zeros((drawing.PAD, drawing.PAD), np.float32) if picture is None else picture
        x = drawing.to_network(picture, now["centred"])
        x_noisy = corrupt(x, now["noise_kind"], now["added_noise"], now["seed"])
        results = [novelty.see(run, x, x_noisy) for run in networks]
    except (RuntimeError, ValueError) as error:
        problem = problem or str(error)
    noise = show.noise(now["noise_kind"], now["added_noise"])
    how = f"{'centred like MNIST' if now['centred'] else 'not centred'}, {noise}"
    with right:
        names = result.names(networks, now["dataset"])
        result.pictures(drawing.shrink(picture), x_noisy, how, results, names, x)
        if problem:
            st.info(show.plain(problem), icon=":material/draw:")
    result.place(results[0] if results else None, novelty.known(networks[0]) if networks else None)
    pad.answered()
    address.write(SETTINGS)


def _compare_with_test_sets(networks: list[runs.Run]) -> None:
    """Has the test images put through the networks in the background; soon after, the page runs again."""
    unknown = [run for run in networks if not novelty.known(run) and datasets.DATASETS[run.config.dataset].on_machine()]
    for run in unknown:
        runtime.soon(functools.partial(novelty.reference, run))

    @st.fragment(run_every=0.5)
    def look() -> None:
        if all(novelty.known(run) for run in unknown):
            st.rerun()

    if unknown:
        look()


def _page() -> None:
    now = show.open_page("draw", "What does the network make of *my* drawing?", SETTINGS)
    draw_controls.sidebar(now)
    if not missing.has_images(now["dataset"]):
        address.write(SETTINGS)
        return
    missing.has_network(now["dataset"])
    networks, trouble = draw_controls.networks(now)
    for sentence in trouble:
        st.error(show.plain(sentence))
    digits = now["dataset"] if now["dataset"] in datasets.DIGITS else datasets.default()
    strip.draw(questions.questions(digits), SETTINGS, now)
    _drawing(networks)
    words.explain("draw")
    _compare_with_test_sets(networks)


_page()
