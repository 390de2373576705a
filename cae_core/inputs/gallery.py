"""Ready-made drawings for whoever has no hand free: some digits, and some things that are none.

Drawn with the pen of `datasets/strokes.py`, whose table of digits (`datasets/glyphs.py`) explains the coordinates: percent
of a box, x to the right and y downwards, a smooth curve through the points, a point given twice is a corner.
"""

import math
from dataclasses import dataclass

import numpy as np

from cae_core.config import lookup
from cae_core.datasets import strokes, templates
from cae_core.datasets.glyphs import GLYPHS, Point
from cae_core.inputs.drawing import PAD
from cae_core.runtime.caching import cached

Stroke = tuple[Point, ...]


@dataclass(frozen=True)
class ReadyDrawing:
    """One line of the gallery.

    Attributes:
        label: name shown to people.
        strokes: what the pen does.
        is_digit: whether it is one.
        box: side of the box that the strokes are in, in pixels of 28.
        middle: where the box's middle is, right and down from the picture's, in pixels of 28.
        radius: the pen's, in pixels of 28.
    """

    label: str
    strokes: tuple[Stroke, ...]
    is_digit: bool = False
    box: float = 18.0
    middle: tuple[float, float] = (0.0, 0.0)
    radius: float = 1.2


def _digit(digit: int, name: str, **more) -> ReadyDrawing:
    """A digit in one of the ways of the table, named as there."""
    (strokes_,) = [allograph.strokes for allograph in GLYPHS[digit] if allograph.name == name]
    return ReadyDrawing(str(digit), strokes_, is_digit=True, **more)


def _corners(*points: Point) -> Stroke:
    """A stroke of straight lines."""
    inner = (point for point in points[1:-1] for _ in range(2))
    return (points[0], *inner, points[-1])


def _ring(x: float, y: float, radius: float) -> Stroke:
    angles = [2 * math.pi * 0.975 * i / 12 for i in range(13)]  # the ends touch: over each other they would be a bump
    return tuple((x + radius * math.sin(angle), y - radius * math.cos(angle)) for angle in angles)


_SPIRAL = tuple(
    (50 + 2 * t * math.sin(2 * math.pi * t / 11), 50 - 2 * t * math.cos(2 * math.pi * t / 11)) for t in range(26)
)

READY: dict[str, ReadyDrawing] = {
    "three": _digit(3, "big lower bow"),
    "four": _digit(4, "open, square"),
    "seven": _digit(7, "crossed"),
    "corner": ReadyDrawing("Tiny 4", _digit(4, "open, square").strokes, True, box=9, middle=(-7, -7), radius=1.0),
    "house": ReadyDrawing(
        "House",
        (
            _corners((10, 42), (10, 100), (90, 100), (90, 42)),
            _corners((0, 46), (50, 0), (100, 46)),
            _corners((40, 100), (40, 66), (62, 66), (62, 100)),
        ),
    ),
    "smiley": ReadyDrawing(
        "Smiley",
        (_ring(50, 50, 50), ((34, 34), (34, 42)), ((66, 34), (66, 42)), ((24, 60), (36, 76), (50, 80), (64, 76), (76, 60))),
    ),
    "letter_a": ReadyDrawing("A", (_corners((8, 100), (50, 0), (92, 100)), ((24, 64), (76, 64)))),
    "letter_r": ReadyDrawing(
        "R",
        (((18, 0), (18, 100)), ((18, 2), (60, 2), (82, 16), (78, 38), (52, 50), (18, 52)), ((46, 52), (88, 100))),
    ),
    "spiral": ReadyDrawing("Spiral", (_SPIRAL,)),
    "zigzag": ReadyDrawing("Zigzag", (_corners((0, 30), (20, 76), (40, 24), (60, 76), (80, 24), (100, 70)),)),
}


@cached(most=len(READY))
def picture(name: str) -> np.ndarray:
    """A ready drawing as a pad's picture, `(280, 280)` float32 in [0, 1], read-only.

    Raises:
        ValueError: there is none of this name.
    """
    drawing = lookup(READY, "ready drawing", name)
    inked = np.zeros((PAD, PAD), np.uint8)
    for stroke in drawing.strokes:  # each with all of the pen's positions: a long path over one set of them would be beads
        template = templates.template_of((stroke,))
        points = (template.curve @ template.control - 0.5) * drawing.box + np.asarray(drawing.middle, np.float32)
        radii = np.full((1, len(points)), drawing.radius, np.float32)
        ink = strokes.ink(points[None].astype(np.float32), radii, template.joined[None], PAD)[0]
        inked = np.maximum(inked, ink)
    image = inked.astype(np.float32) / np.float32(255)
    image.flags.writeable = False
    return image
