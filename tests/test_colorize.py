"""Grey in, colour out: the two chains, what they are shown, and a run of them as an ordinary run."""

import dataclasses
import json
import shutil
import time

import numpy as np
import pytest

from cae_core import colours, datasets, export, jobs, pretrained, runs, training, validation
from cae_core.architectures import ARCHITECTURES, build, check, published, seen, suit, suited
from cae_core.cli import main
from cae_core.colours import luma
from cae_core.config import RunConfig
from cae_core.datasets import Split, strokes_colour
from cae_core.inference import colourise, reconstruction, replay
from cae_core.inspection import evaluation
from cae_core.runs import RunError
from cae_core.training import run_monitor

CHAINS = ("colorize", "colorize_listing")
SHORT = RunConfig(
    dataset="strokes_colour", architecture="colorize", loss="mse", output="linear", noise_kind="none", num_train=100,
    epochs=2, batch_size=20, optimizer="adam", learning_rate=0.002,
)  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def few():
    """A Coloured Strokes of which 100 images are left to train on."""

    def load(split):
        return Split(*strokes_colour.draw(160 if split == "train" else 60, seed=1 if split == "train" else 2))

    with pytest.MonkeyPatch.context() as patch:
        entry = dataclasses.replace(datasets.DATASETS["strokes_colour"], load=load)
        patch.setitem(datasets.DATASETS, "strokes_colour", entry)
        patch.setattr(training, "HELD_OUT", 60)
        datasets.clear_cache()
        yield load
    datasets.clear_cache()


@pytest.fixture(scope="module")
def pair(few):
    return training.split_held_out(few("train").x, 100)


@pytest.fixture(scope="module")
def trained_once(few, tmp_path_factory):
    """A finished run of the command line's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAE_RUNS_DIR", str(tmp_path_factory.mktemp("runs")))
        assert main(["train", "--name", "mine", *_arguments(SHORT)]) == 0
        return runs.find("mine").path


@pytest.fixture
def trained(trained_once, runs_folder):
    """That run, in the test's folder."""
    shutil.copytree(trained_once, runs_folder / "mine")
    return runs.find("mine")


def _arguments(config):
    return [part for key, value in config.to_dict().items() for part in (f"--{key.replace('_', '-')}", str(value))]


def test_the_intended_chain_is_the_one_that_is_described():
    model = build(published("colorize"))
    assert (model.input_shape, model.image_shape, model.code_shape) == ((48, 48, 1), (48, 48, 3), (6, 6, 64))
    names = [layer.name for layer in model.encoder.layers if layer.weights]
    assert names == ["conv_1", "conv_2", "conv_3"]
    assert [model.encoder.get_layer(name).filters for name in names] == [16, 32, 64]
    assert [layer.filters for layer in model.decoder.layers if layer.weights] == [32, 16, 3]


def test_the_listings_first_convolution_is_dead():
    """Keras leaves it out of the model: it has no weights there, and the second convolution reads one channel."""
    model = build(published("colorize_listing"))
    assert (model.input_shape, model.image_shape, model.code_shape) == ((48, 48, 1), (48, 48, 3), (12, 12, 64))
    assert [layer.name for layer in model.encoder.layers if layer.weights] == ["conv_2", "conv_3"]
    assert model.encoder.get_layer("conv_2").kernel.shape == (3, 3, 1, 32)
    assert build(published("colorize")).encoder.get_layer("conv_2").kernel.shape == (3, 3, 16, 32)


@pytest.mark.parametrize(("name", "window"), [("colorize", 38), ("colorize_listing", 18)])
def test_a_pixel_is_coloured_by_a_window_of_so_many(name, window):
    import tensorflow as tf

    model, widest = build(published(name)), 0
    x = tf.constant(np.random.default_rng(0).random((1, 48, 48, 1), dtype="float32"))
    for place in range(20, 28):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = tf.reduce_sum(model.logits(x)[1][0, place, place])
        reached = np.flatnonzero(np.abs(tape.gradient(value, x)[0, :, :, 0].numpy()).sum(axis=1))
        widest = max(widest, int(np.ptp(reached)) + 1)
    assert widest == window


@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.parametrize("size", [(8, 8), (48, 80), (64, 16)])
def test_sides_that_are_multiples_of_8_work(name, size):
    config = RunConfig(dataset="strokes_colour", architecture=name)
    model = build(config, (*size, 3))
    assert model.reconstruct(np.zeros((2, *size, 1))).shape == (2, *size, 3)


