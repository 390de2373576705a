"""Losses of one pixel in closed form, against the losses that training uses and TensorFlow's gradients of them."""

import numpy as np
import pytest

from cae_core.inspection import loss_slopes
from cae_core.losses import LOSSES, check_targets

LOGITS = np.linspace(-12, 12, 97)


@pytest.mark.parametrize("loss", ["bce", "mse"])
@pytest.mark.parametrize("target", [-0.5, 0.0, 0.3, 1.0])
def test_values_and_slopes_are_tensorflows(loss, target):
    import tensorflow as tf

    logits = tf.constant(LOGITS)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        shape = (1, 1, 1, 1)
        each = [LOSSES[loss].make(tf.constant(target, tf.float64, shape), tf.reshape(logit, shape)) for logit in logits]
        whole = tf.add_n(each)
    np.testing.assert_allclose(loss_slopes.value(loss, target, LOGITS), np.array(each), rtol=1e-9, atol=1e-12)
    slopes = tape.gradient(whole, logits)
    np.testing.assert_allclose(loss_slopes.slope(loss, target, LOGITS), slopes, rtol=1e-7, atol=1e-12)
    for function in (loss_slopes.value, loss_slopes.slope):
        assert np.isfinite(function(loss, target, np.array([-1e4, 1e4]))).all()


@pytest.mark.parametrize("target", [-0.5, 1.2])
def test_outside_0_to_1_bce_has_no_least_value_and_is_refused(target):
    side = np.sign(target - 0.5)
    far = loss_slopes.value("bce", target, side * np.array([10.0, 100.0, 1000.0]))
    assert (np.diff(far) < 0).all()
    assert (side * loss_slopes.slope("bce", target, LOGITS) < 0).all()
    with pytest.raises(ValueError, match="BCE takes them from 0 to 1 only"):
        check_targets("bce", target, target)
    check_targets("mse", target, target)
    assert loss_slopes.value("mse", target, LOGITS).min() >= 0


def test_which_pixels_are_sure_and_wrong():
    x = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.55, 0.5])
    x_hat = np.array([0.05, 0.2, 0.95, 0.95, 0.05, 0.0, 0.02])
    assert loss_slopes.sure_and_wrong(x, x_hat).tolist() == [True, False, False, True, False, True, False]
    p, t = x_hat[[0, 3, 5]], x[[0, 3, 5]]
    assert loss_slopes.mean_slope("bce", x, x_hat) == pytest.approx(np.abs(p - t).mean())
    assert loss_slopes.mean_slope("mse", x, x_hat) == pytest.approx(np.abs(2 * (p - t) * p * (1 - p)).mean())
    assert loss_slopes.mean_slope("mse", x, x) is None


def test_a_loss_without_a_closed_form_is_refused():
    with pytest.raises(ValueError, match="Unknown loss with a closed form 'half': choose one of bce, mse"):
        loss_slopes.value("half", 1.0, 0.0)
