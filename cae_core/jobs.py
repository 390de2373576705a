"""Runs trained in the background: one at a time, the others waiting in a queue. Knows no web page.

Runs that were submitted together take turns instead, a step each, so that they can be compared while they learn. A
page hands in a configuration and may go; the training belongs to the process. It comes back with `snapshot`, whenever
it likes, for what there is to see.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cae_core import estimating, runs
from cae_core.config import RunConfig
from cae_core.entry import Entry
from cae_core.job import Job, Snapshot, Trainable
from cae_core.recording import Recording, new_name

MOST_WAITING, MOST_OF_ONE = 20, 5
"""Runs that may be in the queue: of all visitors, and of one; those submitted at once count as one."""
MOST_TOGETHER = 6
"""Runs that may be submitted together."""
MOST_IN_ORDER = 12
"""Runs that may be submitted in order."""
REMEMBERED = 16
"""Runs that are over and can still be looked at here; on disk they stay."""


class JobError(ValueError):
    """Something that cannot be done with a job; the message says why."""


class Jobs:
    """A queue and the thread that works on it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queue: list[Job] = []  # the first is at work
        self._all: dict[str, Job] = {}  # by name, oldest first
        self._thread: threading.Thread | None = None
        self._ending = False

    def submit(self, config: RunConfig, owner: str = "", title: str = "", origin: Mapping[str, Any] | None = None) -> str:
        """Enters a new run at the end of the queue.

        Args:
            config: what to train.
            owner: an opaque mark of whose it is.
            title: any text.
            origin: `{"run": name, "step": step}` of weights to start from.

        Returns:
            The run's name.

        Raises:
            ValueError: the settings cannot work together, the weights do not fit, the disk refuses, or the queue is full.
        """
        return self.enter(lambda: Recording.begin(config, new_name(config), title, owner, origin), owner, title)

    def submit_together(self, configs: Sequence[RunConfig], owner: str = "", titles: Sequence[str] = ()) -> list[str]:
        """Enters runs that will be trained in turn, a step each.

        Args:
            configs: of up to `MOST_TOGETHER` runs.
            owner: an opaque mark of whose they are.
            titles: one a run, any text.

        Returns:
            Their names.

        Raises:
            ValueError: as `submit`; then none of them is entered.
        """
        if not 0 < len(configs) <= MOST_TOGETHER:
            raise JobError(f"Got {len(configs)} runs to train together: choose 1 to {MOST_TOGETHER}.")
        titles = titles or [""] * len(configs)
        entries = [Entry(new_name(config), config, title) for config, title in zip(configs, titles, strict=True)]
        self._enter_all(entries, owner, group=secrets.token_hex(8))
        return [entry.name for entry in entries]

    def submit_in_order(self, entries: Sequence[Entry], owner: str = "") -> None:
        """Enters runs that belong together, to be trained one after another; each may start from the end of one before it.

        Args:
            entries: up to `MOST_IN_ORDER`.
            owner: an opaque mark of whose they are.

        Raises:
            ValueError: as `submit`; then none of them is entered.
        """
        if not 0 < len(entries) <= MOST_IN_ORDER:
            raise JobError(f"Got {len(entries)} runs to train in order: choose 1 to {MOST_IN_ORDER}.")
        self._enter_all(entries, owner, series=secrets.token_hex(8))

    def resume(self, name: str, owner: str = "") -> str:
        """Enters an interrupted or stopped run again, to go on where it was. Raises as `submit` does."""
        run = runs.find(name)
        if run.owner not in ("", owner):
            raise JobError(f"The run {run.label!r} is another visitor's: fork it to go on with a copy of your own.")
        return self.enter(lambda: Recording.resume(run), owner, run.title)

    def enter(self, begin: Callable[[], Trainable], owner: str = "", title: str = "") -> str:
        """Enters training of any kind at the end of the queue.

        Args:
            begin: makes what is to be trained, once there is room for it; what it raises is raised.
            owner: an opaque mark of whose it is.
            title: any text.

        Returns:
            Its name.

        Raises:
            ValueError: the queue is full.
        """
        with self._changed:
            self._refuse_more(owner)
        return self._enter(begin(), title, owner)

    def pause(self, name: str, owner: str = "") -> None:
        """Holds the run after the step it is in."""
        with self._mine(name, owner) as job:
            job.paused, job.steps = True, 0

    def go_on(self, name: str, owner: str = "") -> None:
        """Lets a paused run train again."""
        with self._mine(name, owner) as job:
            job.paused, job.steps = False, 0

    def step(self, name: str, owner: str = "") -> None:
        """Lets a paused run do one more step; pauses a running one."""
        with self._mine(name, owner) as job:
            job.steps += job.paused
            job.paused = True

    def stop(self, name: str, owner: str = "") -> None:
        """Ends the run after the step it is in and keeps it; takes one that is waiting out of the queue."""
        with self._mine(name, owner) as job:
            if job.now.state != "waiting":
                job.stopping = True
                return
            self._queue.remove(job)
            del self._all[name]
            job.recording.discard()  # one that was taken up again keeps what it has

    def save_again(self, name: str, owner: str = "") -> None:
        """Tries once more to write down a run that the disk refused."""
        with self._mine(name, owner) as job:
            if job.now.state == "unsaved" and job not in self._queue:
                self._queue.append(job)

    def snapshot(self, name: str) -> Snapshot | None:
        """The job of that name; None if this process knows of none."""
        with self._changed:
            job = self._all.get(name)
            if job is None:
                return None
            if job.watch:
                job.watch.look()
            return self._placed(job)

    def of(self, owner: str) -> list[Snapshot]:
        """Every job of an owner that is remembered, oldest first."""
        with self._changed:
            return [self._placed(job) for job in self._all.values() if job.now.owner == owner]

    def queue(self) -> list[Snapshot]:
        """Everybody's jobs that are not over, the one at work first."""
        with self._changed:
            return [self._placed(job) for job in self._queue]

    def is_busy(self) -> bool:
        """Whether a run is in training, or will be at once."""
        return bool(self._queue)

    def end(self) -> None:
        """Ends the thread as the process does: what trains is written down, and what waits let go of, to be resumed."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        if self._thread:
            self._thread.join(timeout=30)
        for job in self._queue:
            if job.now.state == "waiting":
                job.recording.close()

    def _refuse_more(self, owner: str) -> None:
        entries = [(job.now.owner, job.now.group or job.now.series or job.now.name) for job in self._queue]
        ours = len({entry for whose, entry in entries if whose == owner})
        if ours >= MOST_OF_ONE:
            raise JobError(f"You have {ours} runs in the queue, the most one visitor may: wait for one, or withdraw one.")
        if len(set(entries)) >= MOST_WAITING:
            raise JobError(f"The queue is full, with {len(self._queue)} runs: try again when some are done.")

    def _enter_all(self, entries: Sequence[Entry], owner: str, group: str = "", series: str = "") -> None:
        """Enters all of them at once, or the first would begin alone; if one cannot begin, none is left."""
        with self._changed:
            self._refuse_more(owner)
        with contextlib.ExitStack() as undo:
            begun = []
            for entry in entries:
                begun.append(entry.begin(owner))
                undo.callback(begun[-1].discard)
            undo.pop_all()
        with self._changed:
            for recording, entry in zip(begun, entries, strict=True):
                self._enter(recording, entry.title, owner, group, series)

    def _enter(self, recording: Trainable, title: str, owner: str, group: str = "", series: str = "") -> str:
        job = Job(recording, title, owner, group, self._changed, series)
        with self._changed:
            self._all.pop(recording.name, None)
            self._all[recording.name] = job
            over = [name for name, job in self._all.items() if job not in self._queue and job.now.state != "unsaved"]
            for name in over[:-REMEMBERED]:
                del self._all[name]
            self._queue.append(job)
            self._changed.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)
                atexit.register(self.end)  # a thread killed inside TensorFlow would take the process down with an abort
                self._thread.start()
        return recording.name

    @contextlib.contextmanager
    def _mine(self, name: str, owner: str):
        with self._changed:
            job = self._all.get(name)
            if job is None or job.now.owner != owner:
                raise JobError(f"You have no run {name!r} in training here: it may be over, or another visitor's.")
            yield job
            self._changed.notify_all()

    def _placed(self, job: Job) -> Snapshot:
        place = self._queue.index(job) if job in self._queue else 0
        return replace(job.now, place=place, seen=job.watch.seen if job.watch else None)

    def _work(self) -> None:
        if hasattr(os, "setpriority"):  # a thread's own priority, on Linux: hands at a slider come first
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._ending)
                if self._ending:
                    return
                first = self._queue[0]
                team = [job for job in self._queue if job is first or (job.now.group and job.now.group == first.now.group)]
                for job in team:
                    if job.now.state == "waiting":  # at once, for from here on it can no longer be taken out of the queue
                        job.set("preparing")
            at_work = {job: job.work(lambda: self._ending) for job in team}
            while at_work:
                for job, steps in list(at_work.items()):
                    try:
                        next(steps)
                    except StopIteration as end:
                        del at_work[job]
                        with self._changed:
                            self._queue.remove(job)
                            job.set(*end.value)


@functools.cache
def default() -> Jobs:
    """The process's own; while it is at work, nobody's time is estimated."""
    jobs = Jobs()
    estimating.busy = jobs.is_busy
    return jobs
