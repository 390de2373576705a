"""Coloured Strokes: the drawn digits, each in a hue that says which digit it is, on a dark ground.

There is something to learn here without any download: to colour a grey image right, a network has to recognise the digit.
Grey must not give the answer away, so every hue is mixed with black or white until its luma is the same; how light the ink
is, how dark the ground, and where the digit stands differs from image to image and has nothing to do with the digit.
"""

import colorsys

import numpy as np

from cae_core.colours import luma
from cae_core.datasets import strokes
from cae_core.datasets.entry import DatasetEntry, Split

SIZE, DIGIT = 48, 28
"""Sides in pixels of an image, and of the square that `strokes.draw` fills, which lies anywhere in it."""

HUES = (108.0, 72.0, 216.0, 36.0, 0.0, 180.0, 324.0, 252.0, 288.0, 144.0)
"""Hue of the digits 0 to 9 in degrees of the HSV circle, 36 apart; digits that look alike (4, 7 and 9; 3, 5 and 8) get hues
far from one another, so that a wrong guess is wide of the mark."""

INK, GROUND = (0.36, 0.54), (0.03, 0.11)
"""Least and greatest luma of the ink and of the ground, drawn for each image; the ground is grey."""

_CHUNK = 1_000


def colour(hue: float, luma_wanted: np.ndarray) -> np.ndarray:
    """The most saturated colours of a hue that have a given luma: the pure hue mixed with black, or with white.

    Args:
        hue: degrees.
        luma_wanted: `(n,)` in [0, 1].

    Returns:
        `(n, 3)` float32 in [0, 1], red, green and blue.
    """
    pure = np.array(colorsys.hsv_to_rgb(hue % 360 / 360, 1.0, 1.0))
    own, wanted = float(luma(pure)[0]), np.asarray(luma_wanted)[:, None]
    darker, lighter = pure * (wanted / own), pure + (1 - pure) * (wanted - own) / (1 - own)
    return np.where(wanted <= own, darker, lighter).astype(np.float32)


def draw(num_images: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draws coloured digits; equal seeds draw equal ones.

    Args:
        num_images: how many, 1 or more.
        seed: of the digits, their places and their lightness; 0 or more.

    Returns:
        images: `(num_images, 48, 48, 3)` uint8.
        labels: `(num_images,)` uint8 in [0, 9], shuffled; how often two digits occur differs by at most one.
    """
    cover, labels = strokes.draw(num_images, seed, DIGIT)
    rng = np.random.default_rng([seed, SIZE])
    ink, ground = rng.uniform(*INK, num_images), rng.uniform(*GROUND, num_images).astype(np.float32)
    places = rng.integers(0, SIZE - DIGIT, (num_images, 2), endpoint=True)
    inks = np.empty((num_images, 3), np.float32)
    for digit, hue in enumerate(HUES):
        inks[labels == digit] = colour(hue, ink[labels == digit])
    images = np.empty((num_images, SIZE, SIZE, 3), np.uint8)
    for start in range(0, num_images, _CHUNK):  # floats of all images at once would take half a gigabyte
        part = slice(start, start + _CHUNK)
        covered = np.zeros((len(labels[part]), SIZE, SIZE, 1), np.float32)
        for image, digit, (top, left) in zip(covered, cover[part], places[part], strict=True):
            image[top : top + DIGIT, left : left + DIGIT, 0] = digit / np.float32(255)
        below = ground[part, None, None, None]
        images[part] = np.rint(255 * (below + covered * (inks[part, None, None] - below)))
    return images, labels


NUM_TRAIN, NUM_TEST = 25_000, 2_000

ENTRY = DatasetEntry(
    label="Coloured Strokes",
    summary="27,000 drawn digits, 48 by 48 pixels, each in a hue that says which digit it is; needs no download.",
    source="This project, `cae_core/datasets/strokes_colour.py`",
    class_names=tuple("0123456789"),
    num_train=NUM_TRAIN,
    image_shape=(SIZE, SIZE, 3),
    load=lambda split: Split(*(draw(NUM_TRAIN, seed=3) if split == "train" else draw(NUM_TEST, seed=4))),
    hues=HUES,
)
