"""The trainer of a stack: writes down after every epoch and stage, and at a stop, enough to go on exactly.

The files are those of `stacks`; `run.json` is replaced last, so only what it counts has happened.
"""

from __future__ import annotations

import contextlib
import json
import platform
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from cae_core import runs
from cae_core.config import StackConfig
from cae_core.datasets import DATASETS, load
from cae_core.runs import RunError, StackRun, holder, schema, storage
from cae_core.runs.folder import Folder
from cae_core.stacking import linear_probe, phases, stacks
from cae_core.stacking.config import check, num_images
from cae_core.stacking.monitor import StackWatch
from cae_core.stacking.progress import StackSeen


def new_name(config: StackConfig) -> str:
    """A name that no stack has, such as "stack-mnist-20261122-093001-5f2c"."""
    return f"stack-{config.dataset}-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"


class StackRecording:
    """One stack, trained and written down. Made by `begin` or `resume`; whoever asks for its events drives it.

    Attributes:
        name: its folder's.
        config: what is trained.
        networks: the stack and both classifiers, once it is prepared.
        figures: once it is finished, as `runs.StackRun` has them.
    """

    def __init__(self, path: Path, config: StackConfig, owner: str, title: str) -> None:
        self.path, self.name, self.config = path, path.name, config
        self._folder = Folder(path, {"title.txt": title[: runs.TITLE].encode(errors="replace")})
        self.networks: Any = None
        self.figures: dict[str, Any] = {}
        self._owner = owner
        self._start: phases.StackCheckpoint | None = None
        self._last: phases.StackEvent | None = None
        self._written = (0, 0.0)  # steps and seconds that are on disk
        self._seen_before: StackSeen | None = None
        self._watch: StackWatch | None = None
        self._predictions: dict[str, np.ndarray] = {}
        self._began = False  # whether this process trained it

    @classmethod
    def begin(
        cls, config: StackConfig, name: str = "", title: str = "", owner: str = "", origin: None = None
    ) -> StackRecording:
        """Enters a new stack, waiting to be trained; it always starts from fresh weights.

        Raises:
            ValueError: the settings cannot work together.
            RunError: the name is taken, or the disk refuses.
        """
        check(config)
        path = runs.runs_dir() / runs.check_name(name or new_name(config))
        if path.exists() or (runs.PRETRAINED_DIR / path.name).exists():
            raise RunError(f"There is a run called {path.name!r} already; choose another name.")
        self = cls(path, config, owner, title)
        self._folder.make({"run.json": self._described("waiting").encode()})
        return self

    @classmethod
    def resume(cls, stack: StackRun) -> StackRecording:
        """Takes up a stack that was interrupted or stopped.

        Raises:
            ValueError: there are too few images for its labels by now.
            RunError: it is over, somebody is at work on it, the disk refuses, or what it takes to go on is damaged.
        """
        check(stack.config)
        if stack.state in runs.AT_WORK:
            raise RunError(holder.sentence(f"The stack {stack.label!r}", stack.path))
        if not stack.can_go_on:
            raise RunError(f"The stack {stack.label!r} is {stack.state}: only an interrupted or stopped one can go on.")
        self = cls(stack.path, stack.config, stack.owner, stack.title)
        self._folder.take_up(f"The stack {stack.label!r}")
        if stack.step:
            try:
                self._start = _read_checkpoint(self.path / self._checkpoint(stack.step), stack.step, stack.config)
            except RunError:
                self.close()
                raise
            self._written = (stack.step, stack.seconds)
            self._seen_before = stacks.seen(stack)
        return self

    @property
    def last(self) -> phases.StackEvent | None:
        """The last step that this process did, written down or not."""
        return self._last

    def prepare(self) -> None:
        """Loads the data and builds the networks.

        Raises:
            RunError: what it goes on from does not fit.
            datasets.DataError: the data set is not there.
        """
        from cae_core.stacking.network import Networks

        train = load(self.config.dataset, "train")
        self._x, self._y = phases.learnt_from(self.config, train.x, train.y)
        self.networks = Networks(self.config, train.x.shape[1:], len(DATASETS[self.config.dataset].class_names))
        if self._written[0] and not self._start:  # it had given way
            self._start = _read_checkpoint(self.path / self._checkpoint(self._written[0]), self._written[0], self.config)
        if self._start:
            try:
                self.networks.set_weights(self._start.weights)
            except ValueError as error:
                raise RunError(f"The stack {self.name!r} cannot go on ({error}): train it again.") from error

    def watch(self) -> StackWatch:
        """What is to be seen of it while it trains; once it is prepared."""
        self._watch = StackWatch(self, self._seen_before)
        return self._watch

    def events(self, on_end: Callable[[], None] = lambda: None) -> Iterator[phases.StackEvent]:
        """Trains, writing down every epoch of a layer and every stage, and the figures at the end.

        Args:
            on_end: called when training is over and test images are about to be read, which takes seconds.

        Raises:
            FloatingPointError: it diverged; what it was at the last writing is kept.
            RunError: the disk refuses; everything is still in memory, and `write` tries again.
        """
        if self.networks is None:
            self.prepare()
        self._commit("running")
        self._began = True
        for event in phases.train(self.networks, self.config, self._x, self._y, self._start):
            self._last = event
            done = event.step - event.stage.first_step
            ends_epoch = event.stage.layer is not None and done % event.stage.steps_per_epoch == 0
            if (ends_epoch or event.ends_stage) and event.step < event.num_steps:
                self.write("running")
            yield event
        on_end()
        self.write("finished")

    def write(self, state: str, message: str = "") -> None:
        """Writes down where the stack stands; with its figures, if this is its end.

        Raises:
            RunError: the disk refuses; nothing that was there before is lost, and everything is still in memory.
        """
        if state == "finished" and not self.figures:
            self._measure()
        if self._watch:
            self._watch.catch_up()  # so that curves end where the weights do
        if self._last:
            checkpoint = self._last.checkpoint()
            self._folder.write(self._checkpoint(checkpoint.step), _checkpoint_bytes(checkpoint))
            self._written = (checkpoint.step, checkpoint.seconds)
        if self._watch and self._watch.seen:
            self._folder.write("seen.npz", storage.arrays_to_bytes(self._watch.seen.to_arrays()))
        if self._predictions:
            self._folder.write("predictions.npz", storage.arrays_to_bytes(self._predictions))
        self._commit(state, message)
        for file in self.path.glob("checkpoint-*.npz"):
            if file.name != self._checkpoint(self._written[0]):
                with contextlib.suppress(OSError):
                    file.unlink()

    def rest(self) -> None:
        """Writes it down and lets go of its networks and images; preparing it again goes on from there.

        Raises:
            RunError: the disk refuses; everything is still in memory.
        """
        self.write("waiting")
        self.networks = self._start = self._last = self._x = self._y = None

    def fail(self, message: str) -> None:
        """Writes down that it ended by a problem; one that was taken up and could not even begin stays as it was.

        Raises:
            RunError: the disk refuses.
        """
        if not (self._written[0] and self.networks is None):
            self._commit("failed", message)

    def discard(self) -> None:
        """Lets go of it, and removes it if no step of it was ever written down."""
        self._folder.discard(keep=bool(self._written[0]), description="run.json" if self._began else "")

    def close(self) -> None:
        """Lets go of it; what is not written down is lost."""
        self._folder.close()

    def _measure(self) -> None:
        test = load(self.config.dataset, "test")
        self._predictions = {name: phases.predict(arm, test.x) for name, arm in self.networks.arms.items()}
        self.figures = {name: float(np.mean(classes != test.y)) for name, classes in self._predictions.items()}
        self.figures["features"] = linear_probe.of_stack(self.config, self.networks.stack)

    @staticmethod
    def _checkpoint(step: int) -> str:
        return f"checkpoint-{step:08d}.npz"

    def _described(self, state: str, message: str = "") -> str:
        step, seconds = self._written
        described = {
            "format": runs.FORMAT,
            "kind": StackRun.kind,
            "config": self.config.to_dict(),
            "state": state,
            "message": message,
            "step": step,
            "num_steps": _num_steps(self.config),
            "seconds": round(seconds, 2),
            "figures": self.figures,
            "created": datetime.now(UTC).isoformat(timespec="microseconds"),
            "owner": self._owner,
            "versions": versions(),
        }
        return json.dumps(described, indent=1) + "\n"

    def _commit(self, state: str, message: str = "") -> None:
        self._folder.write("run.json", self._described(state, message).encode())


