"""The pen's way along each glyph of `glyphs.GLYPHS`, sampled once for many images."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from cae_core.datasets.glyphs import GLYPHS, Point
from cae_core.runtime.caching import cached

POINTS = 96  # pen positions of a digit; neighbours must stay closer than 2 s or the line breaks into beads
JITTER = 0.048  # standard deviation of a control point
END_JITTER = 0.06  # the same for the first and last point of a stroke


class Template(NamedTuple):
    """An allograph made ready for many images.

    Attributes:
        control: (controls, 2) float32, the control points in [0, 1], x before y.
        jitter: (controls,) float32, standard deviation of each control point.
        curve: (POINTS, controls) float32, so that `curve @ control` are the pen positions.
        joined: (POINTS - 1,) float32, 1 where the pen stays down on its way to the next position.
    """

    control: np.ndarray
    jitter: np.ndarray
    curve: np.ndarray
    joined: np.ndarray


@cached()
def sampled_glyphs() -> tuple[tuple[Template, ...], np.ndarray, np.ndarray]:
    """Returns all templates, the digit of each, and the summed share of its digit up to and with it."""
    templates, digits, upper_share = [], [], []
    for digit, allographs in sorted(GLYPHS.items()):
        total = sum(allograph.share for allograph in allographs)
        so_far = 0.0
        for allograph in allographs:
            so_far += allograph.share
            templates.append(template_of(allograph.strokes))
            digits.append(digit)
            upper_share.append(so_far / total)
    return tuple(templates), np.array(digits, np.float64), np.array(upper_share)


def template_of(strokes: tuple[tuple[Point, ...], ...]) -> Template:
    """Samples strokes at POINTS pen positions, evenly along their whole path.

    Args:
        strokes: control points of each, as in the table of `glyphs.py`: percent of a box, a point given twice is a corner.
    """
    num_corners = sum(before == after for stroke in strokes for before, after in pairwise(stroke))
    num_controls = sum(map(len, strokes)) - num_corners
    control = np.zeros((num_controls, 2))
    jitter = np.full(num_controls, JITTER)
    fine, first = [], 0  # finely sampled bases of the strokes: (samples, num_controls)
    for stroke in strokes:
        knots = [first]
        for before, after in pairwise(stroke):
            knots.append(knots[-1] + (before != after))
        control[knots] = np.array(stroke) / 100.0
        jitter[[knots[0], knots[-1]]] = END_JITTER
        fine.append(_spline_basis(knots, num_controls))
        first = knots[-1] + 1
    paths = [np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(basis @ control, axis=0), axis=1))]) for basis in fine]
    total = sum(path[-1] for path in paths)
    counts = [max(2, round(POINTS * path[-1] / total)) for path in paths]
    counts[0] += POINTS - sum(counts)
    curve, joined = [], []
    for basis, path, count in zip(fine, paths, counts, strict=True):
        where = np.interp(np.linspace(0.0, path[-1], count), path, np.arange(len(path)))
        left = np.minimum(where.astype(int), len(path) - 2)
        curve.append(basis[left] + (where - left)[:, None] * (basis[left + 1] - basis[left]))
        joined += [1.0] * (count - 1) + [0.0]
    parts = control, jitter, np.concatenate(curve), joined[:-1]
    return Template(*(np.asarray(part, np.float32) for part in parts))


def _spline_basis(knots: list[int], num_controls: int, samples: int = 24) -> np.ndarray:
    """Returns the basis (rows, num_controls) of a Catmull-Rom curve; a knot given twice is a corner."""
    identity = np.eye(num_controls)
    time = np.linspace(0.0, 1.0, samples, endpoint=False)[:, None]
    rows = []
    for index in range(len(knots) - 1):
        start, end = knots[index], knots[index + 1]
        if start == end:
            continue
        before = knots[max(index - 1, 0)]  # `start` itself at an end or a corner: the curve leaves freely
        after = knots[min(index + 2, len(knots) - 1)]
        leave = (identity[end] - identity[before]) / (2.0 if before != start else 1.0)
        arrive = (identity[after] - identity[start]) / (2.0 if after != end else 1.0)
        rows.append(
            (2 * time**3 - 3 * time**2 + 1) * identity[start]
            + (time**3 - 2 * time**2 + time) * leave
            + (3 * time**2 - 2 * time**3) * identity[end]
            + (time**3 - time**2) * arrive
        )
    rows.append(identity[knots[-1]][None])
    return np.concatenate(rows)
