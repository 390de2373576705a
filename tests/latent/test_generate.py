"""New codes against their distributions, nearest images against all distances, clouds against draws from them, and gaps."""

import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from cae_core.latent import embedding, gaps, generate, posterior


def test_codes_are_drawn_from_the_prior_as_far_as_the_temperature_says():
    z = generate.draw(2, 20_000, seed=3)
    assert (np.abs(z.mean(axis=0)) < 0.03).all()
    np.testing.assert_allclose(np.cov(z.T), np.eye(2), atol=0.04)
    np.testing.assert_array_equal(generate.draw(2, 20_000, seed=3, temperature=0.5), z / 2)
    assert not np.array_equal(generate.draw(2, 20_000, seed=4), z)
    assert not generate.draw(8, 5, 0, temperature=0).any()
    with pytest.raises(ValueError, match="temperature is 5; it must be a number from 0 to 4"):
        generate.draw(2, 1, 0, 5)


def test_the_lattice_is_even_in_probability_the_top_row_first():
    z = generate.lattice(10).reshape(10, 10, 2).astype(float)
    below = np.vectorize(lambda value: (1 + math.erf(value / math.sqrt(2))) / 2)(z)
    np.testing.assert_allclose(below[0, :, 0], (np.arange(10) + 0.5) / 10, atol=1e-6)
    np.testing.assert_allclose(below[:, 0, 1], (np.arange(10)[::-1] + 0.5) / 10, atol=1e-6)
    assert (np.diff(z[:, :, 0], axis=0) == 0).all()
    for side in (1, 41, 2.5):
        with pytest.raises(ValueError, match=f"side is {side}; it must be a whole number from 2 to 40"):
            generate.lattice(side)


def test_the_nearest_image_is_that_of_all_distances_and_of_a_copy_itself():
    rng = np.random.default_rng(0)
    images, x_hat = rng.integers(0, 256, (57, 5, 4, 1), np.uint8), rng.random((9, 5, 4, 1), np.float32)
    x_hat[3] = images[41] / np.float32(255)
    distances = np.square(x_hat[:, None] - images[None] / 255).mean(axis=(2, 3, 4))
    for some in (10, 1000):
        places, errors = generate.nearest(x_hat, images, some)
        np.testing.assert_array_equal(places, distances.argmin(axis=1))
        np.testing.assert_allclose(errors, distances.min(axis=1), rtol=1e-5, atol=1e-12)
    assert (places[3], errors[3]) == (41, pytest.approx(0, abs=1e-12))


def test_a_fitted_normal_has_the_mean_and_the_covariance_of_the_codes():
    codes = np.random.default_rng(0).normal(size=(400, 3)) @ [[9, 0, 0], [5, 2, 0], [0, 1, 0.1]] + [100, -50, 3]
    z = generate.fitted(codes, 40_000, seed=1)
    np.testing.assert_allclose(z.mean(axis=0), codes.mean(axis=0), atol=0.2)
    np.testing.assert_allclose(np.cov(z.T), np.cov(codes.T, bias=True), atol=2.5)
    np.testing.assert_allclose(generate.fitted(codes, 2, seed=1, temperature=0), [codes.mean(axis=0)] * 2, rtol=1e-6)
    with pytest.raises(ValueError, match="Unknown distribution of codes 'priors'.*Did you mean 'prior'"):
        generate.codes_of(None, "priors", 4, 0)


@pytest.fixture
def clouds(monkeypatch):
    """Codes of five numbers that are these clouds, of which the fourth says nothing; on the plane of two components."""
    rng = np.random.default_rng(5)
    mean, log_variance = rng.normal(size=(40, 5)) * [3, 2, 1, 0, 2], rng.normal(size=(40, 5)) - 1
    mean[:, 3] = log_variance[:, 3] = 0
    network = SimpleNamespace(posterior=lambda x: (mean, log_variance), is_variational=True)
    monkeypatch.setattr(posterior.runs, "model", lambda run: network)
    monkeypatch.setattr(posterior.runs, "read", lambda path: None)
    run = SimpleNamespace(path=Path("nowhere"), step=0, created="")
    codes = embedding.Codes(mean.astype(np.float32), np.zeros(40, np.uint8), "strokes", run)
    return codes, embedding.plane(codes, (1, 3)), mean, log_variance


def test_what_a_number_says_is_the_integral_and_a_silent_one_says_nothing(clouds):
    codes, _, mean, log_variance = clouds
    x, dx = np.linspace(-40, 40, 40_001, retstep=True)

    def log_normal(m, v):
        return -((x - m) ** 2 / v + np.log(2 * np.pi * v)) / 2

    rates = np.zeros((40, 5))
    for place, (m, v) in enumerate(zip(mean.flat, np.exp(log_variance).flat, strict=True)):
        log_q = log_normal(m, v)
        rates.flat[place] = np.sum(np.exp(log_q) * (log_q - log_normal(0, 1))) * dx
    numbers = posterior.numbers(codes.run, "strokes")
    np.testing.assert_allclose(numbers.rates, rates.mean(axis=0), atol=1e-6)
    assert numbers.silent.tolist() == [False, False, False, True, False]
    assert numbers.order.tolist() == sorted(range(5), key=lambda place: -rates.mean(axis=0)[place])
    assert ((numbers.variances < posterior.ACTIVE_VARIANCE) == numbers.silent).all()


def test_an_ellipse_is_the_spread_of_the_cloud_and_the_ring_holds_the_prior_on_the_plane(clouds):
    codes, plane, mean, log_variance = clouds
    drawn = np.random.default_rng(0).normal(size=(40_000, 5))
    for (a, b, c), m, v in list(zip(posterior.ellipses(codes, plane), mean, np.exp(log_variance), strict=True))[:5]:
        spots = plane.spots_of(m + np.sqrt(v) * drawn)
        np.testing.assert_allclose([[a * a, a * b], [a * b, b * b + c * c]], np.cov(spots.T), atol=0.03 * (a * a + c * c))
    x, y, radius = posterior.ring(codes, plane)
    inside = np.hypot(*(plane.spots_of(drawn) - [x, y]).T) < radius
    assert inside.mean() == pytest.approx(0.95, abs=0.005)


def test_a_class_claims_what_is_most_like_it_and_like_enough():
    rng = np.random.default_rng(2)
    images, x = rng.integers(0, 256, (30, 4, 4, 1), np.uint8), rng.random((3, 4, 4, 1), np.float32)
    x[1], x[2] = x[0] / 2, 1e-4
    like = gaps.likeness(x, images)
    flat, other = x[0].ravel().astype(float), images.reshape(30, -1).astype(float)
    np.testing.assert_allclose(like[0], other @ flat / np.linalg.norm(flat) / np.linalg.norm(other, axis=1), rtol=1e-5)
    np.testing.assert_allclose(like[1], like[0], rtol=1e-5)  # fainter
    assert like[2].max() < 0.01  # empty
    order = np.argsort(-like[0])
    for same, claimed in ((5, 7), (4, 7), (3, -1)):
        labels = np.zeros(30, int)
        labels[order[:same]] = 7
        assert gaps.claims(like[:1], labels, like[0].max()).tolist() == [claimed]
    assert gaps.claims(like[:1], np.full(30, 7), like[0].max() + 0.01).tolist() == [-1]
