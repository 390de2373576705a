"""The trainer of a run: writes it down epoch by epoch, so that nothing but the epoch at work is ever lost.

A crash at any moment leaves a whole run up to its last finished epoch:

    weights/STEP.npz    the weights after that step, step 0 being those it started from
    resume-STEP.npz     what else it takes to go on exactly from there: the optimizer's variables
    history.csv         a line an epoch
    run.json            replaced last: only what it counts has happened
    lock                held by the process at work on it, so that a run whose process is gone is known as interrupted;
                        says which process that is
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cae_core import runs, training, validation
from cae_core.architectures import build, num_epochs
from cae_core.architectures.autoencoder import Autoencoder
from cae_core.config import RunConfig
from cae_core.datasets import load
from cae_core.inspection import evaluation
from cae_core.runs import Run, RunError, holder, schema, storage
from cae_core.runs.folder import Folder
from cae_core.runs.writing import description, table
from cae_core.training import warm_start
from cae_core.training.run_monitor import Watch

KEPT = 64
"""Epochs of one run whose weights are kept, about; a longer run keeps every second, every fourth, and so on."""


def new_name(config: RunConfig) -> str:
    """A name that no run has, such as "mnist-fast-b32-20261122-093001-5f2c"."""
    now = time.strftime("%Y%m%d-%H%M%S")
    return f"{config.dataset}-{config.architecture}-b{config.bottleneck}-{now}-{secrets.token_hex(2)}"


class Recording:
    """One run, trained and written down. Made by `begin` or `resume`; whoever asks for its events drives it.

    Attributes:
        name: the run's name, in `runs.runs_dir()`.
        config: what is trained.
        model: the network, once it is prepared.
        history: one mapping an epoch, also of epochs that the disk refused.
    """

    def __init__(self, path: Path, config: RunConfig, title: str, owner: str, origin: Mapping[str, Any] | None) -> None:
        self.path, self.name, self.config = path, path.name, config
        self._folder = Folder(path, {"title.txt": title[: runs.TITLE].encode(errors="replace")}, ("weights",))
        self.model: Autoencoder | None = None
        self.history: list[dict[str, float]] = []
        self._owner, self._origin = owner, origin
        self._num_train = training.num_images(config)
        self._start: training.Checkpoint | None = None
        self._last: training.TrainingEvent | None = None
        self._written = (0, 0.0)  # steps and seconds that are on disk
        self._began = False  # whether this process trained it

    @classmethod
    def begin(
        cls, config: RunConfig, name: str = "", title: str = "", owner: str = "", origin: Mapping[str, Any] | None = None
    ) -> Recording:
        """Enters a new run, waiting to be trained.

        Args:
            config: what to train.
            name: a name that no run has; "" for one that says what it is.
            title: any text.
            owner: an opaque mark of whose it is.
            origin: `{"run": name, "step": step}`: start from these weights instead of fresh ones. Those of
                `warm_start.at_end_of` may come later, if only before this run is trained.

        Raises:
            ValueError: the settings cannot work together.
            RunError: the name is taken, the weights to start from do not fit, or the disk refuses.
        """
        validation.check(config)
        path = runs.runs_dir() / runs.check_name(name or new_name(config))
        if path.exists() or (runs.PRETRAINED_DIR / path.name).exists():
            raise RunError(f"There is a run called {path.name!r} already; choose another name.")
        origin, weights = warm_start.weights(config, origin) if origin else (None, None)
        self = cls(path, config, title, owner, origin)
        first = {self._weights(0): storage.weights_to_bytes(weights)} if weights else {}
        self._folder.make({"history.csv": table([]).encode(), **first, "run.json": self._described("waiting").encode()})
        return self

    @classmethod
    def resume(cls, run: Run) -> Recording:
        """Takes up a run that was interrupted or stopped, to go on from its last recorded step.

        Raises:
            RunError: it is over, somebody is at work on it, the disk refuses, or what it takes to go on is damaged.
        """
        if run.state in runs.AT_WORK:
            raise RunError(holder.sentence(f"The run {run.label!r}", run.path))
        if run.state not in runs.CAN_GO_ON:
            raise RunError(f"The run {run.label!r} is {run.state}: only one that was interrupted or stopped can go on.")
        self = cls(run.path, run.config, run.title, run.owner, run.origin)
        self._folder.take_up(f"The run {run.label!r}")
        self._num_train = run.num_train
        try:
            columns = runs.history(run)
            self.history = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
            for row in self.history:
                row["epoch"] = int(row["epoch"])
            if run.step:
                self._written = (run.step, run.seconds)
                self._start = self._read_checkpoint()
        except RunError:
            self.close()
            raise
        return self

    @property
    def start_step(self) -> int:
        """Steps that were done before this process took the run up."""
        return self._start.step if self._start else 0

    @property
    def last(self) -> training.TrainingEvent | None:
        """The last step that this process did, written down or not."""
        return self._last

    def prepare(self) -> None:
        """Loads the data and builds the network.

        Raises:
            ValueError: the network cannot take these images.
            RunError: the weights to start from are damaged, or not there yet.
            datasets.DataError: the data set is not there.
        """
        x = load(self.config.dataset, "train").x
        self._x_train, self._x_held_out = training.split_held_out(x, self.config.num_train)
        self._num_train = len(self._x_train)
        if self._origin and self._origin["step"] == warm_start.END:
            self._origin, weights = warm_start.weights_by_now(self.config, self._origin)
            self._folder.write(self._weights(0), storage.weights_to_bytes(weights))
        if self._written[0] and not self._start:  # it had given way
            self._start = self._read_checkpoint()
        model = build(self.config, x.shape[1:])
        if self._start or self._origin:
            file = self.path / self._weights(self.start_step)
            try:
                model.set_weights(self._start.weights if self._start else storage.read_weights(file))
            except Exception as error:  # a damaged archive fails in more ways than can be listed
                why = schema.reason(error)
                raise RunError(f"{file} is damaged or missing ({why}): start the run again.") from error
        self.model = model

    def watch(self) -> Watch:
        """What is to be seen of it while it trains; once it is prepared."""
        return Watch(self)

    def events(self, on_end: Callable[[], None] = lambda: None) -> Iterator[training.TrainingEvent]:
        """Trains, writing down every epoch before its last event is handed on, and the figures at the end.

        Args:
            on_end: called when training is over and the network is about to be measured, which takes seconds.

        Raises:
            FloatingPointError: the run diverged; what it was until its last epoch is kept.
            RunError: the disk refuses; everything is still in memory, and `write` tries again.
        """
        if self.model is None:
            self.prepare()
        if not self._start:
            self._folder.write(self._weights(0), storage.weights_to_bytes(self.model.weights()))
        self._commit("running")
        self._began = True
        for event in training.train(self.model, self.config, self._x_train, self._x_held_out, self._start):
            self._last = event
            if event.epoch_loss is not None:
                self.history.append(training.history_row(event))
                if event.step < event.num_steps:
                    self.write("running")
            yield event
        on_end()
        self.write("finished")

    def write(self, state: str, message: str = "") -> None:
        """Writes down where the run stands, exactly enough to go on from there; with its figures, if this is its end.

        Raises:
            RunError: the disk refuses; nothing that was there before is lost, and everything is still in memory.
        """
        over = state in ("stopped", "finished")
        metrics = evaluation.measure(self.model, self.config.dataset) if over and (self._last or self._start) else {}
        if self._last:
            checkpoint = self._last.checkpoint()
            self._folder.write(self._weights(checkpoint.step), storage.weights_to_bytes(checkpoint.weights))
            if state != "finished":
                self._folder.write(self._resume(checkpoint.step), _checkpoint_bytes(checkpoint))
            self._folder.write("history.csv", table(self.history).encode())
            self._written = (checkpoint.step, checkpoint.seconds)
        self._commit(state, message, metrics)
        self._tidy(keep_resume=state != "finished")

    def rest(self) -> None:
        """Writes the run down and lets go of its network and images; preparing it again goes on from there.

        Raises:
            RunError: the disk refuses; everything is still in memory.
        """
        self.write("waiting")
        self.model = self._start = self._last = self._x_train = self._x_held_out = None

    def fail(self, message: str) -> None:
        """Writes down that the run ended by a problem, leaving what its last finished epoch left.

        One that was taken up again and could not even begin, for want of its data set, stays as it was.

        Raises:
            RunError: the disk refuses.
        """
        if not (self._written[0] and self.model is None):
            self._commit("failed", message)

    def discard(self) -> None:
        """Lets go of the run, and removes it if no step of it was ever written down."""
        self._folder.discard(keep=bool(self._written[0]), description="run.json" if self._began else "")

    def close(self) -> None:
        """Lets go of the run; what is not written down is lost."""
        self._folder.close()

    @staticmethod
    def _weights(step: int) -> str:
        return f"weights/{step:08d}.npz"

    @staticmethod
    def _resume(step: int) -> str:
        return f"resume-{step:08d}.npz"

    def _steps_per_epoch(self) -> int:
        return training.steps_per_epoch(self.config, max(1, self._num_train))

    def _described(self, state: str, message: str = "", metrics: Mapping[str, Any] | None = None) -> str:
        step, seconds = self._written
        return description(
            self.config, self.model, metrics=metrics or {}, num_train=self._num_train,
            epochs=step // self._steps_per_epoch(), seconds=round(seconds, 2), state=state, message=message, step=step,
            num_steps=self._steps_per_epoch() * num_epochs(self.config), origin=self._origin, owner=self._owner,
        )  # fmt: skip

    def _commit(self, state: str, message: str = "", metrics: Mapping[str, Any] | None = None) -> None:
        self._folder.write("run.json", self._described(state, message, metrics).encode())

    def _tidy(self, keep_resume: bool) -> None:
        """Removes what the last commit made superfluous; what cannot be removed does no harm."""
        step, first = self._written[0], self._steps_per_epoch()
        stride = first * 2 ** (len(self.history) // KEPT).bit_length()
        superfluous = [f for f in self.path.glob("resume-*.npz") if not keep_resume or f.name != self._resume(step)]
        superfluous += [
            file
            for file in (self.path / "weights").glob("*.npz")
            if file.stem.isdecimal() and int(file.stem) % stride and int(file.stem) not in (first, step)
        ]
        for file in superfluous:
            with contextlib.suppress(OSError):
                file.unlink()

    def _read_checkpoint(self) -> training.Checkpoint:
        file, weights = (self.path / name(self._written[0]) for name in (self._resume, self._weights))
        try:
            arrays = storage.read_arrays(file)
            step, seconds, first_loss = arrays.pop("numbers").tolist()
            losses = arrays.pop("losses")
            if step != self._written[0] or losses.shape != (self._written[0] % self._steps_per_epoch(),):
                raise ValueError(f"it is of step {step:g} and has {losses.size} losses of its epoch")
            optimizer = [arrays[name] for name in sorted(arrays)]
            file = weights
            return training.Checkpoint(int(step), seconds, storage.read_weights(file), optimizer, losses, first_loss)
        except Exception as error:  # a damaged archive fails in more ways than can be listed
            why = schema.reason(error)
            raise RunError(f"{file} is damaged or missing ({why}): the run cannot go on; start it again.") from error


def _checkpoint_bytes(checkpoint: training.Checkpoint) -> bytes:
    numbers = np.array([checkpoint.step, checkpoint.seconds, checkpoint.first_loss])
    variables = {f"optimizer/{i:04d}": array for i, array in enumerate(checkpoint.optimizer)}
    return storage.arrays_to_bytes({"numbers": numbers, "losses": checkpoint.losses, **variables}, compressed=False)
