"""The losses against their closed forms in NumPy, where a naive formula overflows too, and their gradients."""

import numpy as np
import pytest

from cae_core.losses import LOSSES

EXTREMES = np.array([-1e4, -200, -100, -50, -1, 0, 1, 50, 100, 200, 1e4], dtype="float32")


def closed_form(name, x, logits):
    """float64; BCE as log(1 + e^l) - x l, which is the same as -x log p - (1 - x) log(1 - p)."""
    x, logits = x.astype("float64"), logits.astype("float64")
    if name == "bce" or LOSSES[name].has_kl:
        each = np.logaddexp(0, logits) - x * logits
        return each.mean() if name == "bce" else each.sum() / len(x)
    error = np.square(x - np.exp(-np.logaddexp(0, -logits)))
    return error.sum() / (2 * len(x)) if name == "half" else error.mean()


def batch(scale=2.0):
    rng = np.random.default_rng(0)
    return rng.random((4, 7, 5, 2), dtype="float32"), (scale * rng.standard_normal((4, 7, 5, 2))).astype("float32")


@pytest.mark.parametrize("name", list(LOSSES))
@pytest.mark.parametrize("scale", [0.1, 2.0, 30.0])
def test_closed_form(name, scale):
    x, logits = batch(scale)
    assert float(LOSSES[name].make(x, logits)) == pytest.approx(closed_form(name, x, logits), rel=2e-6)


@pytest.mark.parametrize("name", list(LOSSES))
@pytest.mark.parametrize("target", [0.0, 0.3, 1.0])
def test_extreme_logits_give_finite_values_and_gradients(name, target):
    import tensorflow as tf

    logits = tf.constant(EXTREMES.reshape(1, 1, -1, 1))
    x = np.full(logits.shape, target, "float32")
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = LOSSES[name].make(x, logits)
    assert float(value) == pytest.approx(closed_form(name, x, logits.numpy()), rel=1e-6)
    gradient = tape.gradient(value, logits).numpy().ravel()
    assert np.isfinite(gradient).all()
    if name == "bce":  # a pixel that is sure and wrong keeps its gradient
        sigmoid = 1 / (1 + np.exp(-EXTREMES.astype(float).clip(-500)))
        np.testing.assert_allclose(gradient, (sigmoid - target) / len(EXTREMES), atol=1e-7)


@pytest.mark.parametrize("name", list(LOSSES))
def test_gradient_by_finite_differences(name):
    import tensorflow as tf

    x, logits = batch()
    variable = tf.Variable(logits)
    with tf.GradientTape() as tape:
        value = LOSSES[name].make(x, variable)
    gradient = tape.gradient(value, variable).numpy()
    for place in [(0, 0, 0, 0), (1, 3, 2, 1), (3, 6, 4, 1)]:
        up, down = logits.astype("float64"), logits.astype("float64")
        up[place] += 1e-4
        down[place] -= 1e-4
        slope = (closed_form(name, x, up) - closed_form(name, x, down)) / 2e-4
        assert gradient[place] == pytest.approx(slope, rel=1e-3, abs=1e-8)
