"""Metrics of a reconstruction: MSE, BCE, PSNR and SSIM, per image and on average.

Every figure is first computed for each image and then averaged over images, so the mean of `per_image` is always the
number shown. NumPy in, NumPy or plain floats out; images are `(n, H, W, C)` floats.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from cae_core.config import Entry, lookup

BCE_EPSILON = 1e-7
"""`bce` clips x_hat to [1e-7, 1 - 1e-7], as Keras does (`keras.config.epsilon()`)."""

PSNR_CAP = 100.0
"""Highest PSNR reported, in dB (MSE 1e-10): identical images would give infinity, which JSON and means do not take."""

SSIM_WINDOW, SSIM_SIGMA, SSIM_K1, SSIM_K2 = 11, 1.5, 0.01, 0.03
"""Window side and standard deviation in pixels, and the two constants of Wang et al. 2004, section III."""

_CHUNK_VALUES = 2**19  # pixels turned to float64 at a time: 4 MiB an array, whatever the number of images


def _mse(x: np.ndarray, x_hat: np.ndarray) -> np.ndarray:
    return np.square(x - x_hat).mean(axis=(1, 2, 3))


def _bce(x: np.ndarray, x_hat: np.ndarray) -> np.ndarray:
    p = np.clip(x_hat, BCE_EPSILON, 1 - BCE_EPSILON)
    return -(x * np.log(p) + (1 - x) * np.log1p(-p)).mean(axis=(1, 2, 3))


def _psnr(x: np.ndarray, x_hat: np.ndarray) -> np.ndarray:
    """Each image's own, whose mean is what denoising papers report (Zhang et al., DnCNN, IEEE TIP 2017, "average PSNR")."""
    return -10 * np.log10(np.maximum(_mse(x, x_hat), 10 ** (-PSNR_CAP / 10)))


