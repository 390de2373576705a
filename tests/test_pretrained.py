"""The runs that ship: all there, as their recipe says, small, as good as promised, and honestly measured."""

import dataclasses
import functools

import numpy as np
import pytest

from cae_core import pca, pretrained, runs, validation
from cae_core.architectures import ARCHITECTURES, build, fitting, num_epochs, published, suited
from cae_core.comparisons import recipes
from cae_core.config import BOTTLENECKS, SHIPPED_LOSSES, RunConfig
from cae_core.datasets import DATASETS, as_float, load
from cae_core.inspection import evaluation
from cae_core.inspection.evaluation import MEASURED
from cae_core.metrics import ELBO
from cae_core.pretrained import COLOURING, RECIPES, SHIPPED, SYSTEMS, VARIATIONAL, colour_name, name_of, vae_name
from cae_core.sweeps import findings

SIZES = {"mnist": (55_000, 10_000), "fashion_mnist": (55_000, 10_000), "strokes": (45_000, 5_000)}
SIZES |= {"strokes_colour": (20_000, 2_000), "cifar10": (10_000, 2_000)}
"""Images each data set trains on, without the held-out ones, and its test images."""

LARGEST, LARGEST_CLOUDS = 40_000_000, 4_000_000
"""Bytes the whole folder may take, and the variational networks in it."""

BARS = {
    "mnist-b32-bce-mixed": ("gaussian 0.5", 0.0105),
    "mnist-b32-mse-clean": ("clean", 2.4 / 784),
    "mnist-b2-mse-clean": ("clean", 0.036),
}
"""Test MSE per pixel that a run must not exceed, under a condition of `MEASURED`."""

REAL = pytest.mark.real_data
SLOW = pytest.mark.slow  # thousands of images through networks, or PCA of 55,000
MNISTS = [pytest.param(name, marks=[REAL, SLOW]) for name in ("mnist", "fashion_mnist")]


def shipped(name):
    return runs.read(runs.PRETRAINED_DIR / name)


def test_there_is_a_recipe_for_everything_that_can_be_picked_and_a_run_for_every_recipe():
    assert len(RECIPES) == 3 * len(SHIPPED_LOSSES) * len(BOTTLENECKS) * len(pretrained.TRAINED_ON) == 84
    assert len(COLOURING) == 8
    for name, config in SHIPPED.items():
        validation.check(config)
        assert runs.check_name(name) == name
    config = RECIPES[name_of("mnist", 32, "bce", "mixed")]
    assert (config.dataset, config.bottleneck, config.loss, config.noise_kind) == ("mnist", 32, "bce", "mixed")
    assert RECIPES["mnist-b2-mse-clean"].noise_kind == "none"
    for name in pretrained.SYSTEM_NAMES:  # as they were published
        config = SYSTEMS[f"mnist-{name}"]
        assert config == dataclasses.replace(published(name), epochs=config.epochs)
        assert config.epochs == pretrained.SHORTER.get(name, ARCHITECTURES[name].published["epochs"])
    meant, listed = (pretrained.colour_config("cifar10", name, "bce") for name in suited("cifar10"))
    assert dataclasses.replace(meant, architecture=listed.architecture) == listed
    folders = {path.name for path in runs.PRETRAINED_DIR.iterdir() if path.is_dir()}
    assert folders == set(SHIPPED), "run `python -m cae_core pretrain`"
    files = [path for path in runs.PRETRAINED_DIR.rglob("*") if path.is_file()]
    assert {path.name for path in files} == {
        "run.json", "history.csv", "weights.npz", "reproductions.json", "stack.json", "stack.npz",
        *(f"{name}.npz" for name in recipes.SHIPPED), *(f"{name}.json" for name in findings.FILES),
    }  # fmt: skip
    assert sum(path.stat().st_size for path in files) <= LARGEST


@functools.cache
def expected_shapes(architecture, bottleneck):
    config = fitting(RunConfig(architecture=architecture, bottleneck=bottleneck, loss="mse"))
    return {path: w.shape for path, w in build(config).weights().items()}


