"""Training a stack layer by layer, then both classifiers at once: the phases that the loop carries out.

Greedy: while a layer is trained, those below are left as they are and those above have not begun. Then one classifier takes
the layers' weights over, and both are fine-tuned end to end on the same labels, in the same batches, at the same rate.
"""

import functools
import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cae_core.config import StackConfig
from cae_core.corruptions import graph_corruption
from cae_core.losses import half, linear_half
from cae_core.optimizers import OPTIMIZERS, SCHEDULES
from cae_core.stacking.config import check
from cae_core.training import split_held_out
from cae_core.training.events import Checkpoint, Diverged
from cae_core.training.loop import Phase, run_phases

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
class StackEvent:
    """What happened in one step.

    Attributes:
        stage: the step's.
        step: steps done, of all stages, from 1.
        num_steps: steps of all stages.
        seconds: since the first, without the time between events.
        losses: of this batch: of the layer, 1/(2n) Σ (x − y)²; or of each of `config.ARMS` in their order, in nats.
        checkpoint: takes the `Checkpoint` after this step; only before the next event is asked for.
    """

    stage: Stage
    step: int
    num_steps: int
    seconds: float
    losses: tuple[float, ...]
    checkpoint: Callable[[], Checkpoint] | None = field(default=None, repr=False, compare=False)

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
    start: Checkpoint | None = None,
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
    yield from run_phases(networks, _phases(networks, config, y, start, only), x, config.seed, start)


def _phases(
    networks: Any, config: StackConfig, y: np.ndarray, start: Checkpoint | None, only: Callable[[Stage], bool]
) -> Iterator[Phase]:
    """The phase of each stage that is not done; the last begins with what the layers then are."""
    plan = stages(config, len(y))
    num_steps = plan[-1].first_step + plan[-1].steps
    labelled = choose_labelled(y, config.labels, config.seed)

    def event(stage: Stage, rate: float, step: int, losses: list[list[float]], _: float) -> StackEvent:
        values = tuple(losses[-1])
        if not all(map(math.isfinite, values)):
            what = "learning rate" if stage.layer is not None else "fine-tuning rate"
            became = f"The loss became {max(values, key=lambda v: not math.isfinite(v))}"
            where = f"step {step - stage.first_step:,} of {stage.label}"
            raise Diverged(became, where, step, config.optimizer, rate, what, stage)
        return StackEvent(stage, step, num_steps, 0.0, values)

    done = start.step if start else 0
    for stage in plan:
        if done >= stage.first_step + stage.steps or not only(stage):
            continue
        is_layer = stage.layer is not None
        if not is_layer and done <= stage.first_step:
            networks.arms["pretrained"].start_from(networks.stack)
        rate = config.learning_rate if is_layer else config.tuning_rate
        variables, losses = _of_layer(networks.stack, config, stage.layer) if is_layer else _of_arms(networks, config, y)
        optimizer = OPTIMIZERS[config.optimizer].make(rate)
        optimizer.build(variables)
        indices = np.arange(len(y), dtype="int32") if is_layer else labelled
        batch_size = min(config.batch_size, len(indices))
        yield Phase(
            losses, variables, optimizer, lambda share, rate=rate: rate * SCHEDULES[SCHEDULE].make(share),
            _orders(indices, config.seed, stage), batch_size, max(1, len(indices) // batch_size), stage.steps,
            stage.first_step, functools.partial(event, stage, rate),
        )  # fmt: skip


def _orders(indices: np.ndarray, seed: int, stage: Stage) -> Iterator[np.ndarray]:
    """The order of each epoch; each is drawn anew, so that one can be taken up anywhere."""
    number = 0 if stage.layer is None else stage.layer + 1
    return (np.random.default_rng([seed, 2, number, epoch]).permutation(indices) for epoch in itertools.count())


def _of_arms(networks: Any, config: StackConfig, y: np.ndarray):
    """What fine-tuning may change, and the arms' losses `(k,)` as a `Phase` has them, in nats."""
    import tensorflow as tf

    arms, classes = list(networks.arms.values()), tf.constant(y.astype("int32"))
    size = int(np.prod(arms[0].encoders.shapes[-1]))

    def losses(x, indices, seed):
        uniform = tf.random.stateless_uniform((x.shape[0], size), seed)
        keep = tf.cast(uniform >= config.dropout, tf.float32) / (1 - config.dropout) if config.dropout else None
        labels = tf.gather(classes, indices)
        entropies = [tf.nn.sparse_softmax_cross_entropy_with_logits(labels, arm.logits(x, keep)) for arm in arms]
        return tf.stack([tf.reduce_mean(entropy) for entropy in entropies])

    return [v for arm in arms for v in arm.trainable], losses


def _of_layer(stack: Any, config: StackConfig, number: int):
    """What a layer may change, and its loss `(1,)` as a `Phase` has it.

    The layer gets what those below make of the noisy image, and aims at what they make of the clean one.
    """
    import tensorflow as tf

    corruption = graph_corruption(config.noise_kind, config.noise_factor)

    def loss(x, indices, seed):
        target = tf.stop_gradient(stack.encoders.encode(x, number))
        is_noisy = config.noise_kind != "none"
        layer_input = tf.stop_gradient(stack.encoders.encode(corruption(x, seed), number)) if is_noisy else target
        h, switches = stack.encoders.up(layer_input, number)
        logits = stack.logits_below(h, switches, number)
        return half(target, logits)[None] if number == 0 else linear_half(target, stack.below(h, switches, number))[None]

    return stack.trainable(number), loss


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
