"""Scheduling of the queue: how much of it one visitor may take, who is next, and when training has to give way.

A round robin with time slices. Visitors take turns; as long as others wait, a turn ends after `TURN` seconds of training or
`PAUSE` seconds of pause, both counted from when the first of the others came, if that was later. Runs submitted together or
in order are one entry of the line and stay in their order. Whoever uses a `Line` holds its lock.
"""

import copy
import ipaddress
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

MOST_OF_ONE = 5
MOST_OF_ADDRESS, MOST_WAITING = 36 * MOST_OF_ONE, 48 * MOST_OF_ONE
"""Entries that may be in the line: of one visitor, from one network address, and of everybody.

A browser that keeps no cookie is a new visitor every time, but comes from where it came before. An address's limit holds
all that a class of thirty-six may want that shares one, and still leaves room for everybody else. A run that waits costs
20 kB on disk, 2 kB of memory and an open file; foreseeing the times of a full line takes milliseconds a second."""

TURN = 120.0
"""Seconds that a visitor's training has while others wait, from its first step on."""

PAUSE = 30.0
"""Seconds that a paused run keeps its place while others wait, from the pause or the last single step on."""

HORIZON = 3600.0
"""Seconds for which waiting times are foreseen."""


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


@dataclass
class _Turn:
    """A team's turn: whose it is, when its first step was done, and who is at work in it."""

    owner: str | None = None
    address: str | None = None
    began: float | None = None
    team: list[Waiting] = field(default_factory=list)
    is_over: bool = False


