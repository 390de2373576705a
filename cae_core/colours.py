"""Colours as numbers: the luma and the two chroma channels of ITU-R BT.601, and the hue of a coloured drawing.

Luma is a weighted sum of the stored values of red, green and blue, as Pillow's mode "L" up to rounding. A network that
colours grey images is given the luma and has to find the other two numbers of a pixel,

    Cb = (B - Y) / 1.772,   Cr = (R - Y) / 1.402,   Y = 0.299 R + 0.587 G + 0.114 B,

each from -0.5 to 0.5, and 0 for grey. NumPy in, NumPy or plain floats out; luma takes tensors, too.

Sources: ITU-R Recommendation BT.601-7, sections 2.5.1 and 2.5.2; hue as in Smith, Color Gamut Transform Pairs, SIGGRAPH
1978.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

RED, GREEN, BLUE = 0.299, 0.587, 0.114
"""Shares of luma; they add up to 1, so white stays white and a grey pixel keeps its value."""

CB, CR = 2 * (1 - BLUE), 2 * (1 - RED)
"""What B - Y and R - Y are divided by, 1.772 and 1.402."""

NEAR = 15.0
"""Degrees of hue within which a drawing counts as coloured right; the hues of Coloured Strokes are 36 apart."""

_CHUNK = 500  # images turned to floats at a time


def luma(x: Any) -> Any:
    """Y = 0.299 R + 0.587 G + 0.114 B.

    Args:
        x: `(..., 3)` floats in [0, 1], a NumPy array or a tensor.

    Returns:
        `(..., 1)` of the same kind, in [0, 1].

    Raises:
        ValueError: the last axis does not have three values.
    """
    if x.shape[-1] != 3:
        raise ValueError(f"Got an array of shape {tuple(x.shape)}; luma needs red, green and blue as its last axis.")
    return RED * x[..., :1] + GREEN * x[..., 1:2] + BLUE * x[..., 2:]


def chroma(x: np.ndarray) -> np.ndarray:
    """Cb and Cr, `(..., 2)` in [-0.5, 0.5], of `(..., 3)` floats in [0, 1]."""
    y = luma(x)
    return np.concatenate([(x[..., 2:] - y) / CB, (x[..., :1] - y) / CR], axis=-1)


def with_chroma(y: np.ndarray, cb_cr: np.ndarray) -> np.ndarray:
    """The inverse: red, green and blue `(..., 3)` of luma `(..., 1)` and chroma `(..., 2)`, clipped to [0, 1]."""
    red, blue = y + CR * cb_cr[..., 1:], y + CB * cb_cr[..., :1]
    green = (y - RED * red - BLUE * blue) / GREEN
    return np.clip(np.concatenate([red, green, blue], axis=-1), 0, 1)


def error(x: np.ndarray, x_hat: np.ndarray) -> np.ndarray:
    """Mean squared error of Cb and Cr of each image, `(n,)` float64; of `(n, H, W, 3)` floats in [0, 1]."""
    return _error(x, chroma, lambda part: chroma(x_hat[part]))


def luma_error(x: np.ndarray, x_hat: np.ndarray) -> np.ndarray:
    """Mean squared error of the luma of each image, `(n,)` float64; of `(n, H, W, 3)` floats in [0, 1]."""
    return _error(x, luma, lambda part: luma(x_hat[part]))


def error_of(x: np.ndarray, guess: np.ndarray | float) -> np.ndarray:
    """`error` of one guess of Cb and Cr for every image: what broadcasts to `(H, W, 2)`; 0.0 is grey."""
    return _error(x, chroma, lambda part: np.asarray(guess))


def _error(x: np.ndarray, channels: Callable[..., np.ndarray], guess: Callable[[slice], np.ndarray]) -> np.ndarray:
    parts = (slice(start, start + _CHUNK) for start in range(0, len(x), _CHUNK))
    squares = (np.square(channels(x[part]).astype(np.float64) - guess(part)) for part in parts)
    return np.concatenate([square.mean(axis=(1, 2, 3)) for square in squares])


def mean(images: np.ndarray) -> np.ndarray:
    """The mean Cb and Cr of images at every place: the best guess for whoever does not look at the image.

    Args:
        images: `(n, H, W, 3)` uint8.

    Returns:
        `(H, W, 2)` float64.
    """
    total = np.zeros(3)
    for start in range(0, len(images), _CHUNK):
        total = total + images[start : start + _CHUNK].sum(axis=0, dtype=np.float64)
    return chroma(total / (255 * len(images)))  # chroma is linear, so that of the mean is the mean of it


def ink(x: np.ndarray) -> np.ndarray:
    """Which pixels of drawings on a darker ground are ink: luma above the middle of its range in the image.

    Args:
        x: `(n, H, W, 3)` floats in [0, 1].

    Returns:
        `(n, H, W)` bool.
    """
    y = luma(x)[..., 0]
    return y > (y.min(axis=(1, 2), keepdims=True) + y.max(axis=(1, 2), keepdims=True)) / 2


def hue(rgb: np.ndarray) -> np.ndarray:
    """The hue of colours `(..., 3)` in degrees from 0 to 360 on the HSV circle; NaN for grey, which has none."""
    rgb = np.asarray(rgb, np.float64)
    most, least = rgb.max(axis=-1), rgb.min(axis=-1)
    red, green, blue = np.moveaxis(rgb, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        sector = np.select(
            [most == red, most == green],
            [(green - blue) / (most - least), 2 + (blue - red) / (most - least)],
            4 + (red - green) / (most - least),
        )
    return np.where(most > least, 60 * sector % 360, np.nan)


def apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Degrees between hues the short way round, 0 to 180; a colour without a hue is as wrong as can be, 180."""
    return np.nan_to_num(180 - np.abs(np.abs(np.asarray(a) - b) % 360 - 180), nan=180.0)


def hue_error(x: np.ndarray, x_hat: np.ndarray) -> np.ndarray:
    """How far off the hue of each drawing is, `(n,)` degrees: of its mean colour over the pixels that are ink in x.

    Args:
        x: `(n, H, W, 3)` floats in [0, 1], drawings in one hue on a darker grey ground.
        x_hat: the same shape, the guesses.
    """
    return apart(*(_mean_hue(images, ink(x)) for images in (x, x_hat)))


def _mean_hue(images: np.ndarray, where: np.ndarray) -> np.ndarray:
    weights = where[..., None].astype(np.float32)
    return hue((images * weights).sum(axis=(1, 2)) / np.maximum(weights.sum(axis=(1, 2)), 1))
