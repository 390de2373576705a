"""The trainer of a stack, which is written down after every epoch of a layer, every stage, and at a stop.

Its files are those of `stacks`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cae_core.config import StackConfig
from cae_core.datasets import DATASETS, load
from cae_core.runs import StackRun, storage
from cae_core.stacking import config as settings
from cae_core.stacking import linear_probe, phases, stacks
from cae_core.stacking.monitor import StackMonitor
from cae_core.stacking.progress import StackProgress
from cae_core.training.events import Checkpoint
from cae_core.training.trainer import Trainer


class StackTrainer(Trainer):
    """A stack's run; its model is the stack and both classifiers, as `network.Networks`.

    Attributes:
        figures: once it is finished, as `runs.StackRun` has them.
    """

    check = staticmethod(settings.check)
    writes_when_interrupted = True

    def __init__(self, path: Path, config: StackConfig, title: str, owner: str, origin: Mapping[str, Any] | None) -> None:
        super().__init__(path, config, title, owner, origin)
        self.figures: dict[str, Any] = {}
        self._before: StackProgress | None = None
        self._monitor: StackMonitor | None = None
        self._predictions: dict[str, np.ndarray] = {}

    @staticmethod
    def stem(config: StackConfig) -> str:
        return f"stack-{config.dataset}"

    @staticmethod
    def weights_name(step: int) -> str:
        return f"checkpoint-{step:08d}.npz"

    resume_name = weights_name

    def _most_unpacked(self) -> int:
        return stacks.most_unpacked(self.config)

    def monitor(self) -> StackMonitor:
        self._monitor = self._monitor or StackMonitor(self, self._before)
        return self._monitor

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"_monitor": None}

    def _take_up(self, run: StackRun) -> None:
        self._before = stacks.progress(run) if run.step else None

    def _build(self) -> Any:
        from cae_core.stacking.network import Networks

        train = load(self.config.dataset, "train")
        self._data = phases.learnt_from(self.config, train.x, train.y)
        return Networks(self.config, self._data[0].shape[1:], len(DATASETS[self.config.dataset].class_names))

    def _train(self) -> Iterator[phases.StackEvent]:
        return phases.train(self.model, self.config, *self._data, self._start)

    def _notes(self, event: phases.StackEvent) -> bool:
        self.monitor().see(event)  # whoever drives: its pictures and curves are part of what is written down
        done = event.step - event.stage.first_step
        return event.ends_stage or (event.stage.layer is not None and done % event.stage.steps_per_epoch == 0)

    def _measure(self, state: str) -> None:
        if self._monitor:
            self._monitor.catch_up()  # so that curves end where the weights do
        if state == "finished" and not self.figures:
            test = load(self.config.dataset, "test")
            self._predictions = {name: phases.predict(arm, test.x) for name, arm in self.model.arms.items()}
            self.figures = {name: float(np.mean(classes != test.y)) for name, classes in self._predictions.items()}
            self.figures["features"] = linear_probe.of_stack(self.config, self.model.stack)
        if self._predictions:
            self._folder.write("predictions.npz", storage.arrays_to_bytes(self._predictions))

    def _write_checkpoint(self, checkpoint: Checkpoint, state: str) -> None:
        content = storage.arrays_to_bytes(checkpoint.to_arrays(), compressed=False)
        self._folder.write(self.weights_name(checkpoint.step), content)
        if self._monitor and self._monitor.progress:
            self._folder.write("seen.npz", storage.arrays_to_bytes(self._monitor.progress.to_arrays()))

    def _superfluous(self, state: str) -> list[Path]:
        last = self.weights_name(self._written[0])
        return [file for file in self.path.glob("checkpoint-*.npz") if file.name != last]

    def _facts(self) -> dict[str, Any]:
        last = phases.stages(self.config, settings.num_images(self.config))[-1]
        return {"kind": StackRun.kind, "figures": self.figures, "num_steps": last.first_step + last.steps}
