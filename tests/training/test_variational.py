"""Variational networks: a loss in nats per image with a KL term of its own weight, and what belongs to no other network."""

import csv
import io
import itertools
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from cae_core import losses, metrics, validation
from cae_core.architectures import ARCHITECTURES, build, fitting, published, restore
from cae_core.architectures.variational import drawn
from cae_core.config import RunConfig
from cae_core.corruptions import binarised, graph_binarised
from cae_core.datasets import as_float
from cae_core.inspection import evaluation
from cae_core.runs import schema, writing
from cae_core.training import history_row, run_monitor, train
from cae_core.training.events import Diverged, TrainingEvent
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
    seed = tf.constant([settings.seed, 1])
    order = np.random.default_rng(settings.seed).permutation(len(x))
    (objective,) = objectives(model, settings, 2)
    batch, given = tf.constant(as_float(x[order])), x.copy()
    if ARCHITECTURES[name].binarises:
        batch = graph_binarised(batch, seed)
        given[order] = 255 * batch.numpy().astype("uint8")
    mean, log_variance = model.posterior(as_float(given))
    rows = np.empty_like(mean)
    rows[order] = drawn(mean[order], log_variance[order], seed).numpy()
    distortion, rate = nats(model, given, rows)
    np.testing.assert_allclose(objective.parts(batch, batch, True, seed), [distortion, rate], rtol=1e-5)
    events = list(train(model, settings, x, held_out))
    assert events[0].loss == pytest.approx(distortion + 4 * rate, rel=1e-5)
    assert distortion > 100  # not a mean over pixels
    for event in events:
        assert event.held_out_loss == pytest.approx(event.distortion + 4 * event.rate, rel=1e-9)
        assert {"distortion", "rate"} <= history_row(event).keys()


def test_pixels_are_drawn_as_often_white_as_their_grey_level_says_anew_in_each_step():
    import tensorflow as tf

    grey = np.repeat(np.array([0, 1, 64, 200, 255], "uint8")[:, None], 40_000, axis=1)
    draws = [graph_binarised(as_float(grey), tf.constant([3, step])).numpy() for step in (1, 1, 2)]
    once, again, later = (*draws[:2], draws[2])
    for white in (once, later, binarised(grey, 3) / 255):
        assert set(np.unique(white)) == {0, 1}
        np.testing.assert_allclose(white.mean(axis=1), grey[:, 0] / 255, atol=0.01)
        assert (white[0].max(), white[-1].min()) == (0, 1)
    np.testing.assert_array_equal(once, again)
    assert (once != later).any()
    np.testing.assert_array_equal(binarised(grey, 3), binarised(grey, 3))


def log_joint(model, x, z):
    """log p(x, z) by the textbook's formulas, float64: images `(n, H, W, C)` of 0 and 1, codes `(k, n, d)`; `(k, n)`."""
    logits = model.decoder(z.reshape(-1, z.shape[-1])).numpy().astype(float).reshape(*z.shape[:2], *x.shape[1:])
    bernoulli = x * logits - np.logaddexp(0, logits)
    return bernoulli.sum(axis=(2, 3, 4)) - (z**2 + np.log(2 * np.pi)).sum(axis=2) / 2


def log_mean_exp(values):
    return np.log(np.exp(values - values.max(axis=0)).mean(axis=0)) + values.max(axis=0)


@pytest.fixture(scope="module")
def four_pixels():
    """A network of images of four pixels, its codes one number and a little wider than the prior, and all such images."""
    model = build(config("vae_binary", bottleneck=1), (2, 2, 1))
    rng = np.random.default_rng(5)
    weights = {path: w + rng.normal(0, 0.2, w.shape).astype("f4") for path, w in model.weights().items()}
    for head, bias in (("code", 0.3), ("log_variance", 0.5)):
        weights |= {f"{head}/kernel": 0.05 * weights[f"{head}/kernel"], f"{head}/bias": np.full(1, bias, "f4")}
    model.set_weights(weights)
    return model, np.array(list(itertools.product([0, 1], repeat=4)), "f4").reshape(-1, 2, 2, 1)


