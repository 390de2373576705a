"""The training queue: runs trained in the background, as many at a time as there are workers. Knows no web page.

Runs that were submitted together take turns instead, a step each, so that they can be compared while they learn. Training
belongs to the process, not to the page that asked for it; `snapshot` gives whoever asks what there is to see.
"""

import atexit
import contextlib
import functools
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cae_core import runs
from cae_core.config import RunConfig, StackConfig, lookup
from cae_core.jobs import expected, requests
from cae_core.jobs.job import Job, Snapshot, work_off
from cae_core.jobs.requests import Entry
from cae_core.jobs.scheduling import JobError, Line, network
from cae_core.jobs.worker import Worker
from cae_core.runtime import host, process
from cae_core.runtime.caching import cached
from cae_core.training.trainer import Trainer

__all__ = ["JobError", "Jobs", "Snapshot", "default"]

MOST = {"together": 6, "in order": 12}
"""Runs that may be entered at once, by how they are trained."""
REMEMBERED, MOST_REMEMBERED, MOST_UNSAVED = 16, 288, 32
"""Runs that are over and can still be looked at here, of one visitor and of all, and those of all that the disk refused.

Of a class of thirty-six, eight each; one takes 0.1 MB."""
FORESEEN = 1.0
"""Seconds for which foreseen waiting times are good, unless somebody comes or goes."""

_Begin = tuple[str, Callable[[], Trainer]]  # a title, and what makes it


