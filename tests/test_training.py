"""Training: lazy, repeatable, from the noisy image to the clean one; and what `evaluate` compares."""

import numpy as np
import pytest

from cae_core import training
from cae_core.architectures import build
from cae_core.config import RunConfig
from cae_core.corruptions import corrupt
from cae_core.datasets import as_float
from cae_core.inspection import evaluation
from cae_core.training import HELD_OUT, split_held_out, train


def config(**more):
    settings = {"architecture": "dense", "bottleneck": 4, "epochs": 2, "batch_size": 30, "learning_rate": 0.003}
    return RunConfig(**{**settings, "noise_kind": "gaussian", **more})


class Spy:
    """A network whose logits are one trainable image, whatever it sees; it writes down what it sees."""

    def __init__(self, code=0.0):
        import keras

        self.image = keras.Variable(np.zeros((28, 28, 1), "float32"))
        self.trainable_variables = [self.image]
        self.code = code
        self.trained_on, self.measured_on = [], []

    @staticmethod
    def seen(x):
        return x

    def logits(self, x, training=False):
        import tensorflow as tf

        to = self.trained_on if training else self.measured_on
        tf.numpy_function(lambda seen: to.append(seen.copy()), [x], [])
        return tf.fill((tf.shape(x)[0], 3), self.code), tf.zeros_like(x) + self.image


def bce(x, logits):
    return float((np.logaddexp(0, logits) - x * logits).mean())


def losses(events):
    return [(e.loss, e.epoch_loss, e.held_out_loss) for e in events]


@pytest.fixture(scope="module")
def x(digits):
    return digits[:100]


@pytest.fixture(scope="module")
def held_out(digits):
    return digits[300:]


def test_nothing_happens_until_asked(x, held_out):
    model = build(config())
    first = model.weights()
    events = train(model, config(), x, held_out)
    assert all(np.array_equal(first[path], w) for path, w in model.weights().items())
    next(events)
    after_one = model.weights()
    assert any(not np.array_equal(first[path], w) for path, w in after_one.items())
    assert all(np.array_equal(after_one[path], w) for path, w in model.weights().items())
    events.close()
    assert all(np.array_equal(after_one[path], w) for path, w in model.weights().items())


def test_events_count_steps_and_epochs(x, held_out):
    events = list(train(Spy(), config(), x, held_out))  # 100 images, 30 a step: 3 steps an epoch
    assert [e.step for e in events] == [1, 2, 3, 4, 5, 6]
    assert {e.num_steps for e in events} == {6}
    assert [e.epoch for e in events] == [0, 0, 1, 1, 1, 2]
    for event in events:
        assert (event.epoch_loss is None) == (event.held_out_loss is None) == (event.step % 3 != 0)
    assert events[2].epoch_loss == pytest.approx(np.mean([e.loss for e in events[:3]]), rel=1e-6)
    assert events[5].epoch_loss == pytest.approx(np.mean([e.loss for e in events[3:]]), rel=1e-6)


def test_seconds_leave_out_the_time_between_events(x, held_out, monkeypatch):
    now = [0.0]

    def a_second_later():
        now[0] += 1
        return now[0]

    monkeypatch.setattr(training.time, "perf_counter", a_second_later)
    seconds = []
    for event in train(Spy(), config(), x, held_out):
        seconds.append(event.seconds)
        now[0] += 1000
    assert seconds[0] < 100
    assert np.diff(seconds).tolist() == [seconds[0]] * 5


def test_a_batch_larger_than_the_data_is_the_data(x, held_out):
    spy = Spy()
    assert len(list(train(spy, config(batch_size=4096), x, held_out))) == 2
    assert [len(seen) for seen in spy.trained_on] == [100, 100]


def test_equal_configurations_give_equal_runs(x, held_out):
    results = []
    for seed in (1, 1, 2):
        model = build(config(seed=seed))
        results.append((losses(train(model, config(seed=seed), x, held_out)), model.reconstruct(as_float(held_out))))
    np.testing.assert_allclose(np.array(results[0][0], float), np.array(results[1][0], float), rtol=1e-6)
    np.testing.assert_allclose(results[0][1], results[1][1], atol=1e-5)
    assert results[0][0] != results[2][0]


