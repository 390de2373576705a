"""Training a stack layer by layer, then both classifiers at once, as a generator: the only code that changes their weights.

Greedy: while a layer is trained, those below are left as they are and those above have not begun. Then one classifier takes
the layers' weights over, and both are fine-tuned end to end on the same labels, in the same batches, at the same rate.
Whoever asks for the next event drives; every event can say where the stack stands, exactly enough to go on from there.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cae_core import runtime
from cae_core.config import StackConfig
from cae_core.corruptions import graph_corruption
from cae_core.losses import half, linear_half
from cae_core.optimizers import OPTIMIZERS, SCHEDULES
from cae_core.stacking.config import check
from cae_core.training import set_variables, split_held_out
from cae_core.training.events import Diverged

SCHEDULE = "one_cycle"
"""Of every stage: from random weights a classifier needs the warm-up, and the other gets no other treatment."""


@dataclass(frozen=True)
class Stage:
    """A part of the training.

    Attributes:
        layer: which layer is trained, from 0; None for the classifiers.
        steps: how many it has.
        steps_per_epoch: how many go through its images once.
        first_step: steps before it.
    """

    layer: int | None
    steps: int
    steps_per_epoch: int
    first_step: int

    @property
    def label(self) -> str:
        """Such as "Layer 2"."""
        return "Classifiers" if self.layer is None else f"Layer {self.layer + 1}"


def stages(config: StackConfig, num_images: int) -> list[Stage]:
    """The stages of a stack that learns from so many images, in their order."""
    per_epoch = max(1, num_images // config.batch_size)
    layers = [
        Stage(layer, per_epoch * config.epochs, per_epoch, layer * per_epoch * config.epochs)
        for layer in range(config.layers)
    ]
    before = sum(stage.steps for stage in layers)
    return [*layers, Stage(None, config.steps, max(1, config.labels // config.batch_size), before)]


@dataclass(frozen=True)
class StackCheckpoint:
    """Where a stack stands: going on from it gives what never having stopped gives.

    Attributes:
        step: steps done, of all stages.
        seconds: spent on them.
        weights: every weight, by name.
        optimizer: the optimizer's own variables in this stage, in its order.
    """

    step: int
    seconds: float
    weights: Mapping[str, np.ndarray]
    optimizer: Sequence[np.ndarray]


@dataclass(frozen=True)
class StackEvent:
    """What happened in one step.

    Attributes:
        stage: the step's.
        step: steps done, of all stages, from 1.
        num_steps: steps of all stages.
        seconds: since the first, without the time between events.
        losses: of this batch: of the layer, 1/(2n) Σ (x − y)²; or of each of `config.ARMS` in their order, in nats.
        checkpoint: takes the `StackCheckpoint` after this step; only before the next event is asked for.
    """

    stage: Stage
    step: int
    num_steps: int
    seconds: float
    losses: tuple[float, ...]
    checkpoint: Callable[[], StackCheckpoint] | None = field(default=None, repr=False, compare=False)

    @property
    def ends_stage(self) -> bool:
        return self.step == self.stage.first_step + self.stage.steps


def choose_labelled(y: np.ndarray, labels: int, seed: int) -> np.ndarray:
    """The images whose labels are used: as many of each class as there are; fewer labels are a part of more.

    Args:
        y: `(n,)` classes of the training images.
        labels: how many to choose; n or more for all.
        seed: which.

    Returns:
        `(labels,)` int32 places in y, ascending.
    """
    order = np.random.default_rng([seed, 1]).permutation(len(y))
    rank = np.empty(len(y), int)
    for label in np.unique(y):
        own = order[y[order] == label]
        rank[own] = np.arange(len(own))
    first = np.lexsort((y, rank))[:labels]  # the first of every class, then the second of every class, ...
    return np.sort(first).astype("int32")


def train(
    networks: Any,
    config: StackConfig,
    x: np.ndarray,
    y: np.ndarray,
    start: StackCheckpoint | None = None,
    only: Callable[[Stage], bool] = lambda stage: True,
) -> Iterator[StackEvent]:
    """Trains `networks` in place, one step an event.

    Args:
        networks: a `network.Networks`, untrained or to be continued.
        config: the stack.
        x: `(n, H, W, C)` uint8, the images to learn from; those held out are not among them.
        y: `(n,)` their classes, of which only `config.labels` are looked at.
        start: go on from there, with the same images and configuration.
        only: which stages to carry out, such as only the layers.

    Yields:
        A `StackEvent` a step.

    Raises:
        ValueError: the settings cannot work together, or there are fewer images than labels.
        Diverged: a loss is no longer a finite number; the message says what to try.
    """
    check(config)
    if len(x) != len(y) or len(x) < config.labels:
        raise ValueError(f"Got {len(x)} images and {len(y)} classes for {config.labels} labels; give at least as many.")
    import tensorflow as tf

    images, classes = tf.constant(x), tf.constant(y.astype("int32"))
    plan = stages(config, len(x))
    num_steps = plan[-1].first_step + plan[-1].steps
    labelled = choose_labelled(y, config.labels, config.seed)
    step, seconds = 0, 0.0
    if start:
        networks.set_weights(start.weights)
        step, seconds = start.step, start.seconds
    optimizer = None

    def checkpoint() -> StackCheckpoint:
        return StackCheckpoint(step, seconds, networks.weights(), [v.numpy() for v in optimizer.variables])

    for stage in plan:
        end = stage.first_step + stage.steps
        if step >= end or not only(stage):
            step = max(step, end)
            continue
        indices = np.arange(len(x), dtype="int32") if stage.layer is not None else labelled
        if stage.layer is None and step == stage.first_step:
            networks.arms["pretrained"].start_from(networks.stack)
        rate = config.tuning_rate if stage.layer is None else config.learning_rate
        variables, losses = _objective(networks, config, stage)
        optimizer = OPTIMIZERS[config.optimizer].make(rate)
        optimizer.build(variables)
        if start and stage.first_step < start.step < end:
            set_variables(optimizer, start.optimizer)
        batch_size = min(config.batch_size, len(indices))
        step_on = _compiled(losses, variables, optimizer, (batch_size, *x.shape[1:]))

        fresh, order, ordered_epoch = True, None, None
        while step < end:
            started = time.perf_counter()
            epoch, place = divmod(step - stage.first_step, max(1, len(indices) // batch_size))
            if ordered_epoch != epoch:
                order, ordered_epoch = _order(indices, config.seed, stage, epoch), epoch
            step += 1
            share = SCHEDULES[SCHEDULE].make((step - stage.first_step) / stage.steps)
            with runtime.tracing() if fresh else nullcontext():  # the first step is compiled
                step_losses = step_on(
                    images,
                    classes,
                    tf.constant(order[place * batch_size : (place + 1) * batch_size]),
                    tf.constant(rate * share, tf.float32),
                    tf.constant([config.seed, step], tf.int32),
                )
            fresh = False
            values = tuple(step_losses.numpy().tolist())
            if not all(map(math.isfinite, values)):
                what = "learning rate" if stage.layer is not None else "fine-tuning rate"
                became = f"The loss became {max(values, key=lambda v: not math.isfinite(v))}"
                where = f"step {step - stage.first_step:,} of {stage.label}"
                raise Diverged(became, where, step, config.optimizer, rate, what, stage)
            seconds += time.perf_counter() - started
            yield StackEvent(stage, step, num_steps, seconds, values, checkpoint)


def _order(indices: np.ndarray, seed: int, stage: Stage, epoch: int) -> np.ndarray:
    """The order of an epoch; that of each is drawn anew, so that one can be taken up anywhere."""
    number = 0 if stage.layer is None else stage.layer + 1
    return np.random.default_rng([seed, 2, number, epoch]).permutation(indices)


def _compiled(losses, variables, optimizer, shape):
    import tensorflow as tf

    @tf.function(autograph=False)
    def step_on(images, classes, indices, learning_rate, seed):
        x = tf.cast(tf.ensure_shape(tf.gather(images, indices), shape), tf.float32) / 255.0
        with tf.GradientTape() as tape:
            values = losses(x, tf.gather(classes, indices), seed)
            loss = tf.reduce_sum(values)  # two classifiers share no weight, so neither's gradient has a part of the other's
        gradients = tape.gradient(loss, variables)
        optimizer.learning_rate.assign(learning_rate)
        optimizer.apply(gradients, variables)
        return values

    return step_on


def _objective(networks, config: StackConfig, stage: Stage):
    """What a stage may change, and its losses `(k,)` of a batch: x float32 in [0, 1], classes, and a seed for the noise."""
    import tensorflow as tf

    if stage.layer is None:
        arms = list(networks.arms.values())

        size = int(np.prod(arms[0].encoders.shapes[-1]))

        def of_arms(x, classes, seed):
            uniform = tf.random.stateless_uniform((x.shape[0], size), seed)
            keep = tf.cast(uniform >= config.dropout, tf.float32) / (1 - config.dropout) if config.dropout else None
            entropies = [tf.nn.sparse_softmax_cross_entropy_with_logits(classes, arm.logits(x, keep)) for arm in arms]
            return tf.stack([tf.reduce_mean(entropy) for entropy in entropies])

        return [v for arm in arms for v in arm.trainable], of_arms
    stack, number = networks.stack, stage.layer
    corruption = graph_corruption(config.noise_kind, config.noise_factor)

    def of_layer(x, classes, seed):
        """The layer gets what those below make of the noisy image, and aims at what they make of the clean one."""
        target = tf.stop_gradient(stack.encoders.encode(x, number))
        is_noisy = config.noise_kind != "none"
        layer_input = tf.stop_gradient(stack.encoders.encode(corruption(x, seed), number)) if is_noisy else target
        h, switches = stack.encoders.up(layer_input, number)
        logits = stack.logits_below(h, switches, number)
        return half(target, logits)[None] if number == 0 else linear_half(target, stack.below(h, switches, number))[None]

    return stack.trainable(number), of_layer


def learnt_from(config: StackConfig, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of a training split, the images that a stack learns from, and their classes."""
    images, _ = split_held_out(x, config.num_train)
    return images, y[: len(images)]


def predict(classifier, x: np.ndarray) -> np.ndarray:
    """Classes `(n,)` uint8 that a classifier reads in images `(n, H, W, C)` uint8."""
    import tensorflow as tf

    compiled = tf.function(
        lambda images: tf.argmax(classifier.logits(tf.cast(images, tf.float32) / 255.0), axis=-1),
        input_signature=[tf.TensorSpec((None, *x.shape[1:]), tf.uint8)],
        autograph=False,
    )
    return np.concatenate([compiled(x[a : a + 500]).numpy() for a in range(0, len(x), 500)]).astype("uint8")
