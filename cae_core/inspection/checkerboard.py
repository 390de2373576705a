"""Checkerboard artefacts: what a decoder adds to a picture at the frequency of its own stride.

A transposed convolution of stride 2 whose kernel 2 does not divide reaches every other row and column with more kernel
weights than those between (Odena, Dumoulin and Olah, Deconvolution and Checkerboard Artifacts, Distill 2016). What repeats
every two pixels is, in the two-dimensional Fourier transform, whatever stands in the row or the column of the highest
frequency, half a turn per pixel. The **checkerboard score**, which is this project's own, compares the energy there:

    score = Σ |F(x_hat)|² / Σ |F(x)|²    over the frequencies (u, v) with u = H/2 or v = W/2

1 is what a faithful copy has, more is a pattern that the image does not have, less is blur. Whole rows and columns count,
because the pattern comes and goes with the picture that it lies on, which spreads it along them. Energy is not divided by
the image's total, or a nearly black answer would have a high score by its faintest edge.
"""

import numpy as np

DECADES = 4.0
"""Powers of ten between the darkest and the brightest of a drawn spectrum."""


def _power(images: np.ndarray) -> np.ndarray:
    """`(n, H, W)` float64: |F|² per pixel, mean over channels, of images cut to even sides; (0, 0) is the mean."""
    images = np.asarray(images)
    if images.ndim != 4 or min(images.shape[1:3], default=0) < 2 or not len(images):
        raise ValueError(f"images has shape {images.shape}; it must be (n, H, W, C), sides of at least 2 pixels.")
    if not np.isfinite(images).all():
        raise ValueError("images has NaN or infinite pixels; every pixel must be finite.")
    height, width = (side // 2 * 2 for side in images.shape[1:3])
    transform = np.fft.fft2(images[:, :height, :width].astype(np.float64), axes=(1, 2))
    return np.square(np.abs(transform)).mean(axis=3) / (height * width)


def energy(images: np.ndarray) -> float:
    """Energy at the frequency of a stride of 2, mean over images.

    Args:
        images: `(n, H, W, C)` float; of odd sides the last row or column is left out.
    """
    power = _power(images)
    row, column = power.shape[1] // 2, power.shape[2] // 2
    both = power[:, row, :].sum(axis=1) + power[:, :, column].sum(axis=1) - power[:, row, column]
    return float(both.mean())


def score(x: np.ndarray, x_hat: np.ndarray) -> float | None:
    """The checkerboard score of reconstructions: 1 is faithful, more is a pattern, less is blur.

    Args:
        x: `(n, H, W, C)` float, the images aimed at.
        x_hat: the reconstructions, the same shape.

    Returns:
        The score; None if x has no energy there that anything could be compared with.
    """
    if np.shape(x) != np.shape(x_hat):
        raise ValueError(f"x has shape {np.shape(x)} and x_hat {np.shape(x_hat)}; they must be the same.")
    given = energy(x)
    return energy(x_hat) / given if given > 1e-12 else None


def spectrum(images: np.ndarray) -> np.ndarray:
    """The mean power spectrum as a picture: slow changes in the middle, what repeats every two pixels at the edge.

    The scale is logarithmic and fixed, so that pictures of different networks can be compared: 1 is a power of 1 per pixel
    or more, 0 is `DECADES` powers of ten below. The mean of the images is left out.

    Args:
        images: `(n, H, W, C)` float in [0, 1] or near it.

    Returns:
        `(H, W)` float64 in [0, 1], H and W even. The frequency (0, 0) is at `[H/2, W/2]`, that of a stride of 2 in the
        first row and the first column.
    """
    power = _power(images).mean(axis=0)
    power[0, 0] = 0
    with np.errstate(divide="ignore"):
        decades = np.log10(np.fft.fftshift(power))
    return np.clip(1 + decades / DECADES, 0, 1)


def overlap(kernel: int, stride: int, num_values: int) -> np.ndarray:
    """How many kernels reach each pixel along one axis of a transposed convolution.

    Args:
        kernel: pixels that a value paints.
        stride: pixels from one value's first to the next one's.
        num_values: values along the axis of the small map.

    Returns:
        `((num_values - 1) * stride + kernel,)` integers, 0 where no kernel reaches.
    """
    counts = np.zeros((num_values - 1) * stride + kernel, int)
    for value in range(num_values):
        counts[value * stride : value * stride + kernel] += 1
    return counts


def clearest(x: np.ndarray, x_hat: np.ndarray, side: int) -> tuple[int, int, int]:
    """Where reconstructions have the strongest pattern that the images have not.

    Args:
        x: `(n, H, W, C)` float, the images.
        x_hat: their reconstructions, the same shape.
        side: of the crop, even, no more than H and W.

    Returns:
        Index of the image, and the crop's first row and column, both even.
    """
    errors = np.asarray(x_hat, np.float64) - x
    places = [
        (i, row, column)
        for i in range(len(errors))
        for row in range(0, errors.shape[1] - side + 1, 2)
        for column in range(0, errors.shape[2] - side + 1, 2)
    ]
    return max(places, key=lambda at: energy(errors[at[0] : at[0] + 1, at[1] : at[1] + side, at[2] : at[2] + side]))
