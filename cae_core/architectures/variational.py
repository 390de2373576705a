"""The variational autoencoder: the code of an image is a normal distribution, of which a step of training draws one code.

Source: Kingma and Welling, Auto-Encoding Variational Bayes, ICLR 2014.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cae_core.architectures.autoencoder import Autoencoder

EQUATIONS = (
    r"\mu,\ \log\sigma^2 = W h + b,\quad z = \mu + \sigma \odot \varepsilon,\ \varepsilon \sim \mathcal N(0, I)",
    r"\mathrm{KL} = \tfrac12 \sum_k \left(\mu_k^2 + \sigma_k^2 - \log \sigma_k^2 - 1\right)",
    r"\min\; -\sum_i \left(x_i \log \hat x_i + (1 - x_i) \log (1 - \hat x_i)\right) + \beta\,\mathrm{KL}",
)
"""What every network of this kind computes."""

TAKES = {"loss": ("elbo",), "output": ("sigmoid",), "sparsity": (0.0,)}
"""And what it takes."""


def drawn(mean: Any, log_variance: Any, seed: Any) -> Any:
    """Codes drawn from normal distributions, μ + σ ε: tensors of the same shape, differentiable by both.

    Args:
        mean: `(n, k)` float32.
        log_variance: the same.
        seed: `(2,)` int32; equal seeds give equal ε. The numbers 1 to 99 folded into it are the noise's.
    """
    import tensorflow as tf

    epsilon = tf.random.stateless_normal(tf.shape(mean), tf.random.experimental.stateless_fold_in(seed, 0))
    return mean + tf.exp(log_variance / 2.0) * epsilon


class VariationalAutoencoder(Autoencoder):
    """A network whose code is a distribution; whoever looks at codes or reconstructions is shown the mean's.

    Attributes:
        distribution: keras.Model, images to means and log-variances, each `(n, k)` float32.
    """

    is_variational = True

    def __init__(self, distribution: Any, decoder: Any, output: str = "sigmoid"):
        import keras
        import tensorflow as tf

        self.distribution = distribution
        super().__init__(keras.Model(distribution.input, distribution.outputs[0], name="encoder"), decoder, output)
        x = tf.TensorSpec((None, *self.input_shape), tf.float32)
        self._distribute = tf.function(lambda x: distribution(x, training=False), input_signature=[x], autograph=False)

    def _distribution(self, x: np.ndarray) -> Sequence[np.ndarray]:
        return [part.numpy() for part in self._distribute(x)]

    @property
    def parts(self) -> dict[str, Any]:
        return {"encoder": self.distribution, "decoder": self.decoder}
