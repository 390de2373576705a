"""Runs: which settings made the difference?"""

from datetime import UTC, datetime

import streamlit as st

from cae_core import datasets, runs
from cae_core.config import Bounds
from cae_core.pretrained import name_of
from cae_core.runs import Run, RunError
from pages import compare, explain, keeping, one_run, run_table, show, state
from pages.explain import Experiment

WHOSE = {"mine": "Mine", "everyone": "Everyone's", "shipped": "Shipped"}
SETTINGS = {
    "runs": state.Setting((), state.Names(run_table.MOST)),
    "whose": state.Setting("mine", tuple(WHOSE)),
    "epoch": state.Setting(keeping.END, Bounds(0, keeping.END)),
}
AGAIN = 3.0
"""Seconds between looks at runs in training."""


def experiments(dataset: str) -> dict[str, Experiment]:
    """Comparisons of runs that ship with the app; a test holds each against what was measured."""

    def compared(*parts: tuple[int, str, str]) -> dict:
        return {"whose": "shipped", "runs": tuple(name_of(dataset, *part) for part in parts)}

    return {
        "two_or_more": Experiment(
            "Two numbers or thirty-two?",
            compared((2, "mse", "clean"), (32, "mse", "clean")),
            "With 32 numbers in the code instead of two, the error on clean images falls to less than a tenth, although "
            "the run with two was given twice the epochs. What the code has no room for, no training brings back.",
        ),
        "wider": Experiment(
            "Does wider go on helping?",
            compared((8, "mse", "clean"), (32, "mse", "clean"), (128, "mse", "clean")),
            "Each time the code has four times as many numbers, the error on clean images falls to less than a third. What "
            "it costs is in the row of parameters.",
        ),
        "bce_or_mse": Experiment(
            "BCE or MSE?",
            compared((32, "bce", "clean"), (32, "mse", "clean")),
            "On clean images the two end within one hundredth of each other's MSE: the loss hardly matters. It does on "
            "what neither was trained for: at noise 0.5 the run trained with MSE has less than two thirds of the other's "
            "error.",
        ),
        "never_saw_noise": Experiment(
            "What does practice with noise cost?",
            compared((32, "bce", "mixed"), (32, "bce", "clean")),
            "The run trained on noisy images has less than a tenth of the other's error at noise 0.5, and pays with more "
            "than one and a half times its error on clean images. They differ in epochs and batch size too, so not all of "
            "the price is the noise's.",
        ),
    }


def _listed(whose: str, chosen: list[Run]) -> tuple[list[Run], list[str]]:
    """The runs of the table, newest first, and a sentence for each that is damaged; chosen ones are always among them."""
    found, damaged = runs.every(runs.PRETRAINED_DIR if whose == "shipped" else runs.runs_dir())
    if whose == "mine":
        found = [run for run in found if keeping.is_mine(run)]
    never = datetime.min.replace(tzinfo=UTC)
    found.sort(key=lambda run: (run_table.made(run) or never, run.name), reverse=True)
    names = {run.name for run in found}
    return [run for run in chosen if run.name not in names] + found, damaged


def _chosen(names: tuple[str, ...]) -> tuple[list[Run], list[str]]:
    """The runs of a link, and a sentence for each that cannot be shown."""
    found, trouble = [], []
    for name in names:
        try:
            found.append(runs.find(name))
        except RunError as error:
            there = any((folder / name).is_dir() for folder in (runs.runs_dir(), runs.PRETRAINED_DIR))
            gone = f"There is no run called {name!r} here: it was deleted, or made on another machine."
            trouble.append(str(error) if there else gone)
    return found, trouble


def _watch(listed: list[Run]) -> None:
    """Draws the page again when a run in training has got on."""
    live = [run for run in listed if run.state in ("waiting", "running")]

    @st.fragment(run_every=AGAIN)
    def look() -> None:
        for run in live:
            try:
                now = runs.read(run.path)
            except RunError:
                now = None
            if now is None or (now.state, now.epochs) != (run.state, run.epochs):
                st.rerun()

    if live:
        look()


def _page() -> None:
    problems = state.open_page("runs", SETTINGS)
    show.question("Which settings made the difference?")
    now = state.values(SETTINGS)
    with st.sidebar:
        st.segmented_control("Whose", WHOSE, format_func=WHOSE.get, key="whose", required=True, wrap=False)
    if problems:
        st.warning(
            "This link asks for something there is not; defaults are shown instead. " + show.plain(" ".join(problems))
        )
    chosen, trouble = _chosen(now["runs"])
    listed, damaged = _listed(now["whose"], chosen)
    if listed:
        run_table.table(listed, tuple(run.name for run in chosen))
    else:
        st.markdown("There are no runs yet. Train a network, and it is kept here; or look at those that ship with the app.")
        st.page_link("train.py", label="Train your first network", icon=":material/model_training:", query_params={})
    for sentence in trouble:
        st.warning(show.plain(sentence))
    if len(chosen) == 1:
        one_run.page(chosen[0], SETTINGS)
    else:
        place = st.container()
        state.write_address(SETTINGS)  # before what takes time
        with place:
            if chosen:
                compare.runs_side_by_side(chosen)
            elif listed:
                st.markdown("Mark one run to play back its training, or up to four to compare them.")
    keeping.deleted()
    if damaged:
        with st.expander(f"{len(damaged)} {'runs' if len(damaged) > 1 else 'run'} cannot be read"):
            for sentence in damaged:
                st.markdown(show.plain(sentence))
    _watch(listed)
    explain.try_this(experiments(datasets.default()))


_page()
state.keep_visitor()
