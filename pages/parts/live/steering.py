"""Steering of training, the same on every page: its buttons, its bar, and looking at it again and again while it moves."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st

from cae_core import jobs
from cae_core.jobs import Snapshot
from pages.parts.live import queue_words

TICK = 0.4
"""Seconds between two looks at what moves."""
PAUSE_WIDTH = 114
"""Pixels of the button that says Pause or Resume, or those beside it would move under the hand."""
Moment = TypeVar("Moment")


def is_queued(*watched: Snapshot | None) -> bool:
    """Whether one of them is in the queue: live, or about to be written down once more after the disk refused."""
    return any(job is not None and jobs.default().has(job.name) for job in watched)


def follow(
    look: Callable[[], Moment], moves: Callable[[Moment], bool], draw: Callable[[Moment], None], tick: float = TICK
) -> Moment:
    """Draws what there is to see, every `tick` seconds as long as it moves, and the whole page when that changes.

    Args:
        look: what there is to see now.
        moves: whether that is going to change by itself.
        draw: draws it.
        tick: in seconds.

    Returns:
        What there was to see at first.
    """
    first = look()
    moved, drawn_first = moves(first), [first]

    @st.fragment(run_every=tick if moved else None)
    def look_again() -> None:
        now = drawn_first.pop() if drawn_first else look()
        if moves(now) != moved:
            st.rerun()
        draw(now)

    look_again()
    return first


def bar(done: int, whole: int) -> None:
    """How many of the steps are done."""
    st.html(f'<progress value="{done}" max="{whole}" aria-label="steps done"></progress>')


def button(
    label: str, icon: str, action: str, names: Sequence[str], owner: str, key: str, shortcut: str, enabled: bool,
    width: int | str = "content",
) -> None:  # fmt: skip
    """One of the verbs of `jobs.Jobs` for runs of these names."""
    st.button(
        label, icon=f":material/{icon}:", key=key, shortcut=shortcut, disabled=not enabled, width=width,
        on_click=queue_words.act_on_all, args=(action, names, owner),
    )  # fmt: skip


def pause_or_resume(names: Sequence[str], owner: str, key: str, is_paused: bool, enabled: bool) -> None:
    """Whichever of the two there is to do."""
    label, icon, action = ("Resume", "play_arrow", "go_on") if is_paused else ("Pause", "pause", "pause")
    button(label, icon, action, names, owner, f"{key}_pause", "p", enabled, PAUSE_WIDTH)


def buttons(job: Snapshot | None, owner: str, key: str, may: bool = True, go_on: Callable[[], None] | None = None) -> None:
    """The buttons of one run, always in the same places, so that nothing jumps under the hand.

    Args:
        job: the run; None before there is one.
        owner: the visitor.
        key: begins the keys of the buttons.
        may: whether the visitor may steer it.
        go_on: resumes it where it has ended before its end; None where it cannot go on.
    """
    state, names = (job.state, [job.name]) if job and may else ("", [])
    can = state in ("preparing", "running", "paused")
    if go_on:
        st.button("Go on", icon=":material/play_arrow:", key=f"{key}_pause", width=PAUSE_WIDTH, on_click=go_on)
    else:
        pause_or_resume(names, owner, key, state == "paused", can)
    button("One step", "skip_next", "step", names, owner, f"{key}_step", "s", can)
    if state == "unsaved":
        queue_words.unsaved(names, owner, key)
    elif state == "waiting" and not job.progress:
        button("Withdraw", "close", "stop", names, owner, f"{key}_stop", "x", True)
    else:
        button("Stop", "stop", "stop", names, owner, f"{key}_stop", "x", can or state == "waiting")  # one that gave way
