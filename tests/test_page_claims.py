"""What Denoise, "Layer by layer" and "Switch leak" say to look for is so, on shipped networks and whole test splits.

Each test reads its settings from the experiment and first looks whether the sentence that it checks still stands there.
"""

import functools
import re

import numpy as np
import pytest

from cae_core import metrics, runs
from cae_core.architectures import build, published, suited
from cae_core.config import BOTTLENECKS, SHIPPED_LOSSES
from cae_core.corruptions import CORRUPTIONS, corrupt
from cae_core.datasets import GREY, as_float, load
from cae_core.inference import trained
from cae_core.inspection import activations, switches
from cae_core.pretrained import TRAINED_ON, name_of
from pages.parts.architectures import switch_leak
from pages.parts.common import experiment
from pages.parts.layers import experiments as layer_experiments
from pages.parts.layers import layers_view
from pages.parts.runs import settings_table

SETS = pytest.mark.parametrize(
    "dataset", ["strokes", pytest.param("mnist", marks=[pytest.mark.real_data, pytest.mark.slow])]
)
BOTH = pytest.mark.parametrize("loss", SHIPPED_LOSSES)
EXPERIMENTS = experiment.EXPERIMENTS | layer_experiments.EXPERIMENTS | switch_leak.EXPERIMENTS
IMAGE = (28, 28, 1)


@functools.cache
def error(dataset, bottleneck, loss, trained_on, noise_kind="none", noise_factor=0.0):
    """Mean MSE and BCE over the test split."""
    x = as_float(load(dataset, "test").x)
    network = runs.model(runs.read(runs.PRETRAINED_DIR / name_of(dataset, bottleneck, loss, trained_on)))
    x_hat = network.reconstruct(corrupt(x, noise_kind, noise_factor, seed=0))
    return {metric: float(values.mean()) for metric, values in metrics.per_image(x, x_hat, ["mse", "bce"]).items()}


def settings(name, *claims):
    """The settings of an experiment that makes these claims."""
    text = " ".join(EXPERIMENTS[name].look_for.split())
    for claim in claims:
        assert claim in text
    return EXPERIMENTS[name].settings


def test_every_experiment_is_checked_here_and_can_be_set():
    checked = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert set(EXPERIMENTS) <= checked
    choices = {"bottleneck": BOTTLENECKS, "loss": SHIPPED_LOSSES, "trained_on": TRAINED_ON, "noise_kind": CORRUPTIONS}
    choices |= {"run": ((),), "both_losses": (False, True)}  # the shipped models
    for denoise in experiment.EXPERIMENTS.values():
        assert 0 <= denoise.settings["noise_factor"] <= 1
        assert all(value in choices[key] for key, value in denoise.settings.items() if key != "noise_factor")
    for view, module in ((layers_view, layer_experiments), (switch_leak, switch_leak)):
        for setting in (item for one in module.EXPERIMENTS.values() for item in one.settings.items()):
            assert setting[0] == "view" or setting[1] in view.SETTINGS[setting[0]].allowed
    assert layers_view.SETTINGS["architecture"].allowed == suited("strokes")


@SETS
def test_two_numbers(dataset):
    on = settings("two_numbers", "Move the bottleneck up to 32 and the error falls to less than a fifth.")
    assert (on["bottleneck"], on["noise_factor"]) == (2, 0)
    two, many = (error(dataset, bottleneck, on["loss"], on["trained_on"])["mse"] for bottleneck in (on["bottleneck"], 32))
    assert many < two / 5


@BOTH
@SETS
def test_never_saw_noise(dataset, loss):
    on = settings("never_saw_noise", "Switch to the model trained on noisy images", "less than a quarter of the error")
    assert on["trained_on"] == "clean"
    noise = on["noise_kind"], on["noise_factor"]
    never, noisy = (error(dataset, on["bottleneck"], loss, trained_on, *noise)["mse"] for trained_on in TRAINED_ON)
    assert noisy < never / 4


@SETS
def test_two_judges(dataset):
    on = settings("two_judges", "the network trained with MSE has the lower MSE, the one trained with BCE the lower BCE")
    assert on["both_losses"]
    assert on["noise_factor"] == 0
    mse, bce = (error(dataset, on["bottleneck"], loss, on["trained_on"]) for loss in ("mse", "bce"))
    assert mse["mse"] < bce["mse"]
    assert bce["bce"] < mse["bce"]


@pytest.mark.parametrize("dataset", GREY)
def test_two_judges_elsewhere(dataset):
    on = settings("two_judges", "At some other bottleneck one of them wins both")
    sentences = [
        settings_table.winners([runs.find(name_of(dataset, size, loss, on["trained_on"])) for loss in SHIPPED_LOSSES])
        for size in BOTTLENECKS
    ]
    assert any(re.search(r"\*\*Clean\*\*: the network trained with (MSE|BCE) wins both\.", text) for text in sentences)


@BOTH
@SETS
def test_too_much(dataset, loss):
    on = settings("too_much", "The error is more than double that at noise 0.5")
    assert on["noise_factor"] == 1
    much, half = (error(dataset, on["bottleneck"], loss, on["trained_on"], on["noise_kind"], f)["mse"] for f in (1.0, 0.5))
    assert much > 2 * half


@SETS
def test_before_training(dataset):
    settings("before_training", "more than ten times as wrong", "grey all over")
    run = trained.find("fast", dataset, "")
    x = as_float(load(dataset, "test").x[:200])
    fresh = activations.fresh(run.config, IMAGE).reconstruct(x)
    assert metrics.mse(x, fresh) > 10 * metrics.mse(x, runs.model(run).reconstruct(x))
    assert np.mean(np.abs(fresh - 0.5) < 0.35) > 0.9


def test_no_bottleneck():
    settings("no_bottleneck", "32 small pictures of 7 × 7", "1,568 numbers, twice as many as the image")
    model = build(published("conv_denoise"), IMAGE)
    assert (model.code_shape, model.code_size) == ((7, 7, 32), 2 * 784)


def test_past_the_code():
    settings("past_the_code", "6,272 values make 1,568 bytes, twice the image's 784")
    (shape,) = build(published("conv_unpool"), IMAGE).switch_shapes
    assert np.prod(shape) == 6272
    assert 2 * 6272 == 12544 == 2 * 784 * 8


def mixed(code, places):
    return switches.measured(runs.find("mnist-conv_unpool"), "mnist", code, places)


@pytest.mark.real_data
def test_what_and_where():
    on = settings("what_and_where", "more than nine in ten are nearer to the image that gave the code")
    assert mixed(on["mix_code"], on["mix_switches"]).own < 0.1


@pytest.mark.real_data
def test_random_switches():
    on = settings("random_switches", "more than double that with the true ones")
    random = mixed(on["mix_code"], on["mix_switches"])
    assert random.mse > 2 * mixed("kept", "kept").mse
    assert random.explained > 0.5  # the digit is still there


@pytest.mark.real_data
def test_nothing_known():
    on = settings("nothing_known", "less than 1 %", "explains at least a fifth")
    assert mixed(on["mix_code"], on["mix_switches"]).explained < 0.01
    assert mixed(on["mix_code"], "kept").explained > 0.2
