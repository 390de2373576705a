"""What a network is asked to make small: pure functions of the target and the reconstruction.

Each takes logits, the values before the output layer's sigmoid, because BCE computed from them neither overflows nor
loses the gradient where a pixel is saturated.
"""

from __future__ import annotations

from cae_core.config import Entry


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


LOSSES: dict[str, Entry] = {
    "bce": Entry(
        "BCE",
        "Binary cross-entropy: every pixel is a probability of being white; being sure and wrong costs most.",
        "Bishop, Pattern Recognition and Machine Learning, 2006, eq. 4.90",
        bce,
    ),
    "mse": Entry(
        "MSE",
        "Mean squared error: every grey level of difference counts by its square.",
        "Hinton and Salakhutdinov, Science 2006",
        mse,
    ),
}