def versions() -> dict[str, str]:
    """Of Python and the libraries."""
    return {"python": platform.python_version(), **{p: version(p) for p in ("tensorflow", "keras", "numpy")}}


def _num_steps(config: StackConfig) -> int:
    last = phases.stages(config, num_images(config))[-1]
    return last.first_step + last.steps


def _checkpoint_bytes(checkpoint: phases.StackCheckpoint) -> bytes:
    numbers = np.array([checkpoint.step, checkpoint.seconds])
    weights: Mapping[str, np.ndarray] = {f"weights/{name}": array for name, array in checkpoint.weights.items()}
    optimizer = {f"optimizer/{i:04d}": array for i, array in enumerate(checkpoint.optimizer)}
    return storage.arrays_to_bytes({"numbers": numbers, **weights, **optimizer}, compressed=False)


def _read_checkpoint(file: Path, at_step: int, config: StackConfig) -> phases.StackCheckpoint:
    try:
        arrays = storage.read_arrays(file, stacks.most_unpacked(config))
        step, seconds = arrays["numbers"].tolist()
        if step != at_step:
            raise ValueError(f"it is of step {step:g}")
        weights = {name.removeprefix("weights/"): a for name, a in arrays.items() if name.startswith("weights/")}
        optimizer = [arrays[name] for name in sorted(arrays) if name.startswith("optimizer/")]
    except Exception as error:  # a damaged archive fails in more ways than can be listed
        why = schema.reason(error)
        raise RunError(f"{file} is damaged or missing ({why}): the stack cannot go on; train it again.") from error
    return phases.StackCheckpoint(at_step, seconds, weights, optimizer)
