"""What Denoise, "Layer by layer" and "Switch leak" say to look for is so, on shipped networks and whole test splits.

Each test reads its settings from the question and first looks whether the sentence that it checks still stands there.
"""

import functools

import numpy as np
import pytest
from claims import answer, claim_of

from cae_core import metrics, runs
from cae_core.architectures import build, published, suited
from cae_core.config import BOTTLENECKS, SHIPPED_LOSSES
from cae_core.corruptions import CORRUPTIONS, corrupt
from cae_core.datasets import as_float, load
from cae_core.inference import trained
from cae_core.inspection import activations, switches
from cae_core.pretrained import TRAINED_ON, name_of
from pages.parts.architectures import switch_leak
from pages.parts.denoise import questions as denoise_questions
from pages.parts.layers import layers_view

SETS = pytest.mark.parametrize(
    "dataset", ["strokes", pytest.param("mnist", marks=[pytest.mark.real_data, pytest.mark.slow])]
)
BOTH = pytest.mark.parametrize("loss", SHIPPED_LOSSES)
QUESTIONS = denoise_questions.QUESTIONS | layers_view.QUESTIONS | switch_leak.QUESTIONS
IMAGE = (28, 28, 1)


@functools.cache
def error(dataset, bottleneck, loss, trained_on, noise_kind="none", noise_factor=0.0):
    """Mean MSE and BCE over the test split."""
    x = as_float(load(dataset, "test").x)
    network = runs.model(runs.read(runs.PRETRAINED_DIR / name_of(dataset, bottleneck, loss, trained_on)))
    x_hat = network.reconstruct(corrupt(x, noise_kind, noise_factor, seed=0))
    return {metric: float(values.mean()) for metric, values in metrics.per_image(x, x_hat, ["mse", "bce"]).items()}


def settings(name, *claims):
    """The settings of a question that makes these claims."""
    text = claim_of(QUESTIONS[name])
    for claim in claims:
        assert claim in text
    return QUESTIONS[name].settings


def test_every_question_is_checked_here_and_can_be_set():
    checked = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert set(QUESTIONS) <= checked
    choices = {"bottleneck": BOTTLENECKS, "loss": SHIPPED_LOSSES, "trained_on": TRAINED_ON, "noise_kind": CORRUPTIONS}
    choices |= {"run": ((),), "both_losses": (False, True)}  # the shipped models
    for denoise in denoise_questions.QUESTIONS.values():
        assert 0 <= denoise.settings["noise_factor"] <= 1
        assert all(value in choices[key] for key, value in denoise.settings.items() if key != "noise_factor")
    for view in (layers_view, switch_leak):
        for setting in (item for one in view.QUESTIONS.values() for item in one.settings.items()):
            assert setting[0] == "view" or setting[1] in view.SETTINGS[setting[0]].allowed
    assert layers_view.SETTINGS["architecture"].allowed == suited("strokes")


def asked(name, dataset, bottleneck=None, trained_on=None, noise_factor=None, loss=None):
    """Errors under the settings of a question, with these in the place of its own."""
    on = QUESTIONS[name].settings
    return error(
        dataset, bottleneck or on["bottleneck"], loss or on["loss"], trained_on or on["trained_on"],
        on.get("noise_kind", "none"), on["noise_factor"] if noise_factor is None else noise_factor,
    )  # fmt: skip


@SETS
def test_from_the_code(dataset):
    on = QUESTIONS["from_the_code"].settings
    network = runs.model(runs.find(name_of(dataset, on["bottleneck"], on["loss"], on["trained_on"])))
    x, train = as_float(load(dataset, "test").x[:50]), as_float(load(dataset, "train").x[:10_000])
    z = network.encode(x)
    x_hat = network.decode(z)
    assert z.shape == (50, 32)
    nearest = min(float(np.abs(train - image).mean(axis=(1, 2, 3)).min()) for image in x_hat)
    np.testing.assert_array_equal(x_hat, network.reconstruct(x))
    answer(QUESTIONS["from_the_code"], np.abs(x_hat - x).max() < 1e-3, z.shape[1] == 32, nearest < 1e-3)


@SETS
def test_two_numbers(dataset):
    ratio = asked("two_numbers", dataset)["mse"] / asked("two_numbers", dataset, bottleneck=32)["mse"]
    answer(QUESTIONS["two_numbers"], ratio < 2, 4 < ratio < 6, ratio > 10)


@SETS
def test_two_judges(dataset):
    mse, bce = (asked("two_judges", dataset, loss=loss) for loss in ("mse", "bce"))
    assert mse["mse"] < 0.02 < 0.1 < bce["bce"]  # what the question says
    assert mse["mse"] < bce["mse"]
    assert bce["bce"] < mse["bce"]
    by_mse = mse["mse"] / bce["mse"]
    answer(QUESTIONS["two_judges"], by_mse < 0.9, by_mse > 1.1, 0.9 < by_mse < 1.1)


@SETS
def test_never_saw_noise(dataset):
    never, practised = (asked("never_saw_noise", dataset, trained_on=on)["mse"] for on in ("clean", "mixed"))
    assert QUESTIONS["never_saw_noise"].settings["trained_on"] == "clean"
    answer(QUESTIONS["never_saw_noise"], practised > never, 0.8 < practised / never < 1.2, never > 5 * practised)


