"""Variational networks: a loss in nats per image with a KL term of its own weight, and what belongs to no other network."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from cae_core import losses, metrics, validation
from cae_core.architectures import ARCHITECTURES, build, fitting, published, restore
from cae_core.architectures.variational import drawn
from cae_core.config import RunConfig
from cae_core.datasets import as_float
from cae_core.inspection import evaluation
from cae_core.runs import schema, writing
from cae_core.training import history_row, train
from cae_core.training.events import Diverged
from cae_core.training.objectives import objectives

VARIATIONAL = [name for name, entry in ARCHITECTURES.items() if entry.variational]
EVERY = pytest.mark.parametrize("name", VARIATIONAL)
MEAN, LOG_VARIANCE = np.array([[0.0, 1.5], [-2.0, 0.3]]), np.array([[0.0, -1.0], [0.7, -3.0]])


def config(name="vae_dense", **more):
    small = {"dataset": "strokes", "bottleneck": 3, "epochs": 2, "batch_size": 25, "learning_rate": 0.001}
    return replace(published(name), **{**small, **more})


def nats(model, x, z):
    """Distortion and rate from the network's logits by the textbook's formulas, float64."""
    logits = model.decoder(z).numpy().astype(float)
    bernoulli = np.logaddexp(0, logits) - as_float(x) * logits
    mean, log_variance = (part.astype(float) for part in model.posterior(as_float(x)))
    gauss = 0.5 * (np.exp(log_variance) + mean**2 - 1 - log_variance)
    return bernoulli.sum(axis=(1, 2, 3)).mean(), gauss.sum(axis=1).mean()


def test_kl_is_what_sampling_says_and_0_for_a_standard_normal_code():
    draws = MEAN + np.exp(LOG_VARIANCE / 2) * np.random.default_rng(0).standard_normal((400_000, 2, 2))
    log_ratio = (draws**2 - (draws - MEAN) ** 2 / np.exp(LOG_VARIANCE) - LOG_VARIANCE) / 2  # log q - log p
    np.testing.assert_allclose(metrics.kl(MEAN, LOG_VARIANCE), log_ratio.mean(axis=0), atol=0.01)
    assert metrics.kl(MEAN, LOG_VARIANCE)[0, 0] == 0
    in_tensorflow = float(losses.kl(MEAN.astype("f4"), LOG_VARIANCE.astype("f4")))
    assert in_tensorflow == pytest.approx(log_ratio.mean(axis=0).sum(axis=1).mean(), abs=0.01)
    assert in_tensorflow == pytest.approx(metrics.kl(MEAN, LOG_VARIANCE).sum(axis=1).mean(), rel=1e-6)


def test_gradients_of_the_kl_term_and_through_the_draw():
    import tensorflow as tf

    seed = tf.constant([3, 4])
    parts = [tf.Variable(part, dtype=tf.float32) for part in (MEAN, LOG_VARIANCE)]
    with tf.GradientTape(persistent=True) as tape:
        rate, codes = losses.kl(*parts), drawn(*parts, seed)
    np.testing.assert_allclose(tape.gradient(rate, parts[0]), MEAN / 2, rtol=1e-6)  # a mean over two images
    np.testing.assert_allclose(tape.gradient(rate, parts[1]), (np.exp(LOG_VARIANCE) - 1) / 4, rtol=1e-5, atol=1e-7)
    epsilon = (codes.numpy() - MEAN) / np.exp(LOG_VARIANCE / 2)
    assert len(np.unique(epsilon.round(4))) == 4
    np.testing.assert_allclose(tape.gradient(codes, parts[0]), np.ones((2, 2)))
    np.testing.assert_allclose(tape.gradient(codes, parts[1]), epsilon * np.exp(LOG_VARIANCE / 2) / 2, rtol=1e-4)
    np.testing.assert_array_equal(codes, drawn(*parts, seed))
    many = drawn(tf.zeros((20_000, 2)), tf.fill((20_000, 2), np.log(0.25).astype("f4")), tf.constant([3, 5])).numpy()
    assert (np.abs(many.mean(axis=0)) < 0.02).all()
    np.testing.assert_allclose(many.std(axis=0), 0.5, rtol=0.02)


@EVERY
def test_a_step_sums_both_parts_over_an_image_and_the_held_out_loss_is_their_weighed_sum(name, x, held_out):
    import tensorflow as tf

    settings = config(name, batch_size=100, beta=4.0)
    model = build(settings)
    mean, log_variance = model.posterior(as_float(x))
    seed = tf.constant([settings.seed, 1])
    order = np.random.default_rng(settings.seed).permutation(len(x))
    (objective,) = objectives(model, settings, 2)
    batch = tf.constant(as_float(x[order]))
    rows = np.empty_like(mean)
    rows[order] = drawn(mean[order], log_variance[order], seed).numpy()
    distortion, rate = nats(model, x, rows)
    np.testing.assert_allclose(objective.parts(batch, batch, True, seed), [distortion, rate], rtol=1e-5)
    events = list(train(model, settings, x, held_out))
    assert events[0].loss == pytest.approx(distortion + 4 * rate, rel=1e-5)
    assert distortion > 100  # not a mean over pixels
    for event in events:
        assert event.held_out_loss == pytest.approx(event.distortion + 4 * event.rate, rel=1e-9)
        assert {"distortion", "rate"} <= history_row(event).keys()
    again = list(train(build(settings), settings, x, held_out))
    assert [event.loss for event in again] == [event.loss for event in events]


def test_beta_grows_during_the_warm_up_and_held_out_images_are_judged_with_all_of_it(x, held_out):
    def losses_of(**more):
        return list(train(build(config(**more)), config(**more), x, held_out))

    (still, plain, half), settings = (losses_of(beta=b, beta_warmup=w) for b, w in ((0, 0), (4, 0), (4, 0.5))), config()
    rate = (plain[0].loss - still[0].loss) / 4
    assert rate > 0
    # 8 steps, 4 of them warming up: in the first a quarter of β counts.
    assert half[0].loss - still[0].loss == pytest.approx(rate, rel=1e-3)
    assert half[3].held_out_loss == pytest.approx(half[3].distortion + 4 * half[3].rate, rel=1e-9)
    assert plain[-1].rate < still[-1].rate
    assert settings.beta == 1


def test_a_kl_term_out_of_hand_is_named(x, held_out):
    settings = config(optimizer="sgd", schedule="constant", learning_rate=1.0, beta=20.0, epochs=20)
    with pytest.raises(Diverged, match=r"^The loss, with a KL term of \S+ nats, (became|exploded).* in step .*try"):
        list(train(build(settings), settings, x, held_out))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"architecture": "fast", "beta": 4.0}, "beta is 4, but the loss of fast has no KL term.*: set it to 1, or .* vae"),
        ({"architecture": "pca", "loss": "mse", "output": "linear", "noise_kind": "none", "epochs": 1, "beta_warmup": 0.5},
         "beta_warmup is 0.5, but the loss of pca .* set it to 0, or choose one of vae"),
        ({"architecture": "dense", "loss": "elbo"}, "loss is 'elbo', whose KL term .* dense's .* set loss to 'bce', or"),
        ({"architecture": "vae", "loss": "mse"}, "loss is 'mse', which vae does not take: set it to 'elbo'"),
        ({"architecture": "vae", "loss": "elbo", "output": "linear"}, "output is 'linear', .*: set it to 'sigmoid'"),
        ({"architecture": "vae", "loss": "elbo", "sparsity": 0.1}, "sparsity is 0.1, which vae .*: set it to 0.0"),
    ],
)  # fmt: skip
def test_what_goes_with_no_such_network_is_refused_by_name_and_mended(settings, sentence):
    wrong = RunConfig(**settings)
    with pytest.raises(ValueError, match=sentence):
        validation.check(wrong)
    validation.check(validation.fitting(wrong))


@pytest.mark.parametrize(("setting", "value"), [("beta", 20.1), ("beta", -0.1), ("beta", "nan"), ("beta_warmup", 1.5)])
def test_bounds(setting, value):
    with pytest.raises(ValueError, match=f"{setting} is {value!r}; it must be a number from 0 to "):
        RunConfig(**{setting: value})


def test_targets_outside_0_to_1_are_refused():
    with pytest.raises(ValueError, match="The targets go from -0.5 to 1; BCE . β·KL takes them from 0 to 1 only"):
        losses.check_targets("elbo", -0.5, 1.0)


@EVERY
def test_evaluation_gives_the_bound_with_keras_and_in_numpy(name, x):
    settings = config(name)
    model = build(settings)
    rng = np.random.default_rng(1)
    model.set_weights({path: w + rng.normal(0, 0.02, w.shape) for path, w in model.weights().items()})
    copy = restore(settings, model.image_shape, model.weights())
    for ours, theirs in zip(copy.posterior(as_float(x)), model.posterior(as_float(x)), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)
    np.testing.assert_array_equal(copy.posterior(as_float(x))[0], copy.encode(as_float(x)))
    ours, theirs = (evaluation.evaluate(network, x, "none", 0.0) for network in (copy, model))
    assert ours == pytest.approx(theirs, rel=1e-4)
    mean, log_variance = model.posterior(as_float(x))
    draws = np.random.default_rng(0).standard_normal(mean.shape, "float32")
    distortion, rate = nats(model, x, mean + np.exp(log_variance / 2) * draws)
    assert theirs["distortion"] == pytest.approx(distortion, rel=1e-4)
    assert theirs["rate"] == pytest.approx(rate, rel=1e-4)
    assert theirs["elbo"] == pytest.approx(-(distortion + rate), rel=1e-4)
    assert theirs["elbo_per_pixel"] == pytest.approx(theirs["elbo"] / 784)
    plain = build(fitting(RunConfig(architecture="dense", bottleneck=3)))
    assert "elbo" not in evaluation.evaluate(plain, x, "none", 0.0)
    with pytest.raises(ValueError, match="no distribution of codes: choose a variational one"):
        plain.posterior(as_float(x))


def test_the_history_is_written_and_read_with_both_columns_and_older_settings_without(x, held_out):
    settings = config(epochs=1)
    (row,) = [history_row(e) for e in train(build(settings), settings, x, held_out) if e.epoch_loss is not None]
    columns = schema.columns(writing.table([row]).encode(), 1)
    assert (columns["distortion"][0], columns["rate"][0]) == (row["distortion"], row["rate"])
    assert list(csv.reader(io.StringIO(writing.table([row]))))[0] == [*schema.COLUMNS, "distortion", "rate"]
    older = {key: value for key, value in RunConfig().to_dict().items() if key not in schema.LATER}
    read = schema.settings(RunConfig, validation.check, later=schema.LATER)
    assert read("config", older) == RunConfig()
