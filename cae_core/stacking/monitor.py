"""The monitor of a stack in training: its pictures, made between two steps and mostly while somebody looks."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from cae_core import training
from cae_core.config import ARMS, StackConfig
from cae_core.datasets import as_float, load
from cae_core.stacking.phases import StackEvent
from cae_core.stacking.progress import StackSeen, projections
from cae_core.training import run_monitor
from cae_core.training.events import Diverged
from cae_core.training.run_monitor import ATTENTION, INTERVAL, SHARE, Curve

NUM_JUDGED = 500
"""Held-out images that both classifiers are judged by while they are fine-tuned."""
JUDGED = 20
"""Times they are judged in the course of it at least, whether anybody looks or not."""


class Followed(Protocol):
    """What is looked at while it trains, such as `trainer.StackRecording`, whose attributes these are."""

    config: StackConfig
    model: Any
    last: StackEvent | None


class StackWatch:
    """Follows one stack; `see` is the trainer's, everything else anybody's.

    Attributes:
        seen: the last look; None before the first step.
    """

    def __init__(self, recording: Followed, before: StackSeen | None = None) -> None:
        """Args: `before` is the last look of an earlier process, which this one goes on from."""
        self._recording, self._config = recording, recording.config
        self._probes = run_monitor.probes(recording.config)
        train = load(recording.config.dataset, "train")
        held_out = slice(-training.HELD_OUT, None)
        self._x, self._y = as_float(train.x[held_out][:NUM_JUDGED]), train.y[held_out][:NUM_JUDGED]
        self._losses: list[Curve] = [_curve(line) for line in before.losses] if before else []
        self._tuning = {arm: _curve(line) for arm, line in before.tuning.items()} if before else {}
        self._accuracy = {arm: _curve(line) for arm, line in before.accuracy.items()} if before else {}
        self._filters: list[np.ndarray] = list(before.filters) if before else []
        self._event: StackEvent | None = None
        self._lately: deque[tuple[int, float]] = deque(maxlen=50)
        self._first: StackEvent | None = None  # of this stage in this process
        self._looked, self._next = time.monotonic(), 0.0
        self._compiled: dict[Any, Any] = {}
        self.seen = before

    @property
    def is_at_end(self) -> bool:
        """Whether every step is done."""
        return bool(self._event) and self._event.step == self._event.num_steps

    def look(self) -> None:
        """Somebody is looking."""
        self._looked = time.monotonic()

    def learn(self) -> None:
        """Nothing: how long a stack takes is not estimated from others."""

    def see(self, event: StackEvent) -> None:
        """Takes note of a step, and makes new pictures if it is time; one that was seen before is not counted twice."""
        if event is self._event:
            return
        if self._event is None or event.stage != self._event.stage:
            self._first = event
            self._lately.clear()
        self._event = event
        self._lately.append((event.step, event.seconds))
        step, layer = event.step - event.stage.first_step, event.stage.layer
        if layer is None:
            for arm, loss in zip(ARMS, event.losses, strict=True):
                self._tuning.setdefault(arm, Curve()).add(step, loss)
        else:
            while len(self._losses) <= layer:
                self._losses.append(Curve())
            self._losses[layer].add(step, event.losses[0])
        now = time.monotonic()
        is_due = layer is None and step % max(1, event.stage.steps // JUDGED) == 0
        is_looked_at = now - self._looked < ATTENTION and now >= self._next
        if self.seen is None or is_due or event.ends_stage or is_looked_at:
            self.show()

    def show(self) -> None:
        """Makes new pictures now."""
        event = self._event
        if event is None or (self.seen and self.seen.step == event.step):
            return
        started = time.monotonic()
        stage, step = event.stage, event.step - event.stage.first_step
        count = self._config.layers if stage.layer is None else stage.layer + 1
        x_hats = [self._reconstructed(number) for number in range(1, count + 1)]
        if not all(np.isfinite(images).all() for images in x_hats):
            return  # it is diverging, which its next loss will say
        if stage.layer is not None or len(self._filters) < count:
            kernels = [conv.kernel.numpy() for conv in self._networks.stack.encoders.convs]
            done = min(len(self._filters), count - 1)
            fresh = [projections(kernels[:number], self._config.pooling) for number in range(done + 1, count + 1)]
            self._filters = [*self._filters[:done], *fresh]
        if stage.layer is None:
            for arm, share in self._judged().items():
                self._accuracy.setdefault(arm, Curve()).add(step, share)
        before, after = self._lately[0], self._lately[-1]
        steps, spent = event.step - self._first.step, event.seconds - self._first.seconds
        self.seen = StackSeen(
            number=self.seen.number + 1 if self.seen else 1,
            step=event.step,
            num_steps=event.num_steps,
            seconds=event.seconds,
            stage=self._config.layers if stage.layer is None else stage.layer,
            stage_step=step,
            stage_steps=stage.steps,
            steps_per_second=(after[0] - before[0]) / (after[1] - before[1]) if after[1] > before[1] else 0.0,
            seconds_left=spent / steps * (stage.steps - step) if steps else None,
            x=self._probes.x,
            x_noisy=self._probes.x_noisy,
            x_hats=x_hats,
            filters=list(self._filters),
            losses=[line.points() for line in self._losses],
            tuning={arm: line.points() for arm, line in self._tuning.items()},
            accuracy={arm: line.points() for arm, line in self._accuracy.items()},
        )
        ended = time.monotonic()
        took = ended - started if self.seen.stage_step > 1 else 0.0  # the first of a stage are compiled for, once
        self._next = ended + max(INTERVAL, SHARE * took)

    def catch_up(self) -> None:
        """Makes pictures of the last step done, also of one that was not handed on because the disk refused it."""
        last = self._recording.last
        if last is not None and last is not self._event:
            self.see(last)
        self.show()

    def end_at(self, end: Diverged) -> None:
        """Counts the step in which the stack went out of hand; the pictures stay those before."""
        if self.seen:
            number = self._config.layers if end.stage.layer is None else end.stage.layer
            self.seen = replace(
                self.seen, step=end.step, stage=number, stage_step=end.step - end.stage.first_step,
                stage_steps=end.stage.steps, seconds_left=None,
            )  # fmt: skip

    def rest(self) -> None:
        """Lets go of the networks until the stack goes on; its pictures and curves stay."""
        self._event = self._first = None
        self._compiled = {}

    def forget_model(self) -> None:
        """Keeps the last pictures and lets go of the networks."""
        self._recording = self._probes = self._event = self._first = self._x = self._y = None
        self._compiled = {}

    @property
    def _networks(self):
        return self._recording.model

    def _reconstructed(self, count: int) -> np.ndarray:
        import tensorflow as tf

        stack = self._networks.stack
        if count not in self._compiled:
            self._compiled[count] = tf.function(lambda x: stack.reconstruct(x, count), autograph=False)
        return self._compiled[count](tf.constant(self._probes.x_noisy)).numpy()

    def _judged(self) -> dict[str, float]:
        """By arm the share of the judged images that it reads right."""
        import tensorflow as tf

        arms = self._networks.arms
        if "arms" not in self._compiled:
            self._compiled["arms"] = tf.function(
                lambda x: [tf.argmax(arm.logits(x), axis=-1) for arm in arms.values()], autograph=False
            )
        read = self._compiled["arms"](tf.constant(self._x))
        return {arm: float(np.mean(classes.numpy() == self._y)) for arm, classes in zip(arms, read, strict=True)}


def _curve(line: np.ndarray) -> Curve:
    """A curve that goes on from these points."""
    curve = Curve()
    for step, value in line:
        curve.add(float(step), float(value))
    return curve
