"""Interpolation between codes: the plane decoded on a lattice, paths from code to code, and both as pictures."""

import io
import math

import numpy as np
from PIL import Image

from cae_core.figures import pictures
from cae_core.latent.embedding import Plane, Scale, decode
from cae_core.runs import Run, kept

MAX_SPRITE = 8192
"""Pixels a side that the embedding projector takes."""


@kept(8)
def lattice(run: Run, plane: Plane, scale: Scale, n: int) -> np.ndarray:
    """The plane decoded on an n by n lattice, as one picture; the last few are kept in memory.

    Each image is what its own middle decodes to, so behind the points every image is where its code lies.

    Args:
        run: whose decoder.
        plane: one with a way back.
        scale: how the plane is laid out on the picture.
        n: images a side, 2 to 40.

    Returns:
        `(n * H, n * W, 3)` uint8, the top row first.

    Raises:
        ValueError: the plane has no way back, or n is out of range.
        RunError: the weights are missing or damaged.
    """
    if not 2 <= n <= 40:
        raise ValueError(f"n is {n!r}; it must be from 2 to 40.")
    middles = (np.arange(n) + 0.5) / n
    x, y = np.meshgrid(middles, middles[::-1])  # the top row first
    x_hat = decode(run, plane.codes_at(scale.spots(np.stack([x, y], axis=-1))))
    return pictures.image_grid(list(x_hat.reshape(n, n, *x_hat.shape[1:])), gap=0)


def straight(a: np.ndarray, b: np.ndarray, steps: int) -> np.ndarray:
    """From a to b, both included, in equal steps: `(steps, ...)` float32; for codes and, in pixels, for images."""
    share = np.linspace(0, 1, steps).reshape(-1, *[1] * np.ndim(a))
    return ((1 - share) * np.asarray(a, np.float64) + share * np.asarray(b, np.float64)).astype(np.float32)


def along(corners: np.ndarray, steps: int) -> np.ndarray:
    """Through corners `(m, d)`, in steps of equal length measured along the way: `(steps, d)` float64.

    Raises:
        ValueError: there are fewer than two corners.
    """
    corners = np.asarray(corners, np.float64)
    if corners.ndim != 2 or len(corners) < 2:
        raise ValueError(f"corners has shape {corners.shape}; it must be (m, d) with m at least 2.")
    done = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))])
    if done[-1] == 0:
        return np.repeat(corners[:1], steps, axis=0)
    return np.stack([np.interp(np.linspace(0, done[-1], steps), done, column) for column in corners.T], axis=1)


def gif(images: np.ndarray, scale: int = 6, milliseconds: int = 90) -> bytes:
    """Images as a GIF that goes there and back for ever; the two ends stay four times as long.

    Args:
        images: `(n, H, W, C)` float in [0, 1], C 1 or 3, n at least 2.
        scale: pixels a side that one of theirs becomes.
        milliseconds: an image stays; GIF counts in tens.
    """
    order = [*range(len(images)), *range(len(images) - 2, 0, -1)]
    pixels = pictures.image_grid([images], gap=0).reshape(images.shape[1], len(images), images.shape[2], 3)
    pixels = pixels.repeat(scale, axis=0).repeat(scale, axis=2)
    frames = [Image.fromarray(pixels[:, i, :, 0] if images.shape[3] == 1 else pixels[:, i]) for i in order]
    times = [milliseconds * (4 if i in (0, len(images) - 1) else 1) for i in order]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=times, loop=0, disposal=1)
    return file.getvalue()


def sprite(images: np.ndarray) -> np.ndarray:
    """Many images as one square, filled row by row; what is left over is black.

    Args:
        images: `(n, H, W, C)` uint8, C 1 or 3.

    Returns:
        `(s * H, s * W, 3)` uint8 with s the least number whose square is n or more.

    Raises:
        ValueError: the picture would be larger than the embedding projector takes.
    """
    n, height, width, channels = images.shape
    side = math.isqrt(n - 1) + 1
    if side * max(height, width) > MAX_SPRITE:
        raise ValueError(f"{n} images of {height} × {width} make a sprite over {MAX_SPRITE} pixels a side: use fewer.")
    cells = np.zeros((side * side, height, width, 3), np.uint8)
    cells[:n] = images
    return cells.reshape(side, side, height, width, 3).swapaxes(1, 2).reshape(side * height, side * width, 3)
