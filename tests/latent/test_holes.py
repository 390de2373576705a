"""Holes of a plane of codes: planted ones are found, chance and bays are none, and what is measured there, one by one."""

import numpy as np
import pytest

from cae_core import datasets, runs
from cae_core.latent import embedding, holes, layout


def strewn(seed, *discs, n=2500):
    """Points strewn evenly over the square, but for discs (x, y, radius) without any."""
    points = np.random.default_rng(seed).random((n, 2))
    return points[[all(np.hypot(*(p - disc[:2])) > disc[2] for disc in discs) for p in points]]


def nearest(points, place):
    return np.sqrt(((points - place) ** 2).sum(axis=1)).min()


@pytest.mark.parametrize("seed", range(3))
def test_planted_holes_are_found_largest_first_and_empty(seed):
    planted = [(0.35, 0.6, 0.16), (0.75, 0.3, 0.1)]
    points = strewn(seed, *planted)
    circles = holes.empty_circles(points)
    assert len(circles) == 2
    for (x, y, radius), disc in zip(circles, planted, strict=True):
        assert radius == pytest.approx(nearest(points, (x, y)))
        assert np.hypot(x - disc[0], y - disc[1]) < 0.03
        assert disc[2] - 0.71 / holes.SIDE < radius < disc[2] + 0.03


@pytest.mark.parametrize("seed", range(5))
def test_points_strewn_evenly_have_no_hole(seed):
    assert not len(holes.empty_circles(strewn(seed)))


@pytest.mark.parametrize(("opening", "count"), [(0, 1), (60, 1), (200, 0)])
def test_a_ring_has_a_hole_as_large_as_itself_and_a_bay_none(opening, count):
    angles = np.radians(np.linspace(opening, 360, 500, endpoint=False))
    circles = holes.empty_circles(0.5 + 0.3 * np.stack([np.cos(angles), np.sin(angles)], axis=1))
    assert len(circles) == count
    if count:
        np.testing.assert_allclose(circles[0], [0.5, 0.5, 0.3], atol=0.02)


@pytest.mark.parametrize("points", [np.zeros((50, 2)), np.random.default_rng(0).random((2, 2)), np.zeros((0, 2))])
def test_collapsed_and_few_codes_have_no_hole(points):
    assert holes.empty_circles(points).shape == (0, 3)


@pytest.fixture(scope="module", autouse=True)
def fewer_to_train_on():
    """6,000 strokes in the place of 50,000, which take seconds to be drawn."""
    draw = datasets.strokes.draw
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets.strokes, "draw", lambda n, seed: draw(min(n, 6_000), seed))
        forget_training()
        yield
    forget_training()


def forget_training():
    """Other tests' images in training are others, and what they knew of a hole is of those."""
    datasets.clear_cache()
    holes.training_codes.cache_clear()
    holes.asked.cache_clear()


@pytest.fixture(scope="module")
def opening():
    codes = embedding.encode(runs.find("strokes-b2-bce-clean"), "strokes", 2000)
    plane = embedding.plane(codes)
    scale = embedding.scale(plane, True)
    return codes, plane, scale, holes.find(codes, plane, scale)


def test_only_codes_of_two_numbers_have_holes(opening):
    *_, marked = opening
    assert [hole.radius for hole in marked] == sorted((hole.radius for hole in marked), reverse=True)
    assert 1 <= len(marked) <= holes.MOST
    codes = embedding.encode(runs.find("strokes-b16-bce-clean"), "strokes", 500)
    plane = embedding.plane(codes)
    assert holes.find(codes, plane, embedding.scale(plane, True)) == ()


def test_training_seldom_came_to_a_hole_and_its_picture_is_coded_elsewhere(opening):
    codes, plane, scale, marked = opening
    network = runs.model(codes.run)
    x = datasets.as_float(datasets.load("strokes", "train").x[: holes.TRAINING])
    training = scale.shares(network.encode(x).reshape(-1, 2))
    for hole in marked:
        np.testing.assert_allclose(scale.shares([hole.spot])[0], hole.middle, atol=1e-6)
        assert holes.within(hole, scale, hole.spot)
        asked = holes.asked(codes, plane, scale, hole)
        assert asked.inside == sum(np.hypot(*(share - hole.middle)) < hole.radius for share in training)
        assert asked.inside < asked.usual / 5
    spot = np.array([marked[0].spot])
    again = network.encode(network.decode(spot.astype("float32"))).reshape(1, 2)
    stray = np.hypot(*(scale.shares(again) - scale.shares(spot))[0])
    assert holes.strays(codes, plane, scale, spot) == pytest.approx([stray], rel=1e-3)
    assert stray > 3 * holes.usual_stray(codes, plane, scale)


def test_codes_of_a_network_trained_with_noise_are_those_of_noisy_images():
    run = runs.find("strokes-b2-bce-mixed")
    clean = runs.model(run).encode(datasets.as_float(datasets.load("strokes", "train").x[:50])).reshape(50, 2)
    noisy = holes.training_codes(run)[:50]
    assert noisy.shape == clean.shape
    assert not np.allclose(noisy, clean, atol=0.5)


def test_layout_says_where_each_class_lies_and_how_well_it_is_told_apart():
    shares = np.array([[0.1, 0.9], [0.2, 0.8], [0.3, 0.7], [0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.25, 0.75]])
    first, other = layout.by_class(shares, np.array([0, 0, 0, 7, 7, 7, 7], np.uint8))
    assert (first.label, first.count, first.near_own) == (0, 3, 1.0)
    assert first.centre == pytest.approx((0.2, 0.8))
    assert (other.label, other.count, other.near_own) == (7, 4, 0.75)
    assert other.centre == pytest.approx((0.75, 0.25))
    assert layout.by_class(np.zeros((0, 2)), np.zeros(0, np.uint8)) == ()