@SETS
def test_wider_worse(dataset):
    ratio = asked("wider_worse", dataset)["mse"] / asked("wider_worse", dataset, bottleneck=8)["mse"]
    answer(QUESTIONS["wider_worse"], ratio < 0.9, 0.9 < ratio < 1.1, ratio > 1.5)
    claim = claim_of(QUESTIONS["wider_worse"])
    assert "On clean images the wider code is the better one" in claim
    clean = [asked("wider_worse", dataset, bottleneck=size, noise_factor=0.0)["mse"] for size in (8, 32)]
    assert clean[1] < clean[0]


@SETS
def test_too_much(dataset):
    much, half = (error(dataset, 32, "bce", "mixed", "gaussian", factor)["mse"] for factor in (1.0, 0.5))
    assert "more than double that at noise 0.5" in claim_of(QUESTIONS["too_much"])
    assert much > 2 * half
    x = as_float(load(dataset, "test").x[:500])
    network = runs.model(runs.find(name_of(dataset, 32, "bce", "mixed")))
    x_hat = network.reconstruct(corrupt(x, "gaussian", 1.0, seed=0))
    grey = float(np.mean((x_hat > 0.2) & (x_hat < 0.8)))
    rough = [float(np.abs(np.diff(images, axis=1)).mean()) for images in (x_hat, corrupt(x, "gaussian", 1.0, seed=0))]
    answer(QUESTIONS["too_much"], grey > 0.3, rough[0] > rough[1] / 2, grey < 0.2 and rough[0] < rough[1] / 3)


@SETS
def test_before_training(dataset):
    settings("before_training", "more than ten times as wrong", "grey all over")
    run = trained.find("fast", dataset, "")
    x = as_float(load(dataset, "test").x[:200])
    fresh = activations.fresh(run.config, IMAGE)
    grey = fresh.reconstruct(x)
    assert metrics.mse(x, grey) > 10 * metrics.mse(x, runs.model(run).reconstruct(x))
    assert np.mean(np.abs(grey - 0.5) < 0.35) > 0.9
    first = np.mean([likest_map(activations.activations(fresh, x[[i]])[0].values, x[i]) for i in range(20)])
    last = np.mean([likeness(image, x_hat) for image, x_hat in zip(x[:20], grey, strict=False)])
    answer(QUESTIONS["before_training"], first < 0.5, first > 0.8 and last < 0.5, last > 0.8)


def likeness(a, b):
    """How much two pictures are alike: the size of their pixels' correlation, in [0, 1]."""
    return abs(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def likest_map(maps, image):
    """The largest likeness of a layer's maps `(h, w, k)`, h and w dividing the image's sides, with an image."""
    height, width = maps.shape[:2]
    small = image.reshape(height, len(image) // height, width, -1).mean(axis=(1, 3))
    return max(likeness(maps[..., k], small) for k in range(maps.shape[2]) if maps[..., k].std() > 1e-6)


def test_wide_code():
    settings("wide_code", "32 × 7 × 7 are 1,568 numbers")
    model = build(published("conv_denoise"), IMAGE)
    assert model.code_shape == (7, 7, 32)
    size = model.code_size / np.prod(IMAGE)
    answer(QUESTIONS["wide_code"], size < 0.5, 0.8 < size < 1.2, size == 2)


def test_past_the_code():
    settings("past_the_code", "6,272 values: 1,568 bytes")
    (shape,) = build(published("conv_unpool"), IMAGE).switch_shapes
    assert np.prod(shape) == 6272
    size = np.prod(shape) * 2 / 8 / np.prod(IMAGE)  # two bits each; a pixel is a byte
    answer(QUESTIONS["past_the_code"], size == 0, 0 < size < 1, size == 2)


def mixed(dataset, name="", **other):
    """The share of the images that a mix has as a question sets it, or with these in its place."""
    on = {**(QUESTIONS[name].settings if name else {}), **other}
    return switches.measured(trained.find("conv_unpool", dataset, ""), dataset, on["mix_code"], on["mix_switches"])


OWN = {"mix_code": "kept", "mix_switches": "kept"}


@SETS
def test_what_and_where(dataset):
    settings("what_and_where", "more than nine in ten come out nearer to the image that gave the code")
    own = mixed(dataset, "what_and_where").own
    answer(QUESTIONS["what_and_where"], own > 0.9, own < 0.1, 0.2 < own < 0.8)


@SETS
def test_random_switches(dataset):
    random = mixed(dataset, "random_switches")
    ratio = random.mse / mixed(dataset, **OWN).mse
    answer(QUESTIONS["random_switches"], ratio < 2, random.explained < 0.5, random.explained > 0.5 and ratio > 40)


@SETS
def test_nothing_known(dataset):
    settings("nothing_known", "explains less than 1 %")
    alone = mixed(dataset, "nothing_known", mix_switches="kept").explained
    answer(QUESTIONS["nothing_known"], alone < 0.05, 0.4 < alone < 0.5, alone > 0.9)
    assert mixed(dataset, "nothing_known").explained < 0.01
