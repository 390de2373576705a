"""Training, as a generator: the only code that changes weights.

`train` yields an event after every step. Whoever asks for the next event drives the training; not asking is a pause, and
asking no more is a stop.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cae_core import metrics
from cae_core.architectures import ARCHITECTURES, Autoencoder, build
from cae_core.config import RunConfig, lookup
from cae_core.corruptions import MIXED, NOISE_KINDS, corrupt, graph_corruption
from cae_core.datasets import DATASETS, as_float, load
from cae_core.losses import LOSSES
from cae_core.optimizers import OPTIMIZERS, SCHEDULES

HELD_OUT = 5_000
"""Images at the end of every training split that no run trains on: choices are made on them, never on the test split."""


MEASURED = {"clean": ("none", 0.0), "gaussian 0.5": ("gaussian", 0.5)}
"""Conditions a finished run is measured under on the whole test split: label to noise kind and factor."""


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
    """

    step: int
    num_steps: int
    epoch: int
    seconds: float
    loss: float
    epoch_loss: float | None = None
    held_out_loss: float | None = None


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


def train(model: Autoencoder, config: RunConfig, x_train: np.ndarray, x_held_out: np.ndarray) -> Iterator[TrainingEvent]:
    """Trains `model` in place, one step an event.

    The input of a step is the corrupted image, the target always the clean one. Noise is fresh in every step. Each epoch
    is a permutation of the images; a last batch that is not full is left to the next epoch's luck.

    Args:
        model: an untrained (or to be continued) network.
        config: the run; its dataset and num_train are for the caller, who chooses the images.
        x_train: `(n, H, W, C)` uint8.
        x_held_out: `(m, H, W, C)` uint8.

    Yields:
        A `TrainingEvent` a step.

    Raises:
        ValueError: a name in `config` is unknown, or there are no images.
        FloatingPointError: the loss is no longer a finite number; the message says what to try.
    """
    check(config)
    if not len(x_train) or not len(x_held_out):
        raise ValueError(f"Got {len(x_train)} training and {len(x_held_out)} held-out images; both must be at least 1.")
    import tensorflow as tf

    batch_size = min(config.batch_size, len(x_train))
    steps_per_epoch = len(x_train) // batch_size
    num_steps = steps_per_epoch * config.epochs
    optimizer = lookup(OPTIMIZERS, "optimizer", config.optimizer).make(config.learning_rate)
    optimizer.build(model.trainable_variables)
    schedule = SCHEDULES[config.schedule].make
    loss_of = LOSSES[config.loss].make
    corruption = graph_corruption(config.noise_kind, config.noise_factor)
    images = tf.constant(x_train)  # on the device once, as bytes; a batch is gathered and scaled inside the step

    def objective(x_noisy, x, training):
        z, logits = model.logits(x_noisy, training)
        loss = loss_of(x, logits)
        return loss + config.sparsity * tf.reduce_mean(tf.abs(z)) if config.sparsity else loss

    @tf.function(autograph=False)
    def step_on(indices, learning_rate, seed):
        x = tf.ensure_shape(tf.gather(images, indices), (batch_size, *x_train.shape[1:]))
        x = tf.cast(x, tf.float32) / 255.0
        with tf.GradientTape() as tape:
            loss = objective(corruption(x, seed), x, True)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.learning_rate.assign(learning_rate)
        optimizer.apply(gradients, model.trainable_variables)
        return loss

    held_out_loss_of = tf.function(lambda x_noisy, x: objective(x_noisy, x, False), reduce_retracing=True, autograph=False)
    clean, noisy = _held_out_pair(config, x_held_out)

    rng = np.random.default_rng(config.seed)
    step, seconds = 0, 0.0
    for epoch in range(config.epochs):
        order = rng.permutation(len(x_train)).astype("int32")
        losses = np.empty(steps_per_epoch)
        for i in range(steps_per_epoch):
            started = time.perf_counter()
            step += 1
            rate = config.learning_rate * schedule(step / num_steps)
            loss = step_on(
                tf.constant(order[i * batch_size : (i + 1) * batch_size]),
                tf.constant(rate, tf.float32),
                tf.constant([config.seed, step], tf.int32),
            )
            losses[i] = float(loss)
            if not np.isfinite(losses[i]):
                raise FloatingPointError(
                    f"The loss became {losses[i]} in step {step} of {num_steps}: the steps are too large. "
                    f"Try a learning rate below {config.learning_rate:g}, such as {config.learning_rate / 3:.1g}."
                )
            last = i == steps_per_epoch - 1
            epoch_loss = float(losses.mean()) if last else None
            held_out_loss = _mean_loss(held_out_loss_of, noisy, clean) if last else None
            seconds += time.perf_counter() - started
            yield TrainingEvent(step, num_steps, epoch + last, seconds, float(losses[i]), epoch_loss, held_out_loss)


def _held_out_pair(config: RunConfig, x_held_out: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Clean and noisy held-out images, the same for every epoch. Mixed noise is stood for by its largest part."""
    clean = as_float(x_held_out)
    kind = "gaussian" if config.noise_kind == MIXED else config.noise_kind
    return clean, corrupt(clean, kind, config.noise_factor / (2 if config.noise_kind == MIXED else 1), config.seed)


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


def train_whole(config: RunConfig, on_event=lambda event: None):
    """Trains a configuration from start to end on its data set.

    Returns:
        The model, its history (one mapping an epoch), the number of training images, and the seconds spent.
    """
    check(config)
    x_train, x_held_out = split_held_out(load(config.dataset, "train").x, config.num_train)
    model = build(config, x_train.shape[1:])
    history = []
    for event in train(model, config, x_train, x_held_out):
        on_event(event)
        if event.epoch_loss is not None:
            history.append({
                "epoch": event.epoch,
                "loss": round(event.epoch_loss, 6),
                "held_out_loss": round(event.held_out_loss, 6),
                "seconds": round(event.seconds, 2),
            })  # fmt: skip
    return model, history, len(x_train), history[-1]["seconds"]


def measure(model, dataset: str) -> dict[str, dict[str, float]]:
    """The figures of `evaluate` on the whole test split, by condition in `MEASURED`."""
    x = load(dataset, "test").x
    return {
        label: {key: round(value, 6) for key, value in evaluate(model, x, kind, factor).items()}
        for label, (kind, factor) in MEASURED.items()
    }