@pytest.mark.parametrize("optimizer", ["adam", "muon"])
def test_two_trainings_step_by_step_each_equal_their_solo_run(x, held_out, optimizer):
    import tensorflow as tf

    first = config(seed=1, noise_kind="mixed", optimizer=optimizer)
    second = config(seed=2, noise_kind="masking", loss="mse", optimizer=optimizer)
    solo = [losses(train(build(c), c, x, held_out)) for c in (first, second)]
    runs = [train(build(c), c, x, held_out) for c in (first, second)]
    together = [[], []]
    for _ in range(6):
        for run, seen in zip(runs, together, strict=True):
            seen += losses([next(run)])
            tf.random.normal((3,))
            np.random.rand(3)  # noqa: NPY002 - someone else drawing from the global generator
    for a, b in zip(solo, together, strict=True):
        np.testing.assert_allclose(np.array(a, float), np.array(b, float), rtol=1e-6)


def test_the_network_sees_the_noisy_image_and_is_held_to_the_clean_one(x, held_out):
    spy = Spy()
    settings = config(noise_kind="masking", noise_factor=1.0, batch_size=100, epochs=1)
    (event,) = train(spy, settings, x, held_out)
    assert spy.trained_on[0].shape == (100, 28, 28, 1)
    assert not np.any(spy.trained_on)
    assert event.loss == pytest.approx(bce(as_float(x), np.zeros((100, 28, 28, 1))), rel=1e-5)
    assert event.loss == pytest.approx(np.log(2), rel=1e-5)
    # The only step of one cycle has a rate of 0; at a constant one the held-out loss follows the image that was learned.
    spy = Spy()
    settings = config(noise_kind="masking", noise_factor=1.0, batch_size=100, schedule="constant", learning_rate=0.1)
    events = list(train(spy, settings, x, held_out))
    image = spy.image.numpy()
    assert np.abs(image).max() > 0
    assert not np.any(spy.measured_on)
    assert events[1].held_out_loss == pytest.approx(bce(as_float(held_out), image[None]), rel=1e-5)
    assert events[1].held_out_loss != pytest.approx(bce(np.zeros(held_out.shape), image[None]), rel=1e-3)


def test_gaussian_noise_is_fresh_in_every_step_and_as_strong_as_asked(x, held_out):
    spy = Spy()
    flat = np.full((60, 28, 28, 1), 128, "uint8")
    list(train(spy, config(noise_factor=0.2, batch_size=60, epochs=3), flat, held_out))
    first, second, _ = spy.trained_on
    assert np.std(first - 128 / 255) == pytest.approx(0.2, rel=0.02)
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] < 0.02
    assert len(np.unique(np.array(spy.measured_on).round(3), axis=0)) == 1  # held-out noise is the same every epoch
    np.testing.assert_array_equal(spy.measured_on[0], corrupt(as_float(held_out), "gaussian", 0.2, 0))


def test_an_epoch_is_a_permutation_of_the_training_images_and_no_others(x, held_out):
    spy = Spy()
    list(train(spy, config(noise_kind="none", batch_size=25), x, held_out))
    epochs = [np.concatenate(spy.trained_on[a : a + 4]) for a in (0, 4)]
    for epoch in epochs:
        seen = np.round(255 * epoch).astype("uint8")
        assert sorted(image.tobytes() for image in seen) == sorted(image.tobytes() for image in x)
        assert not np.array_equal(seen, x)
    assert not np.array_equal(epochs[0], epochs[1])
    np.testing.assert_array_equal(spy.measured_on[0], as_float(held_out))


@pytest.mark.parametrize(("n", "num_train", "expected"), [(6000, 60_000, 1000), (6000, 300, 300), (5001, 100, 1)])
def test_held_out_images_are_the_last_and_never_trained_on(n, num_train, expected):
    trained, held_out = split_held_out(np.arange(n), num_train)
    np.testing.assert_array_equal(trained, np.arange(expected))
    np.testing.assert_array_equal(held_out, np.arange(n - HELD_OUT, n))


@pytest.mark.parametrize("n", [4000, 5000, 10])
def test_too_few_images_to_hold_any_out_leave_none_to_train_on(n):
    assert len(split_held_out(np.arange(n), 60_000)[0]) == 0


def test_the_schedule_sets_the_rate_of_every_step(x, held_out, monkeypatch):
    from cae_core.optimizers import OPTIMIZERS

    made = []
    keep = lambda rate: made.append(OPTIMIZERS["sgd"].make(rate)) or made[0]  # noqa: E731
    monkeypatch.setitem(OPTIMIZERS, "kept", type(OPTIMIZERS["sgd"])("Kept", "Kept.", "", keep))
    settings = config(optimizer="kept", schedule="cosine", learning_rate=0.5)
    rates = [float(made[0].learning_rate.numpy()) for _ in train(Spy(), settings, x, held_out)]
    assert rates == pytest.approx([0.25 * (1 + np.cos(np.pi * step / 6)) for step in range(1, 7)], abs=1e-6)


