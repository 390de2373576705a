"""The layers that Keras does not have, against NumPy, finite differences and the adjoint."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from cae_core.architectures import build
from cae_core.architectures.layers import MaxPoolSwitches, TiedConv2DTranspose, Unpool, plain
from cae_core.config import RunConfig


def maps(seed=0, shape=(2, 6, 8, 3)):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def test_pooling_with_switches_by_hand():
    """Maxima and the first place of each, window by window."""
    x = maps(shape=(3, 4, 2, 5))
    pooled, switches = (tensor.numpy() for tensor in MaxPoolSwitches()(x))
    for image, i, j, channel in np.ndindex(pooled.shape):
        window = x[image, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2, channel].ravel()
        assert pooled[image, i, j, channel] == window.max()
        assert switches[image, i, j, channel] == window.argmax()
    np.testing.assert_array_equal(pooled, tf.nn.max_pool2d(x, 2, 2, "VALID"))
    assert switches.dtype == np.int32


def test_unpooling_what_was_pooled_is_the_maxima_in_their_places_and_nothing_else():
    x = maps()
    pooled, switches = MaxPoolSwitches()(x)
    back = Unpool()([pooled, switches]).numpy()
    repeated = np.repeat(np.repeat(pooled.numpy(), 2, axis=1), 2, axis=2)
    np.testing.assert_array_equal(back, np.where(x == repeated, x, 0))  # no two values of a window are equal here
    again, places = MaxPoolSwitches()(np.abs(back))
    np.testing.assert_array_equal(again, np.abs(pooled))
    np.testing.assert_array_equal(places, switches)


def test_of_equal_maxima_the_first_counts_in_the_gradient_too():
    x = tf.ones((1, 4, 4, 2))
    with tf.GradientTape() as tape:
        tape.watch(x)
        pooled, switches = MaxPoolSwitches()(x)
        total = tf.reduce_sum(pooled * tf.constant([1.0, 2.0])[None, :, None, None])
    assert not switches.numpy().any()
    expected = np.zeros((1, 4, 4, 2))
    expected[:, 0, ::2], expected[:, 2, ::2] = 1, 2
    np.testing.assert_array_equal(tape.gradient(total, x), expected)
    back = Unpool()([pooled, switches]).numpy()
    assert (back[:, ::2, ::2] == 1).all()
    assert back.sum() == pooled.numpy().sum()


def slope(function, x, direction, step=1e-2):
    return (float(function(x + step * direction)) - float(function(x - step * direction))) / (2 * step)


def test_gradients_of_pooling_and_unpooling_by_finite_differences():
    x, weight = maps(1), maps(11)
    x = np.sign(x) * (np.abs(x) // 0.1 * 0.1 + 0.05)  # no two values of a window so near that a step changes the maximum
    x += np.random.default_rng(9).permutation(x.size).reshape(x.shape) * 1e-4

    def through(values):
        return tf.reduce_sum(Unpool()(list(MaxPoolSwitches()(values))) ** 2 * weight)

    direction, variable = maps(21) * 0.01, tf.Variable(x)
    with tf.GradientTape() as tape:
        value = through(variable)
    rise = float(tf.reduce_sum(tape.gradient(value, variable) * direction))
    assert rise == pytest.approx(slope(through, x, direction), rel=2e-2, abs=2e-3)


@pytest.mark.parametrize(("size", "stride"), [(1, 1), (3, 1), (5, 1), (7, 1), (3, 2), (4, 2)])
def test_the_transposed_convolution_is_the_adjoint_of_the_convolution(size, stride):
    """<conv(a), b> = <a, conv_T(b)> for every a and b, with one kernel."""
    conv = keras.layers.Conv2D(4, size, padding="same", use_bias=False, kernel_initializer=keras.initializers.HeNormal(3))
    conv.build((None, 8, 6, 3))
    a, b = maps(1, (2, 8, 6, 3)), maps(2, (2, 8 // stride, 6 // stride, 4))
    up = tf.nn.conv2d(a, conv.kernel, stride, "SAME").numpy()
    down = TiedConv2DTranspose(conv, stride)(b).numpy()
    assert down.shape == a.shape
    assert float((up * b).sum()) == pytest.approx(float((a * down).sum()), rel=1e-4)


def test_a_tied_kernel_is_one_variable_whose_gradient_has_both_its_parts():
    for name in ("masci", "conv_transpose_even", "conv_transpose"):
        model = build(RunConfig(architecture=name, loss="mse", seed=4))
        assert [path for path in model.weights() if path.endswith("kernel")] == ["conv/kernel"]
        assert len(model.trainable_variables) == 3  # the kernel, and a bias each way
    x = tf.constant(np.random.default_rng(0).random((2, 28, 28, 1), dtype="float32"))
    kernel = model.encoder.get_layer("conv").kernel
    start = kernel.numpy()

    def loss(weights):
        kernel.assign(weights)
        return tf.reduce_sum(tf.square(tf.sigmoid(model.logits(x)[1]) - x))

    with tf.GradientTape() as tape:
        value = loss(start)
    gradient = tape.gradient(value, kernel.value).numpy()
    for place in [(0, 0, 0, 1), (1, 2, 0, 5), (2, 2, 0, 19)]:
        direction = np.zeros_like(start)
        direction[place] = 1
        assert gradient[place] == pytest.approx(slope(loss, start, direction), rel=0.05, abs=0.02)


def only_keras(network):
    """Whether nothing in a network, or in the networks inside it, comes from elsewhere."""
    return all(type(op).__module__.startswith("keras.") and only_keras(op) for op in getattr(network, "operations", ()))


@pytest.mark.parametrize("name", ["conv_unpool", "masci", "conv_transpose", "dense"])
def test_plain_is_of_nothing_but_keras_and_computes_the_same(name):
    model, rng = build(RunConfig(architecture=name, bottleneck=2, loss="mse", seed=3)), np.random.default_rng(1)
    model.set_weights({path: rng.standard_normal(w.shape).astype("float32") for path, w in model.weights().items()})
    encoder, decoder = plain(model.encoder), plain(model.decoder)
    assert only_keras(encoder)
    assert only_keras(decoder)
    x = rng.random((3, 28, 28, 1), dtype="float32")
    x[0] = 0.5  # equal maxima: the first counts
    coded = encoder(x)
    z, *switches = coded if isinstance(coded, list) else [coded]
    np.testing.assert_allclose(z, model.encode(x), atol=1e-5)
    for ours, its in zip(switches, model.switches(x), strict=True):
        np.testing.assert_array_equal(ours, its)
    np.testing.assert_allclose(decoder(coded), model.logits(x)[1], atol=2e-4)
