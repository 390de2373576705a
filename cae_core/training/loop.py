"""The training loop, as a generator: the only code that changes the weights of a run, of whichever kind.

`run_phases` yields an event after every step. Whoever asks for the next event drives the training; not asking is a pause,
and asking no more is a stop. Every event can say where the run stands, exactly enough to go on from there another day.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cae_core import runtime
from cae_core.training.events import Checkpoint


@dataclass(frozen=True)
class Phase:
    """Some steps with one objective.

    Attributes:
        loss: of a batch, `(n, H, W, C)` float32 in [0, 1]; the places of its images, `(n,)` int32; and a seed `(2,)` int32
            for all that is random: a tensor with one loss, or `(k,)` losses of networks that share no weight.
        variables: the weights that it may change.
        optimizer: a built one that has done no step yet.
        rate: the learning rate by the share of the phase's steps that are done, in (0, 1].
        orders: of each epoch, the places of the images to learn from, `(m,)` int32.
        batch_size: n.
        steps_per_epoch: full batches; images over are left to the next epoch's luck.
        steps: how many it has.
        first_step: steps before it.
        event: what to say of a step, by its number, the losses of its epoch so far and the sum of the phase's first; may
            raise `Diverged`. Seconds and checkpoint are added to it.
    """

    loss: Callable[[Any, Any, Any], Any]
    variables: Sequence[Any]
    optimizer: Any
    rate: Callable[[float], float]
    orders: Iterator[np.ndarray]
    batch_size: int
    steps_per_epoch: int
    steps: int
    first_step: int
    event: Callable[[int, list[Any], float], Any]


def run_phases(
    model: Any, phases: Iterable[Phase], images: np.ndarray, seed: int, start: Checkpoint | None = None
) -> Iterator[Any]:
    """Trains `model` in place, one step an event.

    Args:
        model: what has `weights` and `set_weights`.
        phases: in their order, each asked for when those before are done.
        images: `(N, H, W, C)` uint8, all that a phase may learn from.
        seed: of all that is random in a step.
        start: go on from there, with the same images and phases, instead of from the first step.

    Yields:
        The phase's event of every step.

    Raises:
        Diverged: as the phase's `event` says.
    """
    import tensorflow as tf

    # On the device once, as bytes: a batch is gathered and scaled inside the step. Handed to the step rather than captured
    # by it, for what a compiled function captures stays in memory as long as the function does.
    data = tf.constant(images)
    step, seconds, first_loss = 0, 0.0, None
    if start:
        model.set_weights(start.weights)
        step, seconds, first_loss = start.step, start.seconds, start.first_loss

    def checkpoint() -> Checkpoint:
        done = losses if step < first + phase.steps_per_epoch else []
        variables = [variable.numpy() for variable in phase.optimizer.variables]
        return Checkpoint(step, seconds, model.weights(), variables, np.array(done, float), first_loss)

    for phase in phases:
        step, end = max(step, phase.first_step), phase.first_step + phase.steps
        if step > phase.first_step and step < end:
            set_variables(phase.optimizer, start.optimizer)
        step_on, is_compiled = _compiled(phase, images.shape[1:]), False
        for first in range(phase.first_step, end, phase.steps_per_epoch):
            order = next(phase.orders)  # drawn for the epochs that are done, too
            losses = list(start.losses) if step > first else []
            for i in range(max(0, step - first), min(phase.steps_per_epoch, end - first)):
                started = time.perf_counter()
                step += 1
                with nullcontext() if is_compiled else runtime.tracing():
                    batch_losses = step_on(
                        data,
                        tf.constant(order[i * phase.batch_size : (i + 1) * phase.batch_size]),
                        tf.constant(phase.rate((step - phase.first_step) / phase.steps), tf.float32),
                        tf.constant([seed, step], tf.int32),
                    )
                is_compiled = True
                losses.append(batch_losses.numpy().tolist())
                first_loss = float(np.sum(losses[-1])) if step == phase.first_step + 1 else first_loss
                event = phase.event(step, losses, first_loss)
                seconds += time.perf_counter() - started
                yield replace(event, seconds=seconds, checkpoint=checkpoint)


def _compiled(phase: Phase, image_shape: tuple[int, ...]) -> Callable[..., Any]:
    """A step of the phase."""
    import tensorflow as tf

    @tf.function(autograph=False)
    def step_on(images, indices, learning_rate, seed):
        x = tf.ensure_shape(tf.gather(images, indices), (phase.batch_size, *image_shape))
        x = tf.cast(x, tf.float32) / 255.0
        with tf.GradientTape() as tape:
            losses = phase.loss(x, indices, seed)
        gradients = tape.gradient(losses, phase.variables)  # of their sum: none has a part of another's
        phase.optimizer.learning_rate.assign(learning_rate)
        phase.optimizer.apply(gradients, phase.variables)
        return losses

    return step_on


def set_variables(optimizer: Any, values: Sequence[np.ndarray]) -> None:
    """Puts an optimizer where it was; a ValueError if these were not the variables of one like it."""
    wanted = [(tuple(variable.shape), variable.dtype) for variable in optimizer.variables]
    if [(array.shape, str(array.dtype)) for array in values] != wanted:
        raise ValueError("The checkpoint belongs to another optimizer or network than the configuration: start again.")
    for variable, array in zip(optimizer.variables, values, strict=True):
        variable.assign(array)
