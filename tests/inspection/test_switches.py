"""Codes and switches replaced: the combinations against decoding by hand, the shares against their definitions."""

from dataclasses import asdict

import numpy as np
import pytest

from cae_core import datasets
from cae_core.architectures import build, published, suited
from cae_core.inspection import switches
from cae_core.inspection.switches import NETWORKS, SWITCHES, decode, share
from cae_core.runs import writing


@pytest.fixture(scope="module")
def network():
    model, rng = build(published("conv_unpool")), np.random.default_rng(0)
    model.set_weights({p: 0.2 * rng.standard_normal(w.shape).astype("float32") for p, w in model.weights().items()})
    return model


@pytest.fixture(scope="module")
def x(digits):
    return digits[:6].astype("float32") / 255


@pytest.fixture(scope="module")
def mixed(network, x):
    """The reconstructions with a code and switches replaced."""
    z, s = network.encode(x), network.switches(x)
    return lambda code, places: decode(network, z, s, code, places, z.mean(axis=0))


def test_the_networks_with_switches_are_named():
    assert tuple(name for name in suited("strokes") if build(published(name)).switch_shapes) == NETWORKS


def test_what_is_replaced_and_what_stays(network, x, mixed):
    z, s = network.encode(x), network.switches(x)
    np.testing.assert_array_equal(mixed("kept", "kept"), network.reconstruct(x))
    np.testing.assert_array_equal(mixed("kept", "none"), network.decode(z))
    np.testing.assert_array_equal(mixed("next", "next"), np.roll(network.reconstruct(x), -1, axis=0))
    crossed = network.decode(z[[0]], [s[0][[1]]])
    np.testing.assert_allclose(mixed("kept", "next")[0], crossed[0], atol=1e-6)
    np.testing.assert_allclose(mixed("first", "kept")[1], crossed[0], atol=1e-6)
    flat = network.decode(z.mean(axis=0)[None], [s[0][[2]]])
    np.testing.assert_allclose(mixed("mean", "kept")[2], flat[0], atol=1e-6)
    assert np.abs(mixed("kept", "random") - mixed("kept", "kept")).max() > 0.01
    np.testing.assert_array_equal(mixed("kept", "random"), mixed("kept", "random"))
    for places in SWITCHES:  # a blank code gives one picture whatever the switches say
        x_hat = mixed("blank", places)
        np.testing.assert_allclose(x_hat, np.broadcast_to(x_hat[:1], x_hat.shape), atol=1e-6)
        assert share(x, x_hat).explained == 0
    for wrong in (("half", "kept"), ("kept", "half")):
        with pytest.raises(ValueError, match="choose one of kept"):
            mixed(*wrong)


def test_shares_of_known_reconstructions(x):
    m = np.broadcast_to(x.mean(axis=0), x.shape)
    perfect, mean, pale = share(x, x), share(x, m), share(x, m + 0.3 * (x - m) + 0.1)
    assert (perfect.r2, perfect.explained, perfect.mse, perfect.own) == (1, pytest.approx(1), 0, 1)
    assert mean.r2 == pytest.approx(0, abs=1e-6)
    assert mean.explained == 0
    assert pale.explained == pytest.approx(1)
    assert 0 < pale.r2 < 0.6
    noise = np.random.default_rng(0).random(x.shape)
    assert share(x, noise).r2 < 0
    d, e = (x - m).ravel(), (noise - noise.mean(axis=0)).ravel()
    assert share(x, noise).explained == pytest.approx(np.corrcoef(d, e)[0, 1] ** 2, abs=1e-4)
    assert share(x, np.roll(x, -1, axis=0)).own == 0


def test_measured_on_the_test_images_of_a_run_also_of_a_later_one_of_its_name(network, runs_folder, monkeypatch):
    monkeypatch.setattr(switches, "NUM_IMAGES", 60)
    x = datasets.as_float(datasets.load("strokes", "test").x[:60])
    for model in (build(published("conv_unpool")), network):
        run = writing.save(
            runs_folder, "one", model, published("conv_unpool"), [{"epoch": 1, "loss": 0.5, "seconds": 1.0}],
            metrics={"clean": {"mse": 0.1}}, num_train=100, seconds=1.0, replace=True,
        )  # fmt: skip
        measured = switches.measured(run, "strokes", "kept", "kept")
        assert asdict(measured) == pytest.approx(asdict(share(x, model.reconstruct(x))), rel=1e-4)
        mean = model.encode(x).mean(axis=0)
        expected = decode(model, model.encode(x[:10]), model.switches(x[:10]), "mean", "kept", mean)
        np.testing.assert_allclose(switches.ten(run, "strokes", x[:10], "mean", "kept"), expected, atol=1e-5)
    assert switches.measured(run, "strokes", "blank", "kept").explained == 0
