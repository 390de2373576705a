"""Where the classes lie on a plane of codes, and how far apart: what a picture of it shows, as numbers."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ClassLayout:
    """One class on the plane as it is drawn.

    Attributes:
        label: the class.
        count: of its codes.
        centre: median share of the picture's width and of its height, from the left and from the bottom.
        near_own: share of its codes that are nearer to this centre than to any other class's, in [0, 1].
    """

    label: int
    count: int
    centre: tuple[float, float]
    near_own: float


def by_class(shares: np.ndarray, labels: np.ndarray) -> tuple[ClassLayout, ...]:
    """The classes that there are, in their order.

    Args:
        shares: `(n, 2)` float, where each code is on the picture.
        labels: `(n,)` integers, the classes.
    """
    classes = np.unique(labels)
    if not len(classes):
        return ()
    centres = np.array([np.median(shares[labels == label], axis=0) for label in classes])
    nearest = classes[np.linalg.norm(shares[:, None] - centres, axis=2).argmin(axis=1)]
    return tuple(
        ClassLayout(int(label), int(np.sum(own)), (float(x), float(y)), float(np.mean(nearest[own] == label)))
        for label, (x, y) in zip(classes, centres, strict=True)
        for own in [labels == label]
    )
