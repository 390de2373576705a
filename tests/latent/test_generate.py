"""Codes of the prior against its distribution, and nearest images against all distances."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from cae_core.latent import generate


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


def test_a_number_that_says_nothing_has_no_rate():
    mean, log_variance = np.array([[0.0, 3.0], [0.0, -3.0]]), np.array([[0.0, -4.0], [0.0, -4.0]])
    silent, loud = generate.rates(SimpleNamespace(posterior=lambda x: (mean, log_variance)), None)
    assert silent == 0 < generate.SILENT_NATS < loud
