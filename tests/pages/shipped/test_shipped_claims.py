"""What Denoise, "Layer by layer" and "Switch leak" say to look for is so, on shipped networks and whole test splits.

Each test reads its settings from the question and first looks whether the sentence that it checks still stands there.
"""

import functools

import numpy as np
from claims import answer, asked

from cae_core import metrics, runs
from cae_core.architectures import build, published
from cae_core.corruptions import corrupt
from cae_core.datasets import as_float, load
from cae_core.inference import trained
from cae_core.inspection import activations, switches
from cae_core.pretrained import name_of
from pages.parts.architectures import switch_leak
from pages.parts.denoise import questions as denoise_questions
from pages.parts.layers import layers_view

QUESTIONS = denoise_questions.QUESTIONS | layers_view.QUESTIONS | switch_leak.QUESTIONS
IMAGE = (28, 28, 1)


@functools.cache
def error(dataset, bottleneck, loss, trained_on, noise_kind, noise_factor):
    """Mean MSE and BCE over the test split, as they ship with the network (held by its own test) or measured now."""
    run = runs.find(name_of(dataset, bottleneck, loss, trained_on))
    condition = "clean" if not noise_factor else f"{noise_kind} {noise_factor:g}"
    if condition in run.metrics:
        return run.metrics[condition]
    x = as_float(load(dataset, "test").x)
    x_hat = runs.model(run).reconstruct(corrupt(x, noise_kind, noise_factor, seed=0))
    return {metric: float(values.mean()) for metric, values in metrics.per_image(x, x_hat, ["mse", "bce"]).items()}


def mse(name, dataset, metric="mse", **other):
    """The error under the settings of a question, with these in the place of its own."""
    on = {"noise_kind": "none", **QUESTIONS[name].settings, **other}
    return error(dataset, *(on[key] for key in ("bottleneck", "loss", "trained_on", "noise_kind", "noise_factor")))[metric]


def test_from_the_code(dataset):
    on = QUESTIONS["from_the_code"].settings
    network = runs.model(runs.find(name_of(dataset, on["bottleneck"], on["loss"], on["trained_on"])))
    x, train = as_float(load(dataset, "test").x[:50]), as_float(load(dataset, "train").x[:2_000])
    z = network.encode(x)
    x_hat = network.decode(z)
    assert z.shape == (50, 32)
    nearest = min(float(np.abs(train - image).mean(axis=(1, 2, 3)).min()) for image in x_hat)
    np.testing.assert_array_equal(x_hat, network.reconstruct(x))
    answer(QUESTIONS["from_the_code"], np.abs(x_hat - x).max() < 1e-3, z.shape[1] == 32, nearest < 1e-3)


def test_two_numbers(dataset):
    ratio = mse("two_numbers", dataset) / mse("two_numbers", dataset, bottleneck=32)
    answer(QUESTIONS["two_numbers"], ratio < 2, 4 < ratio < 6, ratio > 10)


def test_two_judges(dataset):
    own, other = ([mse("two_judges", dataset, of, loss=loss) for of in ("mse", "bce")] for loss in ("mse", "bce"))
    assert own[0] < 0.02 < 0.1 < other[1] < own[1]  # what the question says
    assert own[0] < other[0]
    by_mse = own[0] / other[0]
    answer(QUESTIONS["two_judges"], by_mse < 0.9, by_mse > 1.1, 0.9 < by_mse < 1.1)


def test_never_saw_noise(dataset):
    never, practised = (mse("never_saw_noise", dataset, trained_on=on) for on in ("clean", "mixed"))
    assert QUESTIONS["never_saw_noise"].settings["trained_on"] == "clean"
    answer(QUESTIONS["never_saw_noise"], practised > never, 0.8 < practised / never < 1.2, never > 5 * practised)


def test_wider_worse(dataset):
    question = asked(QUESTIONS["wider_worse"], "On clean images the wider code is the better one")
    ratio = mse("wider_worse", dataset) / mse("wider_worse", dataset, bottleneck=8)
    answer(question, ratio < 0.9, 0.9 < ratio < 1.1, ratio > 1.5)
    narrow, wide = (mse("wider_worse", dataset, bottleneck=size, noise_factor=0.0) for size in (8, 32))
    assert wide < narrow


