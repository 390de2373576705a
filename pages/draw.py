"""Draw: what does the network make of *my* drawing?"""

import functools

import numpy as np
import streamlit as st

from cae_core import backend, datasets, drawing, gallery, runs, unusual, uploads
from cae_core.corruptions import CORRUPTIONS, corrupt
from pages import draw_controls, draw_words, drawn, explain, missing, pad, show, state, waiting, widgets

SETTINGS = draw_controls.settings()


def _picture(now: dict, own: pad.Own) -> tuple[str, np.ndarray | None]:
    """What is on the pad: its edition and the picture, None where nothing is."""
    if now["ready"] != pad.OWN:
        return f"ready:{now['ready']}", gallery.picture(now["ready"])
    if own.upload is not None:
        return f"{own.edition}:{now['ink']}", drawing.shrink(drawing.to_ink(own.upload, now["ink"]), drawing.PAD)
    return own.edition, own.picture


def _take_file() -> None:
    """Puts an uploaded picture on the pad; a file that cannot be used changes nothing but says why."""
    file = state.values({"upload": None})["upload"]
    state.keep("upload_problem", "")
    if file is None:
        return
    try:
        upload = uploads.read(file.getvalue(), file.name)
        grey = drawing.fit(upload.grey)
        drawing.to_ink(grey)
    except ValueError as error:
        state.keep("upload_problem", str(error))
        return
    state.keep("own", pad.Own(edition=f"upload:{file.file_id}", upload=grey, note=upload.note))
    state.change(ready=pad.OWN)


def _instead(now: dict, own: pad.Own) -> None:
    """Ready drawings and files."""
    names = {pad.OWN: "Mine"} | {name: ready.label for name, ready in gallery.READY.items()}
    widgets.pills("Ready drawings", names, format_func=names.get, key="ready", required=True, wrap=True)
    if problem := state.kept("upload_problem"):
        st.error(show.plain(problem))
    st.file_uploader("Upload a picture", list(uploads.ENDINGS), key="upload", on_change=_take_file)
    if own.upload is not None and now["ready"] == pad.OWN:
        widgets.segmented_control("Ink", drawing.INKS, format_func=drawing.INKS.get, key="ink", required=True)
        if own.note:
            st.caption(show.plain(own.note))


@st.fragment
def _drawing(found: list[runs.Run]) -> None:
    """Everything that a stroke changes; nothing else of the page runs again for it."""
    now, own = state.values(SETTINGS), pad.own()
    edition, picture = _picture(now, own)
    problem, x, x_noisy, seen = own.problem if now["ready"] == pad.OWN else "", None, None, [None] * len(found)
    left, right = st.columns([10, 23], gap="medium")
    with left:
        pad.show(edition, picture, own.strokes if now["ready"] == pad.OWN else ())
        _instead(now, own)
    try:
        picture = np.zeros((drawing.PAD, drawing.PAD), np.float32) if picture is None else picture
        x = drawing.to_network(picture, now["centred"])
        x_noisy = corrupt(x, now["noise_kind"], now["added_noise"], now["seed"])
        if backend.ready():
            seen = [unusual.see(run, x, x_noisy) for run in found]
    except (RuntimeError, ValueError) as error:
        problem = problem or str(error)
    noise = f"{CORRUPTIONS[now['noise_kind']].label.lower()} {now['added_noise']:g}" if now["added_noise"] else "no noise"
    how = f"{'centred like MNIST' if now['centred'] else 'not centred'}, {noise}"
    with right:
        names = [drawn.name(run, now["dataset"]) for run in found]
        drawn.pictures(drawing.shrink(picture), x_noisy, how, seen, names, x)
        if problem:
            st.info(show.plain(problem), icon=":material/draw:")
    drawn.place(seen[0] if seen else None, unusual.known(found[0]) if found else None)
    pad.answered()
    state.write_address(SETTINGS)


def _compare_with_test_sets(found: list[runs.Run]) -> None:
    """Has the test images put through the networks in the background; soon after, the page runs again."""
    unknown = [run for run in found if not unusual.known(run) and datasets.DATASETS[run.config.dataset].on_machine()]
    for run in unknown:
        backend.soon(functools.partial(unusual.reference, run))

    @st.fragment(run_every=0.5)
    def look() -> None:
        if all(unusual.known(run) for run in unknown):
            st.rerun()

    if unknown:
        look()


def _page() -> None:
    problems = state.open_page("draw", SETTINGS)
    show.question("What does the network make of *my* drawing?")
    now = state.values(SETTINGS)
    draw_controls.sidebar(now)
    if problems:
        show.link_problems(problems)
    if not missing.has_images(now["dataset"]):
        state.write_address(SETTINGS)
        return
    found, trouble = draw_controls.networks(now)
    for sentence in trouble:
        st.error(show.plain(sentence))
    _drawing(found)
    explain.try_this(draw_words.experiments(datasets.default() if now["dataset"] == "fashion_mnist" else now["dataset"]))
    draw_words.explanation()
    try:
        if backend.ready():
            _compare_with_test_sets(found)
        else:
            waiting.for_networks()
    except RuntimeError as error:
        st.error(show.plain(str(error)))


_page()
