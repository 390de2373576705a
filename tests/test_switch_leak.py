"""Codes and switches replaced: the combinations against decoding by hand, the shares against their definitions."""

import numpy as np
import pytest

from cae_core.architectures import build, published, suited
from cae_core.inspection import switches
from cae_core.inspection.switches import CODES, NETWORKS, SWITCHES, decode, share
from cae_core.runs import writing


@pytest.fixture(scope="module")
def network():
    model, rng = build(published("conv_unpool")), np.random.default_rng(0)
    model.set_weights({p: 0.2 * rng.standard_normal(w.shape).astype("float32") for p, w in model.weights().items()})
    return model


@pytest.fixture(scope="module")
def x(digits):
    return digits[:6].astype("float32") / 255


def test_the_networks_with_switches_are_named():
    having = [name for name in suited("strokes") if build(published(name)).switch_shapes]
    assert tuple(having) == NETWORKS


def test_what_is_replaced_and_what_stays(network, x):
    z, s = network.encode(x), network.switches(x)
    mean = z.mean(axis=0)

    def got(code, places):
        return decode(network, z, s, code, places, mean)

    np.testing.assert_array_equal(got("kept", "kept"), network.reconstruct(x))
    np.testing.assert_array_equal(got("kept", "none"), network.decode(z))
    np.testing.assert_array_equal(got("next", "next"), np.roll(network.reconstruct(x), -1, axis=0))
    crossed = network.decode(z[[0]], [s[0][[1]]])
    np.testing.assert_allclose(got("kept", "next")[0], crossed[0], atol=1e-6)
    np.testing.assert_allclose(got("first", "kept")[1], crossed[0], atol=1e-6)
    flat = network.decode(mean[None], [s[0][[2]]])
    np.testing.assert_allclose(got("mean", "kept")[2], flat[0], atol=1e-6)
    assert np.abs(got("kept", "random") - got("kept", "kept")).max() > 0.01
    np.testing.assert_array_equal(got("kept", "random"), got("kept", "random"))


@pytest.mark.parametrize("places", SWITCHES)
def test_blank_code_gives_one_picture_whatever_the_switches_say(places, network, x):
    x_hat = decode(network, network.encode(x), network.switches(x), "blank", places, np.zeros((14, 14, 32), "float32"))
    np.testing.assert_allclose(x_hat, np.broadcast_to(x_hat[:1], x_hat.shape), atol=1e-6)
    assert share(x, x_hat).explained == 0


def test_unknown_combinations_are_refused(network, x):
    with pytest.raises(ValueError, match="choose one of kept"):
        decode(network, network.encode(x), network.switches(x), "half", "kept", np.zeros(32))
    with pytest.raises(ValueError, match="choose one of kept"):
        decode(network, network.encode(x), network.switches(x), "kept", "half", np.zeros(32))


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


def test_measured_on_the_test_images_of_a_run(network, runs_folder):
    config = published("conv_unpool")
    run = writing.save(runs_folder, "one", network, config, [{"epoch": 1, "loss": 0.5, "seconds": 1.0}],
                      metrics={"clean": {"mse": 0.1}}, num_train=100, seconds=1.0)  # fmt: skip
    from cae_core import datasets

    x = datasets.as_float(datasets.load("strokes", "test").x[:500])
    whole = switches.measured(run, "strokes", "kept", "kept")
    assert whole == share(x, network.reconstruct(x))
    assert switches.measured(run, "strokes", "blank", "kept").explained == 0
    mean = network.encode(x).mean(axis=0)
    expected = decode(network, network.encode(x[:10]), network.switches(x[:10]), "mean", "kept", mean)
    np.testing.assert_allclose(switches.ten(run, "strokes", x[:10], "mean", "kept"), expected, atol=1e-5)


def test_every_replacement_has_a_name():
    assert all(CODES.values())
    assert all(SWITCHES.values())
