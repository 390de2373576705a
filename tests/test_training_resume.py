"""Going on from a checkpoint: as if never stopped, whatever the step; and what ends a run that diverges."""

import re
from dataclasses import replace

import numpy as np
import pytest

from cae_core.architectures import build
from cae_core.config import RunConfig
from cae_core.datasets import strokes
from cae_core.optimizers import OPTIMIZERS
from cae_core.training import EXPLODED, WINDOW, train
from cae_core.training.events import Diverged

CONFIG = RunConfig(
    architecture="dense",
    bottleneck=3,
    epochs=3,
    batch_size=25,
    noise_kind="mixed",
    sparsity=0.01,
    learning_rate=0.01,
    seed=4,
)


@pytest.fixture(scope="module")
def x(digits):
    return digits[:60]  # two full batches an epoch, and ten images over


@pytest.fixture(scope="module")
def held_out(digits):
    return digits[350:]


def said(events):
    """Everything an event says but how long it took."""
    return [(e.step, e.num_steps, e.epoch, e.loss, e.epoch_loss, e.held_out_loss) for e in events]


def assert_same(ours, theirs):
    assert [row[:3] for row in ours] == [row[:3] for row in theirs]
    losses = [np.array([row[3:] for row in rows], dtype=float) for rows in (ours, theirs)]
    np.testing.assert_allclose(*losses, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("optimizer", "steps"), [("adam", (1, 4, 6)), ("muon", (3,)), ("rmsprop", (2,)), ("sgd", (5,))])
def test_going_on_after_any_step_equals_never_having_stopped(x, held_out, optimizer, steps):
    assert optimizer in OPTIMIZERS
    config = replace(CONFIG, optimizer=optimizer)
    model, events, checkpoints = build(config), [], []
    for event in train(model, config, x, held_out):
        events.append(event)
        checkpoints.append(event.checkpoint())
    assert [checkpoint.step for checkpoint in checkpoints] == [1, 2, 3, 4, 5, 6]
    assert [len(checkpoint.losses) for checkpoint in checkpoints] == [1, 0, 1, 0, 1, 0]  # mid-epoch, or at its end
    final = model.weights()
    for checkpoint in [checkpoint for checkpoint in checkpoints if checkpoint.step in steps]:
        fresh = build(replace(config, seed=99))  # nothing of it may matter
        rest = list(train(fresh, config, x, held_out, checkpoint))
        assert_same(said(rest), said(events[checkpoint.step :]))
        for path, w in fresh.weights().items():
            np.testing.assert_allclose(w, final[path], rtol=0, atol=1e-6, err_msg=f"{path} from step {checkpoint.step}")
        assert all(event.seconds > checkpoint.seconds for event in rest)


def test_a_run_may_be_stopped_again_and_again(x, held_out):
    whole = list(train(build(CONFIG), CONFIG, x, held_out))
    checkpoint, pieces = None, []
    for _ in range(3):
        event = next(train(build(CONFIG), CONFIG, x, held_out, checkpoint))
        pieces.append(event)
        checkpoint = event.checkpoint()
    assert_same(said(pieces), said(whole[:3]))


def test_a_checkpoint_is_of_its_own_step_and_does_not_change_later(x, held_out):
    model = build(CONFIG)
    events = train(model, CONFIG, x, held_out)
    checkpoint = next(events).checkpoint()
    kept = {path: w.copy() for path, w in checkpoint.weights.items()}
    optimizer, losses = [array.copy() for array in checkpoint.optimizer], checkpoint.losses.copy()
    list(events)
    assert any(not np.array_equal(kept[path], w) for path, w in model.weights().items())
    assert all(np.array_equal(kept[path], w) for path, w in checkpoint.weights.items())
    assert all(np.array_equal(a, b) for a, b in zip(optimizer, checkpoint.optimizer, strict=True))
    np.testing.assert_array_equal(losses, checkpoint.losses)


