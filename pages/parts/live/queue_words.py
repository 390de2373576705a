"""Messages of the queue: why training waits and when it gives way; and the buttons for what the disk refused."""

from collections.abc import Sequence
from math import inf

import streamlit as st

from cae_core import jobs
from cae_core.jobs import JobError
from cae_core.jobs.job import Snapshot
from cae_core.jobs.scheduling import PAUSE, TURN
from cae_core.runtime import host
from pages.parts.common import show

STATES = {
    "waiting": "Waiting",
    "preparing": "Preparing",
    "running": "Training",
    "paused": "Paused",
    "measuring": "Measuring",
    "finished": "Finished",
    "stopped": "Stopped",
    "failed": "Ended by a problem",
    "unsaved": "Not saved",
    "interrupted": "Interrupted",
}
"""Short enough for one line, so that nothing below moves when they change."""

RULE = (
    f"While others wait, each visitor's training has {TURN / 60:.0f} minutes at a time, and a paused run keeps its place "
    f"for {PAUSE:.0f} seconds. Then it is saved, moves to the end of the queue, and goes on when its turn comes."
)


def place(job: Snapshot) -> str:
    """Its state, and of one that waits how many are before it: short, so that nothing moves when it changes."""
    words = STATES[job.state]
    return f"{words}, {job.place} ahead" if job.state == "waiting" and job.place else words


def time(job: Snapshot | None, label: str, left: float | None) -> tuple[str, str]:
    """A fact: until one that waits starts, about; of others, what is left, under its label."""
    if job and job.state == "waiting":
        return "Starts in", _about(job) or "–"
    return label, show.seconds(left) if job and job.is_live and left is not None else "–"


def line(job: Snapshot, counted: bool = False) -> str:
    """Both in a line; of one that stands in a list, the place is `counted` there."""
    words = STATES[job.state] if counted else place(job)
    return (", " if counted else ": ").join(filter(None, (words.lower(), _about(job) if job.place else "")))


def _about(job: Snapshot) -> str:
    if job.state != "waiting" or job.starts_in is None:
        return ""
    return "over an hour" if job.starts_in == inf else f"about {show.seconds(max(1, job.starts_in))}"


def why(job: Snapshot | None, queue: Sequence[Snapshot], owner: str) -> str:
    """What a visitor has to know of the others; "" while nobody waits for anybody.

    Args:
        job: the visitor's own.
        queue: everybody's, those at work first; these are enough.
        owner: the visitor.
    """
    if job is None or not job.is_live or not queue:
        return ""
    if job.state == "waiting":
        rest = "It gave way to others: it is saved, and goes on when its turn comes. " if job.progress else ""
        at_work = [first for first in queue if first.state != "waiting"] or queue[:1]
        return rest + _ahead(min(at_work, key=lambda first: (first.owner == owner, _left(first))), owner)
    if job.seconds_left is None or job.state == "measuring":
        return ""
    others = "Another visitor waits" if job.others == 1 else f"{job.others} others wait"
    left = show.seconds(job.seconds_left)
    if job.state == "paused":
        return f"{others}: in {left} the pause ends; this run then goes behind them and goes on when its turn comes."
    return f"{others}: in {left} at most this run is saved, goes behind them, and goes on when its turn comes."


def _ahead(first: Snapshot, owner: str) -> str:
    paused = first.state == "paused"
    if first.owner == owner:
        return "Your own run ahead of it is paused: resume or stop that one." if paused else "It starts after your own."
    does = "is paused and gives way" if paused else "is training, and ends or gives way"
    return f"Another visitor's run {does} in {show.seconds(_left(first))} at most."


def _left(job: Snapshot) -> float:
    return TURN if job.seconds_left is None else job.seconds_left


def say_why(job: Snapshot | None, owner: str) -> None:
    """The same as a line on the page."""
    if words := why(job, jobs.default().queue(host.MOST_WORKERS), owner):
        st.caption(words)


def unsaved(names: Sequence[str], owner: str, key: str) -> None:
    """Buttons for runs that the disk refused: try again, or let go of them."""
    st.button(
        "Save again", icon=":material/save:", key=f"{key}_save_again", on_click=act_on_all,
        args=("save_again", names, owner),
    )  # fmt: skip
    st.button(
        "Discard", icon=":material/delete:", key=f"{key}_discard", on_click=act_on_all, args=("discard", names, owner),
        help="Drops what could not be saved. What was saved before stays, and training can continue from there.",
    )  # fmt: skip


def act_on_all(action: str, names: Sequence[str], owner: str) -> None:
    """One of the verbs of `jobs.Jobs` on each of these, for the callbacks of buttons."""
    for name in names:
        try:
            getattr(jobs.default(), action)(name, owner)
        except JobError as error:  # it ended a moment before
            st.toast(show.plain(str(error)))
