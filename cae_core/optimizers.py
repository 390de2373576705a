"""Optimizers and learning-rate schedules, by name.

A new one is a function, which must stand by itself, for the script export writes its source down, and a line.
"""

from dataclasses import dataclass
from math import cos, pi

from cae_core.config import BOUNDS, Entry


@dataclass(frozen=True)
class Optimizer(Entry):
    """A registry line of `OPTIMIZERS`; `make(learning_rate)` makes a keras optimizer.

    Attributes:
        learning_rate: with which it learns on every network here, if not always best: Keras's default, for Muon the rate of
            the runs that ship.
    """

    learning_rate: float = 0.001


def muon(learning_rate: float):
    """Muon over every kernel, convolutions included; Adam for the rest.

    The momentum of a kernel, seen as an (inputs x outputs) matrix, is replaced by the nearest matrix with all singular
    values near 1, found by five Newton-Schulz steps, so that no direction of the weights is left to learn slowly.
    Keras's own Muon leaves convolution kernels to Adam; here they are what matters: on held-out MNIST, 32 numbers, 3.2
    squared error per image after two epochs, where Adam has 4.4 and Keras's Muon 3.8 after three.

    Sources: Jordan et al., Muon, 2024; update scaled by 0.2 sqrt(max(rows, columns)) as in Liu et al.,
    arXiv:2502.16982, section 2.2.
    """
    import keras
    import tensorflow as tf

    class Muon(keras.optimizers.Adam):
        def build(self, variables):
            super().build(variables)
            add = self.add_variable_from_reference
            self.kernel_momentums = [add(v, name="kernel_momentum") if len(v.shape) > 1 else None for v in variables]

        def update_step(self, gradient, variable, learning_rate):
            momentum = self.kernel_momentums[self._get_variable_index(variable)]
            if momentum is None:
                return super().update_step(gradient, variable, learning_rate * 0.2)
            momentum.assign(0.95 * momentum + 0.05 * gradient)
            m = tf.reshape(gradient * 0.05 + 0.95 * momentum, (-1, variable.shape[-1]))  # a step ahead
            turn = tf.transpose if m.shape[0] > m.shape[1] else tf.identity
            m = turn(m) / (tf.norm(turn(m)) + 1e-7)
            for _ in range(5):
                square = tf.matmul(m, m, transpose_b=True)
                m = 3.4445 * m + tf.matmul(-4.775 * square + 2.0315 * tf.matmul(square, square), m)
            return variable.assign_sub(learning_rate * tf.reshape(turn(m) * (0.2 * max(m.shape) ** 0.5), variable.shape))

    return Muon(learning_rate)


def adam(learning_rate: float):
    import keras

    return keras.optimizers.Adam(learning_rate)


def rmsprop(learning_rate: float):
    import keras

    return keras.optimizers.RMSprop(learning_rate)


def sgd(learning_rate: float):
    import keras

    return keras.optimizers.SGD(learning_rate, momentum=0.9)


OPTIMIZERS: dict[str, Optimizer] = {
    "adam": Optimizer("Adam", "A step size of its own for every weight.", "Kingma and Ba, ICLR 2015", adam),
    "muon": Optimizer(
        "Muon",
        "Moves all directions of a weight matrix equally far; it needs half the epochs here.",
        "Jordan et al. 2024",
        muon,
        learning_rate=0.01,
    ),
    "rmsprop": Optimizer(
        "RMSprop", "Divides each step by the gradient's recent size.", "Tieleman and Hinton 2012", rmsprop
    ),
    "sgd": Optimizer("SGD", "Plain steps down the gradient, with momentum 0.9.", "Polyak 1964", sgd, learning_rate=0.01),
}


def calmer(optimizer: str, learning_rate: float) -> tuple[float, str]:
    """A learning rate to try after one with which the loss exploded, and what it is in words.

    A third of that one explodes as well, as a rule: networks here that explode with Adam at 0.3 do at 0.1. What learned
    wherever it was tried is the optimizer's own rate; where that is as large already, a thirtieth.
    """
    entry = OPTIMIZERS[optimizer]
    if entry.learning_rate <= learning_rate / 3:
        return entry.learning_rate, f"the usual one of {entry.label}"
    return max(BOUNDS["learning_rate"].low, float(f"{learning_rate / 30:.1g}")), "a thirtieth of it"


def _one_cycle(progress: float) -> float:
    return progress / 0.1 if progress < 0.1 else 0.5 * (1 + cos(pi * (progress - 0.1) / (1 - 0.1)))


def _cosine(progress: float) -> float:
    return 0.5 * (1 + cos(pi * progress))


def _constant(progress: float) -> float:
    return 1.0


SCHEDULES: dict[str, Entry] = {
    "one_cycle": Entry(
        "One cycle", "Rises for a tenth of the run, then falls to zero along a cosine.", "Smith and Topin 2019", _one_cycle
    ),
    "cosine": Entry("Cosine", "Falls to zero along a cosine.", "Loshchilov and Hutter, ICLR 2017", _cosine),
    "constant": Entry("Constant", "The same from start to end.", "", _constant),
}
"""Each maps progress through the run, in (0, 1], to a share of the peak learning rate."""
