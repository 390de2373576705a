"""What the Stacked page says under "Try this", held against stacks trained as it says."""

import dataclasses

import numpy as np
import pytest

from cae_core.corruptions import corrupt
from cae_core.datasets import as_float, load
from cae_core.stacking.config import check
from cae_core.stacking.network import Networks
from cae_core.stacking.phases import learnt_from, predict, train
from pages.parts.stacked import stack_setting
from pages.parts.stacked.questions import QUESTIONS

SETTINGS = stack_setting.settings()
TRAINS_A_STACK = pytest.mark.slow  # as large as the experiment says, to prove its sentence


def planned(name, **more):
    now = {key: setting.default for key, setting in SETTINGS.items()} | {"dataset": "strokes"}
    return stack_setting.config_of(now | dict(QUESTIONS[name].settings) | more)


def trained(config, tuned=False):
    networks, split = Networks(config, (28, 28, 1), 10), load("strokes", "train")
    x, y = learnt_from(config, split.x, split.y)
    for _ in train(networks, config, x, y, only=lambda stage: tuned or stage.layer is not None):
        pass
    return networks


def errors(config):
    """Of test images through each number of layers and back, MSE per pixel; and of what the stack gets."""
    networks, x = trained(config), as_float(load("strokes", "test").x[:300])
    noisy = corrupt(x, config.noise_kind, config.noise_factor, 0)
    back = [networks.stack.reconstruct(noisy, count).numpy() for count in range(1, config.layers + 1)]
    return [float(np.mean((x_hat - x) ** 2)) for x_hat in back], float(np.mean((noisy - x) ** 2))


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_experiment_can_be_set(name):
    assert all(SETTINGS[key].allows(value) for key, value in QUESTIONS[name].settings.items())
    check(planned(name))


@TRAINS_A_STACK
def test_without_pooling_a_layer_copies_and_with_it_less_well():
    (copied,), _ = errors(planned("copy", pooling=False))
    (kept,), _ = errors(planned("copy", pooling=True))
    assert copied < kept


@TRAINS_A_STACK
def test_each_row_is_worse_than_the_one_above_and_pooling_is_one_too_many():
    config = planned("deep")
    by_layers, _ = errors(config)
    assert by_layers == sorted(by_layers)
    with pytest.raises(ValueError, match="too deep"):
        check(dataclasses.replace(config, pooling=True))


@TRAINS_A_STACK
def test_layer_1_takes_noise_off():
    by_layers, noisy = errors(planned("noise"))
    assert by_layers[0] < noisy


@TRAINS_A_STACK
def test_one_label_a_class_is_too_few():
    test = load("strokes", "test")
    arms = trained(planned("few"), tuned=True).arms
    misread = {name: np.mean(predict(arm, test.x) != test.y) for name, arm in arms.items()}
    assert min(misread.values()) > 0.3, misread
