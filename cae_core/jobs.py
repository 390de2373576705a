"""Runs trained in the background: one at a time, the others waiting in a queue. Knows no web page.

A page hands in a configuration and may go; the training belongs to the process. It comes back with `snapshot`, whenever it
likes, for what there is to see. Pause, single step and stop are nothing but not asking `training.train` for its next event.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from cae_core import backend, runs
from cae_core.config import RunConfig
from cae_core.recording import Recording, new_name
from cae_core.watching import Seen, Watch

MOST_WAITING, MOST_OF_ONE = 20, 5
"""Runs that may be in the queue: of all visitors, and of one."""
REMEMBERED = 16
"""Runs that are over and can still be looked at here; on disk they stay."""
LOADING = 300.0
"""Seconds that loading TensorFlow may take."""

LIVE = ("waiting", "preparing", "running", "paused", "measuring")
"""States of a job that is not over. Over are "finished", "stopped", "failed", and "unsaved": the disk refused."""


class JobError(ValueError):
    """Something that cannot be done with a job; the message says why."""


@dataclass(frozen=True)
class Snapshot:
    """A job as it is at one moment.

    Attributes:
        name: of the run.
        title: what its owner calls it; any text.
        owner: whose it is.
        config: what is trained.
        state: one of `LIVE`, or how it ended.
        message: why it failed or could not be saved, else "".
        place: runs before it in the queue, counting the one that trains; 0 for the one at work or over.
        seen: numbers and pictures of the training; None before the first.
    """

    name: str
    title: str
    owner: str
    config: RunConfig
    state: str
    message: str = ""
    place: int = 0
    seen: Seen | None = None

    @property
    def is_live(self) -> bool:
        return self.state in LIVE


class _Stop(Exception):
    """The owner asked for the end of the run."""


class _End(Exception):
    """The process is ending."""


class _Job:
    """What the worker and those who ask share; every change is made under `Jobs._changed`."""

    def __init__(self, recording: Recording, title: str, owner: str) -> None:
        self.recording: Recording | None = recording
        self.watch: Watch | None = None
        self.paused = self.stopping = False
        self.steps = 0  # that may be done while paused
        self.now = Snapshot(recording.name, title, owner, recording.config, "waiting")


class Jobs:
    """A queue and the thread that works on it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queue: list[_Job] = []  # the first is at work
        self._all: dict[str, _Job] = {}  # by name, oldest first
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
        with self._changed:
            self._refuse_more(owner)
        return self._enter(Recording.begin(config, new_name(config), title, owner, origin), title, owner)

    def resume(self, name: str, owner: str = "") -> str:
        """Enters an interrupted or stopped run again, to go on where it was. Raises as `submit` does."""
        run = runs.find(name)
        if run.owner not in ("", owner):
            raise JobError(f"The run {run.label!r} is another visitor's: fork it to go on with a copy of your own.")
        with self._changed:
            self._refuse_more(owner)
        return self._enter(Recording.resume(run), run.title, owner)

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
        ours = sum(job.now.owner == owner for job in self._queue)
        if ours >= MOST_OF_ONE:
            raise JobError(f"You have {ours} runs in the queue, the most one visitor may: wait for one, or withdraw one.")
        if len(self._queue) >= MOST_WAITING:
            raise JobError(f"The queue is full, with {len(self._queue)} runs: try again when some are done.")

    def _enter(self, recording: Recording, title: str, owner: str) -> str:
        job = _Job(recording, title, owner)
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

    def _placed(self, job: _Job) -> Snapshot:
        place = self._queue.index(job) if job in self._queue else 0
        return replace(job.now, place=place, seen=job.watch.seen if job.watch else None)

    def _set(self, job: _Job, state: str, message: str = "") -> None:
        with self._changed:
            job.now = replace(job.now, state=state, message=message)
            self._changed.notify_all()

    def _work(self) -> None:
        if hasattr(os, "setpriority"):  # a thread's own priority, on Linux: hands at a slider come first
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._ending)
                if self._ending:
                    return
                job = self._queue[0]
                if job.now.state == "waiting":  # at once, for from here on it can no longer be taken out of the queue
                    self._set(job, "preparing")
            state, message = self._finish(job) if job.now.state == "unsaved" else self._train(job)
            if state != "unsaved":
                job.recording.close()
                job.recording = None
                job.watch.forget_model() if job.watch else None
                gc.collect()  # the network and its compiled functions refer to one another
            with self._changed:
                self._queue.remove(job)
                self._set(job, state, message)

    def _train(self, job: _Job) -> tuple[str, str]:
        """Trains to the end, whichever it is; returns how and why it ended."""
        recording = job.recording
        try:
            backend.ready(LOADING)
            recording.prepare()
            job.watch = Watch(recording)
            self._obey(job)
            for event in recording.events(on_end=lambda: self._set(job, "measuring")):
                job.watch.see(event)
                self._obey(job)
        except _Stop:
            return self._finish(job)
        except _End:
            with contextlib.suppress(runs.RunError):
                recording.write("running")
            return "interrupted", ""
        except runs.RunError as error:
            return ("unsaved" if job.watch and job.watch.seen else "failed"), str(error)
        except Exception as error:  # whatever it is, the queue goes on
            return self._fail(recording, error)
        return "finished", ""

    def _fail(self, recording: Recording, error: Exception) -> tuple[str, str]:
        message = str(error)
        if not isinstance(error, FloatingPointError | ValueError | RuntimeError):  # memory, a bug
            message = f"{type(error).__name__}: {error}. Try smaller settings, or start it again."
        with contextlib.suppress(runs.RunError):
            recording.fail(message)
        return "failed", message

    def _finish(self, job: _Job) -> tuple[str, str]:
        """Writes the run down as it is now."""
        self._set(job, "measuring")
        state = "finished" if job.watch.is_at_end else "stopped"
        try:
            job.recording.write(state)
        except runs.RunError as error:
            return "unsaved", str(error)
        except Exception as error:  # it could not be measured
            return self._fail(job.recording, error)
        return state, ""

    def _obey(self, job: _Job) -> None:
        """Returns when the next step may be done; stays as long as the run is paused."""

        def may_go_on() -> bool:
            return job.steps or not job.paused or job.stopping or self._ending

        if not may_go_on():
            self._set(job, "paused")
            job.watch.show()  # who asks for a snapshot does not wait for it
        with self._changed:
            self._changed.wait_for(may_go_on)
            if self._ending:
                raise _End
            if job.stopping:
                raise _Stop
            job.steps -= job.paused
            if job.now.state != ("paused" if job.paused else "running"):
                self._set(job, "paused" if job.paused else "running")


@functools.cache
def default() -> Jobs:
    """The process's own."""
    return Jobs()
