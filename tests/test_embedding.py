"""Codes, their plane and the way back, held against NumPy's own decompositions and closed forms."""

import numpy as np
import pytest

from cae_core import datasets, runs
from cae_core.latent import embedding
from cae_core.latent.embedding import Codes


def made_up(n=300, d=6, seed=0):
    rng = np.random.default_rng(seed)
    z = (rng.standard_normal((n, d)) * np.arange(d, 0, -1) + 3).astype("float32")
    return Codes(z, rng.integers(0, 10, n).astype("uint8"), "strokes", None)


@pytest.fixture(scope="module")
def two():
    return embedding.encode(runs.find("strokes-b2-bce-clean"), "strokes", 300)


def test_codes_are_the_encoders_in_the_order_of_the_test_images(two):
    test = datasets.load("strokes", "test")
    network = runs.model(runs.find("strokes-b2-bce-clean"))
    np.testing.assert_allclose(two.z, network.encode(test.x[:300] / np.float32(255)), rtol=1e-5, atol=1e-4)
    np.testing.assert_array_equal(two.labels, test.y[:300])
    np.testing.assert_array_equal(two.images([7, 3]), test.x[[7, 3]] / np.float32(255))
    assert two.images().shape == (300, 28, 28, 1)
    assert two.size == 2


def test_codes_are_made_once_and_cannot_be_written_to(two):
    assert embedding.encode(two.run, "strokes", 300) is two
    with pytest.raises(ValueError, match="read-only"):
        two.z[0] = 0


def test_more_images_than_there_are_gives_all():
    assert embedding.encode(runs.find("strokes-b2-bce-clean"), "strokes", 10_000).z.shape == (5000, 2)


def test_decodes_what_it_encoded(two):
    x_hat = embedding.decode(two.run, two.z[:5])
    np.testing.assert_allclose(x_hat, runs.model(two.run).reconstruct(two.images(range(5))), atol=1e-4)


def test_images_of_another_size_are_refused_by_name(save_run):
    with pytest.raises(runs.RunError, match=r"8 × 12 × 1 values, those of Strokes have 28 × 28 × 1"):
        embedding.encode(save_run(), "strokes", 10)


def test_codes_of_two_numbers_are_the_plane(two):
    plane = embedding.plane(two, (2, 5))
    np.testing.assert_array_equal(plane.points, two.z)
    np.testing.assert_array_equal(plane.codes_at([[1.5, -2], [0, 0]]), [[1.5, -2], [0, 0]])
    assert plane.axes == ("z₁", "z₂")
    assert sum(plane.explained) == pytest.approx(1)


def test_codes_of_one_number_are_a_line():
    codes = made_up(d=1)
    plane = embedding.plane(codes)
    np.testing.assert_array_equal(plane.points[:, :1], codes.z)
    np.testing.assert_array_equal(plane.points[:, 1], 0)
    np.testing.assert_array_equal(plane.codes_at([[4, 9]]), [[4]])
    assert plane.explained == (1, 0)


@pytest.mark.parametrize("pair", [(1, 2), (3, 1), (4, 5)])
def test_longer_codes_are_seen_along_principal_components(pair):
    codes = made_up()
    plane = embedding.plane(codes, pair)
    centred = codes.z.astype(float) - codes.z.mean(axis=0, dtype=float)
    _, s, vt = np.linalg.svd(centred, full_matrices=False)
    for axis, component in enumerate(pair):
        oracle = centred @ vt[component - 1]
        sign = np.sign(oracle @ plane.points[:, axis])
        np.testing.assert_allclose(plane.points[:, axis], sign * oracle, atol=1e-4)
        assert plane.explained[axis] == pytest.approx(s[component - 1] ** 2 / np.sum(s**2))
        assert plane.axes[axis].startswith(f"component {component}, {100 * plane.explained[axis]:.0f} % of the variance")