@pytest.mark.parametrize("loss", [name for name, entry in losses.LOSSES.items() if entry.codes > 1])
def test_the_loss_of_several_codes_is_the_textbooks(loss, four_pixels):
    import tensorflow as tf

    (model, x), codes, seed = four_pixels, losses.LOSSES[loss].codes, tf.constant([3, 4])
    mean, log_variance = (np.tile(part[None].astype(float), (codes, 1, 1)) for part in model.posterior(x))
    z = drawn(mean.astype("f4"), log_variance.astype("f4"), seed).numpy().astype(float)
    assert len(np.unique(z)) == codes * len(x)  # each image has codes of its own
    posterior = -((z - mean) ** 2 / np.exp(log_variance) + log_variance + np.log(2 * np.pi)).sum(axis=2) / 2
    (objective,) = objectives(model, config("vae_binary", loss=loss, bottleneck=1), 1)
    assert float(objective.loss(x, x, True, seed)) == pytest.approx(
        -log_mean_exp(log_joint(model, x, z) - posterior).mean(), rel=1e-5
    )


def test_the_bound_rises_with_the_codes_to_the_likelihood_that_an_integral_gives(four_pixels):
    model, x = four_pixels
    grid = np.linspace(-12, 12, 4801)
    exact = np.log(np.exp(log_joint(model, x, np.tile(grid[:, None, None], (1, len(x), 1)))).sum(axis=0) * 0.005)
    assert np.exp(exact).sum() == pytest.approx(1, abs=1e-6)  # of all images that there are
    many = np.tile(x, (100, 1, 1, 1))
    bounds = [evaluation.importance_bound(model, many, codes).reshape(100, -1).mean(axis=0) for codes in (1, 5, 60)]
    assert (bounds[0] < bounds[1]).all()
    assert bounds[1].mean() < bounds[2].mean() < exact.mean()
    np.testing.assert_allclose(evaluation.importance_bound(model, x, 20_000), exact, atol=0.05)


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


def test_a_cloud_too_wide_for_its_kl_term_ends_the_run_by_name_whatever_it_weighs(x, held_out):
    settings = config(beta=0.0)
    model = build(settings)
    wide = {path: w + 200 * (path.endswith("log_variance/bias")) for path, w in model.weights().items()}  # exp(200) is none
    model.set_weights(wide)
    with pytest.raises(Diverged, match=r"^The loss, with a KL term of \S+ nats, became .* in step 1 of .*try"):
        next(train(model, settings, x, held_out))


def test_images_whose_targets_may_lie_outside_0_to_1_are_refused_before_the_first_step(x, held_out):
    outside = np.full((30, 28, 28, 1), -0.5, "f4")
    for given in ((outside, held_out), (x, outside)):
        with pytest.raises(ValueError, match="it must be uint8 from 0 to 255, which makes targets from 0 to 1.*: scale"):
            next(train(build(config()), config(), *given))


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


def test_the_history_is_written_and_read_with_both_columns_and_older_settings_without():
    row = history_row(TrainingEvent(8, 8, 1, 2.5, 190.0, 200.0, 205.5, distortion=180.25, rate=25.25))
    columns = schema.columns(writing.table([row]).encode(), 1)
    assert (columns["distortion"][0], columns["rate"][0]) == (row["distortion"], row["rate"])
    assert list(csv.reader(io.StringIO(writing.table([row]))))[0] == [*schema.COLUMNS, "distortion", "rate"]
    older = {key: value for key, value in RunConfig().to_dict().items() if key not in schema.LATER}
    read = schema.settings(RunConfig, validation.check, later=schema.LATER)
    assert read("config", older) == RunConfig()


def test_a_look_at_a_run_has_its_rate_the_clouds_width_and_what_its_decoder_makes_of_the_prior(few_strokes):
    settings, x = config(), few_strokes("train").x
    model = build(settings)
    monitor = run_monitor.RunMonitor(SimpleNamespace(config=settings, model=model, history=[], last=None))
    for event in train(model, settings, x[:100], x[100:]):
        monitor.see(event)
    monitor.show()
    now = monitor.progress
    mean, log_variance = model.posterior(run_monitor.sample("strokes").x)
    assert now.measured["rate"][-1, 1] == pytest.approx(metrics.kl(mean, log_variance).sum(axis=1).mean(), rel=1e-5)
    assert now.measured["width"][-1, 1] == pytest.approx(np.exp(log_variance / 2).mean(), rel=1e-5)
    np.testing.assert_allclose(now.drawn, model.decode(np.random.default_rng(0).standard_normal((8, 3), "f4")), atol=1e-6)
