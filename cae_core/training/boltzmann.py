"""Restricted Boltzmann machines: a pair of layers with the same weights both ways, trained by contrastive divergence.

A machine gives visible units v and hidden units h the energy E(v, h) = −a·v − b·h − vWh, for linear hidden units with
½‖h‖² more; given one layer, the units of the other are independent. Summed over h, exp(−E) is exp(−F(v)) with the free
energy F, and maximum likelihood lowers F of the images against its mean over what the machine itself makes up. CD-k takes
in the place of the latter what k steps of Gibbs sampling make of the images (Hinton, Neural Computation 14, 2002).

The settings are those of Hinton and Salakhutdinov, Science 2006, supporting material.
"""

from typing import Any

from cae_core.architectures.autoencoder import Stage
from cae_core.config import lookup

RATES = {"sigmoid": 0.1, "linear": 0.001}
"""Learning rate by what the hidden units are: linear ones have no ceiling, and larger steps explode."""

MOMENTA, CALM_EPOCHS = (0.5, 0.9), 5
"""Momentum in the first `CALM_EPOCHS` and from then on."""

WEIGHT_COST = 0.0002

ADVICE = "Those of a Boltzmann machine are fixed: take larger batches, or set pretraining_kind to 'autoencoder'."
"""For one that diverges."""


class Machine:
    """The restricted Boltzmann machine that a stage of an autoencoder is while it is pretrained; a ValueError if it can be
    none, for what its hidden units are.

    Its weights are the encoder's; the decoder's kernel follows as their transpose after every step. Visible units are
    binary, with an image's grey levels or the probabilities of the machine below as data; hidden ones are binary where the
    encoder's layer is a sigmoid, else linear with Gaussian noise of variance 1.

    Attributes:
        kernel: `(visible, hidden)`.
        hidden_bias, visible_bias: of both layers.
        back: the decoder's kernel.
        rate: learning rate of every step.
        is_linear: whether the hidden units are.
        variables: all three, in that order.
    """

    def __init__(self, stage: Stage) -> None:
        (layer,), (back,) = ([part for part in way if part.weights] for way in (stage.encode, stage.decode))
        self.kernel, self.hidden_bias, self.visible_bias = layer.kernel, layer.bias, back.bias
        self.rate = lookup(RATES, "kind of hidden units", layer.activation.__name__)
        self.is_linear = layer.activation.__name__ == "linear"
        self.variables = [self.kernel, self.hidden_bias, self.visible_bias]
        self.back = back.kernel

    def free_energy(self, v: Any) -> Any:
        """F(v) of each of `(n, visible)` float32, `(n,)`."""
        import tensorflow as tf

        drive = v @ self.kernel + self.hidden_bias
        each = tf.square(drive) / 2.0 if self.is_linear else tf.nn.softplus(drive)
        return -tf.linalg.matvec(v, self.visible_bias) - tf.reduce_sum(each, axis=1)

    def hidden(self, v: Any, seed: Any) -> Any:
        """Hidden units `(n, hidden)` drawn for visible ones."""
        import tensorflow as tf

        drive = v @ self.kernel + self.hidden_bias
        if self.is_linear:
            return drive + tf.random.stateless_normal(drive.shape, seed)
        return tf.cast(tf.random.stateless_uniform(tf.shape(drive), seed) < tf.sigmoid(drive), tf.float32)

    def visible(self, h: Any) -> Any:
        """Probabilities of the visible units `(n, visible)`, given hidden ones."""
        import tensorflow as tf

        return tf.sigmoid(tf.matmul(h, self.kernel, transpose_b=True) + self.visible_bias)

    def loss(self, v: Any, seed: Any) -> Any:
        """The mean squared error of a reconstruction, with the gradient of CD-1.

        Contrastive divergence follows no loss: what it follows is the slope of F(v) − F(v') where the reconstruction v' is
        taken for a constant, which is ⟨vh⟩ of the data minus ⟨v'h'⟩ with h and h' as probabilities.
        """
        import tensorflow as tf

        again = tf.stop_gradient(self.visible(self.hidden(v, seed)))
        gap = tf.reduce_mean(self.free_energy(v) - self.free_energy(again))
        gap += WEIGHT_COST / 2.0 * tf.reduce_sum(tf.square(self.kernel))
        return tf.reduce_mean(tf.math.squared_difference(v, again)) + gap - tf.stop_gradient(gap)

    def optimizer(self, steps_per_epoch: int) -> Any:
        """A built keras optimizer: momentum, and after every step the decoder's kernel follows."""
        import keras
        import tensorflow as tf

        machine, calm_steps = self, CALM_EPOCHS * steps_per_epoch

        class Momentum(keras.optimizers.SGD):
            def update_step(self, gradient, variable, learning_rate):
                velocity = self.momentums[self._get_variable_index(variable)]
                momentum = tf.where(self.iterations < calm_steps, *MOMENTA)
                velocity.assign(momentum * velocity - learning_rate * gradient)
                variable.assign_add(velocity)

            def apply(self, gradients, variables):
                super().apply(gradients, variables)
                machine.back.assign(tf.transpose(machine.kernel))

        optimizer = Momentum(self.rate, momentum=MOMENTA[1])
        optimizer.build(self.variables)
        return optimizer