def test_too_much(dataset):
    much, half = (error(dataset, 32, "bce", "mixed", "gaussian", factor)["mse"] for factor in (1.0, 0.5))
    question = asked(QUESTIONS["too_much"], "more than double that at noise 0.5")
    assert much > 2 * half
    x = as_float(load(dataset, "test").x[:500])
    network = runs.model(runs.find(name_of(dataset, 32, "bce", "mixed")))
    x_noisy = corrupt(x, "gaussian", 1.0, seed=0)
    x_hat = network.reconstruct(x_noisy)
    grey = float(np.mean((x_hat > 0.2) & (x_hat < 0.8)))
    rough = [float(np.abs(np.diff(images, axis=1)).mean()) for images in (x_hat, x_noisy)]
    answer(question, grey > 0.3, rough[0] > rough[1] / 2, grey < 0.2 and rough[0] < rough[1] / 3)


def test_before_training(dataset):
    question = asked(QUESTIONS["before_training"], "more than ten times as wrong", "grey all over")
    run = trained.find("fast", dataset, "")
    x = as_float(load(dataset, "test").x[:200])
    fresh = activations.fresh(run.config, IMAGE)
    grey = fresh.reconstruct(x)
    assert metrics.mse(x, grey) > 10 * metrics.mse(x, runs.model(run).reconstruct(x))
    assert np.mean(np.abs(grey - 0.5) < 0.35) > 0.9
    first = np.mean([likest_map(activations.activations(fresh, x[[i]])[0].values, x[i]) for i in range(20)])
    last = np.mean([likeness(image, x_hat) for image, x_hat in zip(x[:20], grey, strict=False)])
    answer(question, first < 0.5, first > 0.8 and last < 0.5, last > 0.8)


def likeness(a, b):
    """How much two pictures are alike: the size of their pixels' correlation, in [0, 1]."""
    return abs(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def likest_map(maps, image):
    """The largest likeness of a layer's maps `(h, w, k)`, h and w dividing the image's sides, with an image."""
    height, width = maps.shape[:2]
    small = image.reshape(height, len(image) // height, width, -1).mean(axis=(1, 3))
    return max(likeness(maps[..., k], small) for k in range(maps.shape[2]) if maps[..., k].std() > 1e-6)


def test_wide_code():
    question = asked(QUESTIONS["wide_code"], "32 × 7 × 7 are 1,568 numbers")
    model = build(published("conv_denoise"), IMAGE)
    assert model.code_shape == (7, 7, 32)
    size = model.code_size / np.prod(IMAGE)
    answer(question, size < 0.5, 0.8 < size < 1.2, size == 2)


def test_past_the_code():
    question = asked(QUESTIONS["past_the_code"], "6,272 values: 1,568 bytes")
    (shape,) = build(published("conv_unpool"), IMAGE).switch_shapes
    assert np.prod(shape) == 6272
    size = np.prod(shape) * 2 / 8 / np.prod(IMAGE)  # two bits each; a pixel is a byte
    answer(question, size == 0, 0 < size < 1, size == 2)


def mixed(dataset, name="", **other):
    """The share of the images that a mix has as a question sets it, or with these in its place."""
    on = {**(QUESTIONS[name].settings if name else {}), **other}
    return switches.measured(trained.find("conv_unpool", dataset, ""), dataset, on["mix_code"], on["mix_switches"])


def test_what_and_where(dataset):
    question = asked(QUESTIONS["what_and_where"], "more than nine in ten come out nearer to the image that gave the code")
    own = mixed(dataset, "what_and_where").own
    answer(question, own > 0.9, own < 0.1, 0.2 < own < 0.8)


def test_random_switches(dataset):
    random = mixed(dataset, "random_switches")
    ratio = random.mse / mixed(dataset, mix_code="kept", mix_switches="kept").mse
    answer(QUESTIONS["random_switches"], ratio < 2, random.explained < 0.5, random.explained > 0.5 and ratio > 40)


def test_nothing_known(dataset):
    question = asked(QUESTIONS["nothing_known"], "explains less than 1 %")
    alone = mixed(dataset, "nothing_known", mix_switches="kept").explained
    answer(question, alone < 0.05, 0.4 < alone < 0.5, alone > 0.9)
    assert mixed(dataset, "nothing_known").explained < 0.01
