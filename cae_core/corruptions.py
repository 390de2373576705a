"""Corruptions: noise that turns a clean image x into the x_noisy that a denoising autoencoder is shown.

Every corruption is one formula over images in [0, 1], written once against a NumPy-like namespace `xp`. `corrupt` runs
it in NumPy (the page, the command line); `graph_corruption` runs the same formula inside a compiled training step; and
the script export writes its source down. A new one is a function and a line in `CORRUPTIONS`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from cae_core.config import BOUNDS, Entry, lookup

BLUR_SIGMA = 1 / 7
"""Blur at factor 1, as a share of the image's side: a standard deviation of 4 pixels at 28 × 28."""


# A formula takes (xp, x, factor, draw): x is (n, H, W, C) float32 in [0, 1], factor broadcasts against it as (n, 1, 1, 1),
# draw("normal", shape) and draw("uniform", shape) give float32 noise. It returns x_noisy, same shape, in [0, 1].
def _none(xp, x, factor, draw):
    return x


def _gaussian(xp, x, factor, draw):
    return xp.clip(x + factor * draw("normal", x.shape), 0.0, 1.0)


def _salt_and_pepper(xp, x, factor, draw):
    u = draw("uniform", x.shape)
    return xp.where(u < factor / 2, xp.zeros_like(x), xp.where(u < factor, xp.ones_like(x), x))


def _masking(xp, x, factor, draw):
    # "<" on the keeping side, so that factor 1 leaves no pixel: uniform draws are in [0, 1)
    return xp.where(draw("uniform", x.shape) < factor, xp.zeros_like(x), x)


def _blur(xp, x, factor, draw):
    def along(size):
        # One (n, size, size) matrix an image, rows summing to 1, so brightness is kept at the border too. The floor on
        # sigma makes factor 0 the identity without dividing by zero.
        sigma, pixel = xp.maximum(factor[..., 0] * (BLUR_SIGMA * size), 1e-3), np.arange(size, dtype="float32")
        weights = xp.exp(-0.5 * ((pixel[:, None] - pixel)[None] / sigma) ** 2)
        return weights / xp.sum(weights, axis=-1, keepdims=True)

    down = xp.matmul(along(x.shape[1])[:, None], xp.moveaxis(x, 3, 1))
    return xp.clip(xp.moveaxis(xp.matmul(down, xp.swapaxes(along(x.shape[2]), 1, 2)[:, None]), 1, 3), 0.0, 1.0)


def _occlusion(xp, x, factor, draw):
    place = draw("uniform", (x.shape[0], 2))

    def inside(size, at):
        # A square of round(factor * size) pixels, wholly inside the image.
        side, pixel = xp.floor(factor[:, 0, 0, :] * size + 0.5), np.arange(size, dtype="float32")[None]
        start = xp.floor(at * (size - side + 1.0))
        return (pixel >= start) & (pixel < start + side)

    rows, columns = inside(x.shape[1], place[:, :1]), inside(x.shape[2], place[:, 1:])
    square = rows[:, :, None, None] & columns[:, None, :, None]
    return xp.where(square, 0.5 * xp.ones_like(x), x)


MIXED = "mixed"
MIXED_SHARES = ((_gaussian, 0.7), (_salt_and_pepper, 0.075), (_masking, 0.075), (_blur, 0.075), (_occlusion, 0.075))
"""Share of each batch that "mixed" training noise gives to each kind. Most is gaussian: it is the noise of the published
denoisers that the app is held against."""


def _mixed(xp, x, factor, draw):
    # Relies on the batch being shuffled. A strength is the mean of two uniform draws, so that the middle, where noise and
    # digit are hardest to tell apart and still can be, is practised most.
    strength = factor * xp.mean(draw("uniform", (x.shape[0], 1, 1, 2)), axis=-1, keepdims=True)
    ends = np.round(np.cumsum([0, *(share for _, share in MIXED_SHARES)]) * x.shape[0]).astype(int)
    parts = [(noise, slice(a, b)) for (noise, _), a, b in zip(MIXED_SHARES, ends[:-1], ends[1:], strict=True) if b > a]
    return xp.concatenate([noise(xp, x[part], strength[part], draw) for noise, part in parts], axis=0)


