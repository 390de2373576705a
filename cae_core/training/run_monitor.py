"""The monitor of a run in training: its curve, the same images getting better, the codes of a fixed sample moving.

The pictures are made between two steps, on the thread that trains, so they cost training time: they are made only while
somebody looks, and take at most a twentieth of the time.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from cae_core import architectures, datasets, metrics, training
from cae_core.architectures import num_epochs
from cae_core.architectures.autoencoder import Autoencoder
from cae_core.config import RunConfig
from cae_core.corruptions import corrupt
from cae_core.datasets import as_float, load
from cae_core.latent import live_plane
from cae_core.training import duration
from cae_core.training.events import Diverged, TrainingEvent

NUM_PROBES, NUM_CODES = 8, 500
INTERVAL, SHARE = 0.2, 20
"""Pictures come at most every INTERVAL seconds, and no sooner than SHARE times what the last ones took."""
ATTENTION = 3.0
"""Seconds after a look for which pictures go on being made."""
MOST_POINTS = 400
MEASURES = {
    "mse": "mean squared error per pixel of the eight reconstructions",
    "bce": "binary cross-entropy per pixel of the same, in nats",
    "code": "mean size of the numbers in the codes of the fixed sample",
    "silent": "share of silent units in them",
}
"""What is measured with every picture, in the same unit whatever the run's loss is."""


class Curve:
    """Training losses by step, thinned evenly so that a long run costs no more than a short one."""

    def __init__(self) -> None:
        self._means: list[tuple[float, float]] = []  # of `_stride` steps each: middle step, mean loss
        self._stride = 1
        self._open: list[tuple[float, float]] = []

    def add(self, step: int, loss: float) -> None:
        self._open.append((step, loss))
        if len(self._open) == self._stride:
            self._means.append(tuple(np.mean(self._open, axis=0)))
            self._open = []
            if len(self._means) == MOST_POINTS:
                pairs = np.reshape(self._means, (-1, 2, 2))
                self._means = [tuple(pair) for pair in pairs.mean(axis=1)]
                self._stride *= 2

    def points(self) -> np.ndarray:
        """`(k, 2)` float64, k < `MOST_POINTS`: step and mean loss around it."""
        return np.array(self._means, dtype=float).reshape(-1, 2)


@dataclass(frozen=True)
class Probes:
    """The fixed test images that a run is watched by.

    Attributes:
        x: `(8, H, W, C)` float32 in [0, 1], test images, the first of those that the Denoise page opens with.
        x_noisy: what the network gets: the same, or their luma, under the run's own noise; a mixture of kinds is stood for
            by its largest part.
    """

    x: np.ndarray
    x_noisy: np.ndarray


def probes(config: RunConfig) -> Probes:
    """The probes of a configuration: equal ones for equal data set, noise and seed. Reads the test split only."""
    test = load(config.dataset, "test")
    x = as_float(test.x[datasets.choose(test.y, 0)[:NUM_PROBES]])
    x_in = architectures.seen(config.architecture, x)
    return Probes(x, corrupt(x_in, *training.typical_noise(config), config.seed))


@dataclass(frozen=True)
class Sample:
    """The fixed held-out images whose codes are shown.

    Attributes:
        x: `(500, H, W, C)` float32 in [0, 1], without noise.
        labels: `(500,)` their classes.
    """

    x: np.ndarray
    labels: np.ndarray


def sample(dataset: str) -> Sample:
    """The sample of a data set. Reads its training split, which may have to be drawn first: some seconds."""
    train = load(dataset, "train")
    held_out = slice(-training.HELD_OUT, None)
    return Sample(as_float(train.x[held_out][:NUM_CODES]), train.y[held_out][:NUM_CODES])


@dataclass(frozen=True)
class Seen:
    """One look at a run.

    Attributes:
        number: grows with every new picture, so that one who has seen it need not draw it again.
        step, num_steps, epoch, seconds: as in `training.TrainingEvent`.
        epochs: of the whole run.
        steps_per_epoch: steps of one.
        steps_per_second: lately.
        seconds_left: to the end at the average pace so far; None before the second step.
        curve: `(k, 2)` float64, epoch (with fractions) and training loss.
        history: one mapping an epoch that is finished, as in `history.csv`.
        x, x_noisy: the `Probes`.
        labels: of the `Sample`.
        x_hat: `(8, H, W, C)` float32 in [0, 1], what the network makes of the noisy ones now.
        plane: the codes of the sample in the plane.
        measured: by name in `MEASURES`, `(k, 2)` float64: epoch (with fractions) and value, as often as somebody looked.
    """

    number: int
    step: int
    num_steps: int
    epoch: int
    seconds: float
    epochs: int
    steps_per_epoch: int
    steps_per_second: float
    seconds_left: float | None
    curve: np.ndarray = field(repr=False)
    history: tuple[dict[str, float], ...] = field(repr=False)
    x: np.ndarray = field(repr=False)
    x_noisy: np.ndarray = field(repr=False)
    labels: np.ndarray = field(repr=False)
    x_hat: np.ndarray = field(repr=False)
    plane: live_plane.Plane = field(repr=False)
    measured: Mapping[str, np.ndarray] = field(repr=False)


