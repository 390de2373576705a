"""The trainer of a network's run, which is written down epoch by epoch.

weights/STEP.npz    the weights after that step, step 0 being those it started from
resume-STEP.npz     what else it takes to go on exactly from there: the optimizer's variables
history.csv         a line per epoch
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cae_core import runs, training, validation
from cae_core.architectures import build, num_epochs
from cae_core.architectures.autoencoder import Autoencoder
from cae_core.config import RunConfig
from cae_core.datasets import load
from cae_core.inspection import evaluation
from cae_core.runs import Run, storage
from cae_core.runs.writing import network_facts, table
from cae_core.training import warm_start
from cae_core.training.run_monitor import RunMonitor
from cae_core.training.trainer import Trainer

KEPT = 64
"""Epochs of one run whose weights are kept, about; a longer run keeps every second, every fourth, and so on."""


class RunTrainer(Trainer):
    """A network's run.

    Attributes:
        history: one mapping per epoch, also of epochs that the disk refused.
    """

    FOLDERS = ("weights",)
    check = staticmethod(validation.check)

    def __init__(self, path: Path, config: RunConfig, title: str, owner: str, origin: Mapping[str, Any] | None) -> None:
        super().__init__(path, config, title, owner, origin)
        self.history: list[dict[str, float]] = []
        self._num_train = training.num_images(config)
        self._metrics: Mapping[str, Any] = {}

    @staticmethod
    def stem(config: RunConfig) -> str:
        return f"{config.dataset}-{config.architecture}-b{config.bottleneck}"

    @staticmethod
    def weights_name(step: int) -> str:
        return f"weights/{step:08d}.npz"

    @staticmethod
    def resume_name(step: int) -> str:
        return f"resume-{step:08d}.npz"

    def monitor(self) -> RunMonitor:
        return RunMonitor(self)

    def _first_files(self) -> dict[str, bytes]:
        weights = None
        if self._origin:
            self._origin, weights = warm_start.weights(self.config, self._origin)
        first = {self.weights_name(0): storage.weights_to_bytes(weights)} if weights else {}
        return {"history.csv": table([]).encode(), **first}

    def _take_up(self, run: Run) -> None:
        self._num_train = run.num_train
        columns = runs.history(run)
        self.history = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        for row in self.history:
            row["epoch"] = int(row["epoch"])

    def _build(self) -> Autoencoder:
        self._data = training.split_held_out(load(self.config.dataset, "train").x, self.config.num_train)
        self._num_train = len(self._data[0])
        if self._origin and self._origin["step"] == warm_start.END:
            self._origin, weights = warm_start.weights(self.config, self._origin, is_due=True)
            self._folder.write(self.weights_name(0), storage.weights_to_bytes(weights))
        return build(self.config, self._data[0].shape[1:])

    def _train(self) -> Iterator[training.TrainingEvent]:
        if not self._start:
            self._folder.write(self.weights_name(0), storage.weights_to_bytes(self.model.weights()))
        return training.train(self.model, self.config, *self._data, self._start)

    def _notes(self, event: training.TrainingEvent) -> bool:
        if event.epoch_loss is not None:
            self.history.append(training.history_row(event))
        return event.epoch_loss is not None

    def _measure(self, state: str) -> None:
        over = state in ("stopped", "finished") and (self.last or self._start)
        self._metrics = evaluation.measure(self.model, self.config.dataset) if over else {}

    def _check_losses(self, losses: np.ndarray) -> None:
        if losses.shape != (self._written[0] % self._steps_per_epoch(),):
            raise ValueError(f"it has {losses.size} losses of its epoch")

    def _write_checkpoint(self, checkpoint: training.Checkpoint, state: str) -> None:
        self._folder.write(self.weights_name(checkpoint.step), storage.weights_to_bytes(checkpoint.weights))
        if state != "finished":
            arrays = replace(checkpoint, weights={}).to_arrays()
            self._folder.write(self.resume_name(checkpoint.step), storage.arrays_to_bytes(arrays, compressed=False))
        self._folder.write("history.csv", table(self.history).encode())

    def _superfluous(self, state: str) -> list[Path]:
        step, first = self._written[0], self._steps_per_epoch()
        stride = first * 2 ** (len(self.history) // KEPT).bit_length()
        goes_on = self.resume_name(step) if state != "finished" else ""
        return [file for file in self.path.glob("resume-*.npz") if file.name != goes_on] + [
            file
            for file in (self.path / "weights").glob("*.npz")
            if file.stem.isdecimal() and int(file.stem) % stride and int(file.stem) not in (first, step)
        ]

    def _facts(self) -> dict[str, Any]:
        per_epoch = self._steps_per_epoch()
        facts = {"metrics": self._metrics, "num_train": self._num_train, "origin": self._origin}
        steps = {"epochs": self._written[0] // per_epoch, "num_steps": per_epoch * num_epochs(self.config)}
        return network_facts(self.model) | facts | steps

    def _steps_per_epoch(self) -> int:
        return training.steps_per_epoch(self.config, max(1, self._num_train))
