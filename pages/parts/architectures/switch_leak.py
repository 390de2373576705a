"""Switch leak: how much of an image travels through the switches rather than the code."""

import numpy as np
import streamlit as st

from cae_core import datasets, metrics, runs
from cae_core.architectures import ARCHITECTURES
from cae_core.config import Bounds
from cae_core.inference import reconstruction, trained
from cae_core.inspection import switches
from cae_core.inspection.switches import CODES, NETWORKS, SWITCHES, Share
from pages.parts.common import controls, missing, show, tables, widgets, words
from pages.parts.common.show import Row
from pages.parts.lesson import strip
from pages.parts.lesson.question import questions_of
from pages.parts.session import identity, state
from pages.parts.session.setting import Setting

SETTINGS = {
    "leak_network": Setting(NETWORKS[0], NETWORKS),
    "mix_code": Setting("next", tuple(CODES)),
    "mix_switches": Setting("kept", tuple(SWITCHES)),
    "seed": Setting(0, Bounds(0, 9999, integer=True)),
}

ROWS = {
    ("mean", "kept"): ("Switches alone", "code: its mean over test images"),
    ("kept", "kept"): ("Reconstruction", "its own code and switches"),
    ("blank", "kept"): ("Code blanked", "z = 0, switches kept"),
    ("kept", "next"): ("Switches shuffled", "code kept, the next image's switches"),
    ("kept", "none"): ("Code alone", "no switches: all to the first place"),
}
"""Code and switches to label and note, from top to bottom, below the visitor's mix."""
QUESTIONS = questions_of(
    "switch_leak",
    what_and_where={"view": "leak", "mix_code": "next", "mix_switches": "kept"},
    random_switches={"view": "leak", "mix_code": "kept", "mix_switches": "random"},
    nothing_known={"view": "leak", "mix_code": "mean", "mix_switches": "random"},
)


def sidebar(now: dict) -> None:
    with st.sidebar:
        controls.dataset()
        widgets.selectbox("Network", NETWORKS, format_func=controls.label(ARCHITECTURES), key="leak_network")
        with controls.main():
            widgets.selectbox("Code of your mix", CODES, key="mix_code")
            widgets.selectbox("Switches of your mix", SWITCHES, key="mix_switches")
        controls.sample()


def draw(now: dict) -> None:
    strip.draw(QUESTIONS, SETTINGS, now, leaves=("seed",))
    try:
        run = trained.find(now["leak_network"], now["dataset"], identity.visitor())
        if run is None or run.image_shape != datasets.DATASETS[now["dataset"]].image_shape:
            _nothing_to_see(now)
        else:
            _leak(run, now)
    except (RuntimeError, ValueError) as error:
        st.error(show.plain(str(error)))
    words.explain("switch_leak")


def _nothing_to_see(now: dict) -> None:
    """There is no trained network with switches: where to get one."""
    entry = ARCHITECTURES[now["leak_network"]]
    st.markdown(
        f"**{entry.label}.** {entry.summary}\n\nTo see what its switches carry, train it first: there is no "
        "trained one here yet. The link sets everything as it was published, but for one epoch, which is enough to see it."
    )
    missing.link_to_training(now["leak_network"], now["dataset"], "Train it", epochs=1)


def _leak(run: runs.Run, now: dict) -> None:
    mix = (now["mix_code"], now["mix_switches"])
    labels = {"mix": ("Your mix", f"code: {CODES[mix[0]]}; switches: {SWITCHES[mix[1]]}"), **ROWS}
    sample = reconstruction.sample(now["dataset"], "none", 0.0, now["seed"])
    grid, facts, table = (st.container(key=f"leak_{part}").empty() for part in ("rows", "facts", "table"))
    if state.first_time("leak_measured", (run.name, run.step, now["dataset"])):
        with grid:  # it takes some seconds, once; until then the places are there
            show.grid(_rows(labels, sample.x, {}))
        _told(facts, table, labels, {})
    combinations = {key: mix if key == "mix" else key for key in labels}
    x_hats = {key: switches.ten(run, now["dataset"], sample.x, *pair) for key, pair in combinations.items()}
    rows = _rows(labels, sample.x, x_hats)
    with grid:
        show.grid(rows)
    shares = {key: switches.measured(run, now["dataset"], *pair) for key, pair in combinations.items()}
    _told(facts, table, labels, shares)
    whose = "shipped with the app" if run.path.parent == runs.PRETRAINED_DIR else f"your run “{show.plain(run.label)}”"
    trained = datasets.DATASETS[run.config.dataset].label
    caption = f"Shares of the variance of {switches.NUM_IMAGES} test images."
    st.caption(f"{caption} The network is {whose}, trained on {trained}.")
    name = f"switch-leak-{run.name}"
    show.download(rows, "What goes past the code", f"{run.label}, {trained}, seed {now['seed']}", name)


def _rows(labels: dict, x: np.ndarray, x_hats: dict[object, np.ndarray]) -> list[Row]:
    """The clean images, and what came of each combination where it is known."""
    rows = [Row("Clean", "what goes in", x, "ten clean images")]
    for key, (label, note) in labels.items():
        x_hat = np.clip(x_hats[key], 0, 1) if key in x_hats else None
        note = note if x_hat is None else f"{note}; MSE\u00a0{metrics.mse(x, x_hat):.4f}"
        rows.append(Row(label, note, x_hat, f"ten images, {label.lower()}: {note}"))
    return rows


def _told(facts, table, labels: dict, shares: dict[object, Share]) -> None:
    """The numbers that matter, and all of them; without shares, their places."""

    def percent(key: tuple[str, str]) -> str:
        return f"explain {show.percent(shares[key].explained)}" if shares else "…"

    with facts:
        show.facts([
            ("Code and switches", percent(("kept", "kept"))),
            ("Code alone", percent(("kept", "none"))),
            ("Switches alone", percent(("mean", "kept"))),
            ("Blank code", percent(("blank", "kept"))),
        ])  # fmt: skip
    heads = ("", "explained<br><small>contrast corrected</small>", "R²<br><small>as drawn</small>",
             "MSE<br><small>per pixel, less is better</small>")  # fmt: skip
    rows = []
    for key, (label, _) in labels.items():
        cells = ("…", "…", "…")
        if share := shares.get(key):
            bar = f'<div class="share leak-bar" style="--share: {100 * share.explained:.1f}%" aria-hidden="true"></div>'
            cells = (f"{show.percent(share.explained)} {bar}", f"{share.r2:.2f}".replace("-", "−"), f"{share.mse:.4f}")
        rows.append((label, cells))
    with table:
        tables.figures(heads, rows)