class Followed(Protocol):
    """What is looked at while it trains, such as `run_trainer.Recording`, whose attributes these are."""

    config: RunConfig
    model: Autoencoder | None
    history: list[dict[str, float]]
    last: TrainingEvent | None


class Watch:
    """Follows one recording; `see` is the trainer's, everything else anybody's."""

    def __init__(self, recording: Followed) -> None:
        self._recording, self._probes = recording, probes(recording.config)
        self._sample = sample(recording.config.dataset)
        self._curve, self._measured = Curve(), {name: Curve() for name in MEASURES}
        self._event: training.TrainingEvent | None = None
        self._lately: deque[tuple[int, float]] = deque(maxlen=50)
        self._first: tuple[int, float] | None = None
        self._looked = time.monotonic()
        self._next = 0.0
        self.seen: Seen | None = None

    @property
    def is_at_end(self) -> bool:
        """Whether every step is done."""
        return bool(self._event) and self._event.step == self._event.num_steps

    @property
    def seconds_per_step(self) -> float | None:
        """Of the last steps; an epoch's end counts for one of them."""
        times = [seconds for _, seconds in self._lately]
        return float(np.median(np.diff(times))) if len(times) > 2 else None

    def look(self) -> None:
        """Somebody is looking."""
        self._looked = time.monotonic()

    def see(self, event: training.TrainingEvent) -> None:
        """Takes note of a step, and makes new pictures if it is time."""
        self._event = event
        self._curve.add(event.step, event.loss)
        self._lately.append((event.step, event.seconds))
        self._first = self._first or (event.step, event.seconds)
        now = time.monotonic()
        if self.seen is None or self.is_at_end or (now - self._looked < ATTENTION and now >= self._next):
            self.show()

    def show(self) -> None:
        """Makes new pictures now."""
        event, model = self._event, self._recording.model
        if event is None or (self.seen and self.seen.step == event.step and len(self._recording.history) == event.epoch):
            return
        started = time.monotonic()
        steps_per_epoch = event.num_steps // num_epochs(self._recording.config)
        before, after = self._lately[0], self._lately[-1]
        rate = (after[0] - before[0]) / (after[1] - before[1]) if after[1] > before[1] else 0.0
        done, spent = event.step - self._first[0], event.seconds - self._first[1]
        curve = self._curve.points() / (steps_per_epoch, 1)
        x_hat, codes = model.reconstruct(self._probes.x_noisy), model.encode(model.seen(self._sample.x))
        if not (np.isfinite(x_hat).all() and np.isfinite(codes).all()):
            return  # the run is diverging, which its next loss will say
        values = (
            metrics.mse(self._probes.x, x_hat), metrics.bce(self._probes.x, x_hat),
            float(np.abs(codes).mean()), metrics.silent_share(codes),
        )  # fmt: skip
        for line, value in zip(self._measured.values(), values, strict=True):
            line.add(event.step, value)
        self.seen = Seen(
            number=self.seen.number + 1 if self.seen else 1,
            step=event.step,
            num_steps=event.num_steps,
            epoch=event.epoch,
            seconds=event.seconds,
            epochs=num_epochs(self._recording.config),
            steps_per_epoch=steps_per_epoch,
            steps_per_second=rate,
            seconds_left=spent / done * (event.num_steps - event.step) if done else None,
            curve=curve,
            history=tuple(self._recording.history),
            x=self._probes.x,
            x_noisy=self._probes.x_noisy,
            labels=self._sample.labels,
            x_hat=x_hat,
            plane=live_plane.to_plane(codes, self.seen.plane.points if self.seen else None),
            measured={name: line.points() / (steps_per_epoch, 1) for name, line in self._measured.items()},
        )
        ended = time.monotonic()
        took = ended - started if self.seen.number > 1 else 0.0  # the first are compiled for, once
        self._next = ended + max(INTERVAL, SHARE * took)

    def catch_up(self) -> None:
        """Makes pictures of the last step done, also of one that was not handed on because the disk refused its epoch."""
        last = self._recording.last
        if last is not None and last is not self._event:
            self.see(last)
        self.show()

    def learn(self) -> None:
        """Lets the next estimate of a run like this one know what a step really took."""
        if seconds := self.seconds_per_step:
            duration.learn(self._recording.config, self._recording.model.image_shape, seconds)

    def end_at(self, end: Diverged) -> None:
        """Counts the step in which the run went out of hand; the pictures stay those before."""
        if self.seen:
            self.seen = replace(self.seen, step=end.step, seconds_left=None)

    def rest(self) -> None:
        """Lets go of the network until the run goes on; its pictures and curves stay."""
        self._event = None

    def forget_model(self) -> None:
        """Keeps the last pictures and lets go of the network."""
        self._recording = self._probes = self._sample = self._event = None  # an event's checkpoint has the network, too
