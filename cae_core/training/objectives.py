"""Objectives of a run: that of each layer pretrained alone, if it is, then that of the whole network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cae_core.architectures import num_epochs
from cae_core.architectures.autoencoder import Autoencoder
from cae_core.config import RunConfig
from cae_core.losses import loss_of


@dataclass(frozen=True)
class Objective:
    """What some epochs make small.

    Attributes:
        loss: of the noisy and the clean images, `(n, H, W, C)` float32 tensors, and whether this is training.
        variables: the weights that it may change.
        first_epoch: epochs of the run before it.
        epochs: its own.
    """

    loss: Callable[[Any, Any, bool], Any]
    variables: list[Any]
    first_epoch: int
    epochs: int


def objectives(model: Autoencoder, config: RunConfig) -> Iterator[Objective]:
    """The objectives of a run, in their order; without pretraining only the last."""
    if config.pretraining:
        for number, stage in enumerate(model.stages):
            alone = _alone(model, config, number)
            yield Objective(alone, stage.trainable_variables, number * config.pretraining, config.pretraining)
    yield Objective(_whole(model, config), model.trainable_variables, num_epochs(config) - config.epochs, config.epochs)


def _whole(model: Autoencoder, config: RunConfig):
    import tensorflow as tf

    loss_between = loss_of(config.loss, config.output)

    def loss(x_noisy, x, training):
        z, logits = model.logits(x_noisy, training)
        error = loss_between(x, logits)
        return error + config.sparsity * tf.reduce_mean(tf.abs(z)) if config.sparsity else error

    return loss


def _alone(model: Autoencoder, config: RunConfig, number: int):
    """Greedy layer-wise pretraining (Bengio, Lamblin, Popovici and Larochelle, NIPS 2006, section 2.3): a pair of layers as
    a shallow autoencoder of what the layers below make of the clean images, which are left as they are. The outermost pair
    is a denoiser under the run's noise and loss; between sigmoids the error is squared.
    """
    import tensorflow as tf

    stage, below = model.stages[number], model.stages[:number]
    loss_between = loss_of(config.loss, config.output)

    def loss(x_noisy, x, training):
        if not below:
            return loss_between(x, stage.down(stage.up(x_noisy)))
        h = x
        for lower in below:
            h = lower.up(h)
        h = tf.stop_gradient(h)
        return tf.reduce_mean(tf.math.squared_difference(h, stage.down(stage.up(h))))

    return loss
