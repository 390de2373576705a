"""A training job: what is asked of it from outside, and how it obeys between two steps.

Pause, single step and stop are nothing but not asking `training.train` for its next event. Where others wait, a run gives
way between two steps: it is written down, lets go of its network and goes on from there in its next turn.
"""

import contextlib
import gc
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Any

from cae_core import runs, runtime
from cae_core.jobs.scheduling import Line
from cae_core.training.events import Diverged
from cae_core.training.monitor import Monitor
from cae_core.training.trainer import Trainer

LIVE = ("waiting", "preparing", "running", "paused", "measuring")
"""States of a job that is not over; one that gave way waits again. Over are "finished", "stopped", "failed", and "unsaved":
the disk refused."""


@dataclass(frozen=True)
class Snapshot:
    """A job as it is at one moment.

    Attributes:
        name: of the run.
        title: what its owner calls it; any text.
        owner: whose it is.
        config: what is trained: a `RunConfig`, or of another kind of training its own.
        state: one of `LIVE`, or how it ended.
        message: why it failed or could not be saved, else "".
        group: of the runs that are trained together with it, a step each in turn; "" for none.
        place: runs before it in the queue, counting the one that trains; 0 for the one at work or over.
        progress: numbers and pictures of the training, the last look of its monitor; None before the first.
        others: entries of other visitors of which nothing is at work.
        seconds_left: until it has to give way to them; None if nobody else waits, or while it waits itself.
        starts_in: while it waits, seconds until its turn comes, about; `inf` if that is far off, None if nobody can say.
    """

    name: str
    title: str
    owner: str
    config: Any
    state: str
    message: str = ""
    group: str = ""
    place: int = 0
    progress: Any = None
    others: int = 0
    seconds_left: float | None = None
    starts_in: float | None = None

    @property
    def is_live(self) -> bool:
        return self.state in LIVE


_End = tuple[str, str]
"""How it ended, "waiting" if it gave way, and, if there is more to say, why."""


class Lost(Exception):
    """What was to train the run is gone, or never was; the message says what to do. What was written down stays."""


def sentence(error: Exception) -> str:
    """What ended a run, for who started it."""
    if isinstance(error, FloatingPointError | ValueError | RuntimeError):
        return str(error)
    return f"{type(error).__name__}: {error}. Try smaller settings, or start it again."  # memory, a bug


