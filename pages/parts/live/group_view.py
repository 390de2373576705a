"""Several runs side by side, live: buttons to start, pause and stop them all; what has ended stays in view."""

from collections.abc import Callable, Sequence

import streamlit as st

from cae_core import jobs
from cae_core.jobs.requests import Entry
from cae_core.runtime import host
from pages.parts.common import show, waiting
from pages.parts.common.outside import refusal
from pages.parts.live import estimate, opening, queue_words, steering
from pages.parts.live.lanes import Lane
from pages.parts.live.opening import View
from pages.parts.runs import run_table
from pages.parts.session import identity, state

_ORDER = (
    "unsaved", "failed", "paused", "running", "measuring", "preparing", "waiting", "stopped", "interrupted", "finished",
)  # fmt: skip
"""Of the states of several runs the first of these is told."""


Draw = Callable[[Sequence[Lane]], None]


def run(view: View, now: dict, problem: str, draw: Draw) -> None:
    """Buttons, progress, and what `draw` makes of the lanes, again and again as long as anything moves.

    Args:
        view: what is compared.
        now: the settings.
        problem: why what they would train cannot be; "" if it can.
        draw: is given the lanes of the visitor's last start; before there is one, those that ship.
    """
    owner, lanes = identity.visitor(), view.plan(now)
    waiting.to_train()
    shipped = opening.find(view, now)

    def draw_all(latest: list[Lane]) -> None:
        in_view = latest or shipped.lanes or lanes
        _buttons(view, lanes, latest, problem, owner)
        done, whole = _progress(in_view)
        steering.bar(done, whole)
        show.facts(_facts(in_view, done, whole))
        _messages(view, latest, problem, [] if latest else shipped.troubles)
        opening.say(in_view, [] if latest else shipped.about, lanes)
        draw(in_view)

    title = view.title
    steering.follow(lambda: _started(title, owner), lambda now: steering.is_queued(*(lane.job for lane in now)), draw_all)


def _started(view: str, owner: str) -> list[Lane]:
    """The lanes that the visitor started last, as they are now."""
    mine = [job for job in jobs.default().of(owner) if job.group and job.title.startswith(f"{view}: ")]
    last = [jobs.default().snapshot(job.name) or job for job in mine if job.group == mine[-1].group]
    return [Lane(job.title.removeprefix(f"{view}: "), job.config, job) for job in last]


def _start(view: str, lanes: Sequence[Lane], owner: str) -> None:
    entries = [Entry("", lane.config, f"{view}: {lane.title}") for lane in lanes]
    refused = refusal(lambda: jobs.default().enter(entries, owner, identity.address(), "together"))
    state.keep(f"trouble {view}", refused)


def _buttons(view: View, lanes: Sequence[Lane], latest: Sequence[Lane], problem: str, owner: str) -> None:
    """Steering, always in the same places, and how long it would take."""
    at_work = [lane.job for lane in latest if lane.job.is_live]
    names = [job.name for job in at_work if job.state != "measuring"]
    is_paused, off = any(job.state == "paused" for job in at_work), host.training_off()
    with st.container(horizontal=True, vertical_alignment="center"):
        start = "Start" if not latest else "Start again"
        st.button(
            start, type="primary", icon=":material/play_circle:", key="together_start", width=150,
            disabled=bool(at_work or problem or off), on_click=_start, args=(view.title, lanes, owner),
        )  # fmt: skip
        waits = all(job.state == "waiting" for job in at_work)  # behind other runs; it can only leave the queue
        steering.pause_or_resume(names, owner, "together", is_paused, bool(names) and not waits)
        steering.button("Stop", "stop", "stop", names, owner, "together_stop", "x", bool(names))
        if refused := [lane.job.name for lane in latest if lane.job.state == "unsaved"]:
            queue_words.unsaved(refused, owner, "together")
        queue_words.say_why(next((job for job in at_work if job.state == "paused"), at_work[0] if at_work else None), owner)
        if off:
            st.caption(off, width="content")
        elif not latest and not problem:  # later the link takes its place
            st.caption(estimate.plan([lane.config for lane in lanes], view.kind), width="content")
        if latest and not at_work:
            first = [lane.job.name for lane in latest][: run_table.MOST]
            which = "all" if len(first) == len(latest) else f"the first {len(first)}"
            link = {"runs": ",".join(first)}
            st.page_link("runs.py", label=f"See {which} under Runs", icon=":material/table_rows:", query_params=link)


def _messages(view: View, latest: Sequence[Lane], problem: str, unread: Sequence[str]) -> None:
    """What is wrong: with the settings, the last start, its runs, or what ships."""
    for trouble in filter(None, (problem, state.kept(f"trouble {view.title}", ""))):
        st.warning(show.plain(trouble))
    for lane in latest:
        if lane.job.message:
            st.error(show.plain(f"{lane.title}: {lane.job.message}"))
    for trouble in unread:
        st.warning(f"{show.plain(trouble)} Until then, **Start** trains it here.")


def _progress(lanes: Sequence[Lane]) -> tuple[int, int]:
    steps = [(lane.progress.step, lane.progress.num_steps) for lane in lanes if lane.progress]
    if not steps:
        return 0, 1
    return sum(step for step, _ in steps), max(whole for _, whole in steps) * len(lanes)


def _facts(lanes: Sequence[Lane], done: int, whole: int) -> list[tuple[str, str]]:
    states = {lane.job.state for lane in lanes if lane.job}
    words = next((queue_words.STATES[state] for state in _ORDER if state in states), "Not started")
    live = sorted((lane.job for lane in lanes if lane.job and lane.job.is_live), key=lambda job: job.place)
    progress = [lane.progress for lane in lanes if lane.progress]
    left = [moment.seconds_left for moment in progress if moment.seconds_left is not None]
    spent = sum(moment.seconds for moment in progress)
    config = lanes[0].config if lanes else None
    epoch = min((moment.step / moment.steps_per_epoch for moment in progress), default=0.0)
    return [
        ("State", queue_words.place(live[0]) if words == queue_words.STATES["waiting"] else words),
        ("Runs, in turn", f"{len(lanes)}"),
        ("Epoch", f"{epoch:.1f} of {config.epochs}" if config else "–"),
        ("Steps", f"{done:,} of {whole:,}" if progress else "–"),
        ("Time in training", show.seconds(spent) if progress else "–"),
        queue_words.time(live[0] if live else None, "Time left", sum(left) if left else None),
    ]
