"""Restricted Boltzmann machines: a step by hand, their distribution by enumeration, and the network made of them."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from cae_core import training
from cae_core.architectures import build, layer_alone
from cae_core.architectures.autoencoder import Stage
from cae_core.config import RunConfig
from cae_core.datasets import as_float
from cae_core.inspection import activations
from cae_core.training import boltzmann
from cae_core.training.boltzmann import Machine

RBM = RunConfig(
    architecture="dense_linear_2d", bottleneck=2, learning_rate=0.001, batch_size=50, epochs=1, pretraining=2,
    pretraining_kind="rbm", noise_kind="none",
)  # fmt: skip


def machine(visible, hidden, activation="sigmoid"):
    from keras import layers

    up, down = layers.Dense(hidden, activation), layers.Dense(visible)
    for layer, inputs in ((up, visible), (down, hidden)):
        layer.build((None, inputs))
    rbm, rng = Machine(Stage((up,), (down,))), np.random.default_rng(1)
    for variable in rbm.variables:
        variable.assign(rng.normal(0, 0.5, variable.shape).astype("float32"))
    return rbm


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def parameters(rbm):
    return [variable.numpy().astype(float) for variable in rbm.variables]


@pytest.mark.parametrize(("activation", "squash"), [("sigmoid", sigmoid), ("linear", np.array)])
def test_steps_are_those_of_contrastive_divergence_by_hand(activation, squash):
    import tensorflow as tf

    rbm, v, velocity = machine(6, 4, activation), np.random.default_rng(0).random((10, 6)), [0.0, 0.0, 0.0]
    optimizer, (w, b, a) = rbm.optimizer(1), parameters(rbm)
    for step in range(7):  # five epochs of one step with less momentum, then two
        seed = tf.constant([3, step])
        up = squash(v @ w + b)
        if activation == "linear":
            h = up + tf.random.stateless_normal(up.shape, seed).numpy()
        else:
            h = tf.random.stateless_uniform(up.shape, seed).numpy() < up
        again = sigmoid(h @ w.T + a)
        up_again = squash(again @ w + b)
        slopes = ((v.T @ up - again.T @ up_again) / 10 - 0.0002 * w, (up - up_again).mean(0), (v - again).mean(0))
        velocity = [(0.5 if step < 5 else 0.9) * last + 0.1 * slope for last, slope in zip(velocity, slopes, strict=True)]
        w, b, a = w + velocity[0], b + velocity[1], a + velocity[2]

        with tf.GradientTape() as tape:
            loss = rbm.loss(tf.constant(v, tf.float32), seed)
        optimizer.learning_rate.assign(0.1)
        optimizer.apply(tape.gradient(loss, rbm.variables), rbm.variables)
        assert float(loss) == pytest.approx(np.mean((v - again) ** 2), rel=1e-5)
        for value, expected in zip(parameters(rbm), (w, b, a), strict=True):
            np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(rbm.back, rbm.kernel.numpy().T)


def test_a_tiny_machine_is_the_distribution_that_its_energy_says_and_its_slope_is_that_of_the_likelihood():
    import tensorflow as tf

    rbm = machine(5, 3)
    w, b, a = parameters(rbm)
    every_v, every_h = (np.array(list(itertools.product((0.0, 1.0), repeat=n))) for n in (5, 3))

    def weights_of(w, b, a):  # exp(-E) of every pair
        return np.exp((every_v @ a)[:, None] + every_h @ b + every_v @ w @ every_h.T)

    pairs = weights_of(w, b, a)
    v = tf.constant(every_v, tf.float32)
    np.testing.assert_allclose(rbm.free_energy(v), -np.log(pairs.sum(1)), rtol=1e-5)
    given_h = (pairs / pairs.sum(0)).T @ every_v
    np.testing.assert_allclose(rbm.visible(tf.constant(every_h, tf.float32)), given_h, rtol=1e-5)
    given_v = pairs / pairs.sum(1, keepdims=True) @ every_h
    draws = np.mean([rbm.hidden(v, tf.constant([0, i])) for i in range(1000)], axis=0)
    np.testing.assert_allclose(draws, given_v, atol=0.08)

    data = every_v[[3, 3, 9, 30]]
    p = (pairs.sum(1) / pairs.sum()).astype("float32")
    with tf.GradientTape() as tape:  # of F of the data, less its mean over all that the machine makes up
        gap = tf.reduce_mean(rbm.free_energy(tf.constant(data, tf.float32))) - tf.reduce_sum(p * rbm.free_energy(v))
    slopes = tape.gradient(gap, rbm.variables)

    def likelihood(*parts):
        pairs = weights_of(*parts)
        places = [int(np.flatnonzero((every_v == row).all(1))[0]) for row in data]
        return np.mean(np.log(pairs.sum(1)[places] / pairs.sum()))

    for number, slope in enumerate(slopes):
        for place in np.ndindex(*slope.shape):
            ahead, behind = (parameters(rbm) for _ in range(2))
            ahead[number][place] += 1e-4
            behind[number][place] -= 1e-4
            expected = -(likelihood(*ahead) - likelihood(*behind)) / 2e-4
            assert float(slope[place]) == pytest.approx(expected, abs=1e-4)


def test_linear_hidden_units_are_gaussian():
    import tensorflow as tf

    rbm = machine(4, 1, "linear")
    w, b, a = parameters(rbm)
    v, h = np.array(list(itertools.product((0.0, 1.0), repeat=4))), np.linspace(-12, 12, 4001)
    energies = (v @ a)[:, None] + (v @ w + b) * h - h**2 / 2
    integral = np.log(np.exp(energies).sum(1) * (h[1] - h[0]) / np.sqrt(2 * np.pi))
    np.testing.assert_allclose(rbm.free_energy(tf.constant(v, tf.float32)), -integral, rtol=1e-4)
    draws = np.array([rbm.hidden(tf.constant(v, tf.float32), tf.constant([0, i])) for i in range(1000)])
    np.testing.assert_allclose(draws.mean(0), v @ w + b, atol=0.15)
    np.testing.assert_allclose(draws.std(0), 1, atol=0.1)


def test_each_machine_learns_alone_and_together_they_are_the_network_that_is_then_tuned(x, held_out):
    config, per_epoch, images = replace(RBM, pretraining=10), 2, as_float(x)
    model, events = build(config), []
    before, stages = model.weights(), len(model.stages)
    for event in training.train(model, config, x, held_out):
        events.append(event)
        if event.step % (10 * per_epoch) or event.step > 10 * per_epoch * stages:
            continue
        number, after = layer_alone(config, event.epoch - 1), model.weights()
        changed = {path for path, w in after.items() if not np.array_equal(w, before[path])}
        assert changed == {variable.path for variable in model.stages[number].trainable_variables}
        epochs = [each.epoch_loss for each in events if each.epoch_loss is not None]
        assert epochs[-1] < epochs[-10]
        before, h = after, images.reshape(len(x), -1).astype(float)
        kernels = [path for path in before if path.endswith("kernel")]
        up, down = kernels[: number + 1], kernels[len(kernels) - number - 1 :]
        for path, back in zip(up, down[::-1], strict=True):
            np.testing.assert_array_equal(before[path], before[back].T)  # still the same both ways
            h = h @ before[path] + before[path.replace("kernel", "bias")]
            h = h if path == "code/kernel" else sigmoid(h)
        for path, back in zip(up[::-1], down, strict=True):
            h = sigmoid(h @ before[path].T + before[back.replace("kernel", "bias")])
        np.testing.assert_allclose(model.reconstruct_through(images, number + 1), h.reshape(x.shape), atol=1e-5)
        looked_for = np.linalg.multi_dot([*(before[path] for path in up), np.eye(before[up[-1]].shape[1])])
        filters = looked_for.T[: activations.MOST_FILTERS].reshape(-1, 28, 28)
        np.testing.assert_allclose(activations.deep_filters(model, number + 1), filters, atol=1e-4)
    assert layer_alone(config, event.epoch - 1) is None
    np.testing.assert_allclose(model.reconstruct_through(images, stages), model.reconstruct(images), atol=1e-6)


def test_going_on_in_the_middle_of_pretraining_equals_never_having_stopped(x, held_out, monkeypatch):
    monkeypatch.setattr(boltzmann, "CALM_EPOCHS", 1)
    config = replace(RBM, architecture="dense", bottleneck=5)
    model, losses = build(config), []
    for event in training.train(model, config, x, held_out):
        losses.append(event.loss)
        if event.step == 7:  # in the second of two machines, where its momentum has just changed
            checkpoint = event.checkpoint()
    fresh = build(replace(config, seed=99))
    assert [event.loss for event in training.train(fresh, config, x, held_out, checkpoint)] == losses[7:]
    for path, w in fresh.weights().items():
        np.testing.assert_array_equal(w, model.weights()[path])


def test_what_can_be_no_machine_is_refused_and_one_that_goes_out_of_hand_says_what_to_do(x, held_out, monkeypatch):
    with pytest.raises(ValueError, match="Unknown kind of hidden units 'relu': choose one of sigmoid, linear"):
        machine(4, 2, "relu")
    monkeypatch.setitem(boltzmann.RATES, "sigmoid", 1e30)
    with pytest.raises(training.Diverged, match="The loss became nan in step .*: take larger batches, or set pretrain"):
        list(training.train(build(RBM), RBM, x, held_out))