class Jobs:
    """A queue and what works on it; visitors take turns by a clock, in seconds.

    One worker is a thread of this process. Several are processes, each with a thread here that tells it what to do.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, workers: int = 1) -> None:
        self._changed = threading.Condition()
        self._line = Line(clock, workers)
        share = max(1, process.processors() // workers)
        self._workers = [Worker(share) for _ in range(workers)] if workers > 1 else [None]
        self._all: dict[str, Job] = {}  # by name, oldest first
        self._threads: list[threading.Thread] = []
        self._ending = False
        self._foreseen: tuple[Sequence[Job], float, Mapping[Job, float]] = ((), 0.0, {})  # of which line, when, waits

    def submit(
        self,
        config: RunConfig | StackConfig,
        owner: str = "",
        title: str = "",
        origin: Mapping[str, Any] | None = None,
        address: str = "",
    ) -> str:
        """Enters a new run at the end of the queue; its name.

        Args:
            config: what to train, a network or a stack.
            owner: an opaque mark of whose it is.
            title: any text.
            origin: `{"run": name, "step": step}` of weights to start from.
            address: the visitor's network address; "" for this machine's own.

        Raises:
            ValueError: the settings cannot work together, the weights do not fit, the disk refuses, or the queue is full.
        """
        (name,) = self._enter(_begins([Entry("", config, title, origin)], owner), owner, address)
        return name

    def enter(self, entries: Sequence[Entry], owner: str = "", address: str = "", mode: str = "in order") -> list[str]:
        """Enters runs that belong together at the end of the queue, or none of them; their names.

        Args:
            entries: what to train; in order, each may start from the end of one before it.
            owner, address: as `submit` takes them.
            mode: a key of `MOST`: "together" a step each in turn, or "in order" one after another.

        Raises:
            ValueError: as `submit`.
        """
        most, unit = lookup(MOST, "mode", mode), secrets.token_hex(8)
        if not 0 < len(entries) <= most:
            raise JobError(f"Got {len(entries)} runs to train {mode}: choose 1 to {most}.")
        return self._enter(_begins(entries, owner), owner, address, unit, unit if mode == "together" else "")

    def resume(self, name: str, owner: str = "", address: str = "") -> str:
        """Enters an interrupted or stopped run again, to go on where it was. Raises as `submit` does."""
        run = runs.find(name)
        if run.owner not in ("", owner):
            raise JobError(f"The run {run.label!r} is another visitor's: fork it to continue with a copy of your own.")
        self._enter([(run.title, functools.partial(requests.resume, run))], owner, address)
        return name

    def pause(self, name: str, owner: str = "") -> None:
        """Holds the run after the step it is in."""
        with self._mine(name, owner) as job:
            job.paused_at, job.steps = self._line.clock(), 0

    def go_on(self, name: str, owner: str = "") -> None:
        """Lets a paused run train again."""
        with self._mine(name, owner) as job:
            job.paused_at, job.steps = None, 0

    def step(self, name: str, owner: str = "") -> None:
        """Lets a paused run do one more step; pauses a running one."""
        with self._mine(name, owner) as job:
            job.steps += job.paused_at is not None
            job.paused_at = self._line.clock()

    def stop(self, name: str, owner: str = "") -> None:
        """Ends the run after the step it is in and keeps it; takes one that is waiting out of the queue."""
        with self._mine(name, owner) as job:
            if job.now.state != "waiting":
                job.stopping = True
                return
            self._line.remove(job)
            job.trainer.discard()  # one that was taken up again or gave way keeps what it has
            if job.monitor:  # it gave way, and what was seen of it stays
                job.monitor.forget_model()
                job.set("stopped")
            else:
                del self._all[name]

    def save_again(self, name: str, owner: str = "") -> None:
        """Tries once more to write down a run that the disk refused."""
        with self._mine(name, owner) as job:
            if job.now.state == "unsaved" and job not in self._line.jobs:
                self._line.add(job)

    def discard(self, name: str, owner: str = "") -> None:
        """Lets go of a run that the disk refused, or that is over; of what was written down before, everything stays.

        Raises:
            JobError: it is no run of the owner's, or one that trains.
        """
        with self._mine(name, owner) as job:
            if job.now.is_live:
                raise JobError(f"The run {name!r} is {job.now.state}: only one that is over can be discarded.")
            self._forget(job)

    def snapshot(self, name: str) -> Snapshot | None:
        """The job of that name; None if this process knows of none."""
        with self._changed:
            job = self._all.get(name)
            if job is None:
                return None
            if job.monitor:
                job.monitor.look()
            return self._placed([job])[0]

    def of(self, owner: str) -> list[Snapshot]:
        """Every job of an owner that is remembered, oldest first."""
        with self._changed:
            return self._placed([job for job in self._all.values() if job.owner == owner])

    def queue(self, most: int | None = None) -> list[Snapshot]:
        """Everybody's jobs that are not over, the one at work first; the first `most` of them."""
        with self._changed:
            return self._placed(self._line.jobs[:most])

    def has(self, name: str) -> bool:
        """Whether a run is in the queue: not over, or about to be written down once more after the disk refused."""
        with self._changed:
            return name in self._all and self._all[name] in self._line.jobs

    def is_busy(self) -> bool:
        """Whether a run is in training, or will be soon; one that is paused alone leaves the machine to others."""
        return any(job.now.state != "paused" for job in self._line.jobs)

    def end(self) -> None:
        """Ends the threads as the process does: what trains is written down, and what waits let go of, to be resumed."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(timeout=30)
        for worker in filter(None, self._workers):
            worker.end()
        for job in self._line.jobs:
            if job.now.state == "waiting":
                job.trainer.close()

    def _enter(self, begins: Sequence[_Begin], owner: str, address: str, unit: str = "", group: str = "") -> list[str]:
        """Enters all of them at once, in a place that is kept before they are begun; their names.

        If one cannot begin, none is left.
        """
        if off := host.training_off():
            raise JobError(off)
        address = network(address)
        with self._changed:
            place = self._line.reserve(owner, address)
        try:
            with contextlib.ExitStack() as undo:
                trainers = []
                for _, begin in begins:  # without the lock: it writes to the disk
                    trainers.append(begin())
                    undo.callback(trainers[-1].discard)
                    expected.whole(trainers[-1].config)  # reads what is known of runs like it, once
                undo.pop_all()
            with self._changed:
                entered = []
                for (title, _), trainer in zip(begins, trainers, strict=True):
                    entered.append(Job(trainer, title, owner, self._line, self._changed, address, unit, group))
                    self._all.pop(trainer.name, None)
                    self._all[trainer.name] = entered[-1]
                self._line.fill(place, entered)
                self._forget_oldest(owner)
                self._changed.notify_all()
                if not self._threads:
                    atexit.register(self.end)  # a thread killed inside TensorFlow would take the process down with an abort
                    shared = (self._line, self._changed, lambda: self._ending)
                    for work in enumerate(self._workers):
                        thread = threading.Thread(target=work_off, args=(*shared, *work), name="jobs", daemon=True)
                        self._threads.append(thread)
                        thread.start()
        finally:
            with self._changed:
                self._line.free(place)
        return [job.now.name for job in entered]

    def _forget_oldest(self, owner: str) -> None:
        over = [job for job in self._all.values() if job not in self._line.jobs]
        unsaved = [job for job in over if job.now.state == "unsaved"]
        ended = [job for job in over if job not in unsaved]
        ours = [job for job in ended if job.owner == owner]
        for job in {*ours[:-REMEMBERED], *ended[:-MOST_REMEMBERED], *unsaved[:-MOST_UNSAVED]}:
            self._forget(job)

    def _forget(self, job: Job) -> None:
        """Drops it from memory, and with it what the disk refused of it."""
        self._line.remove(job)
        del self._all[job.now.name]
        if job.trainer:
            job.trainer.discard()

    @contextlib.contextmanager
    def _mine(self, name: str, owner: str):
        with self._changed:
            job = self._all.get(name)
            if job is None or job.now.owner != owner:
                raise JobError(f"You have no run {name!r} in training here: it may be over, or another visitor's.")
            yield job
            self._changed.notify_all()

    def _placed(self, several: Sequence[Job]) -> list[Snapshot]:
        """These jobs as they are now, with what the line says of them."""
        places = {job: place for place, job in enumerate(self._line.jobs)}
        busy = {job.unit for job in self._line.jobs if job.now.is_live and job.now.state != "waiting"}
        entries = Counter({job.unit: job.owner for job in self._line.jobs if job.unit not in busy}.values())
        snapshots = []
        for job in several:
            now = replace(job.now, progress=job.monitor.progress if job.monitor else None)
            if job in places:
                others, left = entries.total() - entries[job.owner], self._line.seconds_left(job)
                waits = self._waits().get(job) if now.state == "waiting" else None
                now = replace(now, place=places[job], others=others, seconds_left=left, starts_in=waits)
            snapshots.append(now)
        return snapshots

    def _waits(self) -> Mapping[Job, float]:
        """`Line.waits`, foreseen once for all who ask in a moment."""
        line, when, waits = self._foreseen
        passed = self._line.clock() - when
        if line is not self._line.jobs or passed >= FORESEEN:
            waits = self._line.waits(expected.seconds)
            self._foreseen = self._line.jobs, self._line.clock(), waits
        return waits


def _begins(entries: Sequence[Entry], owner: str) -> list[_Begin]:
    return [(entry.title, functools.partial(entry.begin, owner)) for entry in entries]


@cached()
def default() -> Jobs:
    """The process's own."""
    return Jobs(workers=host.workers())
