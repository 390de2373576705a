"""Projection of codes to a plane during training: codes of two numbers as they are, else principal components.

While a network learns, the plane is drawn again and again. Principal components may turn or flip from one time to the
next without the codes having changed much; so a plane can be turned to lie as near as possible to an earlier one. NumPy
only.
"""

from dataclasses import dataclass

import numpy as np

from cae_core import pca


@dataclass(frozen=True, eq=False)
class Plane:
    """Codes on a plane.

    Attributes:
        points: `(n, 2)` float32, in the order of the codes.
        axes: what the two numbers are.
        explained: share of the codes' variance that the plane shows, in [0, 1].
    """

    points: np.ndarray
    axes: tuple[str, str]
    explained: float


def to_plane(codes: np.ndarray, like: np.ndarray | None = None) -> Plane:
    """Where codes lie on a plane.

    A code of two numbers is shown as it is. A code of one number becomes a point on the horizontal axis. Of longer codes
    the plane shows the first two principal components, centred: the view of them that spreads the points most. Only that
    view is turned or mirrored to be `like` an earlier one; its axes are then directions *within* the plane of the two
    components, and say so.

    Args:
        codes: `(n, ...)` float; one code may have any shape.
        like: `(n, 2)` float, an earlier plane of the same images.

    Raises:
        ValueError: there are no codes, they are not all finite, or `like` is not of as many points.
    """
    codes = np.asarray(codes)
    if codes.ndim < 2 or codes.size == 0:
        raise ValueError(f"codes has shape {codes.shape}; it must be (n, ...) with at least one code of one number.")
    codes = codes.reshape(len(codes), -1)
    if not np.isfinite(codes).all():
        raise ValueError("codes has NaN or infinite values: the network no longer gives numbers, so there is no plane.")
    if codes.shape[1] == 1:
        return Plane(np.pad(codes, ((0, 0), (0, 1))).astype(np.float32), ("z₁", ""), 1.0)
    if codes.shape[1] == 2:
        return Plane(codes.astype(np.float32), ("z₁", "z₂"), 1.0)
    points, shares = _principal(codes)
    axes = (pca.axis(1, shares[0]), pca.axis(2, shares[1]))
    if like is not None:
        points, axes = align(points, like), ("principal plane, across", "principal plane, up")
    return Plane(points.astype(np.float32), axes, min(1.0, sum(shares)))


def align(points: np.ndarray, like: np.ndarray) -> np.ndarray:
    """The points turned or mirrored about the origin, distances unchanged, to lie nearest to others.

    The orthogonal Procrustes problem: the matrix is U Vᵀ of the singular value decomposition of pointsᵀ like, after
    both were centred (Schönemann, Psychometrika 31, 1966).

    Args:
        points: `(n, 2)` float.
        like: `(n, 2)` float, where each would best be.
    """
    points, like = np.asarray(points, np.float64), np.asarray(like, np.float64)
    if points.shape != like.shape:
        raise ValueError(f"points has shape {points.shape} and like {like.shape}; they must be of the same images.")
    u, _, vt = np.linalg.svd(points.T @ (like - like.mean(axis=0)))
    return points @ (u @ vt)


def _principal(codes: np.ndarray) -> tuple[np.ndarray, tuple[float, float]]:
    """The first two principal coordinates `(n, 2)` of `(n, d)` codes, and the share of variance along each.

    They are those of `pca.fit`, which takes seconds for codes of 1,568 numbers: of a few hundred codes the Gram matrix is
    smaller than the covariance. The sign of a component is here that of its point farthest out.
    """
    centred = codes.astype(np.float64) - codes.mean(axis=0, dtype=np.float64)
    are_few = len(codes) < codes.shape[1]
    squares, vectors = np.linalg.eigh(centred @ centred.T if are_few else centred.T @ centred)  # ascending
    squares, vectors = np.clip(squares[:-3:-1], 0, None), vectors[:, :-3:-1]
    points = vectors * np.sqrt(squares) if are_few else centred @ vectors
    points = np.pad(points, ((0, 0), (0, 2 - points.shape[1])))  # a single code spans no second direction
    farthest = points[np.abs(points).argmax(axis=0), [0, 1]]
    total = float(np.vdot(centred, centred))
    shares = [min(1.0, float(square) / total) if total > 0 else 0.0 for square in (*squares, 0.0)[:2]]
    return points * np.where(farthest < 0, -1, 1), (shares[0] if total > 0 else 1.0, shares[1])
