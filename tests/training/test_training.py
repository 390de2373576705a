"""Training of a network: from the noisy image to the clean one, on the images it may see, until it goes out of hand."""

import re
from dataclasses import replace

import numpy as np
import pytest

from cae_core.architectures import build
from cae_core.config import RunConfig
from cae_core.corruptions import corrupt
from cae_core.datasets import as_float, strokes
from cae_core.inspection import evaluation
from cae_core.training import EXPLODED, HELD_OUT, WINDOW, split_held_out, train
from cae_core.training.events import Diverged


def config(**more):
    settings = {"architecture": "dense", "bottleneck": 4, "epochs": 2, "batch_size": 30, "learning_rate": 0.003}
    return RunConfig(**{**settings, "noise_kind": "gaussian", **more})


class Spy:
    """A network whose logits are one trainable image, whatever it gets; it keeps what it gets."""

    def __init__(self, code=0.0):
        import keras

        self.image = keras.Variable(np.zeros((28, 28, 1), "float32"))
        self.trainable_variables = [self.image]
        self.code = code
        self.trained_on, self.measured_on = [], []

    @staticmethod
    def seen(x):
        return x

    def logits(self, x, training=False, share=1.0):
        import tensorflow as tf

        to = self.trained_on if training else self.measured_on
        tf.numpy_function(lambda images: to.append(images.copy()), [x], [])
        return tf.fill((tf.shape(x)[0], 3), self.code), tf.zeros_like(x) + self.image


def bce(x, logits):
    return float((np.logaddexp(0, logits) - x * logits).mean())


def test_the_network_gets_the_noisy_image_and_is_held_to_the_clean_one(x, held_out):
    spy = Spy()
    settings = config(noise_kind="masking", noise_factor=1.0, batch_size=100, schedule="constant", learning_rate=0.1)
    events = list(train(spy, settings, x, held_out))
    assert spy.trained_on[0].shape == (100, 28, 28, 1)
    assert not np.any(spy.trained_on)
    assert not np.any(spy.measured_on)
    assert events[0].loss == pytest.approx(bce(as_float(x), np.zeros((100, 28, 28, 1))), rel=1e-5)
    image = spy.image.numpy()
    assert np.abs(image).max() > 0
    assert events[1].held_out_loss == pytest.approx(bce(as_float(held_out), image[None]), rel=1e-5)
    assert events[1].held_out_loss != pytest.approx(bce(np.zeros(held_out.shape), image[None]), rel=1e-3)


def test_gaussian_noise_is_fresh_in_every_step_and_as_strong_as_asked(held_out):
    spy = Spy()
    flat = np.full((60, 28, 28, 1), 128, "uint8")
    list(train(spy, config(noise_factor=0.2, batch_size=60, epochs=3), flat, held_out))
    first, second, _ = spy.trained_on
    assert np.std(first - 128 / 255) == pytest.approx(0.2, rel=0.02)
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] < 0.02
    assert len(np.unique(np.array(spy.measured_on).round(3), axis=0)) == 1  # held-out noise is the same every epoch
    np.testing.assert_array_equal(spy.measured_on[0], corrupt(as_float(held_out), "gaussian", 0.2, 0))


def test_an_epoch_is_a_permutation_of_the_training_images_and_no_others(x, held_out):
    epochs = []
    for seed in (0, 1):
        spy = Spy()
        list(train(spy, config(noise_kind="none", batch_size=25, seed=seed), x, held_out))
        epochs += [np.concatenate(spy.trained_on[a : a + 4]) for a in (0, 4)]
        np.testing.assert_array_equal(spy.measured_on[0], as_float(held_out))
    for epoch in epochs:
        images = np.round(255 * epoch).astype("uint8")
        assert sorted(image.tobytes() for image in images) == sorted(image.tobytes() for image in x)
    assert len({epoch.tobytes() for epoch in (*epochs, as_float(x))}) == 5


@pytest.mark.parametrize(
    ("n", "num_train", "expected"), [(6000, 60_000, 1000), (6000, 300, 300), (5001, 100, 1), (5000, 9, 0), (10, 9, 0)]
)
def test_held_out_images_are_the_last_and_never_trained_on(n, num_train, expected):
    trained, held_out = split_held_out(np.arange(n), num_train)
    np.testing.assert_array_equal(trained, np.arange(expected))
    np.testing.assert_array_equal(held_out, np.arange(max(0, n - HELD_OUT), n))


def test_unknown_names_and_no_images_are_refused_before_anything_is_built(x, held_out):
    for field in ("dataset", "architecture", "loss", "noise_kind", "optimizer", "schedule"):
        with pytest.raises(ValueError, match=f"Unknown {field.replace('_', ' ')} 'nonsense': choose one of "):
            next(train(None, config(**{field: "nonsense"}), None, None))
    for pair in ((x[:0], held_out), (x, held_out[:0])):
        with pytest.raises(ValueError, match="Got .* training and .* held-out images; both must be at least 1"):
            next(train(Spy(), config(), *pair))