class Job:
    """What the thread that trains and those who ask share.

    Attributes:
        trainer: the run; None when it is over and written down.
        config: what is trained.
        monitor: what is known of it, once it is prepared.
        paused_at: while it shall wait after the step it is in, the time on the line's clock since when; else None.
        steps: that may be done while paused.
        stopping: whether it shall end.
        now: what to say of it.
        owner, address, unit, group, entered: as `scheduling.Waiting` has them.
    """

    def __init__(
        self,
        trainer: Trainer,
        title: str,
        owner: str,
        line: Line,
        changed: threading.Condition,
        address: str = "",
        unit: str = "",
        group: str = "",
    ) -> None:
        """Args: `line` is what it waits in; `changed` is held for every change of a job, and told of it."""
        self.trainer: Trainer | None = trainer
        self.monitor: Monitor | None = None
        self.paused_at: float | None = None
        self.stopping = False
        self.steps = 0
        self.config = trainer.config
        self.now = Snapshot(trainer.name, title, owner, trainer.config, "waiting", group=group)
        self.owner, self.address, self.unit, self.group = owner, address, unit or trainer.name, group
        self.entered = line.clock()
        self._line, self._changed = line, changed
        self._only_writes = False  # everything is done but what the disk refused

    def set(self, state: str, message: str = "") -> None:
        """Says where it is now."""
        with self._changed:
            self.now = replace(self.now, state=state, message=message)
            self._changed.notify_all()

    def begin(self) -> None:
        """Tells that its turn has come: from here on it can no longer be taken out of the queue."""
        self._only_writes = self.now.state == "unsaved"
        self.set("measuring" if self._only_writes else "preparing")

    def work(self, is_ending: Callable[[], bool]) -> Generator[None, None, _End]:
        """Trains to the end, whichever it is, or until it gives way; or writes down what the disk refused.

        Args:
            is_ending: whether the process is; asked after every step.

        Yields:
            After every step, so that several runs can be trained in turn.
        """
        try:
            state, message = self._finish() if self._only_writes else (yield from self._train(is_ending))
        except Lost as error:
            state, message = "interrupted", str(error)
        except Exception as error:  # whatever it is, the queue goes on
            state, message = self._fail(error)
        if state == "waiting":
            self.monitor.let_go()
        elif state != "unsaved":
            self.trainer.close()
            self.trainer = None
            if self.monitor:
                self.monitor.forget_model()
        if state != "unsaved":
            gc.collect()  # the network and its compiled functions refer to one another
        return state, message

    def _train(self, is_ending: Callable[[], bool]) -> Generator[None, None, _End]:
        try:
            self.trainer.prepare()
            self.monitor = self.monitor or self.trainer.monitor()
            events = self.trainer.events(on_end=lambda: self.set("measuring"))
            while not (end := self._obey(is_ending)):
                if (event := next(events, None)) is None:
                    self.monitor.learn()
                    return "finished", ""
                self.monitor.see(event)
                yield
        except runs.RunError as error:
            return ("unsaved" if self.monitor and self.trainer.last else "failed"), str(error)
        return end()

    def _interrupt(self) -> _End:
        with contextlib.suppress(runs.RunError):
            self.trainer.write("running")
        return "interrupted", ""

    def _fail(self, error: Exception) -> _End:
        message = sentence(error)
        if isinstance(error, Diverged):
            self.monitor.end_at(error)
        with contextlib.suppress(Exception):  # it is said on the page, whether or not it can be written down
            self.trainer.fail(message)
        return "failed", message

    def _finish(self) -> _End:
        """Writes the run down as it is now."""
        self.set("measuring")
        try:
            self.monitor.catch_up()
            state = "finished" if self.monitor.is_at_end else "stopped"
            self.trainer.write(state)
        except runs.RunError as error:
            return "unsaved", str(error)
        return state, ""

    def _give_way(self) -> _End:
        """Writes the run down and lets go of its network; its pause is over."""
        try:
            self.monitor.catch_up()
            self.trainer.rest()
        except runs.RunError as error:
            return "unsaved", str(error)
        with self._changed:
            self.paused_at, self.steps = None, 0
        return "waiting", ""

    def _obey(self, is_ending: Callable[[], bool]) -> Callable[[], _End] | None:
        """Returns when the next step may be done, or else what ends it; stays while the run is paused."""

        def may_go_on() -> bool:
            is_free = self.steps or self.paused_at is None or self.stopping or is_ending()
            return bool(is_free) or self._line.must_give_way(self)

        with self._changed:
            stays = not may_go_on()
        if stays:
            self.monitor.show()  # who asks for a snapshot does not wait for it
            self.set("paused")
        with self._changed:
            while not may_go_on():
                self._changed.wait(self._line.seconds_left(self))
            if is_ending():
                return self._interrupt
            if self.stopping:
                return self._finish
            if self._line.must_give_way(self) and not self.monitor.is_at_end:
                return self._give_way
            self._line.step(self)
            is_paused = self.paused_at is not None
            self.steps = max(0, self.steps - is_paused)
            if self.now.state != ("paused" if is_paused else "running"):
                self.set("paused" if is_paused else "running")
        return None


def work_off(line: Line, changed: threading.Condition, is_ending: Callable[[], bool], number: int, worker: Any) -> None:
    """Trains whatever is in a line, until the process ends; runs in a thread of its own.

    Args:
        line: of jobs.
        changed: held for every look at the line and every change of it, and told of them.
        is_ending: whether the process is.
        number: of the line's teams that this is.
        worker: the `worker.Worker` that trains; None for this thread.
    """
    runtime.give_way()
    while True:
        with changed:
            team = changed.wait_for(lambda: is_ending() or line.next(number))
            if is_ending():
                return
            for job in team:
                job.begin()
                job.trainer = worker.lend(job.trainer) if worker else job.trainer
        at_work = {job: job.work(is_ending) for job in team}
        while at_work:
            for job, steps in list(at_work.items()):
                try:
                    next(steps)
                except StopIteration as end:
                    del at_work[job]
                    with changed:
                        if end.value[0] != "waiting":
                            line.remove(job)
                        job.set(*end.value)
