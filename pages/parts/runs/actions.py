"""Actions on a run: train it again, resume it, rename it, delete it and take that back, export it."""

import contextlib
from collections.abc import Callable, Collection
from functools import partial

import streamlit as st

from cae_core import export, jobs, runs
from cae_core.jobs.job import Snapshot
from cae_core.runs import AnyRun, Run, StackRun, manage
from cae_core.runtime import host
from pages.parts.common import controls, show
from pages.parts.common.outside import refusal
from pages.parts.live import queue_words
from pages.parts.session import identity, state

END = 1000.0
"""An epoch no run goes beyond: the time machine opens at its last."""
LOOK = 0.5
"""Seconds between looks at whether a file could be made."""


def is_mine(run: AnyRun) -> bool:
    """Whether the visitor may rename, delete and resume it."""
    return run.path.parent == runs.runs_dir() and run.owner in ("", identity.visitor())


def unsaved(run: AnyRun) -> Snapshot | None:
    """The job of a run that the disk refused and that is still in memory; None of any other."""
    job = jobs.default().snapshot(run.name) if run.state == "running" else None
    return job if job and job.state == "unsaved" else None


def actions(run: AnyRun, mine: bool) -> None:
    """A row of buttons; what is not allowed is not offered."""
    owner, trouble, off = identity.visitor(), None, host.training_off()
    refused = unsaved(run)
    at_work = run.state in runs.AT_WORK and not refused
    with st.container(horizontal=True, vertical_alignment="center", key="run_actions"):
        same = "The same settings from the same start."
        if st.button("Run again", icon=":material/replay:", key="again", help=same, disabled=bool(off)):
            trouble = _do(lambda: _again(run, owner), lambda: _to_training(run))
        goes_on = mine and run.state in runs.CAN_GO_ON
        if goes_on and st.button("Resume", icon=":material/play_arrow:", key="resume", disabled=bool(off)):
            trouble = _do(lambda: jobs.default().resume(run.name, owner, identity.address()), lambda: _to_training(run))
        if mine and refused:
            queue_words.unsaved([run.name], owner, "run")
        if isinstance(run, StackRun):
            on_stacked_page(run, "See it on the Stacked page")
        elif run.is_trained:
            page, label, key = controls.seen_on(run.config)
            if st.button(label, icon=":material/image:", key="denoise_with"):
                state.change_next_run(**{key: (run.name,)}, dataset=run.config.dataset)
                st.switch_page(page, query_params={})
        if mine:
            with st.popover("Rename", icon=":material/edit:"), st.form("rename", border=False):
                title = st.text_input(
                    "Title", run.title, max_chars=runs.TITLE, key=f"title_{run.name}",
                    help="Leave it empty to use the run's name.",
                )  # fmt: skip
                if st.form_submit_button("Save", icon=":material/check:"):
                    trouble = _do(lambda: manage.rename(run, title, owner), st.rerun)
        if mine and not at_work and st.button("Delete", icon=":material/delete:", key="delete"):
            state.change_next_run(runs=(), epoch=END)
            state.keep("just_deleted", run.name)
            trouble = _do(lambda: _delete(run, owner), st.rerun)
    if off:
        st.caption(off)
    if trouble:
        state.change_next_run()
        st.error(show.plain(trouble))


def exports(run: Run, names: Collection[str] = export.EXPORTS) -> None:
    """The run as files for other programs, each made when it is asked for; of one that cannot be made, why.

    Args:
        names: which, in `export.EXPORTS`.
    """
    st.fragment(_exports)(run, names)


def _exports(run: Run, names: Collection[str]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="run_exports"):
        st.markdown("Take it with you:", width="content")
        for name in names:
            entry = export.EXPORTS[name]
            asked = {"of": run.name, "what": entry.label}
            st.download_button(
                entry.label, partial(_made, name, run, asked), entry.file_name(run), entry.mime, key=f"export_{name}",
                help=entry.summary, on_click=state.keep, args=("export", asked),
            )  # fmt: skip
    asked = state.kept("export", {})
    if asked.get("of") == run.name:
        _wait_for_reason(asked)


def _made(name: str, run: Run, asked: dict[str, str]) -> bytes:
    """The file; runs outside the page, where Streamlit says of a failure no more than that there was one."""
    try:
        content = export.export(name, run)
    except ValueError as error:
        asked["trouble"] = str(error)
        raise
    asked["trouble"] = ""
    return content


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
    gone = manage.deleted(owner)
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
                    if st.button("Remove for good", key=f"remove_{run.name}"):
                        trouble = _do(lambda gone=run: manage.remove(gone.name, owner), st.rerun)
    if trouble:
        state.change_next_run()
        st.error(show.plain(trouble))


def _delete(run: AnyRun, owner: str) -> None:
    if unsaved(run):
        jobs.default().discard(run.name, owner)
        if not run.path.exists():  # nothing of it was ever written down
            return
    if not manage.delete(run, owner):
        st.toast("The disk is full: the run is deleted for good.")
    with contextlib.suppress(jobs.JobError):  # another process trained it
        jobs.default().discard(run.name, owner)  # or its page would go on showing it


def _restore(run: AnyRun, owner: str) -> str:
    state.change_next_run(runs=(run.name,), epoch=END)
    return _do(lambda: manage.restore(run.name, owner), st.rerun)


def _do(act: Callable[[], object], then: Callable[[], object]) -> str:
    """Does it and goes on, or says why it cannot be done."""
    trouble = refusal(act)
    if not trouble:
        then()
    return trouble


def on_stacked_page(run: StackRun, label: str) -> None:
    """A link to what there is to see of a stack: its pictures, curves and what its classifiers misread."""
    link = {"stack_view": "mine", "stack": run.name}
    st.page_link("stacked.py", label=show.plain(label), icon=":material/layers:", query_params=link)


def _to_training(run: AnyRun) -> None:
    """To where runs of its kind are seen while they train."""
    if isinstance(run, StackRun):
        state.change_next_run(stack_view="mine", stack=())
    st.switch_page("stacked.py" if isinstance(run, StackRun) else "train.py", query_params={})


def _again(run: AnyRun, owner: str) -> None:
    title = run.label if run.label.endswith(" again") else f"{run.label[: runs.TITLE - 6]} again"
    origin = {"run": run.name, "step": 0} if run.origin else None
    jobs.default().submit(run.config, owner, title, origin, identity.address())
