"""Restricted Boltzmann machines: one step against NumPy, the gradient against enumeration, and what is made of them."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from cae_core import training
from cae_core.architectures import build, published
from cae_core.architectures.autoencoder import Stage
from cae_core.config import RunConfig
from cae_core.training import boltzmann
from cae_core.training.boltzmann import Machine

SMALL = RunConfig(
    dataset="mnist", architecture="dense_linear_2d", bottleneck=2, learning_rate=0.001, batch_size=50, epochs=1,
    pretraining=2, pretraining_kind="rbm", noise_kind="none",
)  # fmt: skip


def machine(visible, hidden, activation="sigmoid"):
    from keras import layers

    up, down = layers.Dense(hidden, activation), layers.Dense(visible)
    up.build((None, visible)), down.build((None, hidden))
    made = Machine(Stage((up,), (down,)))
    rng = np.random.default_rng(1)
    for variable in made.variables:
        variable.assign(rng.normal(0, 0.5, variable.shape).astype("float32"))
    return made


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


@pytest.mark.parametrize("activation", ["sigmoid", "linear"])
def test_two_steps_are_those_of_contrastive_divergence_by_hand(activation):
    import tensorflow as tf

    model, rate = machine(6, 4, activation), 0.1
    optimizer = model.optimizer(1)
    w, b, a = (variable.numpy().astype(float) for variable in model.variables)
    velocity, v = [0.0, 0.0, 0.0], np.random.default_rng(0).random((10, 6))
    for step in range(7):  # the momentum changes after five epochs, of one step each
        drive, seed = v @ w + b, tf.constant([3, step])
        if activation == "linear":
            h, h_up = drive + tf.random.stateless_normal(drive.shape, seed).numpy(), lambda v: v @ w + b
        else:
            h_up = lambda v: sigmoid(v @ w + b)
            h = (tf.random.stateless_uniform(drive.shape, seed).numpy() < h_up(v)).astype(float)
        again = sigmoid(h @ w.T + a)
        slopes = ((v.T @ h_up(v) - again.T @ h_up(again)) / 10 - 0.0002 * w, (h_up(v) - h_up(again)).mean(0), (v - again).mean(0))
        velocity = [(0.5 if step < 5 else 0.9) * old + rate * slope for old, slope in zip(velocity, slopes, strict=True)]
        w, b, a = w + velocity[0], b + velocity[1], a + velocity[2]

        with tf.GradientTape() as tape:
            loss = model.loss(tf.constant(v, tf.float32), seed)
        optimizer.learning_rate.assign(rate)
        optimizer.apply(tape.gradient(loss, model.variables), model.variables)
        assert float(loss) == pytest.approx(np.mean((v - again) ** 2), rel=1e-5)
        for variable, expected in zip(model.variables, (w, b, a), strict=True):
            np.testing.assert_allclose(variable, expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(model.back, model.kernel.numpy().T)