CORRUPTIONS: dict[str, Entry] = {
    "none": Entry("None", "The image as it is.", "", _none),
    "gaussian": Entry(
        "Gaussian",
        "Adds a normally distributed number times the factor to every pixel, then clips it to the range from 0 to 1.",
        "Vincent, Larochelle, Bengio, Manzagol, ICML 2008; strength as in the Keras blog's denoising example",
        _gaussian,
    ),
    "salt_and_pepper": Entry(
        "Salt and pepper",
        "Turns some pixels black or white, either one equally likely; the factor is their share.",
        "Vincent, Larochelle, Lajoie, Bengio, Manzagol, JMLR 2010, section 3.3",
        _salt_and_pepper,
    ),
    "masking": Entry(
        "Masking",
        "Turns some pixels black; the factor is their share.",
        "Vincent, Larochelle, Bengio, Manzagol, ICML 2008",
        _masking,
    ),
    "blur": Entry(
        "Blur",
        "Blurs the image with a Gaussian; at factor 1 its standard deviation is 1/7 of the image's side, 4 pixels of 28.",
        "",
        _blur,
    ),
    "occlusion": Entry(
        "Occlusion",
        "Covers a square at a random place with middle grey; the factor is its side as a share of the image's side.",
        "after DeVries and Taylor, Cutout, 2017",
        _occlusion,
    ),
}

NOISE_KINDS: dict[str, Entry] = {
    **CORRUPTIONS,
    MIXED: Entry(
        "Mixed",
        "For training: most images get gaussian noise, the rest one of the other kinds, each at a strength of its own.",
        "",
        _mixed,
    ),
}
"""What training accepts: every corruption, and the mixture of them."""


def is_none(kind: str, factor: float) -> bool:
    """Whether a noise of `NOISE_KINDS` leaves every image as it is."""
    return kind == "none" or not factor


def numpy_draw(seed):
    """What gives a formula its random numbers in NumPy: `draw("normal" or "uniform", shape)`."""
    rng = np.random.default_rng(seed)
    return lambda kind, shape: (rng.standard_normal if kind == "normal" else rng.random)(shape, "float32")


def graph_draw(seed):
    """The same in TensorFlow, stateless: equal seeds give equal noise, whatever else the process is doing."""
    import tensorflow as tf

    seeds = (tf.random.experimental.stateless_fold_in(seed, number) for number in range(1, 100))
    return lambda kind, shape: getattr(tf.random, f"stateless_{kind}")(shape, next(seeds))


def binarised(images: np.ndarray, seed: int) -> np.ndarray:
    """Images with every pixel drawn black or white, white with the probability that its grey level says.

    Args:
        images: uint8 of any shape.
        seed: equal seeds give equal draws for equal shapes.

    Returns:
        The same shape, uint8, 0 or 255.
    """
    return np.where(np.random.default_rng(seed).random(images.shape, "float32") * 255 < images, 255, 0).astype("uint8")


def graph_binarised(x, seed):
    """The same in a training step, of float32 in [0, 1]; the numbers that noise folds into the seed are others."""
    import tensorflow as tf

    draws = tf.random.stateless_uniform(tf.shape(x), tf.random.experimental.stateless_fold_in(seed, 100))
    return tf.cast(draws < x, tf.float32)


def corrupt(x: np.ndarray, kind: str, factor: float, seed: int) -> np.ndarray:
    """Corrupted copies of images.

    Args:
        x: `(n, H, W, C)` float32 in [0, 1]; not changed.
        kind: a name in `CORRUPTIONS`.
        factor: strength in [0, 1]; 0 returns the images as they are.
        seed: equal seeds give equal noise for equal shapes.

    Returns:
        `(n, H, W, C)` float32 in [0, 1].

    Example:
        >>> import numpy as np
        >>> from cae_core.corruptions import corrupt
        >>> grey = np.full((1, 2, 2, 1), 0.5, "float32")
        >>> corrupt(grey, "salt_and_pepper", 1.0, seed=0).ravel().tolist()
        [1.0, 1.0, 1.0, 0.0]
    """
    formula = lookup(CORRUPTIONS, "noise kind", kind).make
    factor = BOUNDS["noise_factor"].check("noise_factor", factor)
    x = np.asarray(x, dtype="float32")
    factors = np.full((len(x), 1, 1, 1), factor, dtype="float32")
    return np.asarray(formula(np, x, factors, numpy_draw(seed)), dtype="float32")


def graph_corruption(kind: str, factor: float) -> Callable[[Any, Any], Any]:
    """The corruption as a function for compiled training steps.

    Args:
        kind: a name in `NOISE_KINDS`.
        factor: strength in [0, 1].

    Returns:
        `f(x, seed) -> x_noisy` with x a float32 tensor of known shape `(n, H, W, C)` in [0, 1] and seed an int32
        tensor of shape `(2,)`.
    """
    import tensorflow as tf  # here, so that a page can corrupt images before TensorFlow is loaded
    from tensorflow.experimental import numpy as tnp

    formula = lookup(NOISE_KINDS, "noise kind", kind).make
    factor = BOUNDS["noise_factor"].check("noise_factor", factor)

    def corrupted(x, seed):
        return formula(tnp, x, tf.fill((x.shape[0], 1, 1, 1), tf.constant(factor, tf.float32)), graph_draw(seed))

    return corrupted
