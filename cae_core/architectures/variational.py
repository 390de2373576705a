"""The variational autoencoder: the code of an image is a normal distribution, of which a step of training draws one code.

Source: Kingma and Welling, Auto-Encoding Variational Bayes, ICLR 2014.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cae_core.architectures.autoencoder import Autoencoder
from cae_core.losses import LOSSES

EQUATIONS = (
    r"\mu,\ \log\sigma^2 = W h + b,\quad z = \mu + \sigma \odot \varepsilon,\ \varepsilon \sim \mathcal N(0, I)",
    r"\mathrm{KL} = \tfrac12 \sum_k \left(\mu_k^2 + \sigma_k^2 - \log \sigma_k^2 - 1\right)",
    r"\min\; -\sum_i \left(x_i \log \hat x_i + (1 - x_i) \log (1 - \hat x_i)\right) + \beta\,\mathrm{KL}",
)
"""What every network of this kind computes."""

TAKES = {"loss": tuple(name for name, entry in LOSSES.items() if entry.has_kl), "output": ("sigmoid",), "sparsity": (0.0,)}
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


def log_weights(x: Any, mean: Any, log_variance: Any, decoder: Any, seed: Any, codes: int, beta: float = 1.0) -> Any:
    """What each of several codes drawn for an image says of log p(x): log p(x | z) + β log p(z) / q(z | x), in nats.

    Args:
        x: `(n, H, W, C)` float32 in [0, 1].
        mean, log_variance: of the distributions that codes are drawn from, `(n, d)`.
        decoder: codes `(m, d)` to logits `(m, H, W, C)`.
        seed: as of `drawn`.
        codes: k, how many are drawn for each image.
        beta: 1 for weights whose mean is p(x).

    Returns:
        `(k, n)`.
    """
    import tensorflow as tf

    mean, log_variance = (tf.tile(part[None], (codes, 1, 1)) for part in (mean, log_variance))
    z = drawn(mean, log_variance, seed)
    logits = tf.reshape(decoder(tf.reshape(z, (-1, z.shape[-1]))), tf.concat([[codes], tf.shape(x)], 0))
    likelihood = tf.reduce_sum(x * logits - tf.nn.softplus(logits), axis=(2, 3, 4))
    prior = tf.reduce_sum(log_variance + (z - mean) ** 2 / tf.exp(log_variance) - z**2, axis=2) / 2.0
    return likelihood + beta * prior


def importance_weighted(x: Any, mean: Any, log_variance: Any, decoder: Any, seed: Any, codes: int, beta: float) -> Any:
    """−log (1/k Σ p(x, z) / q(z | x)), mean over images: the more codes, the nearer to −log p(x), from above (Burda,
    Grosse and Salakhutdinov, ICLR 2016, eq. 8). Arguments as of `log_weights`."""
    import tensorflow as tf

    weights = log_weights(x, mean, log_variance, decoder, seed, codes, beta)
    return tf.math.log(float(codes)) - tf.reduce_mean(tf.reduce_logsumexp(weights, axis=0))


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