def check_whole(name):
    run, recipe = shipped(name), SHIPPED[name]
    assert run.config == recipe
    assert run.image_shape == DATASETS[recipe.dataset].image_shape
    assert run.code_size == recipe.bottleneck or ARCHITECTURES[recipe.architecture].fixed_code
    assert run.epochs == num_epochs(recipe)
    assert {"python", "tensorflow", "keras", "numpy"} <= set(run.versions)
    assert all(run.versions.values())
    assert run.created.endswith("+00:00")
    num_train, num_test = SIZES[recipe.dataset]
    assert run.num_train == num_train
    assert set(run.metrics) == set(MEASURED)
    for figures in run.metrics.values():
        assert {"mse", "psnr", "ssim", "bce", "num_images"} <= set(figures)
        assert len(figures) == 5 + len(ELBO) * (name in VARIATIONAL) or name in COLOURING
        assert figures["num_images"] == num_test
        assert all(np.isfinite(value) for value in figures.values())
    history = runs.history(run)
    np.testing.assert_array_equal(history["epoch"], np.arange(1, num_epochs(recipe) + 1))
    more = ("distortion", "rate") if name in VARIATIONAL else ("silent",) if recipe.k else ()
    assert list(history) == ["epoch", "loss", "held_out_loss", "seconds", *more]
    losses = history["loss"][-recipe.epochs :]  # of the whole, after layers that learned alone
    assert recipe.epochs == 1 or losses[-1] < losses[0]
    assert (np.diff(history["seconds"]) > 0).all()
    with np.load(run.path / "weights.npz", allow_pickle=False) as arrays:
        stored = dict(arrays)
    shapes = {path: (2, *shape) for path, shape in expected_shapes(recipe.architecture, recipe.bottleneck).items()}
    assert {path: w.shape for path, w in stored.items()} == shapes
    assert {w.dtype.name for w in stored.values()} == {"uint8"}  # two bytes a weight
    assert sum(w.size // 2 for w in stored.values()) == run.parameters


def test_every_shipped_run_is_whole_and_of_today():
    offenders = {}
    for name in SHIPPED:
        try:
            check_whole(name)
        except AssertionError as error:
            offenders[name] = str(error)[:300]
    assert offenders == {}


def test_the_bars_are_met():
    values = {name: shipped(name).metrics[condition]["mse"] for name, (condition, _) in BARS.items()}
    assert {name: mse for name, mse in values.items() if mse > BARS[name][1]} == {}


@pytest.mark.parametrize("dataset", pretrained.EPOCHS)
@pytest.mark.parametrize("loss", SHIPPED_LOSSES)
def test_more_numbers_keep_more_and_noisy_training_removes_noise(dataset, loss):
    def mse(trained_on, condition):
        return [shipped(name_of(dataset, b, loss, trained_on)).metrics[condition]["mse"] for b in BOTTLENECKS]

    clean = mse("clean", "clean")
    assert clean == sorted(clean, reverse=True)
    for trained_on_noise, trained_on_clean in zip(mse("mixed", "gaussian 0.5"), mse("clean", "gaussian 0.5"), strict=True):
        assert trained_on_noise < trained_on_clean


def test_a_longer_code_of_a_variational_network_has_the_higher_bound_and_the_rate_pays_for_it():
    for dataset in pretrained.VAE_EPOCHS:
        figures = [shipped(vae_name(dataset, bottleneck)).metrics["clean"] for bottleneck in (2, 8, 32)]
        bounds, rates, distortions = ([of[name] for of in figures] for name in ("elbo", "rate", "distortion"))
        assert bounds == sorted(bounds)
        assert rates == sorted(rates)
        assert distortions == sorted(distortions, reverse=True)
        for of in figures:
            assert of["elbo"] == pytest.approx(-of["distortion"] - of["rate"], abs=1e-4)


def test_variational_networks_are_fifteen_and_small_and_a_larger_beta_buys_a_lower_rate_with_distortion():
    files = [file for name in VARIATIONAL for file in shipped(name).path.iterdir()]
    assert len(VARIATIONAL) == 15
    assert sum(file.stat().st_size for file in files) <= LARGEST_CLOUDS
    for size in pretrained.VAE_BETA_EPOCHS:
        figures = [shipped(vae_name("mnist", size, beta)).metrics["clean"] for beta in (0.1, 1.0, 4.0, 10.0)]
        assert [of["rate"] for of in figures] == sorted((of["rate"] for of in figures), reverse=True)
        assert [of["distortion"] for of in figures] == sorted(of["distortion"] for of in figures)


@pytest.mark.parametrize("loss", SHIPPED_LOSSES)
def test_colours_are_better_than_the_mean_colours_and_digits_right_as_meant_and_less_often_as_listed(loss):
    figures = {
        dataset: [shipped(colour_name(dataset, network, loss)).metrics["clean"] for network in suited("cifar10")]
        for dataset in ("strokes_colour", "cifar10")
    }
    meant, listed = figures["strokes_colour"]
    assert meant["hue_near"] >= 0.95
    assert listed["hue_near"] < meant["hue_near"]
    for of_network in (meant, *figures["cifar10"]):
        assert of_network["chroma"] < of_network["chroma_mean"] < of_network["chroma_grey"]
    meant, listed = figures["cifar10"]  # the listing colours photographs about as well
    assert listed["chroma"] == pytest.approx(meant["chroma"], rel=0.1)


@pytest.mark.parametrize(
    "name",
    [
        "strokes-b32-bce-mixed",
        pytest.param("strokes_colour-colorize-bce", marks=SLOW),
        pytest.param("mnist-b32-bce-mixed", marks=[REAL, SLOW]),
    ],
)
def test_the_figures_are_what_the_weights_do(name):
    """The figures of the shipped weights, measured here and now, against those that ship."""
    run = shipped(name)
    x = load(run.config.dataset, "test").x
    for condition, (kind, factor) in MEASURED.items():
        figures = evaluation.evaluate(runs.model(run), x, kind, factor)
        shown = {key: value for key, value in run.metrics[condition].items() if key in figures}
        assert figures == pytest.approx(shown, rel=1e-3, abs=1e-5), condition


@pytest.mark.parametrize("dataset", ["strokes", *MNISTS])
def test_every_network_beats_pca_with_as_many_numbers(dataset):
    """Fitted on the test images themselves: no linear code of that size has less error on them."""
    x = as_float(load(dataset, "test").x)
    variance = np.square(x - x.mean(axis=0)).mean()
    left = variance * (1 - np.cumsum(pca.fit(x, max(BOTTLENECKS)).explained_variance_ratio))
    for loss in SHIPPED_LOSSES:
        errors = {b: shipped(name_of(dataset, b, loss, "clean")).metrics["clean"]["mse"] for b in BOTTLENECKS}
        behind = {b: (error, left[b - 1]) for b, error in errors.items() if error >= left[b - 1]}
        assert not behind, "bottleneck: (network's MSE, PCA's MSE)"
