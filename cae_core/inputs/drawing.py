"""Drawings as network inputs: the pad's bytes checked, pictures shrunk to 28 × 28, centred as MNIST's digits are.

A picture here is `(h, w)` float32 in [0, 1], ink white on black. Every resizing is by area: a new pixel is the mean of
the part of the old picture that it covers, so that thin lines become grey instead of breaking.
"""

import base64
import io

import numpy as np
from PIL import Image

from cae_core.figures import pictures

SIZE = 28
"""Side of what the networks take, in pixels."""

BOX = 20
"""Side of the box into which MNIST's digits were scaled."""

MIDDLE = 14
"""Row and column, counted from 0, of the centre of mass: every digit of MNIST has it there to within half a pixel."""

PAD = 280
"""Side of the pad's picture."""

INK = 0.05
"""Share of full ink from which on each pixel belongs to the drawing."""

INKS = {"auto": "Detect", "dark": "Dark on light", "light": "Light on dark"}
"""What an uploaded picture's ink can be."""

MOST_TEXT = 400_000
"""Characters of a pad's picture as it arrives; the liveliest drawing takes a tenth of it."""

_START = "data:image/png;base64,"
_FLAT = 0.04  # contrast below which a picture is all of one colour


class DrawingError(ValueError):
    """A picture with nothing on it, or that is none; the message says what to do."""


def from_pad(text: object) -> np.ndarray:
    """The picture in what a pad's canvas gives as its `toDataURL`, `(280, 280)` float32 in [0, 1].

    It comes from a browser, so it may be anything: its length and the size it claims are looked at before decoding.

    Raises:
        DrawingError: it is not a PNG of 280 × 280 pixels.
    """
    if not isinstance(text, str) or not text.startswith(_START):
        raise DrawingError("The pad sent no picture: reload the page and draw again.")
    if len(text) > MOST_TEXT:
        raise DrawingError(f"The pad sent {len(text):,} characters; at most {MOST_TEXT:,} are read: clear it.")
    try:
        with Image.open(io.BytesIO(base64.b64decode(text[len(_START) :], validate=True)), formats=["PNG"]) as image:
            size = image.size
            grey = np.asarray(image.convert("L")) if size == (PAD, PAD) else None
    except Exception as error:  # base64 and Pillow fail in more ways than can be listed
        raise DrawingError("The pad's picture arrived damaged: draw again, or reload the page.") from error
    if grey is None:
        raise DrawingError(f"The pad sent {size[0]} × {size[1]} pixels; it must be {PAD} × {PAD}: reload the page.")
    return grey.astype(np.float32) / np.float32(255)


def to_pad(picture: np.ndarray) -> str:
    """The inverse of `from_pad`, to 256 greys."""
    return pictures.data_uri(pictures.png(np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)))


def check(picture: np.ndarray) -> None:
    """Nothing for a picture with something on it.

    Raises:
        DrawingError: it is empty, or full.
    """
    if picture.max() < INK:
        raise DrawingError("The pad is empty: draw something, choose a ready drawing, or upload a picture.")
    if (picture >= INK).all():
        raise DrawingError("The pad is full, from edge to edge: undo the last stroke, or clear it and draw again.")


def shrink(picture: np.ndarray, size: int = SIZE) -> np.ndarray:
    """A picture in a square of another size, its proportions kept and black beside it; `(size, size)` float32."""
    side = max(picture.shape)
    return _cut(picture, (picture.shape[0] - side) / 2, (picture.shape[1] - side) / 2, side, size)


def fit(grey: np.ndarray, most: int = PAD) -> np.ndarray:
    """A picture no longer than `most` pixels, its proportions kept as far as whole pixels can; float32."""
    step = max(1.0, max(grey.shape) / most)
    steps = [np.linspace(0, length, max(1, round(length / step)) + 1) for length in grey.shape]
    return _means(_means(grey, steps[0]).T, steps[1]).T.astype(np.float32)


def bounding_box(picture: np.ndarray) -> tuple[int, int, int, int]:
    """Top, left, bottom and right of the ink, the latter two one beyond it; ink is what has `INK` of the brightest."""
    ink = picture >= INK * picture.max()
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def centre_of_mass(picture: np.ndarray) -> tuple[float, float]:
    """Row and column of the ink's centre of mass; each pixel's own centre has whole numbers."""
    ink = picture.astype(np.float64)
    total = ink.sum()
    return float(ink.sum(axis=1) @ np.arange(len(ink)) / total), float(ink.sum(axis=0) @ np.arange(ink.shape[1]) / total)


