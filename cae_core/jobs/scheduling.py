"""Scheduling of the queue: how much of it one visitor may take, who is next, and when training has to give way.

A round robin with time slices. Visitors take turns; as long as others wait, a turn ends after `TURN` seconds of training or
`PAUSE` seconds of pause, both counted from when the first of the others came, if that was later. Runs submitted together or
in order are one entry of the line and stay in their order. Whoever uses a `Line` holds its lock.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Sequence
from typing import Protocol

MOST_WAITING, MOST_OF_ADDRESS, MOST_OF_ONE = 48, 32, 5
"""Entries that may be in the line: of everybody, from one network address, and of one visitor.

A browser that keeps no cookie is a new visitor every time, but comes from where it came before. An address's limit holds a
class of thirty that shares one, and still leaves room for everybody else."""

TURN = 120.0
"""Seconds that a visitor's training has while others wait, from its first step on."""

PAUSE = 30.0
"""Seconds that a paused run keeps its place while others wait, from the pause or the last single step on."""


class JobError(ValueError):
    """Something that cannot be done with a job; the message says why."""


class Waiting(Protocol):
    """What the line knows of a job.

    Attributes:
        owner: whose it is, an opaque mark.
        address: where it was submitted from, as `network` gives it.
        unit: the entry it is part of: equal for runs that were submitted together or in order.
        group: of the runs that are trained in turn with it, a step each; "" for none.
        entered: the time on the line's clock at which it came, in seconds.
        paused_at: the time of its pause or last single step; None while it is not paused.
    """

    owner: str
    address: str
    unit: str
    group: str
    entered: float
    paused_at: float | None


def network(address: str | None) -> str:
    """What of a network address tells visitors apart: of IPv6 the first 64 bits, for who has those chooses the others."""
    try:
        known = ipaddress.ip_address(address or "")
    except ValueError:
        return ""
    if known.version == 4:
        return str(known)
    return str(known.ipv4_mapped or ipaddress.ip_network((known, 64), strict=False).network_address)


class Line:
    """Jobs in the order in which they come, the first at work, and a clock that gives a time in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.jobs: list[Waiting] = []
        self._reserved: dict[object, tuple[str, str]] = {}  # owners and addresses of entries that are being made
        self._turn: tuple[str, str] | None = None  # whose it is: owner and address
        self._began: float | None = None  # when the turn's first step was done
        self._team: list[Waiting] = []  # at work
        self._is_over = False

    def reserve(self, owner: str, address: str) -> object:
        """Keeps a place for an entry that is about to be made; `fill` or `free` it.

        Raises:
            JobError: one of the limits is reached.
        """
        entries = {job.unit: (job.owner, job.address) for job in self.jobs}
        places = [*entries.values(), *self._reserved.values()]
        ours = sum(whose == owner for whose, _ in places)
        if ours >= MOST_OF_ONE:
            raise JobError(f"You have {ours} runs in the queue, the most one visitor may: wait for one, or withdraw one.")
        near = sum(where == address for _, where in places)
        if near >= MOST_OF_ADDRESS:
            raise JobError(
                f"There are {near} runs in the queue from your network address, the most one address may have: "
                "try again when some are done."
            )
        if len(places) >= MOST_WAITING:
            raise JobError(f"The queue is full, with {len(places)} runs: try again when some are done.")
        place = object()
        self._reserved[place] = (owner, address)
        return place

    def free(self, place: object) -> None:
        """Gives back a place that was not needed; one that was filled is left alone."""
        self._reserved.pop(place, None)

    def fill(self, place: object, jobs: Sequence[Waiting]) -> None:
        """Puts an entry at the end, in the place that was kept for it."""
        del self._reserved[place]
        self.jobs = [*self.jobs, *jobs]

    def add(self, job: Waiting) -> None:
        """Puts a job at the end that was in the line before and holds no new place."""
        self.jobs = [*self.jobs, job]

    def remove(self, job: Waiting) -> None:
        """Takes a job out."""
        self.jobs = [other for other in self.jobs if other is not job]
        if not self.jobs:
            self._turn = None

    def next(self) -> list[Waiting]:
        """The jobs that are to be trained now, a step each in turn; there must be at least one in the line.

        The visitor whose turn it is keeps it until it is over. Then visitors from other addresses come first, then others
        from the same one, each in the order they are in, and last the visitor's own.
        """
        first = self.jobs[0]
        owner, address = self._turn or (None, None)
        if first.owner != owner or self._is_over or self._left(first) == 0:
            self.jobs = sorted(self.jobs, key=lambda job: 2 * (job.owner == owner) + (job.address == address))
            first = self.jobs[0]
            self._turn, self._began = (first.owner, first.address), None
        self._is_over = False
        self._team = [job for job in self.jobs if job is first or (job.group and job.group == first.group)]
        return self._team

    def step(self) -> None:
        """Tells that a step is about to be done: from the turn's first on, its time counts."""
        if self._began is None:
            self._began = self.clock()

    def must_give_way(self, job: Waiting) -> bool:
        """Whether a job at work has to leave its place to others now; then all that are trained in turn with it have to."""
        self._is_over = self._is_over or (job in self._team and self._left(job) == 0)
        return self._is_over

    def seconds_left(self, job: Waiting) -> float | None:
        """Until a job at work has to give way; None for others, and as long as nobody else waits."""
        return self._left(job) if job in self._team and job in self.jobs else None

    def others(self, job: Waiting) -> int:
        """How many entries of other visitors are in the line."""
        return len({other.unit for other in self.jobs if other.owner != job.owner})

    def _left(self, job: Waiting) -> float | None:
        came = min((other.entered for other in self.jobs if other.owner != job.owner), default=None)
        if came is None:
            return None
        now = self.clock()
        paused = [job.paused_at for job in self._team if job in self.jobs and job.paused_at is not None]
        ends = [max(came, now if self._began is None else self._began) + TURN, *(max(came, at) + PAUSE for at in paused)]
        return max(0.0, min(ends) - now)
