"""Units of a code: when they fire, what they paint and what is lost without them, by hand from codes and weights."""

import numpy as np
import pytest

from cae_core import runs
from cae_core.latent import embedding, units


@pytest.fixture(scope="module")
def sparse():
    return embedding.encode(runs.find("strokes-k_sparse"), "strokes", 300)


def test_of_a_k_sparse_code_exactly_k_units_fire_and_each_paints_with_its_weights(sparse):
    measured = units.measure(sparse)
    assert (units.fires(sparse, measured.off).sum(axis=1) == sparse.run.config.k).all()
    assert measured.rates.sum() == pytest.approx(sparse.run.config.k)
    assert (np.diff(measured.rates[measured.order]) <= 0).all()
    assert measured.num_dead == (sparse.z == 0).all(axis=0).sum()
    painted = units.pictures(sparse).reshape(sparse.size, -1)
    kernel = runs.weights(sparse.run)["units/kernel"].T
    np.testing.assert_allclose(painted, kernel * measured.loud[:, None], atol=1e-4)
    unit = measured.order[5]
    assert measured.loud[unit] == pytest.approx(np.sqrt(np.square(sparse.z[sparse.z[:, unit] != 0, unit]).mean()), rel=1e-4)


def test_a_unit_is_turned_off_and_up_alone_and_the_error_without_it_is_that_of_the_picture_without_it(sparse):
    unit = int(units.measure(sparse).order[0])
    drivers = units.drivers(sparse, unit, 10)
    assert sparse.z[drivers[0], unit] == sparse.z[:, unit].max()
    others = np.arange(sparse.size) != unit
    for times in (0.0, 1.0, 2.5):
        z = units.turned(sparse, unit, drivers, times)
        np.testing.assert_array_equal(z[:, others], sparse.z[drivers][:, others])
        np.testing.assert_allclose(z[:, unit], times * sparse.z[drivers, unit], rtol=1e-5)
    firing = np.flatnonzero(sparse.z[:, unit])
    x, x_hat = sparse.images(firing), embedding.decode(sparse.run, sparse.z[firing])
    part = sparse.z[firing, unit][:, None] * runs.weights(sparse.run)["units/kernel"][:, unit]
    whole, without = units.errors_without(sparse, unit)
    assert whole == pytest.approx(np.square(x_hat - x).sum() / len(x), rel=1e-4)
    assert without == pytest.approx(np.square(x_hat - part.reshape(x.shape) - x).sum() / len(x), rel=1e-4)


def test_a_dead_unit_is_turned_up_from_what_others_are_and_costs_nothing(sparse):
    measured = units.measure(sparse)
    dead = int(measured.order[-1])
    assert measured.rates[dead] == 0
    assert np.isnan(units.errors_without(sparse, dead)).all()
    z = units.turned(sparse, dead, np.arange(3), 2.0)
    np.testing.assert_allclose(z[:, dead], 2 * np.median(measured.loud[measured.rates > 0]), rtol=1e-5)


def test_of_a_dense_code_off_is_the_mean_and_nearly_all_units_fire_and_maps_have_none():
    codes = embedding.encode(runs.find("strokes-b16-bce-clean"), "strokes", 200)
    measured = units.measure(codes)
    np.testing.assert_allclose(measured.off, codes.z.mean(axis=0), rtol=1e-5)
    assert measured.rates.min() > 0.9
    base = embedding.decode(codes.run, measured.off[None])
    moved = measured.off + np.eye(16, dtype="f4")[3] * measured.loud[3]
    np.testing.assert_allclose(units.pictures(codes)[3], (embedding.decode(codes.run, moved[None]) - base)[0], atol=1e-5)
    assert units.has_units(codes)
    assert not units.has_units(embedding.encode(runs.find("mnist-conv_denoise"), "strokes", 10))