@pytest.mark.parametrize(("shape", "says"), [((44, 48, 3), "multiples of 8"), ((48, 48, 1), "gives colour and got images")])
def test_other_images_are_refused(shape, says):
    with pytest.raises(ValueError, match=says):
        build(SHORT, shape)


@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.parametrize("dataset", datasets.GREY)
def test_a_data_set_in_grey_is_refused_by_name_with_what_would_work(name, dataset):
    with pytest.raises(ValueError, match=f"{dataset}.*{name} .*'strokes_colour' or 'cifar10', or architecture to 'fast'"):
        validation.check(RunConfig(dataset=dataset, architecture=name))


@pytest.mark.parametrize("dataset", datasets.COLOUR)
def test_the_others_refuse_a_data_set_in_colour_by_name_with_what_would_work(dataset):
    for name in set(ARCHITECTURES) - set(CHAINS):
        with pytest.raises(ValueError, match=f"{dataset}.*{name} .*'mnist' .*or architecture to 'colorize'"):
            validation.check(RunConfig(dataset=dataset, architecture=name))


def test_what_fits_can_be_trained():
    for name in ARCHITECTURES:
        for dataset in datasets.DATASETS:
            config = validation.fitting(RunConfig(architecture=name, dataset=dataset))
            check(config)
            assert (config.dataset == dataset) == suit(name, dataset)
    assert suited("cifar10") == CHAINS


def test_what_is_seen_is_the_luma(pair):
    x = datasets.as_float(pair[0][:4])
    model = build(SHORT)
    for shown in (model.seen(x), seen("colorize", x)):
        np.testing.assert_array_equal(shown, luma(x))
    assert seen("fast", x) is x
    grey = luma(x)
    assert model.seen(grey) is grey


def test_training_shows_luma_and_aims_at_colour(pair, monkeypatch):
    """The network gets nothing but the luma: two sets that differ in hue alone are trained with equal inputs."""
    model, got = build(SHORT), []
    logits = model.logits

    def spy(x, training=False):
        import tensorflow as tf

        tf.numpy_function(lambda shown: got.append(shown.copy()), [x], [])
        return logits(x, training)

    monkeypatch.setattr(model, "logits", spy)
    next(training.train(model, SHORT, *pair))
    order = np.random.default_rng(SHORT.seed).permutation(100)[:20]
    np.testing.assert_allclose(got[0], luma(datasets.as_float(pair[0][order])), atol=1e-6)


@pytest.mark.parametrize("name", CHAINS)
def test_training_lowers_the_loss_and_gives_the_same_twice(name, pair):
    config = dataclasses.replace(SHORT, architecture=name)
    losses = [[e.loss for e in training.train(build(config), config, *pair)] for _ in range(2)]
    assert losses[0] == losses[1]
    assert losses[0][-1] < 0.7 * losses[0][0]


def test_figures_of_a_network_that_gives_the_luma_are_those_of_grey(few):
    class Grey:
        seen = staticmethod(luma)

        @staticmethod
        def reconstruct(x):
            return np.repeat(x, 3, axis=3)

    figures = evaluation.measure(Grey, "strokes_colour")["clean"]
    assert figures["chroma"] == pytest.approx(figures["chroma_grey"], abs=1e-6)
    assert figures["luma"] == pytest.approx(0, abs=1e-9)
    assert (figures["hue_near"], figures["hue_error"]) == (0, 180)


def test_figures_of_the_truth_are_perfect(few):
    class Truth:
        seen = staticmethod(lambda x: x)
        reconstruct = staticmethod(lambda x: x)

    figures = evaluation.measure(Truth, "strokes_colour")["clean"]
    assert (figures["chroma"], figures["hue_near"], figures["hue_error"]) == (0, 1, 0)


