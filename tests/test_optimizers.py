"""The optimizers: Muon's update against NumPy, every one on a convex loss; and the shapes of the learning rate."""

import math

import numpy as np
import pytest

from cae_core.optimizers import OPTIMIZERS, SCHEDULES, calmer


@pytest.mark.parametrize(
    ("optimizer", "exploded", "advised", "why"),
    [
        ("adam", 0.3, 0.001, "the usual one of Adam"),
        ("muon", 0.3, 0.01, "the usual one of Muon"),
        ("adam", 0.003, 0.001, "the usual one of Adam"),
        ("adam", 0.002, 7e-5, "a thirtieth of it"),
        ("sgd", 0.01, 3e-4, "a thirtieth of it"),
        ("sgd", 1e-6, 1e-6, "a thirtieth of it"),
    ],
)
def test_after_an_explosion_the_usual_rate_or_a_thirtieth_is_advised(optimizer, exploded, advised, why):
    assert calmer(optimizer, exploded) == (advised, why)


def newton_schulz(matrix):
    """Five steps of the quintic iteration of Jordan et al. 2024, from m / |m|; float64."""
    m = matrix / np.linalg.norm(matrix)
    m = m if m.shape[0] <= m.shape[1] else m.T
    for _ in range(5):
        square = m @ m.T
        m = 3.4445 * m - 4.775 * square @ m + 2.0315 * square @ square @ m
    return m if matrix.shape[0] <= matrix.shape[1] else m.T


def one_kernel(shape, gradients, learning_rate=0.01):
    """What muon subtracts from a kernel in each of a few steps."""
    import keras
    import tensorflow as tf

    kernel = keras.Variable(np.zeros(shape, "float32"), name="kernel")
    optimizer = OPTIMIZERS["muon"].make(learning_rate)
    optimizer.build([kernel])
    steps, before = [], kernel.numpy()
    for gradient in gradients:
        optimizer.apply([tf.constant(gradient)], [kernel])
        steps.append(before - kernel.numpy())
        before = kernel.numpy()
    return steps


KERNELS = [(12, 5), (5, 12), (3, 3, 4, 6)]


def gradients_for(shape, count=1):
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape).astype("float32") for _ in range(count)]


@pytest.mark.parametrize("shape", KERNELS, ids=str)
def test_muon_turns_a_kernel_by_newton_schulz(shape):
    """Three steps, so that the momentum counts: nesterov momentum of 0.95 on the running mean of gradients."""
    gradients = gradients_for(shape, 3)
    momentum = np.zeros(shape)
    rows, columns = math.prod(shape[:-1]), shape[-1]
    for gradient, step in zip(gradients, one_kernel(shape, gradients), strict=True):
        momentum = 0.95 * momentum + 0.05 * gradient
        ahead = (0.05 * gradient + 0.95 * momentum).reshape(rows, columns)
        expected = 0.01 * 0.2 * math.sqrt(max(rows, columns)) * newton_schulz(ahead)
        np.testing.assert_allclose(step.reshape(rows, columns), expected, atol=2e-5 * np.abs(expected).max() * 10)


def test_muon_does_not_care_how_large_the_gradient_is_and_survives_none():
    (gradient,) = gradients_for((6, 4))
    steps = [one_kernel((6, 4), [scale * gradient])[0] for scale in (1, 1000, 0)]
    np.testing.assert_allclose(steps[0], steps[1], rtol=1e-3, atol=1e-7)
    assert not steps[2].any()


def test_muon_gives_a_bias_adam_at_a_fifth_of_the_rate():
    import keras
    import tensorflow as tf

    kernel, bias = keras.Variable(np.zeros((3, 4), "float32")), keras.Variable(np.zeros(4, "float32"))
    optimizer = OPTIMIZERS["muon"].make(0.01)
    optimizer.build([kernel, bias])
    m = v = 0.0
    expected = np.zeros(4)
    for t, gradient in enumerate(gradients_for((4,), 3), 1):
        optimizer.apply([tf.ones((3, 4)), tf.constant(gradient)], [kernel, bias])
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        expected -= 0.002 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-7)
        np.testing.assert_allclose(bias.numpy(), expected, rtol=1e-3)


@pytest.mark.parametrize("name", list(OPTIMIZERS))
def test_every_optimizer_goes_down_a_convex_loss_at_the_rate_that_is_set(name):
    import keras
    import tensorflow as tf

    rng = np.random.default_rng(0)
    inputs = tf.constant(rng.standard_normal((50, 6)), tf.float32)
    targets = inputs @ tf.constant(rng.standard_normal((6, 3)), tf.float32) + 1.0
    kernel, bias = keras.Variable(np.zeros((6, 3), "float32")), keras.Variable(np.zeros(3, "float32"))
    optimizer = OPTIMIZERS[name].make(0.2 if name == "muon" else 0.05)  # its steps do not grow with the gradient
    optimizer.build([kernel, bias])

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(inputs @ kernel + bias - targets))
        optimizer.apply(tape.gradient(loss, [kernel.value, bias.value]), [kernel, bias])
        return loss

    losses = [float(step()) for _ in range(60)]
    assert losses[-1] < 0.3 * losses[0]
    before, still = kernel.numpy(), OPTIMIZERS[name].make(0.5)
    still.build([kernel])
    still.learning_rate.assign(0.0)  # as training does with the schedule's rate before each step
    still.apply([tf.ones((6, 3))], [kernel])
    np.testing.assert_array_equal(kernel.numpy(), before)


@pytest.mark.parametrize("name", list(SCHEDULES))
def test_schedules_stay_within_their_peak(name):
    values = [SCHEDULES[name].make(step / 1000) for step in range(1, 1001)]
    assert min(values) >= 0
    assert max(values) == pytest.approx(1, abs=1e-4)
    assert np.abs(np.diff(values)).max() < 0.02  # no jumps


def test_schedules_by_hand():
    rate = SCHEDULES["one_cycle"].make
    assert [rate(p) for p in (0.0, 0.05, 0.1, 0.55, 1.0)] == pytest.approx([0, 0.5, 1, 0.5, 0], abs=1e-9)
    values = [rate(step / 100) for step in range(101)]
    assert values.index(max(values)) == 10
    assert values[:11] == sorted(values[:11])
    assert values[10:] == sorted(values[10:], reverse=True)
    assert [SCHEDULES["cosine"].make(p) for p in (0.0, 1 / 3, 0.5, 1.0)] == pytest.approx([1, 0.75, 0.5, 0], abs=1e-9)
    assert {SCHEDULES["constant"].make(p) for p in (0.0, 0.3, 1.0)} == {1.0}
