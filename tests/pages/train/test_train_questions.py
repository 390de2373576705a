"""What the Train page says to look for is so: each question is trained as it stands, and its answers and sentences checked.

Each test first looks whether the sentence that it checks still stands there.
"""

import dataclasses
import functools
import itertools

import claims
import numpy as np
import pytest
from claims import answer

from cae_core import training, validation
from cae_core.architectures import build
from cae_core.config import RunConfig
from cae_core.datasets import as_float, load
from cae_core.training import run_monitor
from pages.parts.train.questions import FIRST, QUESTIONS


def trains_a_preset(test):
    """A run of thousands of images to prove what a sentence says, on both sets of digits."""
    sets = pytest.mark.parametrize("dataset", ["strokes", pytest.param("mnist", marks=pytest.mark.real_data)])
    return pytest.mark.slow(pytest.mark.usefixtures("real_data")(sets(test)))


def asked(name, *sentences, dataset="strokes"):
    """The configuration of a question that says these sentences."""
    settings = claims.asked(QUESTIONS[name], *sentences).settings
    return RunConfig(dataset=dataset, **{key: settings[key] for key in settings if key not in ("fork", "fork_step")})


@dataclasses.dataclass
class Trained:
    """A run from its first step to its last: its network, its probes, their pictures by step, and the epochs' rows."""

    model: object
    probes: run_monitor.Probes
    x_hat: dict[int, np.ndarray]
    history: list[dict[str, float]]

    def column(self, name):
        return np.array([row[name] for row in self.history])


@functools.cache
def trained(config, look_every=0):
    """Trains a configuration, looking at the probes at every so many steps of the first epoch, and at the end."""
    x_train, x_held_out = training.split_held_out(load(config.dataset, "train").x, config.num_train)
    model = build(config, x_train.shape[1:])
    run = Trained(model, run_monitor.probes(config), {}, [])
    for event in training.train(model, config, x_train, x_held_out):
        if (look_every and event.epoch == 0 and event.step % look_every == 0) or event.step == event.num_steps:
            run.x_hat[event.step] = model.reconstruct(run.probes.x_noisy)
        if event.epoch_loss is not None:
            run.history.append(training.history_row(event))
    return run


def mse(x, x_hat):
    return float(np.mean((x - x_hat) ** 2))


def held_out(dataset):
    return as_float(load(dataset, "train").x[-training.HELD_OUT :][:1000])


def agreement(codes, labels, k=5):
    """The share of each point's k nearest neighbours that are of its own class."""
    distance = ((codes[:, None] - codes[None]) ** 2).sum(axis=-1)
    np.fill_diagonal(distance, np.inf)
    nearest = np.argsort(distance, axis=1)[:, :k]
    return float((labels[nearest] == labels[:, None]).mean())


def test_every_question_can_be_trained():
    assert asked("first_steps") == FIRST  # with which the page opens
    for name in QUESTIONS:
        validation.check(asked(name))


@trains_a_preset
def test_first_steps(dataset):
    config = asked(
        "first_steps", "after its first ten steps",
        "the fog turns into digits within the first epoch, blurred ones that are much alike, then each its own.",
        dataset=dataset,
    )  # fmt: skip
    run = trained(config, look_every=2)
    x, noisy = run.probes.x, run.probes.x_noisy
    mean_image = as_float(load(dataset, "train").x[: config.num_train]).mean(axis=0)

    def unlike(images):  # how far the eight are from being one image, as a share of how far the clean ones are
        return images.var(axis=0).mean() / x.var(axis=0).mean()

    def rough(images):
        return float(np.abs(np.diff(images, axis=1)).mean())

    fog = run.x_hat[10]
    is_fog = fog.min() > 0.3 and fog.max() < 0.7 and unlike(fog) < 0.01
    answer(QUESTIONS["first_steps"], unlike(fog) > 0.5, rough(fog) > rough(noisy) / 2, is_fog)
    digits = [
        images for images in run.x_hat.values() if np.corrcoef(images.mean(axis=0).ravel(), mean_image.ravel())[0, 1] > 0.8
    ]
    assert unlike(digits[0]) < 0.5
    *_, first_epoch, end = run.x_hat.values()
    assert unlike(first_epoch) > 0.6
    assert mse(x, first_epoch) < mse(x, digits[0]) / 2

    # FIRST's epochs are enough to recognise the digits.
    assert mse(x, end) <= 0.02
    assert mse(x, end) < mse(x, noisy) / 5
    assert mse(x, end) < mse(x, mean_image) / 3


