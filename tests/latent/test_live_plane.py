"""Codes on a plane: against closed forms, and against the principal components of `pca`."""

import math

import numpy as np
import pytest

from cae_core import pca
from cae_core.latent import live_plane


def spread(n, d):
    """`(n, d)` float32 codes around a mean that is not zero, each direction narrower than the last."""
    rng = np.random.default_rng(0)
    widths = 0.7 ** np.minimum(np.arange(d), 60)
    rotation = np.linalg.qr(rng.normal(size=(d, d)))[0]
    return (rng.normal(size=(n, d)) * widths @ rotation + 3).astype("float32")


def distances(points):
    points = points.astype(np.float64)
    return np.linalg.norm(points[:, None] - points[None], axis=-1)


def turn(angle, mirror=False):
    matrix = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return matrix @ np.diag([1, -1 if mirror else 1])


def test_one_or_two_numbers_are_shown_as_they_are():
    codes = spread(20, 2)
    two, line = live_plane.to_plane(codes, like=np.zeros((20, 2))), live_plane.to_plane(codes[:, :1])
    np.testing.assert_array_equal(two.points, codes)
    np.testing.assert_array_equal(line.points, codes * [1, 0])
    assert (two.axes, two.explained) == (("z₁", "z₂"), 1.0)
    assert (line.axes, line.explained, line.points.dtype) == (("z₁", ""), 1.0, np.float32)


@pytest.mark.parametrize(("n", "d"), [(50, 3), (300, 32), (20, 90), (260, 180), (180, 400)], ids=str)
def test_longer_codes_give_their_principal_components(n, d):
    codes = spread(n, d)
    plane, fitted = live_plane.to_plane(codes), pca.fit(codes, 2)
    expected = fitted.encode(codes)
    signs = np.sign((expected * plane.points).sum(axis=0))
    np.testing.assert_allclose(plane.points * signs, expected, atol=1e-3 * np.abs(expected).max())
    assert plane.explained == pytest.approx(fitted.explained_variance_ratio.sum(), abs=1e-4)
    assert plane.points.dtype == np.float32
    farthest = plane.points[np.abs(plane.points).argmax(axis=0), [0, 1]]
    assert (farthest > 0).all()  # which decides a component's sign
    np.testing.assert_array_equal(live_plane.to_plane(codes.reshape(n, -1, 1, 1)).points, plane.points)


@pytest.mark.parametrize(("n", "d"), [(300, 32), (200, 400)])
@pytest.mark.parametrize("mirror", [False, True])
def test_alignment_undoes_a_turn(n, d, mirror):
    codes = spread(n, d)
    unaligned = live_plane.to_plane(codes)
    earlier = unaligned.points @ turn(2.2, mirror) + [5, -7]  # wherever its centre is
    plane = live_plane.to_plane(codes, like=earlier)
    np.testing.assert_allclose(plane.points, earlier - earlier.mean(axis=0), atol=1e-4)
    np.testing.assert_allclose(distances(plane.points), distances(unaligned.points), atol=1e-4)
    assert plane.explained == unaligned.explained
    assert "component" not in " ".join(plane.axes)


def test_no_other_turn_or_mirroring_is_nearer():
    rng = np.random.default_rng(1)
    points, like = rng.normal(size=(30, 2)), rng.normal(size=(30, 2))
    like -= like.mean(axis=0)
    best = np.square(live_plane.align(points, like) - like).sum()
    others = [turn(a, m) for a in np.linspace(0, 2 * math.pi, 721) for m in (False, True)]
    assert best <= min(np.square(points @ other - like).sum() for other in others) + 1e-9


@pytest.mark.parametrize(("n", "d"), [(9, 7), (200, 300), (1, 5)], ids=str)
def test_codes_of_one_direction_or_none_are_a_line_or_a_point(n, d):
    rng = np.random.default_rng(0)
    line = live_plane.to_plane((rng.normal(size=(n, 1)) @ rng.normal(size=(1, d))).astype("float32"))
    np.testing.assert_allclose(line.points[:, 1], 0, atol=1e-3)
    assert line.explained == pytest.approx(1, abs=1e-5)
    point = live_plane.to_plane(np.full((n, d), 0.3, "float32"))
    np.testing.assert_allclose(point.points, np.zeros((n, 2)), atol=1e-6)
    assert 0 <= point.explained <= 1


@pytest.mark.parametrize(
    ("codes", "like", "sentence"),
    [
        ([[0, math.nan, 1], [1, 2, 3]], None, "NaN or infinite values: the network"),
        *((np.zeros(shape), None, "at least one code of one number") for shape in (3, (0, 2), (4, 0))),
        (spread(9, 5), np.zeros((8, 2)), r"\(9, 2\) and like \(8, 2\)"),
    ],
    ids=str,
)
def test_what_is_no_plane_is_refused(codes, like, sentence):
    with pytest.raises(ValueError, match=sentence):
        live_plane.to_plane(codes, like)
