"""Training time of a run on this machine: measured on a few real steps of it, not guessed.

`request` has a configuration measured in the background; `known` says what is known without waiting. Runs that finish
correct the figures.
"""

from __future__ import annotations

import dataclasses
import functools
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cae_core import runtime, training
from cae_core.architectures import ARCHITECTURES, build, num_epochs
from cae_core.config import RunConfig, lookup

ImageShape = tuple[int, int, int]

SAMPLE = 1_000
"""Held-out images that are measured; the time of `training.HELD_OUT` is as many times longer as they are more."""

FORGOTTEN = 60.0
"""Seconds after which a request that was not answered is made again: the background forgets its oldest tasks."""

MAX_KNOWN = 256


@dataclass(frozen=True)
class Estimate:
    """What a run's time is made of.

    Attributes:
        start_seconds: building the network and compiling its steps, once a run.
        seconds_per_step: of one batch.
        seconds_per_epoch_end: the loss on the `training.HELD_OUT` held-out images, once an epoch.
    """

    start_seconds: float
    seconds_per_step: float
    seconds_per_epoch_end: float

    def seconds(self, config: RunConfig, num_images: int) -> float:
        """Of a whole run on so many training images; loading them and measuring the finished network not included."""
        steps = training.steps_per_epoch(config, num_images)
        return self.start_seconds + num_epochs(config) * (steps * self.seconds_per_step + self.seconds_per_epoch_end)


class Interrupted(Exception):
    """Measuring was given up because a run began: both would be slower, and the figures wrong."""


def _never() -> bool:
    return False


busy: Callable[[], bool] = _never
"""Whether a run is training now; whoever starts runs sets it. While it says so, nothing is measured."""

_lock = threading.Lock()
_known: dict[tuple, Estimate | None] = {}  # None: it cannot be measured, and training will say why
_learned: dict[tuple, float] = {}  # seconds a step of real runs
_wanted: tuple[tuple, RunConfig, ImageShape, float] | None = None  # the newest request, and when it was made
_measuring: tuple | None = None


def measure(config: RunConfig, image_shape: ImageShape, give_up: Callable[[], bool] = _never) -> Estimate:
    """Builds the configuration's network and trains it for two short epochs of random images.

    What is done once, such as compiling, is told from what is done again by the two epochs' difference; the first two
    steps are left out of a step's time, which is the median of the others.

    Args:
        config: its data set, number of images, epochs, learning rate and seed change nothing.
        image_shape: `(H, W, C)`.
        give_up: asked before every step.

    Raises:
        ValueError: the configuration is refused by its network or by `training.train`.
        Interrupted: `give_up` said so.
    """
    begun = time.perf_counter()
    steps = max(3, min(6, 2_048 // config.batch_size))  # an epoch; 12 in all, 6 where they are long
    # Speed does not depend on the learning rate, and with a low one no loss explodes.
    config = dataclasses.replace(config, epochs=2, learning_rate=1e-6, seed=0, pretraining=0)
    model = build(config, image_shape)
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (steps * config.batch_size, *image_shape), dtype=np.uint8)
    x_held_out = rng.integers(0, 256, (SAMPLE, *image_shape), dtype=np.uint8)
    took, mark = [], time.perf_counter()
    for _ in training.train(model, config, x, x_held_out):
        now = time.perf_counter()
        took.append(now - mark)
        if give_up():
            raise Interrupted("A run began while another's time was being measured.")
        mark = time.perf_counter()
    total = time.perf_counter() - begun
    ends = {steps - 1, 2 * steps - 1}
    step = statistics.median(seconds for place, seconds in enumerate(took) if place > 1 and place not in ends)
    epoch_end = max(0.0, took[-1] - step)
    start = max(0.0, total - len(took) * step - 2 * epoch_end)
    return Estimate(start, step, epoch_end * training.HELD_OUT / SAMPLE)


def known(config: RunConfig, image_shape: ImageShape) -> Estimate | None:
    """The estimate for runs like this one, if there is one yet."""
    key = _key(config, image_shape)
    with _lock:
        estimate, step = _known.get(key), _learned.get(key)
    if estimate is None or step is None:
        return estimate
    slower = step / estimate.seconds_per_step if estimate.seconds_per_step else 1.0
    return Estimate(estimate.start_seconds, step, estimate.seconds_per_epoch_end * slower)


def request(config: RunConfig, image_shape: ImageShape) -> None:
    """Has a configuration measured in the background, unless that is done or under way; returns at once.

    A newer request takes the place of one that waits. While a run trains, requests are dropped; make them again later.
    """
    global _wanted
    key, now = _key(config, image_shape), time.monotonic()
    with _lock:
        if key in _known or key == _measuring:
            _wanted = None  # what waits is no longer what somebody looks at
            return
        if _wanted and _wanted[0] == key and now - _wanted[3] < FORGOTTEN:
            return
        _wanted = key, config, image_shape, now
    runtime.soon(functools.partial(_measure_wanted, key))


def learn(config: RunConfig, image_shape: ImageShape, seconds_per_step: float) -> None:
    """Tells what a step really took in a run; the epoch's end is then scaled with it."""
    if seconds_per_step > 0:
        with _lock:
            _keep(_learned, _key(config, image_shape), float(seconds_per_step))


def forget() -> None:
    """Drops all that is known, and what is wanted."""
    global _wanted
    with _lock:
        _wanted = None
        _known.clear()
        _learned.clear()


def _measure_wanted(key: tuple) -> None:
    global _wanted, _measuring
    with _lock:
        if not _wanted or _wanted[0] != key:
            return
        _, config, image_shape, _ = _wanted
        _wanted = None
    if busy():  # asked without the lock: it may take its owner's
        return
    with _lock:
        _measuring = key
    estimate, answered = None, True
    try:
        estimate = measure(config, image_shape, busy)
    except Interrupted:
        answered = False
    except Exception:  # whatever it is, the run would meet it, too, and the page says it then
        estimate = None
    with _lock:
        _measuring = None
        if answered:
            _keep(_known, key, estimate)


def _keep(figures: dict, key: tuple, value) -> None:
    figures.pop(key, None)
    figures[key] = value
    while len(figures) > MAX_KNOWN:
        del figures[next(iter(figures))]  # the oldest


def _key(config: RunConfig, image_shape: ImageShape) -> tuple:
    """All that decides how fast a run is."""
    fixed = lookup(ARCHITECTURES, "architecture", config.architecture).fixed_code
    bottleneck = 0 if fixed else config.bottleneck
    return (
        config.architecture, bottleneck, config.loss, config.noise_kind, config.optimizer, config.batch_size,
        config.sparsity > 0, config.output, tuple(image_shape),
    )  # fmt: skip