def test_a_run_of_the_command_line_is_an_ordinary_run(trained, capsys):
    assert (trained.state, trained.image_shape, trained.config) == ("finished", (48, 48, 3), SHORT)
    assert {"chroma", "chroma_grey", "chroma_mean", "luma", "hue_near"} <= set(trained.metrics["clean"])
    past = replay.replay(trained)
    assert (past.x.shape, past.x_noisy.shape, past.x_hat.shape) == ((8, 48, 48, 3), (8, 48, 48, 1), (3, 8, 48, 48, 3))
    capsys.readouterr()
    assert main(["evaluate", "mine", "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)
    assert measured["chroma"] == pytest.approx(trained.metrics["clean"]["chroma"], rel=1e-3)
    assert main(["list"]) == 0


def test_a_job_shows_the_grey_and_the_colour(runs_folder):
    queue = jobs.Jobs()
    name = queue.submit(SHORT)
    for _ in range(600):
        snapshot = queue.snapshot(name)
        if not snapshot.is_live:
            break
        time.sleep(0.1)
    queue.end()
    assert (snapshot.state, snapshot.message) == ("finished", "")
    assert snapshot.progress.x_noisy.shape == (8, 48, 48, 1)
    assert snapshot.progress.x_hat.shape == snapshot.progress.x.shape == (8, 48, 48, 3)
    probes = run_monitor.probes(SHORT)
    np.testing.assert_array_equal(snapshot.progress.x_noisy, luma(probes.x))


def test_layers_as_json_and_weights_as_hdf5_give_the_network_back(trained, tmp_path):
    import keras

    whole = tmp_path / "whole.keras"
    whole.write_bytes(export.export("keras", trained))
    (tmp_path / "mine.weights.h5").write_bytes(export.export("weights", trained))
    again = keras.models.model_from_json(export.export("architecture", trained).decode())
    x = luma(reconstruction.sample("strokes_colour", "none", 0.0, 0).x)
    again.load_weights(tmp_path / "mine.weights.h5")
    expected = runs.model(trained).reconstruct(x)
    np.testing.assert_allclose(again(x).numpy(), expected, atol=1e-5)
    np.testing.assert_allclose(keras.models.load_model(whole)(x).numpy(), expected, atol=1e-5)
    assert export.EXPORTS["weights"].file_name(trained) == "mine.weights.h5"


def test_every_other_export_can_be_made(trained):
    assert export.export("everything", trained)  # holds all of them but the script
    assert export.export("figures", trained)


def test_the_script_says_that_it_cannot(trained):
    with pytest.raises(ValueError, match="colours grey images"):
        export.export("script", trained)


@pytest.mark.parametrize("size", [(1, 1), (3, 60), (48, 48), (50, 49), (300, 200), (90, 1000)])
def test_a_picture_of_any_size_is_made_ready(size):
    rgb = np.random.default_rng(0).random((*size, 3), dtype="float32")
    fitted = colourise.fit(rgb)
    height, width = fitted.small.shape[1:3]
    assert min(height, width) == 48
    assert height % 8 == width % 8 == 0
    assert fitted.luma.shape == (*size, 1)
    assert abs(np.log((width / height) / (size[1] / size[0]))) < 0.1
    painted = colourise.on(fitted, fitted.small)
    assert painted.shape == (*size, 3)
    assert painted.min() >= 0
    assert painted.max() <= 1


def test_the_true_chroma_on_the_own_luma_is_the_picture():
    rgb = np.full((96, 96, 3), (0.2, 0.5, 0.7), np.float32)
    fitted = colourise.fit(rgb)
    np.testing.assert_allclose(colourise.on(fitted, fitted.small), rgb, atol=1e-2)


def test_pictures_of_another_size_go_through_the_same_weights(trained):
    x = reconstruction.sample("strokes_colour", "none", 0.0, 0).x
    padded = np.pad(x, ((0, 0), (0, 0), (0, 48), (0, 0)))
    wide, usual = colourise.colour(trained, padded), colourise.colour(trained, x)
    np.testing.assert_allclose(wide.x_hat[:, :, :16], usual.x_hat[:, :, :16], atol=1e-5)  # what no edge reaches
    assert usual.figures["chroma"] == pytest.approx(float(colours.error(x, usual.x_hat).mean()))
    assert colourise.colour(trained, x, known=False).figures == {}


def test_a_network_that_colours_nothing_is_refused(save_run):
    with pytest.raises(RunError, match="gives back grey"):
        colourise.colour(save_run(), np.zeros((1, 48, 48, 3), np.float32))


def test_recipes_train_all_combinations_and_differ_as_they_say():
    assert len(pretrained.COLOURING) == 8
    for name, config in pretrained.COLOURING.items():
        validation.check(config)
        assert runs.check_name(name) == name
    meant, listed = (pretrained.colour_config("cifar10", name, "bce").to_dict() for name in CHAINS)
    assert {key for key in meant if meant[key] != listed[key]} == {"architecture"}
