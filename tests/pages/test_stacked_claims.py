"""What the Stacked page says under "Try this", held against stacks trained as it says."""

import dataclasses

import numpy as np
import pytest

from cae_core.corruptions import corrupt
from cae_core.datasets import as_float, load
from cae_core.stacking.phases import learnt_from, predict, train
from pages.parts.stacked import stack_setting
from pages.parts.stacked.experiments import EXPERIMENTS
from pages.parts.stacked.stack_setting import config_of

SETTINGS = stack_setting.settings()


TRAINS_A_STACK = pytest.mark.slow  # as large as the experiment says, to prove its sentence


def settings(name, **more):
    now = {key: setting.default for key, setting in SETTINGS.items()} | {"dataset": "strokes"}
    return config_of(now | dict(EXPERIMENTS[name].settings) | more)


def trained(config, tuned=False):
    from cae_core.stacking.network import Networks

    networks, split = Networks(config, (28, 28, 1), 10), load("strokes", "train")
    x, y = learnt_from(config, split.x, split.y)
    for _ in train(networks, config, x, y, only=lambda stage: tuned or stage.layer is not None):
        pass
    return networks


def errors(networks, config):
    """Of test images through each number of layers and back, MSE per pixel; and of what the stack gets."""
    x = as_float(load("strokes", "test").x[:300])
    noisy = corrupt(x, config.noise_kind, config.noise_factor, 0)
    back = [networks.stack.reconstruct(noisy, count).numpy() for count in range(1, config.layers + 1)]
    return [float(np.mean((made - x) ** 2)) for made in back], float(np.mean((noisy - x) ** 2))


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_can_be_set(name):
    given = EXPERIMENTS[name].settings
    assert set(given) <= set(SETTINGS)
    assert all(SETTINGS[key].allows(value) for key, value in given.items())
    from cae_core.stacking.config import check

    check(settings(name))


@TRAINS_A_STACK
def test_without_pooling_a_layer_copies_and_with_it_less_well():
    plain, pooled = (settings("copy", pooling=on) for on in (False, True))
    (copied,), _ = errors(trained(plain), plain)
    (kept,), _ = errors(trained(pooled), pooled)
    assert copied < kept


@TRAINS_A_STACK
def test_each_row_is_worse_than_the_one_above_and_pooling_is_one_too_many():
    config = settings("deep")
    found, _ = errors(trained(config), config)
    assert found == sorted(found)
    from cae_core.stacking.config import check

    with pytest.raises(ValueError, match="too deep"):
        check(dataclasses.replace(config, pooling=True))


@TRAINS_A_STACK
def test_layer_1_takes_noise_off():
    config = settings("noise")
    found, noisy = errors(trained(config), config)
    assert found[0] < noisy


@TRAINS_A_STACK
def test_one_label_a_class_is_too_few():
    config = settings("few")
    test = load("strokes", "test")
    arms = trained(config, tuned=True).arms
    read = {name: np.mean(predict(arm, test.x) != test.y) for name, arm in arms.items()}
    assert min(read.values()) > 0.3, read
