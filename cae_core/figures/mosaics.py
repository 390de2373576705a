"""Mosaics of feature maps and filters: all channels of a layer side by side, in one picture with its own scale.

Other pictures of the app share one scale of grey. Here every layer has its own, for a value of one layer means nothing
in another; so each picture comes with its scale in words. NumPy only.
"""

from dataclasses import dataclass
from math import ceil, log2, sqrt

import numpy as np

from cae_core.figures.pictures import GAP_GREY

SWITCH_COLOURS = ((230, 97, 0), (46, 134, 222), (255, 214, 74), (146, 70, 190))
"""Of a switch at the top left, top right, bottom left and bottom right: orange, blue, yellow, violet. They differ in
lightness as well, so they are told apart under every colour vision deficiency."""

SWITCH_PLACES = ("top left", "top right", "bottom left", "bottom right")
TIED = (38, 38, 38)
"""Of a window whose four values are equal: its switch says nothing."""

SHAPE = 2.0
"""How many times wider than high a picture is to be, as nearly as whole tiles allow."""


@dataclass(frozen=True)
class Scale:
    """What grey means in one picture.

    Attributes:
        low: the value that is black.
        high: the value that is white.
    """

    low: float
    high: float

    @property
    def words(self) -> str:
        """Such as "white is 3.2, black 0"."""
        if self.high == self.low:
            return "all 0"
        if self.low < 0:
            return f"white is {number(self.high)}, middle grey 0, black {number(self.low)}"
        return f"white is {number(self.high)}, black 0"

    def grey(self, values: np.ndarray) -> np.ndarray:
        """Values as uint8."""
        span = (self.high - self.low) or 1.0
        return np.rint(np.clip((np.nan_to_num(values) - self.low) / span, 0, 1) * 255).astype(np.uint8)


def number(value: float) -> str:
    """Two digits that mean something, with a true minus sign."""
    text = f"{value:.2g}" if abs(value) < 100 else f"{value:.0f}"
    return text.replace("-", "−")


def scale_of(values: np.ndarray) -> Scale:
    """From 0 to the largest value; where some are below 0, as far below it as above, with 0 in the middle."""
    values = np.nan_to_num(values)
    most = float(np.abs(values).max())
    return Scale(-most if values.min() < 0 else 0.0, most)


def columns(tiles: int, tile_shape: float = 1.0, most: int = 32) -> int:
    """How many tiles to put side by side so that the picture is about `SHAPE` times as wide as high.

    Args:
        tiles: how many there are.
        tile_shape: a tile's width by its height.
        most: columns.
    """

    def misfit(wide: int) -> float:
        rows = ceil(tiles / wide)
        empty = rows * wide / tiles - 1  # a full last row looks better than a better shape
        return abs(log2(wide * tile_shape / rows / SHAPE)) + 12 * empty

    return min(range(1, min(tiles, most) + 1), key=misfit)


def mosaic(tiles: np.ndarray, gap: int = 1, wide: int = 0) -> np.ndarray:
    """Tiles row by row as one picture.

    Args:
        tiles: `(n, h, w, 3)` uint8.
        gap: grey pixels between them.
        wide: tiles side by side; 0 for what looks best.

    Returns:
        `(H, W, 3)` uint8; places without a tile have the gap's grey.
    """
    n, height, width, _ = tiles.shape
    wide = wide or columns(n, width / height)
    rows = ceil(n / wide)
    canvas = np.empty((rows * (height + gap) - gap, wide * (width + gap) - gap, 3), np.uint8)
    canvas[:] = GAP_GREY
    for i, tile in enumerate(tiles):
        top, left = i // wide * (height + gap), i % wide * (width + gap)
        canvas[top : top + height, left : left + width] = tile
    return canvas


def _coloured(grey: np.ndarray) -> np.ndarray:
    return np.repeat(grey[..., None], 3, axis=-1)


def layer(values: np.ndarray, image_size: int = 0) -> np.ndarray:
    """A layer's output as a picture, on `scale_of` it, `(H, W, 3)` uint8.

    Args:
        values: `(h, w, C)`, shown channel by channel; or `(n,)`, a cell for each number, row by row.
        image_size: a vector of so many numbers is shown as a square, for it is an image.
    """
    grey = scale_of(values).grey(values)
    if values.ndim == 3:
        return mosaic(_coloured(np.moveaxis(grey, 2, 0)))
    flat = grey.reshape(-1)
    side = round(sqrt(len(flat)))
    wide = side if len(flat) == image_size == side * side else columns(len(flat), most=64)
    return mosaic(_coloured(flat[:, None, None]), gap=0, wide=wide)


def switches(places: np.ndarray, tied: np.ndarray) -> np.ndarray:
    """Switches `(h, w, C)` as a picture in `SWITCH_COLOURS`, channel by channel, `TIED` where they say nothing."""
    colours = np.asarray(SWITCH_COLOURS, np.uint8)[places]
    colours[tied] = TIED
    return mosaic(np.moveaxis(colours, 2, 0))


DEAD = (230, 97, 0)
"""Over the picture of a unit that never fires."""
CHOSEN = (46, 134, 222)
"""Around the picture of the unit that is looked at."""


def units(values: np.ndarray, num_dead: int, chosen: int) -> np.ndarray:
    """What units add to a picture, each on `scale_of` itself: middle grey is nothing, white more ink.

    Args:
        values: `(n, h, w)`, of so many units; where they are very many and the sides even, at half the size.
        num_dead: how many at the end never fire; they are tinted in `DEAD`.
        chosen: the place of the one that is framed in `CHOSEN`.
    """
    n, height, width = values.shape
    if n > 512 and not (height % 2 or width % 2):
        values = values.reshape(n, height // 2, 2, width // 2, 2).mean(axis=(2, 4))
    most = np.abs(values).max(axis=(1, 2), keepdims=True)
    tiles = _coloured(np.rint(127.5 + 127.5 * values / np.where(most > 0, most, 1)).astype(np.uint8))
    tiles[n - num_dead :] = (0.5 * tiles[n - num_dead :] + 0.5 * np.array(DEAD)).astype(np.uint8)
    tiles[chosen, [0, -1]] = tiles[chosen, :, [0, -1]] = CHOSEN
    return mosaic(tiles, wide=columns(n, most=40))


def filters(values: np.ndarray) -> np.ndarray:
    """Filters `(rows, columns, h, w)` as a picture; with only one row or column, in the shape that looks best."""
    rows, wide, height, width = values.shape
    tiles = _coloured(scale_of(values).grey(values)).reshape(rows * wide, height, width, 3)
    return mosaic(tiles, wide=0 if min(rows, wide) == 1 else wide)