class Line:
    """Jobs in the order in which they come, the first at work, and a clock that gives a time in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, teams: int = 1) -> None:
        """Args: `teams` are trained side by side; each takes its next jobs when it is done with those before."""
        self.clock = clock
        self.jobs: list[Waiting] = []
        self._came: dict[str, float | None] = {}  # by visitor, when the first of the others came who waits
        self._reserved: dict[object, tuple[str, str]] = {}  # owners and addresses of entries that are being made
        self._turns = [_Turn() for _ in range(teams)]

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
        self._put([*self.jobs, *jobs])

    def add(self, job: Waiting) -> None:
        """Puts a job at the end that was in the line before and holds no new place."""
        self._put([*self.jobs, job])

    def remove(self, job: Waiting) -> None:
        """Takes a job out."""
        self._put([other for other in self.jobs if other is not job])
        for turn in self._turns if not self.jobs else ():
            turn.owner = turn.address = None

    def next(self, number: int = 0) -> list[Waiting]:
        """The jobs that a team is to train now, a step each in turn; none if the other teams are at work on all.

        The visitor whose turn it is keeps it until it is over. Then visitors without a team come first, of them those from
        other addresses, each in the order they are in, and last the visitor's own.
        """
        turn = self._turns[number]
        turn.team, self._came = [], {}
        busy = [job for other in self._turns for job in other.team if job in self.jobs]
        owners, addresses, units = ({getattr(job, name) for job in busy} for name in ("owner", "address", "unit"))

        def free() -> list[Waiting]:
            return [job for job in self.jobs if job.unit not in units] if units else self.jobs

        if not (waiting := free()):
            return []
        if waiting[0].owner != turn.owner or turn.is_over or self._left(waiting[0], turn) == 0:
            owners, addresses = {turn.owner, *owners}, {turn.address, *addresses}

            def rank(job: Waiting) -> int:  # those at work stay in front
                return 2 * (job.owner in owners) + (job.address in addresses) - 4 * (job.unit in units)

            self._put(sorted(self.jobs, key=rank))
            waiting = free()
            turn.owner, turn.address, turn.began = waiting[0].owner, waiting[0].address, None
        turn.is_over = False
        first = waiting[0]
        turn.team, self._came = [job for job in waiting if job.group == first.group] if first.group else [first], {}
        return turn.team

    def step(self, job: Waiting) -> None:
        """Tells that a step of a job is about to be done: from the turn's first on, its time counts."""
        turn = self._turn_of(job)
        if turn and turn.began is None:
            turn.began = self.clock()

    def must_give_way(self, job: Waiting) -> bool:
        """Whether a job at work has to leave its place to others now; then all that are trained in turn with it have to."""
        turn = self._turn_of(job)
        if turn:
            turn.is_over = turn.is_over or self._left(job, turn) == 0
        return bool(turn) and turn.is_over

    def seconds_left(self, job: Waiting) -> float | None:
        """Until a job at work has to give way; None for others, and as long as nobody else waits."""
        turn = self._turn_of(job)
        return self._left(job, turn) if turn and job in self.jobs else None

    def waits(self, needs: Callable[[Waiting], float]) -> dict[Waiting, float]:
        """Seconds until each job first has its turn, about: what becomes of the line if nobody comes and nobody leaves.

        Args:
            needs: seconds that a job takes in all from now on.

        Returns:
            0 for those at work, infinity beyond the `HORIZON`; none for those whose visitor has paused what is before them.
        """
        start = now = self.clock()
        ahead = Line(lambda: now, len(self._turns))
        twins = {job: copy.copy(job) for job in self.jobs}
        jobs, left = {twin: job for job, twin in twins.items()}, {twin: needs(job) for job, twin in twins.items()}
        ahead._put(list(twins.values()))
        ahead._turns = [replace(turn, team=[twins[job] for job in turn.team if job in twins]) for turn in self._turns]
        ends, waits = dict.fromkeys(range(len(ahead._turns)), start), {}
        lengths: dict[int, float] = {}  # of each team's stint
        while len(waits) < len(jobs):
            number = min(ends, key=ends.get)
            now, turn = ends[number], ahead._turns[number]
            if now == math.inf:
                return waits
            if now >= start + HORIZON:
                break
            if number in lengths:
                ahead._end_stint(turn, left, lengths[number])
            if number in lengths or not turn.team:
                ahead.next(number)
            waits |= {jobs[job]: now - start for job in turn.team if jobs[job] not in waits}
            lengths[number] = math.inf
            if turn.team:
                ahead.step(turn.team[0])
                most, is_paused = ahead._left(turn.team[0], turn), any(job.paused_at is not None for job in turn.team)
                whole = math.inf if is_paused else sum(left[job] for job in turn.team)
                lengths[number] = whole if most is None else min(whole, most)
            ends[number] = now + lengths[number]
        return dict.fromkeys(self.jobs, math.inf) | waits

    def _end_stint(self, turn: _Turn, left: dict[Waiting, float], length: float) -> None:
        """What a team did in so many seconds of `waits`: it is done, or gives way."""
        whole = sum(left[job] for job in turn.team)
        for job in turn.team:
            if length >= whole and job.paused_at is None:
                self.remove(job)
            elif job.paused_at is None:
                left[job] *= 1 - length / whole
            job.paused_at = None
        turn.is_over = any(job in self.jobs for job in turn.team)

    def _put(self, jobs: list[Waiting]) -> None:
        self.jobs, self._came = jobs, {}

    def _turn_of(self, job: Waiting) -> _Turn | None:
        return next((turn for turn in self._turns if job in turn.team), None)

    def _left(self, job: Waiting, turn: _Turn) -> float | None:
        if job.owner not in self._came:
            busy = {other.unit for each in self._turns for other in each.team}
            others = (other.entered for other in self.jobs if other.owner != job.owner and other.unit not in busy)
            self._came[job.owner] = min(others, default=None)
        if (came := self._came[job.owner]) is None:
            return None
        now = self.clock()
        paused = [job.paused_at for job in turn.team if job in self.jobs and job.paused_at is not None]
        ends = [max(came, now if turn.began is None else turn.began) + TURN, *(max(came, at) + PAUSE for at in paused)]
        return max(0.0, min(ends) - now)