def test_a_spot_of_the_plane_is_the_code_seen_there():
    codes = made_up()
    plane = embedding.plane(codes, (2, 3))
    spots = np.array([[0, 0], [1, -2.5], [-30, 4]])
    z = plane.codes_at(spots)
    np.testing.assert_allclose(z[0], codes.z.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose((z - codes.z.mean(axis=0)) @ plane.directions.T, spots, atol=1e-4)
    distance = np.linalg.norm(z - codes.z.mean(axis=0), axis=1)  # and nothing besides
    np.testing.assert_allclose(distance, np.linalg.norm(spots, axis=1), atol=1e-4)


@pytest.mark.parametrize("pair", [(1, 1), (0, 1), (1, 7)])
def test_impossible_components_are_refused(pair):
    with pytest.raises(ValueError, match="two different ones from 1 to 6"):
        embedding.plane(made_up(), pair)


def test_reach_is_a_square_with_every_point_and_spots_stay_in_it():
    plane = embedding.plane(made_up())
    left, right, bottom, top = plane.reach
    assert right - left == pytest.approx(top - bottom)
    assert ((plane.points > [left, bottom]) & (plane.points < [right, top])).all()
    assert plane.inside((1e9, bottom + 1)) == (right, bottom + 1)


def test_all_codes_alike_still_make_a_plane():
    codes = Codes(np.ones((5, 2), "float32"), np.zeros(5, "uint8"), "strokes", None)
    plane = embedding.plane(codes)
    for even in (False, True):
        assert np.isfinite(embedding.scale(plane, even).shares(plane.points)).all()


@pytest.mark.parametrize("even", [False, True])
def test_scale_goes_both_ways_and_keeps_order(even, two):
    scale = embedding.scale(embedding.plane(two), even)
    values = np.sort(np.random.default_rng(0).uniform(-2000, 2000, (200, 2)), axis=0)
    shares = scale.shares(values)
    assert (np.diff(shares, axis=0) > 0).all()
    np.testing.assert_allclose(scale.spots(shares), values, rtol=1e-6, atol=1e-6)


def test_scale_as_it_is_is_a_square_of_nearly_all(two):
    plane = embedding.plane(two)
    scale = embedding.scale(plane, False)
    (left, right), (bottom, top) = scale.across, scale.up
    assert right - left == pytest.approx(top - bottom)
    np.testing.assert_allclose(scale.shares([[left, bottom], [right, top]]), [[0, 0], [1, 1]], atol=1e-12)
    shares = scale.shares(plane.points)
    assert np.mean(((shares >= 0) & (shares <= 1)).all(axis=1)) > 0.97


def test_evened_out_every_point_is_on_the_picture_and_no_corner_has_them_all():
    codes = Codes(np.random.default_rng(0).lognormal(0, 2, (2000, 2)).astype("float32"), np.zeros(2000, "uint8"), "", None)
    plane = embedding.plane(codes)
    crowded, even = (embedding.scale(plane, on).shares(plane.points) for on in (False, True))
    assert np.mean((crowded < 0.25).all(axis=1)) > 0.8
    assert np.mean((even < 0.25).all(axis=1)) < 0.25
    assert ((even >= 0) & (even <= 1)).all()


def test_points_within_a_triangle_and_a_box():
    points = np.random.default_rng(1).uniform(-1, 2, (500, 2))
    triangle = points.sum(axis=1) < 1
    triangle &= (points > 0).all(axis=1)
    np.testing.assert_array_equal(embedding.within(points, np.array([[0, 0], [1, 0], [0, 1]])), np.flatnonzero(triangle))
    box = ((points > 0) & (points < 1)).all(axis=1)
    np.testing.assert_array_equal(embedding.within(points, np.array([[0, 0], [1, 0], [1, 1], [0, 1]])), np.flatnonzero(box))


def test_points_within_a_hollow_shape():
    u = np.array([[0, 0], [3, 0], [3, 3], [2, 3], [2, 1], [1, 1], [1, 3], [0, 3]])
    points = np.array([[0.5, 2], [1.5, 2], [2.5, 2], [1.5, 0.5], [4, 0.5]])
    np.testing.assert_array_equal(embedding.within(points, u), [0, 2, 3])
