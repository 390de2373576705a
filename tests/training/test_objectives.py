"""Layers trained alone: each in its turn, nothing else touched; and what is solved rather than trained."""

import dataclasses

import numpy as np
import pytest

from cae_core import pca, training
from cae_core.architectures import ARCHITECTURES, build, num_epochs, published
from cae_core.config import RunConfig
from cae_core.training.objectives import objectives

GREEDY = RunConfig(
    architecture="dense_linear_2d", bottleneck=2, loss="mse", optimizer="adam", learning_rate=0.01, schedule="constant",
    epochs=2, pretraining=3, batch_size=50, noise_kind="none",
)  # fmt: skip


def paths(variables):
    return {variable.path for variable in variables}


@pytest.mark.parametrize("name", [name for name, entry in ARCHITECTURES.items() if entry.stages])
def test_stages_are_the_layers_from_the_outside_in_and_all_of_them(name):
    model = build(published(name))
    assert len(model.stages) == ARCHITECTURES[name].stages
    seen = [paths(stage.trainable_variables) for stage in model.stages]
    assert set.union(*seen) == paths(model.trainable_variables)
    assert sum(map(len, seen)) == len(model.trainable_variables)
    x = np.random.default_rng(0).random((3, 28, 28, 1), dtype="float32")
    h = x
    for stage in model.stages:
        assert stage.down(stage.up(h)).shape == h.shape
        h = stage.up(h)
    np.testing.assert_allclose(h, model.encode(x), atol=1e-6)
    for stage in model.stages[::-1]:
        h = stage.down(h)
    np.testing.assert_allclose(h, model.logits(x)[1], atol=1e-5)


def test_objectives_follow_one_another_and_end_with_the_whole():
    model = build(GREEDY)
    several = list(objectives(model, GREEDY, 1))
    assert [(each.first_epoch, each.epochs) for each in several] == [(0, 3), (3, 3), (6, 3), (9, 3), (12, 2)]
    assert num_epochs(GREEDY) == 14
    assert paths(several[-1].variables) == paths(model.trainable_variables)
    (only,) = objectives(model, dataclasses.replace(GREEDY, pretraining=0), 1)
    assert (only.first_epoch, only.epochs) == (0, 2)


def test_greedy_training_changes_only_the_layer_being_trained_which_learns(x, held_out):
    config = dataclasses.replace(GREEDY, pretraining=10, epochs=1)
    model = build(config)
    per_epoch = training.steps_per_epoch(config, len(x))
    names = [paths(stage.trainable_variables) for stage in model.stages]
    before, epochs = model.weights(), []
    for event in training.train(model, config, x, held_out):
        epochs += [event.epoch_loss] * (event.step % per_epoch == 0)
        if event.step % (10 * per_epoch) == 0:
            stage, after = event.step // (10 * per_epoch) - 1, model.weights()
            changed = {path for path, w in after.items() if not np.array_equal(w, before[path])}
            assert changed == names[stage]
            assert epochs[-1] < epochs[-10]  # it learns to give back what the layers below give
            before = after
    assert event.epoch == event.num_steps // per_epoch == 41
    assert {path for path, w in model.weights().items() if not np.array_equal(w, before[path])} == set(before)


def test_the_loss_of_an_inner_stage_by_hand(x):
    import tensorflow as tf

    model = build(GREEDY)
    inner = list(objectives(model, GREEDY, 1))[1]
    images = (x / 255).astype("float32")
    w = model.weights()

    def sigmoid(a):
        return 1 / (1 + np.exp(-a))

    h = sigmoid(images.reshape(len(x), 784).astype("float64") @ w["hidden_1/kernel"] + w["hidden_1/bias"])
    up = sigmoid(h @ w["hidden_2/kernel"] + w["hidden_2/bias"])
    down = sigmoid(up @ w["hidden_1_back/kernel"] + w["hidden_1_back/bias"])
    loss = inner.loss(tf.zeros_like(images), tf.constant(images), True, None)  # noise does not reach it
    assert float(loss) == pytest.approx(np.mean((down - h) ** 2), rel=1e-4)


def test_principal_components_are_found_at_once(x, held_out):
    config = RunConfig(architecture="pca", bottleneck=5, loss="mse", output="linear", noise_kind="none", epochs=1)
    model = build(config)
    (event,) = training.train(model, config, x, held_out)
    assert (event.step, event.num_steps, event.epoch) == (1, 1, 1)
    images = (x / 255).astype("float32")
    expected = pca.fit(images, 5)
    np.testing.assert_allclose(model.reconstruct(images), expected.reconstruct(images), atol=1e-5)
    np.testing.assert_allclose(model.encode(images), expected.encode(images), atol=1e-4)
    assert event.loss == pytest.approx(np.mean((expected.reconstruct(images) - images) ** 2), rel=1e-4)
    unseen = (held_out / 255).astype("float32")
    assert event.held_out_loss == pytest.approx(np.mean((expected.reconstruct(unseen) - unseen) ** 2), rel=1e-4)


def test_a_linear_decoder_may_leave_the_unit_range_and_cannot_have_bce(x, held_out):
    config = RunConfig(architecture="dense", bottleneck=4, loss="mse", output="linear", epochs=20, batch_size=20)
    model = build(config)
    events = list(training.train(model, config, x, held_out))
    x_hat = model.reconstruct((x / 255).astype("float32"))
    assert x_hat.min() < 0
    assert events[-1].loss < events[0].loss
    assert {event.silent for event in events} == {None}
    with pytest.raises(ValueError, match="loss is 'bce' and output 'linear': BCE reads every value as a probability"):
        next(training.train(build(config), dataclasses.replace(config, loss="bce"), x, held_out))


def test_silent_units_are_counted_at_the_end_of_an_epoch_with_sparsity(x, held_out):
    config = RunConfig(architecture="dense", bottleneck=16, loss="mse", sparsity=1.0, epochs=2, batch_size=50)
    shares = [e.silent for e in training.train(build(config), config, x, held_out)]
    assert shares[::2] == [None, None]
    assert all(0 <= share <= 1 for share in shares[1::2])
