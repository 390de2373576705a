"""One run in training: what is asked of it from outside, and how it obeys between two steps.

Pause, single step and stop are nothing but not asking `training.train` for its next event.
"""

from __future__ import annotations

import contextlib
import gc
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from cae_core import backend, runs
from cae_core.events import Diverged

LOADING = 300.0
"""Seconds that loading TensorFlow may take."""

LIVE = ("waiting", "preparing", "running", "paused", "measuring")
"""States of a job that is not over. Over are "finished", "stopped", "failed", and "unsaved": the disk refused."""


class Watching(Protocol):
    """What is seen of something in training, such as `watching.Watch`.

    Attributes:
        seen: the last look at it, of which a job needs nothing but whether there is one.
        is_at_end: whether every step is done.
    """

    seen: Any
    is_at_end: bool

    def look(self) -> None:
        """Somebody is looking."""

    def see(self, event: Any) -> None:
        """Takes note of a step."""

    def show(self) -> None:
        """Makes new pictures now."""

    def catch_up(self) -> None:
        """Makes pictures of the last step done."""

    def learn(self) -> None:
        """Everything went well: what later estimates can go by is kept."""

    def end_at(self, end: Diverged) -> None:
        """Counts the step in which training went out of hand, of which there are no pictures."""

    def forget_model(self) -> None:
        """Keeps the last pictures and lets go of the network."""


class Trainable(Protocol):
    """What a job can train, such as `recording.Recording`, whose methods say what each of these does and raises.

    Attributes:
        name: of the folder that it is written to.
        config: what is trained, of a kind of its own.
    """

    name: str
    config: Any

    def prepare(self) -> None: ...
    def watch(self) -> Watching: ...
    def events(self, on_end: Callable[[], None] = ...) -> Iterator[Any]: ...
    def write(self, state: str, message: str = "") -> None: ...
    def fail(self, message: str) -> None: ...
    def discard(self) -> None: ...
    def close(self) -> None: ...


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
        series: of the runs that were submitted with it, to be trained one after another; "" for none.
        place: runs before it in the queue, counting the one that trains; 0 for the one at work or over.
        seen: numbers and pictures of the training, a `watching.Seen` of a run; None before the first.
    """

    name: str
    title: str
    owner: str
    config: Any
    state: str
    message: str = ""
    group: str = ""
    series: str = ""
    place: int = 0
    seen: Any = None

    @property
    def is_live(self) -> bool:
        return self.state in LIVE


class _Stop(Exception):
    """The owner asked for the end of the run."""


class _End(Exception):
    """The process is ending."""


class Job:
    """What the thread that trains and those who ask share.

    Attributes:
        recording: the run; None when it is over and written down.
        watch: what is seen of it, once it is prepared.
        paused: whether it shall wait after the step it is in.
        steps: that may be done while paused.
        stopping: whether it shall end.
        now: what to say of it.
    """

    def __init__(
        self, recording: Trainable, title: str, owner: str, group: str, changed: threading.Condition, series: str = ""
    ) -> None:
        """Args: `changed` is held for every change of a job, and told of it."""
        self.recording: Trainable | None = recording
        self.watch: Watching | None = None
        self.paused = self.stopping = False
        self.steps = 0
        self.now = Snapshot(recording.name, title, owner, recording.config, "waiting", group=group, series=series)
        self._changed = changed

    def set(self, state: str, message: str = "") -> None:
        """Says where it is now."""
        with self._changed:
            self.now = replace(self.now, state=state, message=message)
            self._changed.notify_all()

    def work(self, is_ending: Callable[[], bool]) -> Generator[None, None, tuple[str, str]]:
        """Trains to the end, whichever it is, or tries once more to write down what the disk refused.

        Args:
            is_ending: whether the process is; asked after every step.

        Yields:
            After every step, so that several runs can be trained in turn.

        Returns:
            How it ended and, if there is more to say, why.
        """
        state, message = self._finish() if self.now.state == "unsaved" else (yield from self._train(is_ending))
        if state != "unsaved":
            self.recording.close()
            self.recording = None
            if self.watch:
                self.watch.forget_model()
            gc.collect()  # the network and its compiled functions refer to one another
        return state, message

    def _train(self, is_ending: Callable[[], bool]) -> Generator[None, None, tuple[str, str]]:
        """Trains to the end, whichever it is; returns how and why it ended."""
        recording = self.recording
        try:
            backend.ready(LOADING)
            recording.prepare()
            self.watch = recording.watch()
            self._obey(is_ending)
            for event in recording.events(on_end=lambda: self.set("measuring")):
                self.watch.see(event)
                yield
                self._obey(is_ending)
        except _Stop:
            return self._finish()
        except _End:
            with contextlib.suppress(runs.RunError):
                recording.write("running")
            return "interrupted", ""
        except runs.RunError as error:
            return ("unsaved" if self.watch and self.watch.seen else "failed"), str(error)
        except Exception as error:  # whatever it is, the queue goes on
            return self._fail(error)
        self.watch.learn()
        return "finished", ""

    def _fail(self, error: Exception) -> tuple[str, str]:
        message = str(error)
        if isinstance(error, Diverged):
            self.watch.end_at(error)
        if not isinstance(error, FloatingPointError | ValueError | RuntimeError):  # memory, a bug
            message = f"{type(error).__name__}: {error}. Try smaller settings, or start it again."
        with contextlib.suppress(runs.RunError):
            self.recording.fail(message)
        return "failed", message

    def _finish(self) -> tuple[str, str]:
        """Writes the run down as it is now."""
        self.set("measuring")
        try:
            self.watch.catch_up()
            state = "finished" if self.watch.is_at_end else "stopped"
            self.recording.write(state)
        except runs.RunError as error:
            return "unsaved", str(error)
        except Exception as error:  # it could not be measured
            return self._fail(error)
        return state, ""

    def _obey(self, is_ending: Callable[[], bool]) -> None:
        """Returns when the next step may be done; stays as long as the run is paused."""

        def may_go_on() -> bool:
            return self.steps or not self.paused or self.stopping or is_ending()

        if not may_go_on():
            self.watch.show()  # who asks for a snapshot does not wait for it
            self.set("paused")
        with self._changed:
            self._changed.wait_for(may_go_on)
            if is_ending():
                raise _End
            if self.stopping:
                raise _Stop
            self.steps -= self.paused
            if self.now.state != ("paused" if self.paused else "running"):
                self.set("paused" if self.paused else "running")
