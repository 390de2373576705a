"""The trainer of a run of any kind: writes it down as it trains, so that a crash loses nothing but the part at work.

`run.json` is replaced last, and only what it counts has happened. `lock` is held by the process at work on it, so that a
run whose process is gone is known as interrupted.
"""

import contextlib
import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from cae_core import runs, runtime
from cae_core.runs import AnyRun, RunError, holder, schema, storage
from cae_core.runs.folder import Folder
from cae_core.runs.writing import description
from cae_core.training.events import Checkpoint
from cae_core.training.monitor import Monitor


class Trainer(ABC):
    """One run, trained and written down. Made by `begin` or `resume`; whoever asks for its events drives it.

    Attributes:
        name: the run's name, in `runs.runs_dir()`.
        config: what is trained.
        model: the networks, once it is prepared.
        last: the last step that this process did, written down or not; None before there is any.
    """

    FOLDERS: ClassVar[tuple[str, ...]] = ()  # in the run's
    writes_when_interrupted: ClassVar[bool] = False  # else what was written last is enough to go on from
    check: ClassVar[Callable[[Any], None]]  # a ValueError naming what in a configuration cannot work together
    stem: ClassVar[Callable[[Any], str]]  # of a configuration, what such a run's name begins with
    weights_name: ClassVar[Callable[[int], str]]  # the file that has the weights after a step
    resume_name: ClassVar[Callable[[int], str]]  # the one that has what else it takes to go on; it may be the same

    def __init__(self, path: Path, config: Any, title: str, owner: str, origin: Mapping[str, Any] | None) -> None:
        self.path, self.name, self.config = path, path.name, config
        self._folder = Folder(path, {"title.txt": title[: runs.TITLE].encode(errors="replace")}, self.FOLDERS)
        self.model: Any = None
        self.last: Any = None
        self._owner, self._origin = owner, origin
        self._start: Any = None  # the checkpoint that this process goes on from
        self._data: Any = None  # what it learns from, once it is prepared
        self._written = (0, 0.0)  # steps and seconds that are on disk
        self._began = False  # whether this process trained it

    @classmethod
    def begin(
        cls, config: Any, name: str = "", title: str = "", owner: str = "", origin: Mapping[str, Any] | None = None
    ) -> Self:
        """Enters a new run, waiting to be trained.

        Args:
            config: what to train.
            name: a name that no run has; "" for one that says what it is.
            title: any text.
            owner: an opaque mark of whose it is.
            origin: of a network, as `warm_start.weights` takes it: start from these weights instead of fresh ones.

        Raises:
            ValueError: the settings cannot work together.
            RunError: the name is taken, the weights to start from do not fit, or the disk refuses.
        """
        cls.check(config)
        path = runs.runs_dir() / runs.check_name(name or cls.new_name(config))
        if path.exists() or (runs.PRETRAINED_DIR / path.name).exists():
            raise RunError(f"There is a run called {path.name!r} already; choose another name.")
        self = cls(path, config, title, owner, origin)
        self._folder.make({**self._first_files(), "run.json": self._described("waiting").encode()})
        return self

    @classmethod
    def resume(cls, run: AnyRun) -> Self:
        """Takes up a run that was interrupted or stopped, to go on from its last recorded step.

        Raises:
            ValueError: the settings cannot work together on this machine.
            RunError: it is over, somebody is at work on it, the disk refuses, or what it takes to go on is damaged.
        """
        if run.state in runs.AT_WORK:
            raise RunError(holder.sentence(f"The run {run.label!r}", run.path))
        if not run.can_go_on:
            raise RunError(f"The run {run.label!r} is {run.state}: only an interrupted or stopped run can be resumed.")
        cls.check(run.config)
        self = cls(run.path, run.config, run.title, run.owner, run.origin)
        self._folder.take_up(f"The run {run.label!r}")
        try:
            self._take_up(run)
            if run.step:
                self._written = (run.step, run.seconds)
                self._start = self._checkpoint()
        except RunError:
            self.close()
            raise
        return self

    @classmethod
    def new_name(cls, config: Any) -> str:
        """A name that no run has, such as "mnist-fast-b32-20261122-093001-5f2c90ab"."""
        return f"{cls.stem(config)}-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(4)}"

    def prepare(self) -> None:
        """Loads TensorFlow and the data, and builds the networks.

        Raises:
            RuntimeError: TensorFlow cannot be loaded here.
            ValueError: the networks cannot take these images.
            RunError: what it starts or goes on from is damaged, does not fit, or is not there yet.
            datasets.DataError: the data set is not there.
        """
        runtime.ready(runtime.LOADING)
        model = self._build()
        if self._written[0] and not self._start:  # it had given way
            self._start = self._checkpoint()
        file = self.weights_name(self._start.step if self._start else 0)
        if self._start or self._origin:
            try:
                model.set_weights(self._start.weights if self._start else storage.read_weights(self.path / file))
            except Exception as error:  # a damaged archive fails in more ways than can be listed
                raise self._damaged(file, error, "start the run again") from error
        self.model = model

    def run(self, on_event: Callable[[Any], None]) -> AnyRun:
        """Trains to the end, giving every event to somebody who waits; what stops it early leaves a run that can go on.

        Raises:
            FloatingPointError: it diverged, which is written down with it.
            ValueError: it could not begin, and nothing is left of it; or the disk refuses.
        """
        try:
            for event in self.events():
                on_event(event)
        except KeyboardInterrupt:
            if self.last and self.writes_when_interrupted:
                self.write("stopped")
            raise
        except FloatingPointError as error:
            self.fail(str(error))
            raise
        except ValueError:
            if self.model is None:  # it never began: there is no data set, or the networks cannot take its images
                self.discard()
            raise
        finally:
            self.close()
        return runs.read(self.path)

    def events(self, on_end: Callable[[], None] = lambda: None) -> Iterator[Any]:
        """Trains, writing down every epoch before its last event is handed on, and the figures at the end.

        Args:
            on_end: called when training is over and test images are about to be read, which takes seconds.

        Raises:
            FloatingPointError: the run diverged; what it was at the last writing is kept.
            RunError: the disk refuses; everything is still in memory, and `write` tries again.
        """
        if self.model is None:
            self.prepare()
        events = self._train()
        self._commit("running")
        self._began = True
        for event in events:
            self.last = event
            if self._notes(event) and event.step < event.num_steps:
                self.write("running")
            yield event
        on_end()
        self.write("finished")

    def write(self, state: str, message: str = "") -> None:
        """Writes down where the run stands, exactly enough to go on from there; with its figures, if this is its end.

        Raises:
            RunError: the disk refuses; nothing that was there before is lost, and everything is still in memory.
        """
        self._measure(state)
        if self.last:
            checkpoint = self.last.checkpoint()
            self._write_checkpoint(checkpoint, state)
            self._written = (checkpoint.step, checkpoint.seconds)
        self._commit(state, message)
        for file in self._superfluous(state):
            with contextlib.suppress(OSError):  # what cannot be removed does no harm
                file.unlink()

    def rest(self) -> None:
        """Writes the run down, or raises as `write` does, and lets go of its networks and images; `prepare` goes on."""
        self.write("waiting")
        self.model = self._start = self.last = self._data = None

    def __getstate__(self) -> dict[str, Any]:
        """As it is at rest, for another process to go on with while this one keeps the lock."""
        return vars(self) | {"model": None, "last": None, "_start": None, "_data": None}

    def take_over(self, other: Self) -> None:
        """Takes note of how far another process has come with it."""
        vars(self).update(vars(other) | {"_folder": self._folder})

    def fail(self, message: str) -> None:
        """Writes down that the run ended by a problem, leaving what its last writing left.

        One that was taken up again and could not even begin, for want of its data set, stays as it was.

        Raises:
            RunError: the disk refuses.
        """
        if not (self._written[0] and self.model is None):
            self._commit("failed", message)

    def discard(self) -> None:
        """Lets go of the run, and removes it if no step of it was ever written down."""
        self._folder.discard(keep=bool(self._written[0]), was_begun=self._began)

    def close(self) -> None:
        """Lets go of the run; what is not written down is lost."""
        self._folder.close()

    def _described(self, state: str, message: str = "") -> str:
        step, seconds = self._written
        own = {"step": step, "seconds": round(seconds, 2), "state": state, "message": message, "owner": self._owner}
        return description(self.config, **self._facts(), **own)

    def _commit(self, state: str, message: str = "") -> None:
        self._folder.write("run.json", self._described(state, message).encode())

    def _checkpoint(self) -> Checkpoint:
        """The checkpoint of the last writing; a RunError if it is damaged."""
        step = self._written[0]
        file = self.resume_name(step)
        try:
            checkpoint = Checkpoint.from_arrays(storage.read_arrays(self.path / file, self._most_unpacked()), step)
            self._check_losses(checkpoint.losses)
            if not checkpoint.weights:
                file = self.weights_name(step)
                checkpoint = replace(checkpoint, weights=storage.read_weights(self.path / file))
        except Exception as error:
            raise self._damaged(file, error, "the run cannot be resumed; start it again") from error
        return checkpoint

    def _damaged(self, file: str, error: Exception, advice: str) -> RunError:
        return RunError(f"{self.path / file} is damaged or missing ({schema.reason(error)}): {advice}.")

    @abstractmethod
    def monitor(self) -> Monitor:
        """The monitor of it while it trains; once it is prepared."""

    def _most_unpacked(self) -> int:
        """Bytes that a checkpoint may unpack to."""
        return storage.MOST_UNPACKED

    def _check_losses(self, losses: np.ndarray) -> None:  # noqa: B027 (no duty: not every kind has any)
        """A ValueError if these cannot be a checkpoint's losses."""

    def _first_files(self) -> dict[str, bytes]:
        """What is in the folder of a new run beside what every run has: content by name."""
        return {}

    @abstractmethod
    def _take_up(self, run: AnyRun) -> None:
        """Reads what a run that goes on has beside its checkpoint; a RunError if that is damaged."""

    @abstractmethod
    def _build(self) -> Any:
        """Loads what it learns from; returns the networks, with fresh weights."""

    @abstractmethod
    def _train(self) -> Iterator[Any]:
        """The events of its training, from where it stands; what is to be known before the first step is written here."""

    @abstractmethod
    def _notes(self, event: Any) -> bool:
        """Takes note of an event; whether it ends a part that is written down."""

    @abstractmethod
    def _measure(self, state: str) -> None:
        """Measures what is written down with that state, and writes what of it is no part of `run.json`."""

    @abstractmethod
    def _write_checkpoint(self, checkpoint: Any, state: str) -> None:
        """Writes down everything but `run.json`."""

    @abstractmethod
    def _superfluous(self, state: str) -> list[Path]:
        """Files that the last writing made superfluous."""

    @abstractmethod
    def _facts(self) -> dict[str, Any]:
        """Fields of `run.json` that only this kind has, and its steps in all, as far as they are known by now."""
