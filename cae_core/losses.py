"""Reconstruction losses: pure functions of the target and the reconstruction, by name.

Each takes logits, the decoder's last values, because BCE computed from them neither overflows nor loses the gradient
where a pixel is saturated.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from cae_core.config import Entry, RunConfig, lookup


def bce(x, logits):
    """Binary cross-entropy in nats, mean over pixels and images.

    Args:
        x: `(n, H, W, C)` float32 target in [0, 1].
        logits: the same shape, unbounded; the reconstruction is their sigmoid.
    """
    import tensorflow as tf

    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=logits))


def mse(x, logits):
    """Mean squared error per pixel between x and the sigmoid of the logits; shapes as for `bce`."""
    import tensorflow as tf

    return tf.reduce_mean(tf.math.squared_difference(x, tf.sigmoid(logits)))


def linear_mse(x, logits):
    """Mean squared error per pixel of a linear decoder, whose reconstruction are the logits; x may be any number."""
    import tensorflow as tf

    return tf.reduce_mean(tf.math.squared_difference(x, logits))


def half(x, logits):
    """1/(2n) Σ (x − x̂)² over the pixels of n images, x̂ the sigmoid of the logits (Masci et al., ICANN 2011, eq. 3)."""
    import tensorflow as tf

    return tf.reduce_mean(tf.reduce_sum((x - tf.sigmoid(logits)) ** 2, axis=(1, 2, 3))) / 2.0


def linear_half(x, logits):
    """`half` of a linear decoder, whose reconstruction are the logits."""
    import tensorflow as tf

    return tf.reduce_mean(tf.reduce_sum((x - logits) ** 2, axis=(1, 2, 3))) / 2.0


def summed_bce(x, logits):
    """Binary cross-entropy in nats, summed over the pixels of an image, mean over images: −log p(x | z) of pixels that are
    each white with a probability of their own; shapes as for `bce`."""
    import tensorflow as tf

    return tf.reduce_mean(tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=logits), axis=(1, 2, 3)))


def kl(mean, log_variance):
    """KL divergence in nats of N(mean, exp(log_variance)) from N(0, 1), summed over a code's numbers, mean over images.

    ½ Σ (μ² + σ² − log σ² − 1) (Kingma and Welling, ICLR 2014, appendix B); both are `(n, k)` float32.
    """
    import tensorflow as tf

    each = tf.square(mean) + tf.exp(log_variance) - log_variance - 1.0
    return tf.reduce_mean(tf.reduce_sum(each, axis=1)) / 2.0


@dataclass(frozen=True)
class Loss(Entry):
    """A line of `LOSSES`; `make` is for a decoder that ends in a sigmoid.

    Attributes:
        linear: the same for a linear decoder; None if it reads every value as a probability.
        unit: of its value.
        has_kl: `make` is one part of it, and the KL term of a variational network's code, weighed by beta, the other.
        codes: drawn for each image in a step; of several `architectures.variational.importance_weighted` is made small.
    """

    linear: Callable[..., Any] | None = None
    unit: str = "per pixel"
    has_kl: bool = False
    codes: int = 1


def _importance_weighted(codes: int) -> Loss:
    return Loss(
        f"IWAE, {codes} codes",
        f"Of variational networks: {codes} codes are drawn for an image, and those that explain it best count most.",
        "Burda, Grosse and Salakhutdinov, ICLR 2016",
        summed_bce,
        unit="per image",
        has_kl=True,
        codes=codes,
    )


LOSSES: dict[str, Loss] = {
    "bce": Loss(
        "BCE",
        "Binary cross-entropy: every pixel is a probability of being white; being sure and wrong costs most.",
        "Bishop, Pattern Recognition and Machine Learning, 2006, eq. 4.90",
        bce,
    ),
    "mse": Loss(
        "MSE",
        "Mean squared error: every grey level of difference counts by its square.",
        "Hinton and Salakhutdinov, Science 2006",
        mse,
        linear_mse,
    ),
    "half": Loss(
        "Half SE",
        "Half the squared error, summed over an image: the same slope as MSE, 392 times as steep at 784 pixels.",
        "Masci et al., ICANN 2011, eq. 3",
        half,
        linear_half,
        "per image",
    ),
    "elbo": Loss(
        "BCE + β·KL",
        "Of variational networks: binary cross-entropy and KL term, both summed over an image. Were one of the two "
        "averaged, β would mean another weight, 784 times off.",
        "Kingma and Welling, ICLR 2014, eq. 10; β: Higgins et al., ICLR 2017",
        summed_bce,
        unit="per image",
        has_kl=True,
    ),
    **{f"iwae_{codes}": _importance_weighted(codes) for codes in (5, 50)},
}


def axis(names: Collection[str]) -> str:
    """What the axis of these losses is called in every chart, such as "BCE per pixel"."""
    return " and ".join(f"{entry.label} {entry.unit}" for name, entry in LOSSES.items() if name in names)


def axis_of(configs: Iterable[RunConfig]) -> str:
    """The same of runs; where layers learned alone first, by errors of their own, only "loss"."""
    configs = list(configs)
    return "loss" if any(config.pretraining for config in configs) else axis({config.loss for config in configs})


def loss_of(loss: str, output: str) -> Callable[..., Any]:
    """The function of x and logits that a run makes small.

    Args:
        loss: a name in `LOSSES`.
        output: what the decoder ends in, one of `config.OUTPUTS`.

    Raises:
        ValueError: the loss is unknown, or makes no sense with this output.
    """
    entry = lookup(LOSSES, "loss", loss)
    if output == "sigmoid":
        return entry.make
    if entry.linear is None:
        raise ValueError(
            f"loss is {loss!r} and output {output!r}: {entry.label} reads every value as a probability, and a "
            "linear decoder's can be any number. Set output to 'sigmoid', or loss to 'mse'."
        )
    return entry.linear


def check_targets(loss: str, low: float, high: float) -> None:
    """A ValueError if a loss cannot aim at targets from `low` to `high`."""
    entry = LOSSES[loss]
    if entry.linear is None and not 0 <= low <= high <= 1:
        raise ValueError(
            f"The targets go from {low:g} to {high:g}; {entry.label} takes them from 0 to 1 only. Outside, it has no least "
            "value: the further the output goes towards the target's side, the smaller it gets, without end. "
            "Scale the images to [0, 1], or choose MSE."
        )