@pytest.mark.parametrize("loss", ["bce", "mse"])
def test_the_loss_falls(digits, held_out, loss):
    settings = config(
        architecture="fast", bottleneck=16, loss=loss, noise_kind="none", epochs=8, optimizer="muon", learning_rate=0.01
    )
    ends = [e for e in train(build(settings), settings, digits[:300], held_out) if e.epoch_loss is not None]
    assert ends[-1].epoch_loss < 0.6 * ends[0].epoch_loss
    assert ends[-1].held_out_loss < 0.75 * ends[0].held_out_loss


def test_sparsity_adds_its_weight_times_the_mean_absolute_code(x, held_out):
    plain, sparse = (next(train(Spy(code=-2.0), config(sparsity=s), x, held_out)) for s in (0.0, 0.25))
    assert sparse.loss - plain.loss == pytest.approx(0.25 * 2.0, rel=1e-5)


def test_sparsity_makes_codes_small(x, held_out):
    sizes = []
    for sparsity in (0.0, 1.0):
        settings = config(architecture="fast", epochs=10, sparsity=sparsity, noise_kind="none")
        model = build(settings)
        list(train(model, settings, x, held_out))
        sizes.append(np.abs(model.encode(as_float(held_out))).mean())
    assert sizes[1] < 0.5 * sizes[0]


def test_a_loss_that_is_no_number_stops_with_advice(x, held_out):
    model = build(config())
    model.set_weights({path: np.full_like(w, np.nan) for path, w in model.weights().items()})
    with pytest.raises(
        FloatingPointError,
        match=r"became nan in step 1 of 6.* a learning rate of 0\.003, try 0\.001, the usual",
    ):
        list(train(model, config(), x, held_out))


def test_steps_that_are_too_large_stop_with_advice(x, held_out):
    settings = config(
        architecture="fast", optimizer="sgd", schedule="constant", learning_rate=1.0, epochs=50, sparsity=10.0
    )
    with pytest.raises(FloatingPointError, match=r"the steps are too large\. .* of 1, try 0\.01, the usual one of SGD\."):
        list(train(build(settings), settings, x, held_out))


@pytest.mark.parametrize("field", ["dataset", "architecture", "loss", "noise_kind", "optimizer", "schedule"])
def test_unknown_names_are_refused_before_anything_is_built(field):
    what = field.replace("_", " ")
    with pytest.raises(ValueError, match=f"Unknown {what} 'nonsense': choose one of "):
        next(train(None, config(**{field: "nonsense"}), None, None))


def test_no_images_are_refused(x, held_out):
    for pair in ((x[:0], held_out), (x, held_out[:0])):
        with pytest.raises(ValueError, match="Got .* training and .* held-out images; both must be at least 1"):
            next(train(Spy(), config(), *pair))


class Copier:
    """A network that gives back what it sees."""

    @staticmethod
    def seen(x):
        return x

    def reconstruct(self, x):
        self.given = x
        return x


def test_evaluate_feeds_the_noisy_images_and_compares_with_the_clean_ones(x):
    """The published listing fed the clean test set: a copier would then be perfect."""
    copier = Copier()
    figures = evaluation.evaluate(copier, x, "gaussian", 0.5, seed=4)
    clean = x.astype("float64") / 255
    noisy = np.clip(clean + 0.5 * np.random.default_rng(4).standard_normal(x.shape, dtype="float32"), 0, 1)
    np.testing.assert_allclose(copier.given, noisy, atol=1e-6)
    assert figures["mse"] == pytest.approx(np.square(noisy - clean).mean(), rel=1e-5)
    assert figures["mse"] > 0.05
    assert set(figures) == {"mse", "psnr", "ssim", "bce", "num_images"}
    assert figures["num_images"] == 100
    assert evaluation.evaluate(copier, x, "none", 0.0)["mse"] == 0


def test_evaluate_compares_with_the_clean_images_even_when_nothing_is_left_of_them(x):
    figures = evaluation.evaluate(Copier(), x, "masking", 1.0)
    assert figures["mse"] == pytest.approx(np.square(x / 255.0).mean(), rel=1e-6)


def test_evaluate_repeats_with_its_seed(x):
    one, same, other = (evaluation.evaluate(Copier(), x, "gaussian", 0.5, seed) for seed in (1, 1, 2))
    assert one == same
    assert one != other
