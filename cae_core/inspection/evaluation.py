"""Evaluation of a trained network: its metrics on whole test splits."""

import numpy as np

from cae_core import colours, metrics
from cae_core.architectures import Network
from cae_core.architectures.variational import VariationalAutoencoder, log_weights
from cae_core.corruptions import corrupt
from cae_core.datasets import DATASETS, as_float, load

MEASURED = {"clean": ("none", 0.0), "gaussian 0.5": ("gaussian", 0.5)}
"""Conditions a finished run is measured under on the whole test split: label to noise kind and factor."""

IMAGES_AT_ONCE, CODES_AT_ONCE = 40, 50
"""Of `importance_bound`: so many decoded images fit a processor's cache."""


def evaluate(
    model: Network, images: np.ndarray, noise_kind: str, noise_factor: float, seed: int = 0
) -> dict[str, float | int]:
    """How well a model gets from noisy input back to the clean target.

    Args:
        images: `(n, H, W, C)` uint8, clean.
        noise_kind: a name in `CORRUPTIONS`.
        noise_factor: in [0, 1].
        seed: of the noise.

    Returns:
        `{"mse", "psnr", "ssim", "bce", "num_images"}` of the reconstruction of the noisy images against the clean ones; of
        a variational network also those of `metrics.elbo`, with one code drawn for each image; of
        images in colour also "luma", the mean squared error of Y alone, "chroma", that of Cb and Cr, and "chroma_grey",
        that of predicting grey.
    """
    x = as_float(images)
    x_noisy = corrupt(model.seen(x), noise_kind, noise_factor, seed)
    x_hat = model.reconstruct(x_noisy)
    figures = {**metrics.summary(x, x_hat), "num_images": len(x)}
    if model.is_variational:
        mean, log_variance = model.posterior(x_noisy)
        epsilon = np.random.default_rng(seed).standard_normal(mean.shape, np.float32)
        figures |= metrics.elbo(x, model.decode(mean + np.exp(log_variance / 2) * epsilon), mean, log_variance)
    if x.shape[-1] == 3:
        each = {"luma": colours.luma_error(x, x_hat), "chroma": colours.error(x, x_hat)}
        each["chroma_grey"] = colours.error_of(x, 0.0)
        figures |= {name: float(errors.mean()) for name, errors in each.items()}
    return figures


def importance_bound(model: VariationalAutoencoder, x: np.ndarray, codes: int, seed: int = 0) -> np.ndarray:
    """Of a variational network a lower bound of log p(x) for each image, from many codes (Burda et al., ICLR 2016, eq. 8).

    log 1/k Σ p(x, z) / q(z | x): with one code on average the evidence lower bound, with more of them nearer to log p(x).

    Args:
        model: in Keras.
        x: `(n, H, W, C)` float32 in [0, 1]; a probability's logarithm where it is 0 or 1 only.
        codes: k, drawn for each image.
        seed: of the draws.

    Returns:
        `(n,)` float64 in nats.
    """
    import tensorflow as tf

    weigh = tf.function(log_weights, autograph=False, reduce_retracing=True)
    counts = [min(CODES_AT_ONCE, codes - start) for start in range(0, codes, CODES_AT_ONCE)]
    bounds = []
    for start in range(0, len(x), IMAGES_AT_ONCE):
        batch, total = x[start : start + IMAGES_AT_ONCE], -np.inf
        batch, mean, log_variance = map(tf.constant, (batch, *model.posterior(batch)))
        for number, count in enumerate(counts):
            weights = weigh(batch, mean, log_variance, model.decoder, tf.constant([seed + start, number]), count)
            total = np.logaddexp(total, tf.reduce_logsumexp(weights, axis=0).numpy().astype(np.float64))
        bounds.append(total - np.log(codes))
    return np.concatenate(bounds)


def _compare_colours(model: Network, dataset: str) -> dict[str, float]:
    """What else is told of a network that colours grey images, on the whole test split, without noise.

    Returns:
        "chroma_mean", the mean squared error of Cb and Cr of whoever gives every image the training images' mean colours,
        place by place; where a colour says the class also "hue_near", the share of images whose hue is within
        `colours.NEAR` degrees, and "hue_error", the median in degrees.
    """
    x = as_float(load(dataset, "test").x)
    figures = {"chroma_mean": float(colours.error_of(x, colours.mean(load(dataset, "train").x)).mean())}
    if DATASETS[dataset].hues:
        off = colours.hue_error(x, model.reconstruct(model.seen(x)))
        figures |= {"hue_near": float((off <= colours.NEAR).mean()), "hue_error": float(np.median(off))}
    return figures


def measure(model, dataset: str) -> dict[str, dict[str, float]]:
    """The figures of `evaluate` on the whole test split, by condition in `MEASURED`; with those of `_compare_colours`."""
    x = load(dataset, "test").x
    figures = {label: evaluate(model, x, *condition) for label, condition in MEASURED.items()}
    if x.shape[-1] == 3:
        figures["clean"] |= _compare_colours(model, dataset)
    return {label: {key: round(value, 6) for key, value in values.items()} for label, values in figures.items()}
