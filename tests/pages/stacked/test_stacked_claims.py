"""What the questions of the Stacked page claim, held against the curve that ships, and stacks trained as they say."""

import dataclasses

import numpy as np
import pytest
from claims import answer, asked

from cae_core.corruptions import corrupt
from cae_core.datasets import as_float, load
from cae_core.stacking import results
from cae_core.stacking.config import check
from cae_core.stacking.network import Networks
from cae_core.stacking.phases import learnt_from, predict, train
from pages.parts.stacked import stack_setting
from pages.parts.stacked.questions import FEW, MANY, QUESTIONS

SETTINGS = stack_setting.settings()


def planned(name, dataset="strokes", **more):
    now = {key: setting.default for key, setting in SETTINGS.items()} | {"dataset": dataset}
    return stack_setting.config_of(now | dict(QUESTIONS[name].settings) | more)


def trained(config, tuned=False):
    networks, split = Networks(config, (28, 28, 1), 10), load(config.dataset, "train")
    x, y = learnt_from(config, split.x, split.y)
    for _ in train(networks, config, x, y, only=lambda stage: tuned or stage.layer is not None):
        pass
    return networks


def errors(config):
    """Of test images through each number of layers and back, MSE per pixel; and of what the stack gets."""
    networks, x = trained(config), as_float(load(config.dataset, "test").x[:300])
    noisy = corrupt(x, config.noise_kind, config.noise_factor, 0)
    back = [networks.stack.reconstruct(noisy, count).numpy() for count in range(1, config.layers + 1)]
    return [float(np.mean((x_hat - x) ** 2)) for x_hat in back], float(np.mean((noisy - x) ** 2))


def test_every_stack_of_a_question_can_be_trained():
    for name, question in QUESTIONS.items():
        if question.settings["stack_view"] == "mine":
            check(planned(name))


def test_few_or_many():
    curve, trouble = results.shipped()
    assert not trouble
    few, many = (next(point for point in curve.points if point.labels == labels) for labels in (FEW, MANY))
    helps = [point.verdict == "helps" for point in (few, many)]
    answer(
        QUESTIONS["few_or_many"],
        all(helps) and many.gain.mean > few.gain.mean / 2,
        helps == [True, False] and 0 < many.gain.mean < 0.1 < 0.9 < few.gain.mean,
        helps == [False, True],
        not any(helps),
    )
    saved = [point.gain.mean for point in curve.points]
    assert saved == sorted(saved, reverse=True)
    assert len(many.errors["random"]) == 5
    shown = QUESTIONS["few_or_many"].measured({})
    assert all(f"{point.mean(arm)[0]:.2f} %" in shown for point in (few, many) for arm in point.errors)


@pytest.mark.slow  # trains a stack as large as the question says
def test_copy(dataset):
    (copied,), _ = errors(planned("copy", dataset))
    (kept,), _ = errors(planned("copy", dataset, pooling=True))
    answer(QUESTIONS["copy"], copied > 1.2 * kept, 0.8 < copied / kept < 1.2, copied < 0.8 * kept)


@pytest.mark.slow  # trains a stack as large as the question says
def test_deep(dataset):
    config = planned("deep", dataset)
    by_layers, _ = errors(config)
    assert by_layers == sorted(by_layers)
    alike = max(by_layers) < 1.2 * min(by_layers)
    nearest = by_layers.index(min(by_layers))
    answer(QUESTIONS["deep"], nearest == 0 and not alike, nearest == 2 and not alike, alike)
    with pytest.raises(ValueError, match="too deep"):
        check(dataclasses.replace(config, pooling=True))


@pytest.mark.slow  # trains a stack as large as the question says
def test_noise(dataset):
    (first, *_), noisy = errors(planned("noise", dataset))
    answer(QUESTIONS["noise"], 0.8 < first / noisy < 1.2, first < 0.8 * noisy, first > 1.2 * noisy)


@pytest.mark.slow  # trains a stack as large as the question says
def test_one_label(dataset):
    test = load(dataset, "test")
    arms = trained(planned("one_label", dataset), tuned=True).arms
    misread = {name: float(np.mean(predict(arm, test.x) != test.y)) for name, arm in arms.items()}
    error = misread["pretrained"]
    question = asked(QUESTIONS["one_label"], "random weights misreads more than 3 in 10, too")
    answer(question, error < 0.1, 0.3 < error < 0.8, error > 0.8)
    assert misread["random"] > 0.3
