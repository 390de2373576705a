"""The plane of codes as a small drawing, to stand beside others of its kind: SVG, which any size and both themes suit."""

import base64

import numpy as np

from cae_core.figures.pictures import PALETTE
from cae_core.figures.plotting import GREY

SIDE, DOT = 200, 4.0
"""Of the square and of a point, in the drawing's own units."""


def data_uri(points: np.ndarray, labels: np.ndarray, circle: float) -> str:
    """Points coloured by class around the origin, all of them in sight, and a circle of which the size says the scale.

    Args:
        points: `(n, 2)` float.
        labels: `(n,)` integers from 0 to 9.
        circle: its radius in the points' unit.

    Returns:
        The drawing as the source of an image.
    """
    reach = 1.06 * max(circle, float(np.abs(points).max(initial=0)))
    places = (np.asarray(points, float) * (1, -1) / reach + 1) * SIDE / 2
    shapes = [f'<circle cx="{SIDE / 2}" cy="{SIDE / 2}" r="{circle / reach * SIDE / 2:.1f}" fill="none" stroke="{GREY}"/>']
    for label in np.unique(labels):
        way = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in places[labels == label])
        colour = PALETTE[label % len(PALETTE)]
        shapes.append(f'<path d="{way}" stroke="{colour}" stroke-width="{DOT}" stroke-linecap="round"/>')
    frame = f'<rect width="{SIDE}" height="{SIDE}" fill="none" stroke="{GREY}"/>'
    box = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE} {SIDE}">{"".join(shapes)}{frame}</svg>'
    return "data:image/svg+xml;base64," + base64.b64encode(box.encode()).decode()
