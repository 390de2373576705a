"""Runs: which settings made the difference?"""

import os

import streamlit as st

from cae_core import datasets, runs
from cae_core.config import Bounds
from cae_core.runs import AnyRun, RunError, old_stacks
from cae_core.sweeps import grid
from pages.parts.common import controls, show, waiting, widgets
from pages.parts.lesson import strip
from pages.parts.runs import actions, compare, findings_view, one_run, questions, run_table, sweep_view
from pages.parts.session import address, state
from pages.parts.session.setting import Names, Setting, Words

WHOSE = {"mine": "Mine", "everyone": "Everyone's", "shipped": "Shipped"}
SETTINGS = {
    "runs": Setting((), Names(run_table.MOST)),
    "whose": Setting("mine", tuple(WHOSE)),
    "epoch": Setting(actions.END, Bounds(0, actions.END)),
    "view": Setting("", tuple(findings_view.VIEWS), always=False),
    "sweep": Setting("", Words(60), always=False),
    **strip.settings(questions.questions(datasets.default())),
}
AGAIN = 3.0
"""Seconds between looks at runs in training."""


def _listed(whose: str, chosen: list[AnyRun], sweep: grid.Kept | None) -> tuple[list[AnyRun], list[str]]:
    """The runs of the table, and a sentence for each that is damaged; chosen ones are always among them."""
    if sweep:
        return run_table.order(sweep_view.listed(sweep), chosen, sweep.key), []
    listed, damaged = runs.every(runs.PRETRAINED_DIR if whose == "shipped" else runs.runs_dir())
    if whose == "mine":
        listed = [run for run in listed if actions.is_mine(run)]
    return run_table.order(listed, chosen, whose), damaged


def _chosen(names: tuple[str, ...]) -> tuple[list[AnyRun], list[str]]:
    """The runs of a link, and a sentence for each that cannot be shown."""
    chosen, trouble = [], []
    for name in names:
        try:
            chosen.append(runs.find(name))
        except RunError as error:
            there = any(os.path.isdir(folder / name) for folder in (runs.runs_dir(), runs.PRETRAINED_DIR))
            gone = f"There is no run called {name!r} here: it was deleted, or made on another machine."
            trouble.append(str(error) if there else gone)
    return chosen, trouble


def _watch(listed: list[AnyRun]) -> None:
    """Draws the page again when a run in training has got on."""
    live = [run for run in listed if run.state in runs.AT_WORK]

    @st.fragment(run_every=AGAIN)
    def look() -> None:
        for run in live:
            try:
                now = runs.read(run.path)
            except RunError:
                now = None
            if now is None or (now.state, now.step) != (run.state, run.step):
                st.rerun()

    if live:
        look()


def _page() -> None:
    now = show.open_page("runs", "Which settings made the difference?", SETTINGS)
    widgets.segmented_control("What to look at", findings_view.VIEWS, key="view", label_visibility="collapsed")
    of_page = questions.questions(datasets.default())
    if now["view"]:  # its own questions first
        own_first = sorted(of_page, key=lambda key: of_page[key].settings.get("view") != now["view"])
        strip.draw({key: of_page[key] for key in own_first}, SETTINGS, now)
        findings_view.draw(now["view"])
        address.write(SETTINGS)
        return
    with st.sidebar:
        with controls.main():
            widgets.segmented_control("Whose", WHOSE, key="whose", wrap=False)
            sweep = sweep_view.choose(now["sweep"])
        st.button(
            "Unmark all", icon=":material/deselect:", disabled=not now["runs"], width="stretch",
            on_click=state.change, kwargs={"runs": (), "epoch": actions.END},
        )  # fmt: skip
    if moved := old_stacks.move_in() or state.kept("moved_stacks", ""):
        state.keep("moved_stacks", moved)
        st.info(show.plain(moved))
    chosen, trouble = _chosen(now["runs"])
    listed, damaged = _listed(now["whose"], chosen, sweep)
    if listed:
        run_table.table(listed, tuple(run.name for run in chosen), now["whose"])
    else:
        st.markdown("There are no runs yet. Train a network, and it is kept here; or look at those that ship with the app.")
        st.page_link("train.py", label="Train your first network", icon=":material/model_training:", query_params={})
    for sentence in trouble:
        st.warning(show.plain(sentence))
    strip.draw(of_page, SETTINGS, now)
    if len(chosen) == 1:
        one_run.page(chosen[0], SETTINGS)
    elif chosen:
        compare.runs_side_by_side(chosen, SETTINGS)
    else:
        address.write(SETTINGS)
        if sweep:
            sweep_view.draw(sweep, [run for run in listed if run.name in sweep.runs])
        if listed:
            st.markdown("Mark one run to play back its training, or up to four to compare them.")
    actions.deleted()
    if damaged:
        with st.expander(f"{len(damaged)} {'runs' if len(damaged) > 1 else 'run'} cannot be read"):
            for sentence in damaged:
                st.markdown(show.plain(sentence))
    _watch(listed)


_page()
waiting.end()
