"""Codes, their plane and the way back, held against NumPy's own decompositions and closed forms."""

import numpy as np
import pytest

from cae_core import datasets, runs
from cae_core.latent import embedding
from cae_core.latent.embedding import Codes


def codes_of(z):
    return Codes(np.asarray(z, "float32"), np.zeros(len(z), "uint8"), "strokes", None)


def random_codes(n=300, d=6):
    return codes_of(np.random.default_rng(0).standard_normal((n, d)) * np.arange(d, 0, -1) + 3)


@pytest.fixture(scope="module")
def two():
    return embedding.encode(runs.find("strokes-b2-bce-clean"), "strokes", 300)


def test_codes_are_the_encoders_in_the_order_of_the_test_images_and_decode_back(two):
    test, network = datasets.load("strokes", "test"), runs.model(two.run)
    np.testing.assert_allclose(two.z, network.encode(test.x[:300] / np.float32(255)), rtol=1e-5, atol=1e-4)
    np.testing.assert_array_equal(two.labels, test.y[:300])
    np.testing.assert_array_equal(two.images([7, 3]), test.x[[7, 3]] / np.float32(255))
    assert (two.images().shape, two.size) == ((300, 28, 28, 1), 2)
    x_hat = embedding.decode(two.run, two.z[:5])
    np.testing.assert_allclose(x_hat, network.reconstruct(two.images(range(5))), atol=1e-4)


def test_codes_are_made_once_and_cannot_be_written_to_and_there_are_no_more_than_images(two):
    assert embedding.encode(two.run, "strokes", 300) is two
    with pytest.raises(ValueError, match="read-only"):
        two.z[0] = 0
    assert embedding.encode(two.run, "strokes", 10_000).z.shape == (5000, 2)


def test_images_of_another_size_are_refused_by_name(save_run):
    with pytest.raises(runs.RunError, match=r"8 × 12 × 1 values, those of Strokes have 28 × 28 × 1"):
        embedding.encode(save_run(), "strokes", 10)


def test_codes_of_one_or_two_numbers_are_the_plane(two):
    plane = embedding.plane(two, (2, 5))
    np.testing.assert_array_equal(plane.points, two.z)
    np.testing.assert_array_equal(plane.codes_at([[1.5, -2], [0, 0]]), [[1.5, -2], [0, 0]])
    assert plane.axes == ("z₁", "z₂")
    assert sum(plane.explained) == pytest.approx(1)
    codes = random_codes(d=1)
    line = embedding.plane(codes)
    np.testing.assert_array_equal(line.points, np.pad(codes.z, ((0, 0), (0, 1))))
    np.testing.assert_array_equal(line.codes_at([[4, 9]]), [[4]])
    assert line.explained == (1, 0)


@pytest.mark.parametrize("pair", [(1, 2), (3, 1), (4, 5)])
def test_longer_codes_are_seen_along_principal_components(pair):
    codes = random_codes()
    plane = embedding.plane(codes, pair)
    centred = codes.z.astype(float) - codes.z.mean(axis=0, dtype=float)
    _, s, vt = np.linalg.svd(centred, full_matrices=False)
    for axis, component in enumerate(pair):
        oracle = centred @ vt[component - 1]
        sign = np.sign(oracle @ plane.points[:, axis])
        np.testing.assert_allclose(plane.points[:, axis], sign * oracle, atol=1e-4)
        assert plane.explained[axis] == pytest.approx(s[component - 1] ** 2 / np.sum(s**2))
        assert plane.axes[axis].startswith(f"component {component}, {100 * plane.explained[axis]:.0f} % of the variance")
    for wrong in ((1, 1), (0, 1), (1, 7)):
        with pytest.raises(ValueError, match="two different ones from 1 to 6"):
            embedding.plane(codes, wrong)


def test_a_spot_of_the_plane_is_the_code_seen_there():
    codes = random_codes()
    plane = embedding.plane(codes, (2, 3))
    spots = np.array([[0, 0], [1, -2.5], [-30, 4]])
    z = plane.codes_at(spots)
    np.testing.assert_allclose(z[0], codes.z.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose((z - codes.z.mean(axis=0)) @ plane.directions.T, spots, atol=1e-4)
    np.testing.assert_allclose(plane.spots_of(z), spots, atol=1e-4)
    distance = np.linalg.norm(z - codes.z.mean(axis=0), axis=1)  # and nothing besides
    np.testing.assert_allclose(distance, np.linalg.norm(spots, axis=1), atol=1e-4)


def test_reach_is_a_square_with_every_point_and_spots_stay_in_it():
    plane = embedding.plane(random_codes())
    left, right, bottom, top = plane.reach
    assert right - left == pytest.approx(top - bottom)
    assert ((plane.points > [left, bottom]) & (plane.points < [right, top])).all()
    assert plane.inside((1e9, bottom + 1)) == (right, bottom + 1)


@pytest.mark.parametrize("even", [False, True])
def test_scale_goes_both_ways_and_keeps_order_also_where_all_codes_are_alike(even, two):
    alike = codes_of(np.ones((5, 2)))
    for codes in (two, alike):
        scale = embedding.scale(embedding.plane(codes), even)
        values = np.sort(np.random.default_rng(0).uniform(-2000, 2000, (200, 2)), axis=0)
        shares = scale.shares(values)
        assert (np.diff(shares, axis=0) > 0).all()
        np.testing.assert_allclose(scale.spots(shares), values, rtol=1e-6, atol=1e-6)


def test_evened_out_every_point_is_on_the_picture_and_no_corner_has_them_all():
    plane = embedding.plane(codes_of(np.random.default_rng(0).lognormal(0, 2, (2000, 2))))
    crowded, even = (embedding.scale(plane, on).shares(plane.points) for on in (False, True))
    assert np.mean((crowded < 0.25).all(axis=1)) > 0.8
    assert np.mean((even < 0.25).all(axis=1)) < 0.25
    assert ((even >= 0) & (even <= 1)).all()


def test_points_within_a_triangle_a_box_and_a_hollow_shape():
    points = np.random.default_rng(1).uniform(-1, 3.5, (500, 2))
    x, y = points.T
    box = (points > 0).all(axis=1) & (points < 3).all(axis=1)
    for corners, inside in (
        ([[0, 0], [3, 0], [0, 3]], box & (x + y < 3)),
        ([[0, 0], [3, 0], [3, 3], [0, 3]], box),
        ([[0, 0], [3, 0], [3, 3], [2, 3], [2, 1], [1, 1], [1, 3], [0, 3]], box & ~((x > 1) & (x < 2) & (y > 1))),
    ):
        np.testing.assert_array_equal(embedding.within(points, np.array(corners)), np.flatnonzero(inside))
