"""Training, as a generator: the only code that changes weights.

`train` yields an event after every step. Whoever asks for the next event drives the training; not asking is a pause, and
asking no more is a stop. Every event can say where the run stands, exactly enough to go on from there another day.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

import numpy as np

from cae_core import backend, metrics
from cae_core.architectures import ARCHITECTURES, Autoencoder
from cae_core.config import RunConfig, lookup
from cae_core.corruptions import MIXED, NOISE_KINDS, corrupt, graph_corruption
from cae_core.datasets import DATASETS, as_float, load
from cae_core.losses import LOSSES
from cae_core.optimizers import OPTIMIZERS, SCHEDULES

HELD_OUT = 5_000
"""Images at the end of every training split that no run trains on: choices are made on them, never on the test split."""


MEASURED = {"clean": ("none", 0.0), "gaussian 0.5": ("gaussian", 0.5)}
"""Conditions a finished run is measured under on the whole test split: label to noise kind and factor."""


MEASURED_HELD_OUT = 500
"""Held-out images that a run's loss is measured on at least; as many as it trains on, where those are more. A run on a
hundred images would else spend most of its time on them."""

EXPLODED = 10.0
"""How many times its first value the loss may reach, as a mean over `WINDOW` steps, before a run is ended as diverging."""
WINDOW = 10


@dataclass(frozen=True)
class Checkpoint:
    """Where a run stands: going on from it gives the same losses as never having stopped.

    Attributes:
        step: steps done.
        seconds: spent on them.
        weights: every weight of the network, by name.
        optimizer: the optimizer's own variables, in its order.
        losses: of every step of the epoch that is not finished, `(k,)` float64.
        first_loss: of the run's first step; divergence is judged by it.
    """

    step: int
    seconds: float
    weights: Mapping[str, np.ndarray]
    optimizer: Sequence[np.ndarray]
    losses: np.ndarray
    first_loss: float


@dataclass(frozen=True)
class TrainingEvent:
    """What happened in one step.

    Attributes:
        step: steps done, from 1.
        num_steps: steps of the whole run.
        epoch: epochs finished after this step.
        seconds: since the first step was asked for, without the time between events.
        loss: training loss of this batch.
        epoch_loss: at the end of an epoch, the mean training loss over it; else None.
        held_out_loss: at the end of an epoch, the loss on held-out images under the run's noise; else None.
        checkpoint: takes the `Checkpoint` after this step; only before the next event is asked for.
    """

    step: int
    num_steps: int
    epoch: int
    seconds: float
    loss: float
    epoch_loss: float | None = None
    held_out_loss: float | None = None
    checkpoint: Callable[[], Checkpoint] | None = field(default=None, repr=False, compare=False)


def steps_per_epoch(config: RunConfig, num_images: int) -> int:
    """How many full batches there are in `num_images` training images."""
    return num_images // min(config.batch_size, num_images)


def check(config: RunConfig) -> None:
    """A ValueError naming what is wrong with a configuration, before anything is loaded or built."""
    for registry, what, name in (
        (DATASETS, "dataset", config.dataset),
        (ARCHITECTURES, "architecture", config.architecture),
        (LOSSES, "loss", config.loss),
        (NOISE_KINDS, "noise kind", config.noise_kind),
        (OPTIMIZERS, "optimizer", config.optimizer),
        (SCHEDULES, "schedule", config.schedule),
    ):
        lookup(registry, what, name)


def split_held_out(x: np.ndarray, num_train: int) -> tuple[np.ndarray, np.ndarray]:
    """The images to train on and those to choose by: the first `num_train`, and the last `HELD_OUT`, never the same."""
    return x[: max(0, min(num_train, len(x) - HELD_OUT))], x[-HELD_OUT:]


def train(
    model: Autoencoder, config: RunConfig, x_train: np.ndarray, x_held_out: np.ndarray, start: Checkpoint | None = None
) -> Iterator[TrainingEvent]:
    """Trains `model` in place, one step an event.

    The input of a step is the corrupted image, the target always the clean one. Noise is fresh in every step. Each epoch
    is a permutation of the images; a last batch that is not full is left to the next epoch's luck.

    Args:
        model: an untrained (or to be continued) network.
        config: the run; its dataset and num_train are for the caller, who chooses the images.
        x_train: `(n, H, W, C)` uint8.
        x_held_out: `(m, H, W, C)` uint8; the first max(`MEASURED_HELD_OUT`, n) of them are used.
        start: go on from there, with the same images and configuration, instead of from the first step.

    Yields:
        A `TrainingEvent` a step.

    Raises:
        ValueError: a name in `config` is unknown, or there are no images.
        FloatingPointError: the loss is no longer a finite number, or explodes; the message says what to try.
    """
    check(config)
    if not len(x_train) or not len(x_held_out):
        raise ValueError(f"Got {len(x_train)} training and {len(x_held_out)} held-out images; both must be at least 1.")
    import tensorflow as tf

    batch_size = min(config.batch_size, len(x_train))
    num_batches = steps_per_epoch(config, len(x_train))
    num_steps = num_batches * config.epochs
    optimizer = OPTIMIZERS[config.optimizer].make(config.learning_rate)
    optimizer.build(model.trainable_variables)
    schedule = SCHEDULES[config.schedule].make
    loss_of = LOSSES[config.loss].make
    corruption = graph_corruption(config.noise_kind, config.noise_factor)

    def objective(x_noisy, x, training):
        z, logits = model.logits(x_noisy, training)
        loss = loss_of(x, logits)
        return loss + config.sparsity * tf.reduce_mean(tf.abs(z)) if config.sparsity else loss

    @tf.function(autograph=False)
    def step_on(images, indices, learning_rate, seed):
        x = tf.ensure_shape(tf.gather(images, indices), (batch_size, *x_train.shape[1:]))
        x = tf.cast(x, tf.float32) / 255.0
        with tf.GradientTape() as tape:
            loss = objective(corruption(x, seed), x, True)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.learning_rate.assign(learning_rate)
        optimizer.apply(gradients, model.trainable_variables)
        return loss

    held_out_loss_of = tf.function(lambda x_noisy, x: objective(x_noisy, x, False), reduce_retracing=True, autograph=False)
    clean, noisy = _held_out_pair(config, x_held_out[: max(MEASURED_HELD_OUT, len(x_train))])
    # On the device once, as bytes: a batch is gathered and scaled inside the step. Handed to the step rather than captured
    # by it, for what a compiled function captures stays in memory as long as the function does.
    images = tf.constant(x_train)

    rng = np.random.default_rng(config.seed)
    losses, recent, first_loss = np.empty(num_batches), deque(maxlen=WINDOW), None
    step, seconds = 0, 0.0
    if start:
        _restore(model, optimizer, start)
        step, seconds, first_loss = start.step, start.seconds, start.first_loss
        losses[: len(start.losses)] = start.losses

    def checkpoint() -> Checkpoint:
        return Checkpoint(
            step, seconds, model.weights(), [v.numpy() for v in optimizer.variables],
            losses[: step % num_batches].copy(), first_loss,
        )  # fmt: skip

    for epoch in range(config.epochs):
        order = rng.permutation(len(x_train)).astype("int32")  # drawn for the epochs that are done, too
        for i in range(max(0, step - epoch * num_batches), num_batches):
            started = time.perf_counter()
            step += 1
            rate = config.learning_rate * schedule(step / num_steps)
            with nullcontext() if recent else backend.tracing():  # the first step is compiled
                loss = step_on(
                    images,
                    tf.constant(order[i * batch_size : (i + 1) * batch_size]),
                    tf.constant(rate, tf.float32),
                    tf.constant([config.seed, step], tf.int32),
                )
            losses[i] = float(loss)
            first_loss = losses[i] if first_loss is None else first_loss
            recent.append(losses[i])
            _refuse_divergence(config, recent, first_loss, step, num_steps)
            last = i == num_batches - 1
            epoch_loss = float(losses.mean()) if last else None
            held_out_loss = _mean_loss(held_out_loss_of, noisy, clean) if last else None
            _refuse_divergence(config, [held_out_loss or 0.0], first_loss, step, num_steps)
            seconds += time.perf_counter() - started
            yield TrainingEvent(
                step, num_steps, epoch + last, seconds, float(losses[i]), epoch_loss, held_out_loss, checkpoint
            )


def _restore(model: Autoencoder, optimizer, start: Checkpoint) -> None:
    model.set_weights(start.weights)
    shapes = [tuple(variable.shape) for variable in optimizer.variables]
    if [array.shape for array in start.optimizer] != shapes:
        raise ValueError("The checkpoint is of another optimizer or network than the configuration's: start the run anew.")
    for variable, array in zip(optimizer.variables, start.optimizer, strict=True):
        variable.assign(array)


def _refuse_divergence(config: RunConfig, recent: Sequence[float], first_loss: float, step: int, num_steps: int) -> None:
    """A FloatingPointError when training has gone out of hand: better said at once than after the last epoch."""
    what = ""
    if not np.isfinite(recent[-1]):
        what = f"The loss became {recent[-1]}"
    elif len(recent) == WINDOW and np.mean(recent) > EXPLODED * first_loss:
        what = f"The loss exploded from {first_loss:.3g} to {np.mean(recent):.3g}"
    if what:
        raise FloatingPointError(
            f"{what} in step {step} of {num_steps}: the steps are too large. "
            f"Try a learning rate below {config.learning_rate:g}, such as {config.learning_rate / 3:.1g}."
        )


def typical_noise(config: RunConfig) -> tuple[str, float]:
    """Kind and factor of the noise that a run is looked at under: its own; a mixture is stood for by its largest part."""
    if config.noise_kind == MIXED:
        return "gaussian", config.noise_factor / 2
    return config.noise_kind, config.noise_factor


def _held_out_pair(config: RunConfig, x_held_out: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Clean and noisy held-out images, the same for every epoch."""
    clean = as_float(x_held_out)
    return clean, corrupt(clean, *typical_noise(config), config.seed)


