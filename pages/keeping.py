"""What can be done with a run: train it again, go on with it, rename it, delete it and take that back, take it home."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection
from functools import partial

import streamlit as st

from cae_core import exporting, jobs, runs, shelf
from cae_core.runs import Run
from pages import controls, identity, show, state

END = 1000.0
"""An epoch no run goes beyond: the time machine opens at its last."""
LOOK = 0.5
"""Seconds between looks at whether a file could be made."""


def is_mine(run: Run) -> bool:
    """Whether the visitor may rename, delete and resume it."""
    return run.path.parent == runs.runs_dir() and run.owner in ("", identity.visitor())


def actions(run: Run, mine: bool) -> None:
    """A row of buttons; what is not allowed is not offered."""
    owner, trouble = identity.visitor(), None
    at_work = run.state in ("waiting", "running")
    with st.container(horizontal=True, key="run_actions"):
        if st.button("Run again", icon=":material/replay:", key="again", help="The same settings from the same start."):
            trouble = _do(lambda: _again(run, owner), _to_train)
        if mine and run.state in runs.CAN_GO_ON and st.button("Resume", icon=":material/play_arrow:", key="resume"):
            trouble = _do(lambda: jobs.default().resume(run.name, owner), _to_train)
        page, label, key = controls.seen_on(run.config)
        if run.is_trained and st.button(label, icon=":material/image:", key="denoise_with"):
            state.change_next_run(**{key: (run.name,)}, dataset=run.config.dataset)
            st.switch_page(page, query_params={})
        if mine:
            with st.popover("Rename", icon=":material/edit:"), st.form("rename", border=False):
                title = st.text_input(
                    "Title", run.title, max_chars=runs.TITLE, key=f"title_{run.name}", help="Empty: it goes by its name."
                )
                if st.form_submit_button("Save", icon=":material/check:"):
                    trouble = _do(lambda: shelf.rename(run, title, owner), st.rerun)
        if mine and not at_work and st.button("Delete", icon=":material/delete:", key="delete"):
            state.change_next_run(runs=(), epoch=END)
            state.keep("just_deleted", run.name)
            trouble = _do(lambda: shelf.delete(run, owner), st.rerun)
    if trouble:
        state.change_next_run()
        st.error(show.plain(trouble))


def exports(run: Run, names: Collection[str] = exporting.EXPORTS) -> None:
    """The run as files for other programs, each made when it is asked for; of one that cannot be made, why.

    Args:
        names: which, in `exporting.EXPORTS`.
    """
    st.fragment(_exports)(run, names)


def _exports(run: Run, names: Collection[str]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="run_exports"):
        st.markdown("Take it with you:", width="content")
        for name in names:
            entry = exporting.EXPORTS[name]
            asked = {"of": run.name, "what": entry.label}
            with contextlib.suppress(ValueError):  # some names hold the run's date, which can be damaged
                st.download_button(
                    entry.label, partial(_made, entry, run, asked), entry.file_name(run), entry.mime, key=f"export_{name}",
                    help=entry.summary, on_click=state.keep, args=("export", asked),
                )  # fmt: skip
    asked = state.kept("export", {})
    if asked.get("of") == run.name:
        _wait_for_reason(asked)


def _made(entry: exporting.Export, run: Run, asked: dict[str, str]) -> bytes:
    """The file; runs outside the page, where Streamlit says of a failure no more than that there was one."""
    try:
        made = entry.make(run)
    except Exception as error:  # whatever it is, the page says it
        why = str(error) if isinstance(error, ValueError | RuntimeError | OSError) else type(error).__name__
        asked["trouble"] = why.partition("\n")[0] or type(error).__name__
        raise
    asked["trouble"] = ""
    return made


def _wait_for_reason(asked: dict[str, str]) -> None:
    """Says why a file could not be made, as soon as that is known."""
    over = "trouble" in asked

    @st.fragment(run_every=None if over else LOOK)
    def look() -> None:
        if over and asked["trouble"]:
            st.error(f"{asked['what']} could not be made: {show.plain(asked['trouble'])}")
        elif not over and "trouble" in asked:
            st.rerun()

    look()


def deleted() -> None:
    """The run that was deleted a moment ago, with a way back; the others, folded."""
    owner, trouble = identity.visitor(), None
    gone = shelf.deleted(owner)
    just_now = state.kept("just_deleted")
    for run in gone:
        if run.name == just_now:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"Deleted: {show.plain(run.label)}", width="content")
                if st.button("Undo", icon=":material/undo:", key="undo"):
                    trouble = _restore(run, owner)
    others = [run for run in gone if run.name != just_now]
    if others:
        with st.expander(f"Deleted runs ({len(others)})"):
            for run in others:
                with st.container(horizontal=True, vertical_alignment="center"):
                    st.markdown(show.plain(run.label), width="content")
                    if st.button("Bring back", key=f"restore_{run.name}"):
                        trouble = _restore(run, owner)
    if trouble:
        state.change_next_run()
        st.error(show.plain(trouble))


def _restore(run: Run, owner: str) -> str:
    state.change_next_run(runs=(run.name,), epoch=END)
    return _do(lambda: shelf.restore(run.name, owner), st.rerun)


def _do(act: Callable[[], object], then: Callable[[], object]) -> str:
    """Does it and goes on, or says why it cannot be done."""
    try:
        act()
    except ValueError as error:
        return str(error)
    then()
    return ""


def _to_train() -> None:
    st.switch_page("train.py", query_params={})


def _again(run: Run, owner: str) -> None:
    title = run.label if run.label.endswith(" again") else f"{run.label[: runs.TITLE - 6]} again"
    origin = {"run": run.name, "step": 0} if run.origin else None
    jobs.default().submit(run.config, owner, title, origin)