@trains_a_preset
def test_cloud_unfolds(dataset):
    config = asked(
        "cloud_unfolds", "the plane at the right, which is the whole code",
        "digits of one kind come to lie together, though not apart from all others", dataset=dataset,
    )  # fmt: skip
    run = trained(config)
    sample = run_monitor.sample(config.dataset)
    codes = run.model.encode(sample.x)
    assert codes.shape == (run_monitor.NUM_CODES, 2)
    together = agreement(codes, sample.labels)
    before = agreement(build(config, run.probes.x.shape[1:]).encode(sample.x), sample.labels)
    unfolds = 2 * before < together < 0.9 and together > 0.4  # by chance it would be 0.1
    answer(QUESTIONS["cloud_unfolds"], together < 0.2, together > 0.95, unfolds)


@trains_a_preset
def test_by_heart(dataset):
    config = asked(
        "by_heart", "One hundred images, seen forty times.",
        "the training loss, dashed, goes on falling while the held-out loss stops and turns up", dataset=dataset,
    )  # fmt: skip
    assert (config.num_train, config.epochs) == (100, 40)
    run = trained(config)
    loss, other = run.column("loss"), run.column("held_out_loss")
    turn = int(other.argmin())
    up = other[-1] / other[turn]
    assert 5 < turn < 35
    answer(QUESTIONS["by_heart"], turn == len(other) - 1, up < 1.01, up > 1.03)
    assert (np.diff(loss[turn:]) < 0).all()
    assert loss[-1] < 0.95 * loss[turn]
    assert loss[-1] < 0.6 * other.min()


@trains_a_preset
def test_no_bottleneck(dataset):
    config = asked(
        "no_bottleneck", "The code of this network has twice as many numbers as the image",
        "after one epoch the copy is nearly perfect, and nothing had to be learned about digits. "
        "Set the noise kind to Gaussian, and it has to",
        dataset=dataset,
    )  # fmt: skip
    assert config.epochs == 1
    run, x = trained(config), held_out(dataset)
    assert run.model.code_size == 2 * x[0].size
    # It has no idea of a digit: noise is copied like anything else, and training against noise does far better.
    noisy = run_monitor.corrupt(x, "gaussian", config.noise_factor, 0)
    copied = mse(x, run.model.reconstruct(noisy))
    learned = mse(x, trained(dataclasses.replace(config, noise_kind="gaussian")).model.reconstruct(noisy))
    assert learned < mse(x, noisy) / 5
    back = mse(x, run.model.reconstruct(x))
    answer(QUESTIONS["no_bottleneck"], copied < learned, back < 0.005 and learned < copied / 2, back > 0.02)


@trains_a_preset
def test_clouds(dataset):
    config = asked(
        "clouds", "The held-out loss is the **distortion** plus β times the **rate**",
        "Set β to 0.1, and the clouds move apart: the rate grows and the distortion falls.", dataset=dataset,
    )  # fmt: skip
    run, apart = trained(config), trained(dataclasses.replace(config, beta=0.1))
    most, most_apart = (np.quantile(np.abs(of.model.encode(held_out(dataset))), 0.99) for of in (run, apart))
    spread = run.model.encode(held_out(dataset)).std()
    answer(QUESTIONS["clouds"], most > 10, spread > 0.3 and most < min(5, most_apart), spread < 0.1)
    np.testing.assert_allclose(run.column("held_out_loss"), run.column("distortion") + run.column("rate"), atol=1e-4)
    assert apart.column("rate")[-1] > 1.1 * run.column("rate")[-1]
    assert apart.column("distortion")[-1] < run.column("distortion")[-1]


@trains_a_preset
def test_too_large_steps(dataset):
    config = asked(
        "too_large_steps", "until the run ends by itself within seconds and says what to try", "0.003",
        "A hundredth of this learning rate works well.", dataset=dataset,
    )  # fmt: skip
    x_train, x_held_out = training.split_held_out(load(dataset, "train").x, config.num_train)
    steps = training.train(build(config, x_train.shape[1:]), config, x_train, x_held_out)
    too_large = r"The loss .* the steps are too large. Instead of a learning rate of 0.3, try 0.001,"
    with pytest.raises(FloatingPointError, match=too_large):
        list(itertools.islice(steps, 100))
    answer(QUESTIONS["too_large_steps"], False, False, True)  # a run that ends so has learned nothing

    run = trained(dataclasses.replace(config, learning_rate=config.learning_rate / 100))
    assert mse(run.probes.x, run.x_hat.popitem()[1]) < 0.02
