"""Objectives of a run: that of each layer pretrained alone, if it is, then that of the whole network."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cae_core.architectures import ARCHITECTURES, num_epochs
from cae_core.architectures.autoencoder import Autoencoder
from cae_core.architectures.variational import VariationalAutoencoder, drawn, importance_weighted
from cae_core.config import RunConfig
from cae_core.losses import LOSSES, kl, loss_of
from cae_core.training.boltzmann import ADVICE, Machine


@dataclass(frozen=True)
class Objective:
    """What some epochs make small.

    Attributes:
        loss: of the noisy and the clean images, `(n, H, W, C)` float32 tensors, whether this is training, and a seed `(2,)`
            int32, the run's and the step, of what is drawn.
        variables: the weights that it may change.
        first_epoch: epochs of the run before it.
        epochs: its own.
        parts: of a variational network's loss with one code for an image, of the same: its distortion and its rate, the KL
            term without its weight, `(2,)`; None of any other loss.
        machine: the restricted Boltzmann machine that is trained, with an optimizer and a rate of its own; else None.
    """

    loss: Callable[[Any, Any, bool, Any], Any]
    variables: list[Any]
    first_epoch: int
    epochs: int
    parts: Callable[[Any, Any, bool, Any], Any] | None = None
    machine: Machine | None = None

    @property
    def advice(self) -> str:
        """What to do if it diverges; "" where that is another learning rate."""
        return ADVICE if self.machine else ""


def objectives(model: Autoencoder, config: RunConfig, num_steps: int) -> Iterator[Objective]:
    """The objectives of a run of so many steps, in their order; without pretraining only the last."""
    if config.pretraining:
        for number, stage in enumerate(model.stages):
            epochs = (number * config.pretraining, config.pretraining)
            if config.pretraining_kind == "rbm":
                machine = Machine(stage)
                yield Objective(_as_machine(model, number, machine), machine.variables, *epochs, machine=machine)
            else:
                yield Objective(_alone(model, config, number), stage.trainable_variables, *epochs)
    parts = None
    if not ARCHITECTURES[config.architecture].variational:
        whole = _whole(model, config, num_steps)
    elif LOSSES[config.loss].codes > 1:
        whole = _importance_weighted(model, config, num_steps)
    else:
        parts = _variational_parts(model, config)
        whole = _variational(parts, config, num_steps)
    yield Objective(whole, model.trainable_variables, num_epochs(config) - config.epochs, config.epochs, parts)


def _whole(model: Autoencoder, config: RunConfig, num_steps: int):
    import tensorflow as tf

    loss_between = loss_of(config.loss, config.output)

    def loss(x_noisy, x, training, seed):
        z, logits = model.logits(x_noisy, training, tf.cast(seed[1], tf.float32) / num_steps)
        error = loss_between(x, logits)
        return error + config.sparsity * tf.reduce_mean(tf.abs(z)) if config.sparsity else error

    return loss


def _variational_parts(model: VariationalAutoencoder, config: RunConfig):
    """Distortion, the reconstruction loss through one code drawn for each image, and rate, the codes' KL divergence."""
    import tensorflow as tf

    loss_between = loss_of(config.loss, config.output)

    def parts(x_noisy, x, training, seed):
        mean, log_variance = model.distribution(x_noisy, training=training)
        logits = model.decoder(drawn(mean, log_variance, seed), training=training)
        return tf.stack([loss_between(x, logits), kl(mean, log_variance)])

    return parts


def _variational(parts: Callable[..., Any], config: RunConfig, num_steps: int):
    """Distortion + β · rate."""
    import tensorflow as tf

    def loss(x_noisy, x, training, seed):
        distortion, rate = tf.unstack(parts(x_noisy, x, training, seed))
        return distortion + _beta(config, num_steps, training, seed) * rate

    return loss


def _beta(config: RunConfig, num_steps: int, training: bool, seed: Any) -> Any:
    """β, in training still growing during the warm-up."""
    import tensorflow as tf

    warmup_steps = config.beta_warmup * num_steps
    if training and warmup_steps:
        return config.beta * tf.minimum(1.0, tf.cast(seed[1], tf.float32) / warmup_steps)
    return config.beta


def _importance_weighted(model: VariationalAutoencoder, config: RunConfig, num_steps: int):
    def loss(x_noisy, x, training, seed):
        mean, log_variance = model.distribution(x_noisy, training=training)
        beta = _beta(config, num_steps, training, seed)
        codes = LOSSES[config.loss].codes
        return importance_weighted(x, mean, log_variance, model.decoder, seed, codes, beta)

    return loss


def _alone(model: Autoencoder, config: RunConfig, number: int):
    """Greedy layer-wise pretraining (Bengio, Lamblin, Popovici and Larochelle, NIPS 2006, section 2.3): a pair of layers as
    a shallow autoencoder of what the layers below make of the clean images, which are left as they are. The outermost pair
    is a denoiser under the run's noise and loss; between sigmoids the error is squared.
    """
    import tensorflow as tf

    stage = model.stages[number]
    loss_between = loss_of(config.loss, config.output)

    def loss(x_noisy, x, training, seed):
        if not number:
            return loss_between(x, stage.down(stage.up(x_noisy)))
        h = _below(model, number, x)
        return tf.reduce_mean(tf.math.squared_difference(h, stage.down(stage.up(h))))

    return loss


def _as_machine(model: Autoencoder, number: int, machine: Machine):
    """Greedy pretraining as of Hinton and Salakhutdinov, Science 2006: a pair of layers as a restricted Boltzmann machine
    of the probabilities that the machines below give of the clean images."""
    import tensorflow as tf

    def loss(x_noisy, x, training, seed):
        h = _below(model, number, x)
        return machine.loss(tf.reshape(h, (-1, machine.kernel.shape[0])), seed)

    return loss


def _below(model: Autoencoder, number: int, x: Any):
    """What the stages below one make of images; they are left as they are."""
    import tensorflow as tf

    for stage in model.stages[:number]:
        x = stage.up(x)
    return tf.stop_gradient(x)
