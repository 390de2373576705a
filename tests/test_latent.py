"""Codes on a plane: against closed forms, and against the principal components of `pca`."""

import math

import numpy as np
import pytest

from cae_core import pca
from cae_core.latent import live_plane


def spread(n, d, seed=0, decay=0.7):
    """`(n, d)` float32 codes around a mean that is not zero, each direction narrower than the last."""
    rng = np.random.default_rng(seed)
    widths = decay ** np.minimum(np.arange(d), 60)
    rotation = np.linalg.qr(rng.normal(size=(d, d)))[0]
    return (rng.normal(size=(n, d)) * widths @ rotation + 3).astype("float32")


def distances(points):
    points = points.astype(np.float64)
    return np.linalg.norm(points[:, None] - points[None], axis=-1)


def turn(angle, mirror=False):
    matrix = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return matrix @ np.diag([1, -1 if mirror else 1])


def test_two_numbers_are_shown_as_they_are():
    codes = spread(20, 2)
    shown = live_plane.to_plane(codes, like=np.zeros((20, 2)))
    np.testing.assert_array_equal(shown.points, codes)
    assert (shown.axes, shown.explained) == (("z₁", "z₂"), 1.0)


def test_one_number_lies_on_the_horizontal_axis():
    shown = live_plane.to_plane(np.array([[3.0], [-1.0]]))
    np.testing.assert_array_equal(shown.points, [[3, 0], [-1, 0]])
    assert (shown.axes, shown.explained, shown.points.dtype) == (("z₁", ""), 1.0, np.float32)


@pytest.mark.parametrize(("n", "d"), [(50, 3), (300, 32), (20, 90), (260, 180), (180, 400)], ids=lambda value: str(value))
def test_longer_codes_give_their_principal_components(n, d):
    codes = spread(n, d)
    shown, fitted = live_plane.to_plane(codes), pca.fit(codes, 2)
    expected = fitted.encode(codes)
    signs = np.sign((expected * shown.points).sum(axis=0))
    np.testing.assert_allclose(shown.points * signs, expected, atol=1e-3 * np.abs(expected).max())
    assert shown.explained == pytest.approx(fitted.explained_variance_ratio.sum(), abs=1e-4)
    assert shown.points.dtype == np.float32


def test_the_sign_of_a_component_is_that_of_its_farthest_point():
    points = live_plane.to_plane(spread(40, 6)).points
    assert (points[np.abs(points).argmax(axis=0), [0, 1]] > 0).all()


def test_a_code_of_any_shape_is_taken_number_by_number():
    codes = spread(30, 24)
    np.testing.assert_array_equal(live_plane.to_plane(codes.reshape(30, 2, 3, 4)).points, live_plane.to_plane(codes).points)


def test_the_share_of_variance_is_known_where_the_variances_are():
    corners = np.array([[a, b, c] for a in (-3, 3) for b in (-2, 2) for c in (-1, 1)], float)  # variances 9, 4 and 1
    shown = live_plane.to_plane(corners)
    assert shown.explained == pytest.approx(13 / 14)
    assert sorted({tuple(point) for point in np.abs(shown.points).round(5).tolist()}) == [(3, 2)]


@pytest.mark.parametrize(("n", "d"), [(300, 32), (200, 400)])
@pytest.mark.parametrize("mirror", [False, True])
def test_alignment_undoes_a_turn(n, d, mirror):
    codes = spread(n, d)
    unaligned = live_plane.to_plane(codes)
    earlier = unaligned.points @ turn(2.2, mirror) + [5, -7]  # wherever its centre is
    shown = live_plane.to_plane(codes, like=earlier)
    np.testing.assert_allclose(shown.points, earlier - earlier.mean(axis=0), atol=1e-4)
    np.testing.assert_allclose(distances(shown.points), distances(unaligned.points), atol=1e-4)
    assert shown.explained == unaligned.explained
    assert "component" not in " ".join(shown.axes)


def test_no_other_turn_or_mirroring_is_nearer():
    rng = np.random.default_rng(1)
    points, like = rng.normal(size=(30, 2)), rng.normal(size=(30, 2))
    like -= like.mean(axis=0)
    best = np.square(live_plane.align(points, like) - like).sum()
    others = [turn(a, m) for a in np.linspace(0, 2 * math.pi, 721) for m in (False, True)]
    assert best <= min(np.square(points @ other - like).sum() for other in others) + 1e-9


def test_points_keep_their_places_while_codes_drift():
    """Two directions of nearly equal width change places; the points do not."""
    rng = np.random.default_rng(0)
    raw = rng.normal(size=(400, 5)) * [1, 1, 0.2, 0.2, 0.2]
    before = live_plane.to_plane(raw * [1.02, 0.98, 1, 1, 1]).points
    after = live_plane.to_plane(raw * [0.98, 1.02, 1, 1, 1], like=before).points
    assert np.abs(after - before).max() < 0.3


@pytest.mark.parametrize("codes", [np.full((9, 7), 0.3), np.zeros((200, 300)), np.ones((1, 5))], ids=str)
def test_equal_codes_are_one_point(codes):
    shown = live_plane.to_plane(codes.astype("float32"))
    np.testing.assert_allclose(shown.points, 0, atol=1e-6)
    assert shown.points.shape == (len(codes), 2)
    assert 0 <= shown.explained <= 1


def test_few_directions_in_many_numbers():
    rng = np.random.default_rng(0)
    codes = (rng.normal(size=(200, 1)) @ rng.normal(size=(1, 300))).astype("float32")
    shown = live_plane.to_plane(codes)
    np.testing.assert_allclose(shown.points[:, 1], 0, atol=1e-3)
    assert shown.explained == pytest.approx(1, abs=1e-5)


def test_equal_codes_give_equal_planes():
    np.testing.assert_array_equal(
        live_plane.to_plane(spread(200, 400)).points, live_plane.to_plane(spread(200, 400)).points
    )


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(bad):
    with pytest.raises(ValueError, match="NaN or infinite values: the network"):
        live_plane.to_plane(np.array([[0, bad, 1], [1, 2, 3.0]]))


@pytest.mark.parametrize("codes", [np.zeros(3), np.zeros((0, 2)), np.zeros((4, 0))])
def test_there_must_be_codes(codes):
    with pytest.raises(ValueError, match="at least one code of one number"):
        live_plane.to_plane(codes)


def test_the_earlier_plane_must_be_of_the_same_images():
    with pytest.raises(ValueError, match=r"\(9, 2\) and like \(8, 2\)"):
        live_plane.to_plane(spread(9, 5), like=np.zeros((8, 2)))