def centre(picture: np.ndarray) -> np.ndarray:
    """A drawing scaled and placed as MNIST's digits were, `(28, 28)` float32.

    The ink's bounding box is scaled to fit 20 × 20 with its proportions kept, which makes grey edges; then whole pixels
    are moved until the centre of mass is nearest to pixel (14, 14) of the 28 × 28 (LeCun, Bottou, Bengio and Haffner,
    Proceedings of the IEEE 86(11), 1998, section III.A). Ink that this would push over the border stops there. There must
    be some.
    """
    top, left, bottom, right = bounding_box(picture)
    ink = np.zeros_like(picture)
    ink[top:bottom, left:right] = picture[top:bottom, left:right]  # fainter traces outside would fall into the box
    side = max(bottom - top, right - left)
    step = side / BOX  # a new pixel's side in old ones
    # The shorter side starts at a whole new pixel: a digit that is already so placed comes out as it was.
    above, before = (np.floor((BOX - length / step) / 2) * step for length in (bottom - top, right - left))
    box = _cut(ink, top - above, left - before, side, BOX)
    placed = np.zeros((SIZE, SIZE), np.float32)
    y, x = (int(np.clip(np.floor(MIDDLE - at + 0.5), 0, SIZE - BOX)) for at in centre_of_mass(box))
    placed[y : y + BOX, x : x + BOX] = box
    return placed


def describe(picture: np.ndarray) -> str:
    """What is on a pad, in words: how much ink, and where."""
    if picture.max(initial=0) < INK:
        return "Nothing is on the pad."
    top, left, bottom, right = bounding_box(picture)
    height, width = picture.shape
    share = max(1, round(100 * float(np.mean(picture >= INK * picture.max()))))
    across, down = (
        f"{round(100 * first / length)} to {round(100 * last / length)} %"
        for first, last, length in ((left, right, width), (top, bottom, height))
    )
    return f"Ink on {share} % of the pad, {across} of the way across and {down} of the way down."


def to_network(picture: np.ndarray, centred: bool) -> np.ndarray:
    """A drawing as one image for a network, `(1, 28, 28, 1)` float32 in [0, 1], centred as MNIST or left where it is.

    Raises:
        DrawingError: it is empty or full.
    """
    check(picture)
    return (centre(picture) if centred else shrink(picture))[None, :, :, None]


def is_dark_on_light(grey: np.ndarray) -> bool:
    """Whether a picture's ink is darker than its paper: it reaches farther below the border's median than above it."""
    paper = np.median(_border(grey))
    return bool(paper - grey.min() > grey.max() - paper)


def to_ink(grey: np.ndarray, ink: str = "auto") -> np.ndarray:
    """An uploaded picture as white ink on black, of the same shape.

    The paper, taken from the border, becomes 0 and the strongest ink 1; what most of the border varies by, such as a
    shadow or noise, is taken off. A picture that is white on black already stays as it is.

    Args:
        grey: `(h, w)` float32 in [0, 1].
        ink: a key of `INKS`.

    Raises:
        DrawingError: the picture is all of one colour.
    """
    dark, paper = is_dark_on_light(grey), np.float32(np.median(_border(grey)))
    strength = paper - grey if dark else grey - paper
    most = strength.max()
    if most < _FLAT:
        raise DrawingError("The picture is all of one colour, so there is nothing to see on it: choose another one.")
    strength = strength / most
    rough = min(1.5 * np.percentile(np.abs(_border(strength)), 90), 0.5)  # ink may cross a tenth of the border
    strength = np.clip((strength - rough) / (1 - rough), 0, 1).astype(np.float32)
    return strength if ink == "auto" or (ink == "dark") == dark else 1 - strength


def _border(picture: np.ndarray) -> np.ndarray:
    return np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])


def _cut(picture: np.ndarray, top: float, left: float, side: float, size: int) -> np.ndarray:
    """A square cut out of a picture, black where it reaches beyond, as `(size, size)` float32."""
    steps = np.linspace(0, side, size + 1)
    means = _means(_means(picture, top + steps).T, left + steps).T
    return np.clip(means, 0, 1).astype(np.float32)


def _means(picture: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """The mean row between each two edges, `(len(edges) - 1, w)` float64: differences of the running sum of rows.

    No matrix product: for one this small, the library's threads take ten times as long on a busy machine.
    """
    sums = np.zeros((len(picture) + 1, picture.shape[1]))
    np.cumsum(picture, axis=0, out=sums[1:])
    inside = np.clip(edges, 0, len(picture))
    whole = np.minimum(inside.astype(int), len(picture) - 1)
    at = sums[whole] + (inside - whole)[:, None] * picture[whole]
    return np.diff(at, axis=0) / (edges[1] - edges[0])