class Worse(Spy):
    """A network whose logits are `by` farther off in every training step, whatever it learns."""

    def __init__(self, by):
        import keras

        super().__init__()
        self.by, self.done = by, keras.Variable(0.0)

    def logits(self, x, training=False, share=1.0):
        import tensorflow as tf

        logits = tf.zeros_like(x) + self.done.value + 0 * self.image
        if training:
            self.done.assign_add(self.by)
        return tf.zeros((tf.shape(x)[0], 2)), logits

    def weights(self):
        return {"done": self.done.numpy()}

    def set_weights(self, weights):
        self.done.assign(weights["done"])


LONG = config(epochs=50, learning_rate=0.02)
DARK = np.zeros((60, 28, 28, 1), "uint8")  # the loss is about the logit itself


def test_a_loss_that_explodes_ends_the_run_with_a_lower_learning_rate_also_after_a_stop():
    losses = np.logaddexp(0, np.arange(100))
    step = next(n for n in range(WINDOW, 100) if losses[n - WINDOW : n].mean() > EXPLODED * losses[0])
    sentence = r"exploded from 0\.693 to \d+\.\d+ in step {} of 100: .* a learning rate of 0\.02, try 0\.001, the usual"
    events = train(Worse(1.0), LONG, DARK, DARK)
    checkpoint = [next(events) for _ in range(6)][-1].checkpoint()
    assert checkpoint.first_loss == pytest.approx(np.log(2), rel=1e-5)
    resumed = train(Worse(1.0), LONG, DARK, DARK, checkpoint)  # judged by the very first loss, too, after as many steps
    for rest, step_of_end in ((events, step), (resumed, 6 + WINDOW)):
        with pytest.raises(Diverged, match=sentence.format(step_of_end)) as end:
            list(rest)
        assert end.value.step == step_of_end


def test_a_loss_that_rises_and_stays_finite_is_let_go_on():
    assert len(list(train(Worse(0.04), LONG, DARK, DARK))) == 100


def test_a_loss_that_is_no_number_any_more_ends_the_run_at_once():
    events = train(Worse(np.inf), LONG, DARK, DARK)
    next(events)
    with pytest.raises(FloatingPointError, match=r"The loss became (inf|nan) in step 2 of 100: .* rate of 0\.02, try"):
        next(events)


@pytest.mark.parametrize(
    ("optimizer", "rate"),
    [
        ("adam", 0.3),
        *(pytest.param(*of, marks=pytest.mark.slow) for of in (("muon", 0.3), ("rmsprop", 0.03), ("sgd", 0.3))),
    ],
)
def test_what_is_advised_after_an_explosion_does_not_explode_and_learns(optimizer, rate):
    x = strokes.draw(300, seed=1)[0][..., np.newaxis]
    settings = RunConfig(
        architecture="conv_denoise" if optimizer == "sgd" else "fast", optimizer=optimizer, learning_rate=rate,
        schedule="constant", epochs=5, batch_size=20, noise_kind="gaussian",
    )  # fmt: skip
    with pytest.raises(Diverged) as end:
        list(train(build(settings), settings, x[:240], x[240:]))
    (advised,) = re.findall(r" try ([\d.e-]+), ", str(end.value))
    assert float(advised) <= rate / 3
    calmer = replace(settings, learning_rate=float(advised))
    losses = [event.loss for event in train(build(calmer), calmer, x[:240], x[240:])]
    assert np.mean(losses[-10:]) < 0.7 * losses[0]


class Copier:
    """A network that gives back what it gets."""

    is_variational = False

    @staticmethod
    def seen(x):
        return x

    def reconstruct(self, x):
        self.given = x
        return x


def test_evaluate_feeds_the_noisy_images_and_compares_with_the_clean_ones(x):
    """The published listing fed the clean test set: a copier would then be perfect."""
    copier, clean = Copier(), x.astype("float64") / 255
    figures = evaluation.evaluate(copier, x, "gaussian", 0.5, seed=4)
    noisy = np.clip(clean + 0.5 * np.random.default_rng(4).standard_normal(x.shape, dtype="float32"), 0, 1)
    np.testing.assert_allclose(copier.given, noisy, atol=1e-6)
    assert figures["mse"] == pytest.approx(np.square(noisy - clean).mean(), rel=1e-5)
    assert set(figures) == {"mse", "psnr", "ssim", "bce", "num_images"}
    assert figures["num_images"] == 100
    assert evaluation.evaluate(copier, x, "none", 0.0)["mse"] == 0
    assert evaluation.evaluate(copier, x, "masking", 1.0)["mse"] == pytest.approx(np.square(clean).mean(), rel=1e-6)
    same, other = (evaluation.evaluate(copier, x, "gaussian", 0.5, seed) for seed in (4, 2))
    assert same == figures != other
