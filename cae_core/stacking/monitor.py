"""The monitor of a stack in training: its pictures, made between two steps and mostly while somebody looks."""

from typing import Any

import numpy as np

from cae_core.config import ARMS
from cae_core.stacking.phases import StackEvent
from cae_core.stacking.progress import StackProgress, projections
from cae_core.training import run_monitor
from cae_core.training.events import Diverged
from cae_core.training.monitor import Monitor
from cae_core.training.run_monitor import Curve

JUDGED = 20
"""Times both classifiers are judged in the course of it at least, whether anybody looks or not."""


class StackMonitor(Monitor):
    """Follows one stack."""

    def __init__(self, trainer: Any, before: StackProgress | None = None) -> None:
        """Args: `before` is the last look of an earlier process, which this one goes on from."""
        config = trainer.config
        super().__init__(trainer, run_monitor.probes(config), run_monitor.sample(config.dataset), before)
        self._losses = [Curve(line) for line in (before.losses if before else ())]
        tuning, accuracy = (before.tuning, before.accuracy) if before else ({}, {})
        self._tuning = {arm: Curve(line) for arm, line in tuning.items()}
        self._accuracy = {arm: Curve(line) for arm, line in accuracy.items()}
        self._filters: list[np.ndarray] = list(before.filters) if before else []
        self._compiled: dict[Any, Any] = {}

    def let_go(self) -> None:
        super().let_go()
        self._compiled = {}

    def _begins_part(self, event: StackEvent) -> bool:
        return self._event is None or event.stage != self._event.stage

    def _part_of(self, end: Diverged) -> dict[str, int]:
        number = self._config.layers if end.stage.layer is None else end.stage.layer
        return {"stage": number, "stage_step": end.step - end.stage.first_step, "stage_steps": end.stage.steps}

    def _count(self, event: StackEvent) -> bool:
        step, layer = event.step - event.stage.first_step, event.stage.layer
        if layer is None:
            for arm, loss in zip(ARMS, event.losses, strict=True):
                self._tuning.setdefault(arm, Curve()).add(step, loss)
            return event.ends_stage or step % max(1, event.stage.steps // JUDGED) == 0
        while len(self._losses) <= layer:
            self._losses.append(Curve())
        self._losses[layer].add(step, event.losses[0])
        return event.ends_stage

    def _picture(self, event: StackEvent) -> StackProgress | None:
        stage, step = event.stage, event.step - event.stage.first_step
        count = self._config.layers if stage.layer is None else stage.layer + 1
        x_hats = [self._reconstructed(number) for number in range(1, count + 1)]
        if not all(np.isfinite(images).all() for images in x_hats):
            return None
        if stage.layer is not None or len(self._filters) < count:
            kernels = [conv.kernel.numpy() for conv in self._trainer.model.stack.encoders.convs]
            done = min(len(self._filters), count - 1)
            fresh = [projections(kernels[:number], self._config.pooling) for number in range(done + 1, count + 1)]
            self._filters = [*self._filters[:done], *fresh]
        if stage.layer is None:
            for arm, share in self._judged().items():
                self._accuracy.setdefault(arm, Curve()).add(step, share)
        return StackProgress(
            **self._numbers(stage.steps - step),
            stage=self._config.layers if stage.layer is None else stage.layer,
            stage_step=step,
            stage_steps=stage.steps,
            x=self._probes.x,
            x_noisy=self._probes.x_noisy,
            x_hats=x_hats,
            filters=list(self._filters),
            losses=[line.points() for line in self._losses],
            tuning={arm: line.points() for arm, line in self._tuning.items()},
            accuracy={arm: line.points() for arm, line in self._accuracy.items()},
        )

    def _reconstructed(self, count: int) -> np.ndarray:
        import tensorflow as tf

        stack = self._trainer.model.stack
        if count not in self._compiled:
            self._compiled[count] = tf.function(lambda x: stack.reconstruct(x, count), autograph=False)
        return self._compiled[count](tf.constant(self._probes.x_noisy)).numpy()

    def _judged(self) -> dict[str, float]:
        """By arm the share of the sample that it reads right."""
        import tensorflow as tf

        arms = self._trainer.model.arms
        if "arms" not in self._compiled:
            self._compiled["arms"] = tf.function(
                lambda x: [tf.argmax(arm.logits(x), axis=-1) for arm in arms.values()], autograph=False
            )
        read = self._compiled["arms"](tf.constant(self._sample.x))
        return {
            arm: float(np.mean(classes.numpy() == self._sample.labels)) for arm, classes in zip(arms, read, strict=True)
        }
