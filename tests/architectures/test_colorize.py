"""Grey in, colour out: the two chains, what they are shown, and a run of them as an ordinary run."""

import dataclasses
import json

import numpy as np
import pytest

from cae_core import datasets, export, runs, training, validation
from cae_core.architectures import ARCHITECTURES, build, check, published, suit, suited
from cae_core.cli import main
from cae_core.colours import luma
from cae_core.config import RunConfig
from cae_core.datasets import Split, strokes_colour
from cae_core.inference import reconstruction, replay
from cae_core.training import run_monitor
from cae_core.training.run_trainer import RunTrainer

CHAINS = ("colorize", "colorize_listing")
EACH = pytest.mark.parametrize("name", CHAINS)
SHORT = RunConfig(
    dataset="strokes_colour", architecture="colorize", loss="mse", output="linear", noise_kind="none", num_train=100,
    epochs=2, batch_size=20, optimizer="adam", learning_rate=0.002,
)  # fmt: skip


@pytest.fixture
def few(monkeypatch):
    """A Coloured Strokes of which 100 images are left to train on."""

    def load(split):
        return Split(*strokes_colour.draw(160 if split == "train" else 60, seed=1 if split == "train" else 2))

    monkeypatch.setitem(
        datasets.DATASETS, "strokes_colour", dataclasses.replace(datasets.DATASETS["strokes_colour"], load=load)
    )
    monkeypatch.setattr(training, "HELD_OUT", 60)
    datasets.clear_cache()
    yield load
    datasets.clear_cache()


@pytest.fixture
def pair(few):
    return training.split_held_out(few("train").x, 100)


@pytest.mark.parametrize(
    ("name", "code_shape", "down", "window"),
    [
        ("colorize", (6, 6, 64), {"conv_1": (1, 16), "conv_2": (16, 32), "conv_3": (32, 64)}, 38),
        # Keras leaves the listing's first convolution out: it is dead, and the second reads one channel.
        ("colorize_listing", (12, 12, 64), {"conv_2": (1, 32), "conv_3": (32, 64)}, 18),
    ],
)
def test_the_chains_are_those_described_and_colour_a_pixel_by_a_window_of_so_many(name, code_shape, down, window):
    import tensorflow as tf

    model, widest = build(published(name)), 0
    assert (model.input_shape, model.image_shape, model.code_shape) == ((48, 48, 1), (48, 48, 3), code_shape)
    assert {layer.name: layer.kernel.shape[2:] for layer in model.encoder.layers if layer.weights} == down
    assert [layer.filters for layer in model.decoder.layers if layer.weights][-2:] == [16, 3]
    x = tf.constant(np.random.default_rng(0).random((1, 48, 48, 1), dtype="float32"))
    for place in range(20, 28):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = tf.reduce_sum(model.logits(x)[1][0, place, place])
        reached = np.flatnonzero(np.abs(tape.gradient(value, x)[0, :, :, 0].numpy()).sum(axis=1))
        widest = max(widest, int(np.ptp(reached)) + 1)
    assert widest == window


@EACH
def test_sides_that_are_multiples_of_8_work_and_others_are_refused(name):
    config = RunConfig(dataset="strokes_colour", architecture=name)
    for size in ((8, 8), (48, 80), (64, 16)):
        assert build(config, (*size, 3)).reconstruct(np.zeros((2, *size, 1))).shape == (2, *size, 3)
    for shape, sentence in (((44, 48, 3), "multiples of 8"), ((48, 48, 1), "gives colour and got images")):
        with pytest.raises(ValueError, match=sentence):
            build(config, shape)


def test_a_data_set_and_a_network_that_do_not_go_together_are_refused_by_name_with_what_would_work():
    for name in ARCHITECTURES:
        for dataset in datasets.DATASETS:
            config = RunConfig(architecture=name, dataset=dataset)
            fitted = validation.fitting(config)
            check(fitted)
            assert (fitted.dataset == dataset) == suit(name, dataset)
            if suit(name, dataset):
                continue
            works = "'strokes_colour' or 'cifar10', or architecture to 'fast'"
            works = works if name in CHAINS else "'mnist' .*or architecture to 'colorize'"
            with pytest.raises(ValueError, match=f"{dataset}.*{name} .*{works}"):
                validation.check(config)
    assert suited("cifar10") == CHAINS
    assert not any(suit(name, dataset) for name in CHAINS for dataset in datasets.GREY)


def test_training_shows_luma_and_aims_at_colour(pair, monkeypatch):
    """The network gets nothing but the luma."""
    model, got = build(SHORT), []
    logits = model.logits

    def spy(x, training=False, share=1.0):
        import tensorflow as tf

        tf.numpy_function(lambda shown: got.append(shown.copy()), [x], [])
        return logits(x, training, share)

    monkeypatch.setattr(model, "logits", spy)
    next(training.train(model, SHORT, *pair))
    order = np.random.default_rng(SHORT.seed).permutation(100)[:20]
    np.testing.assert_allclose(got[0], luma(datasets.as_float(pair[0][order])), atol=1e-6)


@pytest.mark.usefixtures("few")
def test_a_training_shows_the_grey_and_the_colour_and_becomes_an_ordinary_run(capsys):
    trainer = RunTrainer.begin(SHORT, name := "colours")
    trainer.prepare()
    monitor = trainer.monitor()
    run = trainer.run(monitor.see)
    progress = monitor.progress
    assert progress.x_noisy.shape == (8, 48, 48, 1)
    assert progress.x_hat.shape == progress.x.shape == (8, 48, 48, 3)
    np.testing.assert_array_equal(progress.x_noisy, luma(run_monitor.probes(SHORT).x))
    assert (run.state, run.image_shape, run.config) == ("finished", (48, 48, 3), SHORT)
    assert {"chroma", "chroma_grey", "chroma_mean", "luma", "hue_near"} <= set(run.metrics["clean"])
    past = replay.replay(run)
    assert (past.x.shape, past.x_noisy.shape, past.x_hat.shape) == ((8, 48, 48, 3), (8, 48, 48, 1), (3, 8, 48, 48, 3))
    assert main(["evaluate", name, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["chroma"] == pytest.approx(run.metrics["clean"]["chroma"], rel=1e-3)


def test_exports_give_the_network_back_but_the_script_says_that_it_cannot(tmp_path):
    import keras

    run, file = runs.find("strokes_colour-colorize-mse"), tmp_path / "whole.keras"
    file.write_bytes(export.export("keras", run))
    x = luma(reconstruction.sample("strokes_colour", "none", 0.0, 0).x)
    np.testing.assert_allclose(keras.models.load_model(file)(x).numpy(), runs.model(run).reconstruct(x), atol=1e-5)
    assert export.export("everything", run)  # holds all of them but the script
    with pytest.raises(ValueError, match="colours grey images"):
        export.export("script", run)
