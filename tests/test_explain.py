"""What the Denoise page says to look for is so, on the shipped models and over a whole test split.

Each test reads its settings from the experiment and first looks whether the sentence that it checks still stands there.
"""

import functools
import re

import pytest

from cae_core import metrics, runs
from cae_core.config import BOTTLENECKS, SHIPPED_LOSSES
from cae_core.corruptions import corrupt
from cae_core.datasets import GREY, as_float, load
from cae_core.pretrained import name_of
from pages.parts.runs import settings_table

SETS = pytest.mark.parametrize(
    "dataset", ["strokes", pytest.param("mnist", marks=[pytest.mark.real_data, pytest.mark.slow])]
)
BOTH = pytest.mark.parametrize("loss", SHIPPED_LOSSES)


@functools.cache
def error(dataset, bottleneck, loss, trained_on, noise_kind="none", noise_factor=0.0, metric="mse"):
    x = as_float(load(dataset, "test").x)
    network = runs.model(runs.read(runs.PRETRAINED_DIR / name_of(dataset, bottleneck, loss, trained_on)))
    x_hat = network.reconstruct(corrupt(x, noise_kind, noise_factor, seed=0))
    return float(metrics.per_image(x, x_hat, [metric])[metric].mean())


def experiment(name, *claims):
    """The settings of an experiment that makes these claims."""
    from pages.parts.common.experiment import EXPERIMENTS

    text = " ".join(EXPERIMENTS[name].look_for.split())
    for claim in claims:
        assert claim in text
    return EXPERIMENTS[name].settings


def test_every_experiment_is_checked_here():
    from pages.parts.common.experiment import EXPERIMENTS

    checked = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert set(EXPERIMENTS) <= checked


def test_every_experiment_can_be_set():
    """Its settings are the page's, with values that the page allows."""
    from cae_core.config import BOTTLENECKS
    from cae_core.corruptions import CORRUPTIONS
    from cae_core.pretrained import TRAINED_ON
    from pages.parts.common.experiment import EXPERIMENTS

    choices = {"bottleneck": BOTTLENECKS, "loss": SHIPPED_LOSSES, "trained_on": TRAINED_ON, "noise_kind": CORRUPTIONS}
    choices["run"] = ((),)  # the shipped models
    for one in EXPERIMENTS.values():
        for key, value in one.settings.items():
            assert key in ("noise_factor", "both_losses") or value in choices[key]
        assert 0 <= one.settings["noise_factor"] <= 1


@SETS
def test_two_numbers(dataset):
    on = experiment("two_numbers", "Move the bottleneck up to 32 and the error falls to less than a fifth.")
    assert (on["bottleneck"], on["noise_factor"]) == (2, 0)
    two, many = (error(dataset, bottleneck, on["loss"], on["trained_on"]) for bottleneck in (on["bottleneck"], 32))
    assert many < two / 5


@BOTH
@SETS
def test_never_saw_noise(dataset, loss):
    on = experiment("never_saw_noise", "Switch to the model trained on noisy images", "less than a quarter of the error")
    assert on["trained_on"] == "clean"
    noise = on["noise_kind"], on["noise_factor"]
    never, trained = (error(dataset, on["bottleneck"], loss, trained_on, *noise) for trained_on in ("clean", "mixed"))
    assert trained < never / 4


@SETS
def test_two_judges(dataset):
    on = experiment("two_judges", "the network trained with MSE has the lower MSE, the one trained with BCE the lower BCE")
    assert on["both_losses"]
    assert on["noise_factor"] == 0
    errors = {
        (loss, metric): error(dataset, on["bottleneck"], loss, on["trained_on"], metric=metric)
        for loss in ("mse", "bce")
        for metric in ("mse", "bce")
    }
    assert errors["mse", "mse"] < errors["bce", "mse"]
    assert errors["bce", "bce"] < errors["mse", "bce"]


@pytest.mark.parametrize("dataset", GREY)
def test_two_judges_elsewhere(dataset):
    on = experiment("two_judges", "At some other bottleneck one of them wins both")
    said = [
        settings_table.winners([runs.find(name_of(dataset, size, loss, on["trained_on"])) for loss in SHIPPED_LOSSES])
        for size in BOTTLENECKS
    ]
    assert any(re.search(r"\*\*Clean\*\*: the network trained with (MSE|BCE) wins both\.", sentence) for sentence in said)


@BOTH
@SETS
def test_too_much(dataset, loss):
    on = experiment("too_much", "The error is more than double that at noise 0.5")
    assert on["noise_factor"] == 1
    much, half = (error(dataset, on["bottleneck"], loss, on["trained_on"], on["noise_kind"], f) for f in (1.0, 0.5))
    assert much > 2 * half