def _window_matrix(size: int) -> np.ndarray:
    """The 1-D window as a `(size - 10, size)` band matrix: `matrix @ signal` has the mean at each valid place."""
    weights = np.exp(-0.5 * (np.arange(SSIM_WINDOW) - SSIM_WINDOW // 2) ** 2 / SSIM_SIGMA**2)
    matrix = np.zeros((size - SSIM_WINDOW + 1, size))
    for place, row in enumerate(matrix):
        row[place : place + SSIM_WINDOW] = weights / weights.sum()
    return matrix


def _ssim(x: np.ndarray, x_hat: np.ndarray) -> np.ndarray:
    """The mean over channels and all places where the window lies inside the image; for peak 1."""
    height, width = x.shape[1:3]
    if min(height, width) < SSIM_WINDOW:
        raise ValueError(
            f"SSIM needs images of at least {SSIM_WINDOW} × {SSIM_WINDOW} pixels, these are {height} × {width}; "
            "use MSE or PSNR for smaller ones."
        )
    x, x_hat = np.moveaxis(x, 3, 1), np.moveaxis(x_hat, 3, 1)
    # A Gaussian window is separable: one matrix product along the rows and one along the columns.
    fields = np.stack([x, x_hat, x * x, x_hat * x_hat, x * x_hat])
    mean_x, mean_y, xx, yy, xy = _window_matrix(height) @ (fields @ _window_matrix(width).T)
    variance_x, variance_y, covariance = xx - mean_x**2, yy - mean_y**2, xy - mean_x * mean_y
    c1, c2 = SSIM_K1**2, SSIM_K2**2
    similarity = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    similarity /= (mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2)
    return similarity.mean(axis=(1, 2, 3))


@dataclass(frozen=True)
class Metric(Entry):
    """One line of `METRICS`; `make(x, x_hat)` gives `(n,)` float64 of checked images `(n, H, W, C)` float64.

    Attributes:
        unit: unit of the value, "" for a pure number.
        higher_is_better: whether a better reconstruction has the higher value.
    """

    unit: str = ""
    higher_is_better: bool = False


METRICS: dict[str, Metric] = {
    "mse": Metric(
        "Mean squared error",
        "The squared difference of a pixel, averaged: 0 is identical, and large misses count most.",
        "Hinton & Salakhutdinov, Science 2006 (there as the sum over the 784 pixels of an image)",
        _mse,
        "per pixel",
    ),
    "psnr": Metric(
        "Peak signal-to-noise ratio",
        f"The squared error on a logarithmic scale: each 10 dB is a tenth of the error, {PSNR_CAP:g} at most.",
        "ITU-T J.340; per image as in tf.image.psnr",
        _psnr,
        "dB",
        higher_is_better=True,
    ),
    "ssim": Metric(
        "Structural similarity",
        "How alike brightness, contrast and pattern are in small windows: 1 is identical, 0 is unrelated.",
        "Wang, Bovik, Sheikh & Simoncelli, IEEE Transactions on Image Processing 13(4), 2004, eq. 13",
        _ssim,
        higher_is_better=True,
    ),
    "bce": Metric(
        "Binary cross-entropy",
        "The surprise at each pixel if x_hat is its chance of being white; grey pixels keep it above 0.",
        "keras.losses.BinaryCrossentropy",
        _bce,
        "nats per pixel",
    ),
}
"""What `summary` and `per_image` report, in the order in which to show it."""


def _check(x: np.ndarray, x_hat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both arrays, or a ValueError that names what is wrong with them."""
    x, x_hat = np.asarray(x), np.asarray(x_hat)
    for name, array in (("x", x), ("x_hat", x_hat)):
        if array.ndim != 4 or array.size == 0:
            raise ValueError(
                f"{name} has shape {array.shape}; it must be (images, height, width, channels), none of them 0. "
                "A single grey image becomes one with image[None, :, :, None]."
            )
        if not np.issubdtype(array.dtype, np.floating):
            raise ValueError(f"{name} is {array.dtype}; it must be float in [0, 1]. Divide 8-bit images by 255.")
    if x.shape != x_hat.shape:
        raise ValueError(f"x has shape {x.shape} and x_hat {x_hat.shape}; they must be the same.")
    for name, array in (("x", x), ("x_hat", x_hat)):
        low, high = float(array.min()), float(array.max())  # NaN spreads to both
        if not np.isfinite([low, high]).all():
            raise ValueError(f"{name} has NaN or infinite pixels; every pixel must be finite. Did training diverge?")
        if name == "x" and (low < 0 or high > 1):
            raise ValueError(f"x goes from {low:g} to {high:g}; it must lie in [0, 1]. Divide 8-bit images by 255.")
    return x, x_hat


def _chunks(x: np.ndarray, x_hat: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    step = max(1, _CHUNK_VALUES // x[0].size)
    for start in range(0, len(x), step):
        yield x[start : start + step].astype(np.float64), x_hat[start : start + step].astype(np.float64)


def per_image(x: np.ndarray, x_hat: np.ndarray, names: Iterable[str] = tuple(METRICS)) -> dict[str, np.ndarray]:
    """The metrics of each image.

    Args:
        x: the images aimed at, `(n, H, W, C)` float in [0, 1].
        x_hat: the reconstructions, the same shape, float; linear decoders may leave [0, 1], no value is clipped
            except by BCE.
        names: which entries of `METRICS`.

    Returns:
        Name to `(n,)` float64, in the metric's unit.

    Raises:
        ValueError: shapes differ or are empty, x is outside [0, 1], a value is not finite, a name is unknown, or SSIM
            is asked of images under 11 × 11 pixels.
    """
    x, x_hat = _check(x, x_hat)
    wanted = {name: lookup(METRICS, "metric", name).make for name in names}
    parts = [{name: make(*pair) for name, make in wanted.items()} for pair in _chunks(x, x_hat)]
    return {name: np.concatenate([part[name] for part in parts]) for name in wanted}


def summary(x: np.ndarray, x_hat: np.ndarray) -> dict[str, float]:
    """Every entry of `METRICS` averaged over images: plain finite floats, ready for JSON; arguments as `per_image`."""
    return {name: float(values.mean()) for name, values in per_image(x, x_hat).items()}


def mse(x: np.ndarray, x_hat: np.ndarray) -> float:
    """Mean squared error per pixel, arguments as `per_image`."""
    return float(per_image(x, x_hat, ["mse"])["mse"].mean())


def bce(x: np.ndarray, x_hat: np.ndarray) -> float:
    """Mean binary cross-entropy per pixel, in nats, with x_hat clipped as Keras does; arguments as `per_image`.

    Its least value is the entropy of the pixels of x, which is not 0 unless they are all black or white.
    """
    return float(per_image(x, x_hat, ["bce"])["bce"].mean())


def squared_error_per_image(x: np.ndarray, x_hat: np.ndarray) -> np.ndarray:
    """Sum of squared differences over the pixels and channels of each image, `(n,)` float64; arguments as `per_image`.

    The unit of Hinton & Salakhutdinov, Science 2006; for MNIST it is 784 times the MSE.
    """
    return np.concatenate([np.square(a - b).sum(axis=(1, 2, 3)) for a, b in _chunks(*_check(x, x_hat))])


def sharpness(x: np.ndarray, x_hat: np.ndarray) -> float:
    """The energy of the steps between neighbouring pixels, as a share of the images' own: 1 is as sharp, less is blurred.

    Arguments as `per_image`; where an edge is spread over twice the pixels, its energy is halved.
    """

    def energy(images: np.ndarray) -> float:
        return sum(float(np.square(np.diff(images, axis=axis)).sum()) for axis in (1, 2))

    x, x_hat = _check(x, x_hat)
    return energy(x_hat) / max(energy(x), 1e-12)


ELBO = ("elbo", "elbo_per_pixel", "distortion", "rate")
"""What `elbo` gives."""


def kl(mean: np.ndarray, log_variance: np.ndarray) -> np.ndarray:
    """KL divergence of N(μ, σ²) from N(0, 1) for each image and each number of its code, `(n, k)` float64 in nats.

    ½ (μ² + σ² − log σ² − 1), 0 where an image says nothing (Kingma and Welling, ICLR 2014, appendix B).
    """
    mean, log_variance = np.asarray(mean, np.float64), np.asarray(log_variance, np.float64)
    return (mean**2 + np.exp(log_variance) - log_variance - 1) / 2


def elbo(x: np.ndarray, x_hat: np.ndarray, mean: np.ndarray, log_variance: np.ndarray) -> dict[str, float]:
    """The evidence lower bound of a variational network, mean over images, in nats.

    Args:
        x: the images, `(n, H, W, C)` float in [0, 1].
        x_hat: what the decoder makes of one code drawn for each, the same shape.
        mean, log_variance: of each code's distribution, `(n, k)`.

    Returns:
        "distortion", the binary cross-entropy summed over an image; "rate", the KL divergence; "elbo", minus their sum, a
        bound that log p(x) is never below, higher is better; and that by pixel.
    """
    pixels = x[0].size
    distortion, rate = bce(x, x_hat) * pixels, float(kl(mean, log_variance).sum(axis=1).mean())
    bound = -(distortion + rate)
    return dict(zip(ELBO, (bound, bound / pixels, distortion, rate), strict=True))


SILENT = 0.01
"""A unit is silent if its mean size is below this share of the largest unit's."""


def silent_share(z: np.ndarray, keeps_k: bool = False) -> float:
    """The share of units that hardly ever say anything: mean |z| over images under 1 % of the largest unit's, in [0, 1].

    The measure does not change when all of a code is scaled, so a decoder that scales back does not fool it. A unit is one
    number of a flat code, and one channel, wherever it is, of a code of maps.

    Args:
        z: codes of several images, `(n, k)` or `(n, h, w, channels)`.
        keeps_k: only the k largest numbers of each stay. There a unit may say much, and seldom: it is silent if it is 0 for
            all of the images.
    """
    if keeps_k:
        return float(np.mean((z == 0).all(axis=0)))
    sizes = np.abs(z).mean(axis=tuple(range(z.ndim - 1)))
    return float(np.mean(sizes < SILENT * sizes.max())) if sizes.max() > 0 else 1.0


def mean_and_spread(values: tuple[float, ...]) -> tuple[float, float]:
    """Mean and standard deviation over seeds (of the sample; 0 for one)."""
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