def _mean_loss(loss_of, noisy: np.ndarray, clean: np.ndarray, batch: int = 500) -> float:
    sums = [
        float(loss_of(noisy[a : a + batch], clean[a : a + batch])) * len(clean[a : a + batch])
        for a in range(0, len(clean), batch)
    ]
    return sum(sums) / len(clean)


def evaluate(
    model: Autoencoder, images: np.ndarray, noise_kind: str, noise_factor: float, seed: int = 0
) -> dict[str, float | int]:
    """How well a model gets from noisy input back to the clean target.

    Args:
        images: `(n, H, W, C)` uint8, clean.
        noise_kind: a name in `CORRUPTIONS`.
        noise_factor: in [0, 1].
        seed: of the noise.

    Returns:
        `{"mse", "psnr", "ssim", "bce", "num_images"}` of the reconstruction of the noisy images against the clean ones.
    """
    x = as_float(images)
    x_hat = model.reconstruct(corrupt(x, noise_kind, noise_factor, seed))
    return {**metrics.summary(x, x_hat), "num_images": len(x)}


def history_row(event: TrainingEvent) -> dict[str, float]:
    """What is kept of an epoch, from the event that ends it: the columns of `history.csv`."""
    return {
        "epoch": event.epoch,
        "loss": round(event.epoch_loss, 6),
        "held_out_loss": round(event.held_out_loss, 6),
        "seconds": round(event.seconds, 2),
    }


def measure(model, dataset: str) -> dict[str, dict[str, float]]:
    """The figures of `evaluate` on the whole test split, by condition in `MEASURED`."""
    x = load(dataset, "test").x
    return {
        label: {key: round(value, 6) for key, value in evaluate(model, x, kind, factor).items()}
        for label, (kind, factor) in MEASURED.items()
    }
