"""What the views of the Architectures page say to look for is so: on the shipped runs, and on a network trained here."""

import functools

import numpy as np
import pytest

from cae_core import datasets, metrics, runs, training
from cae_core.architectures import build, published, suited
from cae_core.architectures.autoencoder import Autoencoder
from cae_core.config import RunConfig
from cae_core.inference import trained
from cae_core.inspection import activations, switches
from cae_core.runs import writing
from pages.parts.architectures import switch_leak as switch_experiments
from pages.parts.layers import experiments

IMAGE = (28, 28, 1)
SETS = pytest.mark.parametrize(
    "dataset", ["strokes", pytest.param("mnist", marks=[pytest.mark.real_data, pytest.mark.slow])]
)


@functools.cache
def trained_network(dataset: str) -> Autoencoder:
    """`conv_unpool` after 10,000 images."""
    # The published learning rate, 0.01, can kill every ReLU within an epoch: on Strokes it does.
    short = {"dataset": dataset, "num_train": 10_000, "epochs": 1, "learning_rate": 0.002}
    config = RunConfig.from_dict({**published("conv_unpool").to_dict(), **short})
    x = datasets.load(dataset, "train").x
    model = build(config, IMAGE)
    for _ in training.train(model, config, x[:10_000], x[10_000:10_100]):
        pass
    return model


TRAINS = pytest.mark.slow  # 10,000 images through a convolutional network


@pytest.fixture(params=["strokes", pytest.param("mnist", marks=pytest.mark.real_data)])
def run(request, tmp_path):
    """A trained network with switches, as a run: the shipped one where there is one."""
    shipped = runs.PRETRAINED_DIR / f"{request.param}-conv_unpool"
    if shipped.is_dir():
        return runs.read(shipped)
    return writing.save(
        tmp_path, f"{request.param}-conv_unpool", trained_network(request.param), published("conv_unpool"),
        [{"epoch": 1, "loss": 0.1, "seconds": 1.0}], metrics={"clean": {"mse": 0.1}}, num_train=10_000, seconds=1.0,
    )  # fmt: skip


def claim(module, name, *claims):
    """The settings of an experiment that makes these claims."""
    text = " ".join(module.EXPERIMENTS[name].look_for.split())
    for one in claims:
        assert one in text
    return module.EXPERIMENTS[name].settings


def mixed(run, settings):
    dataset = run.name.partition("-")[0]
    return switches.measured(run, dataset, settings["mix_code"], settings["mix_switches"])


def whole(run):
    return switches.measured(run, run.name.partition("-")[0], "kept", "kept")


@TRAINS
def test_what_and_where(run):
    settings = claim(
        switch_experiments, "what_and_where", "more than nine in ten are nearer to the image that gave the code"
    )
    assert (settings["mix_code"], settings["mix_switches"]) == ("next", "kept")
    assert mixed(run, settings).own < 0.1


@TRAINS
def test_random_switches(run):
    settings = claim(switch_experiments, "random_switches", "more than double that with the true ones")
    found = mixed(run, settings)
    assert found.mse > 2 * whole(run).mse
    assert found.explained > 0.5  # the digit is still there


@TRAINS
def test_nothing_known(run):
    settings = claim(switch_experiments, "nothing_known", "less than 1 %", "explains at least a fifth")
    assert mixed(run, settings).explained < 0.01
    assert mixed(run, {**settings, "mix_switches": "kept"}).explained > 0.2


@SETS
def test_before_training(dataset):
    claim(experiments, "before_training", "more than ten times as wrong", "grey all over")
    run = trained.find("fast", dataset, "")
    x = datasets.as_float(datasets.load(dataset, "test").x[:200])
    fresh = activations.fresh(run.config, IMAGE).reconstruct(x)
    assert metrics.mse(x, fresh) > 10 * metrics.mse(x, runs.model(run).reconstruct(x))
    assert np.mean(np.abs(fresh - 0.5) < 0.35) > 0.9


def test_no_bottleneck():
    claim(experiments, "no_bottleneck", "32 small pictures of 7 × 7", "1,568 numbers, twice as many as the image")
    model = build(published("conv_denoise"), IMAGE)
    assert (model.code_shape, model.code_size) == ((7, 7, 32), 2 * 784)


def test_past_the_code():
    claim(experiments, "past_the_code", "6,272 values are 12,544 bits, twice as many as the image's 784 bytes")
    (shape,) = build(published("conv_unpool"), IMAGE).switch_shapes
    assert np.prod(shape) == 6272
    assert 2 * 6272 == 12544 == 2 * 784 * 8


def test_every_experiment_is_checked_here_and_can_be_set():
    from pages.parts.architectures import switch_leak as leak_view
    from pages.parts.layers import layers_view

    checked = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    for view, module in ((layers_view, experiments), (leak_view, switch_experiments)):
        assert set(module.EXPERIMENTS) <= checked
        for one in module.EXPERIMENTS.values():
            for key, value in one.settings.items():
                assert key == "view" or value in view.SETTINGS[key].allowed
    assert layers_view.SETTINGS["architecture"].allowed == suited("strokes")