OTHERS = {
    "code": {"bottleneck": 4},
    "network": {"architecture": "fast"},
    "fewer variables": {"optimizer": "sgd"},
    "more variables": {"optimizer": "muon"},
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_a_checkpoint_of_something_else_is_refused_in_a_sentence(x, held_out, other):
    checkpoint = next(train(build(CONFIG), CONFIG, x, held_out)).checkpoint()
    config = replace(CONFIG, **other)
    with pytest.raises(ValueError, match=r"^The (weights do not fit the network|checkpoint is of another).*\.$"):
        next(train(build(config), config, x, held_out, checkpoint))


class Worse:
    """A network whose logits are `by` farther off in every training step, whatever it learns."""

    def __init__(self, by):
        import keras

        self.by, self.done, self.bias = by, keras.Variable(0.0), keras.Variable(0.0)
        self.trainable_variables = [self.bias]

    def seen(self, x):
        return x

    def logits(self, x, training=False):
        import tensorflow as tf

        logits = tf.zeros_like(x) + self.done.value + 0 * self.bias
        if training:
            self.done.assign_add(self.by)
        return tf.zeros((tf.shape(x)[0], 2)), logits

    def weights(self):
        return {"done": self.done.numpy()}

    def set_weights(self, weights):
        self.done.assign(weights["done"])


LONG = replace(CONFIG, epochs=50, learning_rate=0.02, sparsity=0.0)
DARK = np.zeros((60, 28, 28, 1), "uint8")  # the loss is about the logit itself


def test_a_loss_that_explodes_ends_the_run_with_a_lower_learning_rate():
    losses = np.logaddexp(0, np.arange(100))
    step = next(n for n in range(WINDOW, 100) if losses[n - WINDOW : n].mean() > EXPLODED * losses[0])
    sentence = rf"exploded from 0\.693 to 7\.\d+ in step {step} of 100: .* a learning rate of 0\.02, try 0\.001, the usual"
    with pytest.raises(Diverged, match=sentence) as end:
        list(train(Worse(1.0), LONG, DARK, DARK))
    assert end.value.step == step


def test_a_loss_that_rises_and_stays_finite_is_let_go_on():
    assert len(list(train(Worse(0.04), LONG, DARK, DARK))) == 100


def test_after_a_stop_an_explosion_is_judged_by_the_very_first_loss():
    events = train(Worse(1.0), LONG, DARK, DARK)
    checkpoint = [next(events) for _ in range(6)][-1].checkpoint()
    assert checkpoint.first_loss == pytest.approx(np.log(2), rel=1e-5)
    with pytest.raises(FloatingPointError, match=r"exploded from 0\.693 to "):
        list(train(Worse(1.0), LONG, DARK, DARK, checkpoint))


@pytest.mark.parametrize(("by", "what"), [(np.nan, "nan"), (np.inf, "inf|nan")])
def test_a_loss_that_is_no_number_any_more_ends_the_run_at_once(by, what):
    events = train(Worse(by), LONG, DARK, DARK)
    next(events)
    with pytest.raises(
        FloatingPointError, match=rf"The loss became ({what}) in step 2 of 100: .* a learning rate of 0\.02, try"
    ):
        next(events)


@pytest.mark.parametrize(
    ("optimizer", "rate"),
    [
        ("adam", 0.3),
        *(pytest.param(*of, marks=pytest.mark.slow) for of in (("muon", 0.3), ("rmsprop", 0.03), ("sgd", 0.3))),
    ],
)
def test_what_is_advised_after_an_explosion_does_not_explode_and_learns(optimizer, rate):
    x, _ = strokes.draw(600, seed=1)
    x = x[..., np.newaxis]
    config = RunConfig(
        architecture="conv_denoise" if optimizer == "sgd" else "fast", optimizer=optimizer, learning_rate=rate,
        schedule="constant", epochs=5, batch_size=20, noise_kind="gaussian",
    )  # fmt: skip
    with pytest.raises(Diverged) as end:
        list(train(build(config), config, x[:500], x[500:]))
    (advised,) = re.findall(r" try ([\d.e-]+), ", str(end.value))
    assert float(advised) <= rate / 3
    calmer = replace(config, learning_rate=float(advised))
    losses = [event.loss for event in train(build(calmer), calmer, x[:500], x[500:])]
    assert np.mean(losses[-10:]) < 0.7 * losses[0]


def test_a_real_network_that_diverges_ends_with_advice(x, held_out):
    config = replace(CONFIG, architecture="fast", optimizer="sgd", schedule="constant", learning_rate=1.0, epochs=200)
    with pytest.raises(FloatingPointError, match=r"try 0\.01, the usual one of SGD\."):
        list(train(build(config), replace(config, sparsity=10.0), x, held_out))
