"""How unusual an image is: percentiles by counting, the plane's own points, neighbours by sorting, and real drawings."""

import numpy as np
import pytest

from cae_core import datasets, runs
from cae_core.corruptions import corrupt
from cae_core.inference import novelty
from cae_core.inputs import drawing, gallery
from cae_core.latent import embedding, live_plane
from cae_core.pretrained import name_of


@pytest.fixture(scope="module")
def run():
    return runs.read(runs.PRETRAINED_DIR / name_of("strokes", 8, "bce", "mixed"))


@pytest.fixture(scope="module")
def found(run):
    return novelty.reference(run)


def test_percentile_is_the_share_of_test_images_with_a_smaller_error(run, found):
    test = datasets.as_float(datasets.load("strokes", "test").x)
    x_hat = runs.model(run).reconstruct(test)
    errors = np.mean((x_hat.astype(float) - test) ** 2, axis=(1, 2, 3))
    assert len(found.errors) == len(test)
    np.testing.assert_allclose(np.sort(errors), found.errors, atol=1e-7)
    for error in (0.0, 0.005, 0.0123, 0.05, 1.0):
        assert found.percentile(error) == pytest.approx(100 * np.mean(errors < error), abs=0.05)
    assert found.percentile(0.0) == 0
    assert found.percentile(1.0) == 100


@pytest.mark.parametrize("noise", [0.0, 0.6])
def test_the_percentile_is_of_the_error_that_stands_with_it(run, found, noise):
    x = drawing.to_network(gallery.picture("house"), True)
    seen = novelty.see(run, x, corrupt(x, "gaussian", noise, 0))
    assert (seen.mse == seen.mse_without_noise) == (noise == 0)
    assert seen.mse_without_noise == pytest.approx(np.mean((runs.model(run).reconstruct(x) - x) ** 2), rel=1e-4)
    assert seen.percentile == found.percentile(seen.mse_without_noise)


def test_codes_lie_on_the_plane_where_the_plane_has_them(run, found):
    x = datasets.as_float(datasets.load("strokes", "test").x[: novelty.NUM_CODES])
    z = runs.model(run).encode(x)
    np.testing.assert_allclose(found.codes.z, z, atol=1e-5)
    placed, expected = found.place(z), live_plane.to_plane(z).points
    np.testing.assert_allclose(placed, found.plane.points, atol=1e-4)
    np.testing.assert_allclose(placed * np.sign((placed * expected).sum(axis=0)), expected, atol=1e-4)  # but for the sign
    np.testing.assert_array_equal(found.codes.labels, datasets.load("strokes", "test").y[: len(z)])


@pytest.mark.parametrize("shape", [(50, 1), (50, 2), (50, 3), (300, 40), (20, 30), (50, 4, 4, 2)])
def test_place_fits_codes_of_any_shape(shape, run):
    z = np.random.default_rng(0).standard_normal(shape).astype(np.float32) * np.linspace(3, 1, shape[-1], dtype=np.float32)
    codes = embedding.Codes(z.reshape(len(z), -1), np.zeros(len(z), np.uint8), "strokes", run)
    plane = embedding.plane(codes)
    reference = novelty.Reference(np.array([0.1]), codes, plane)
    placed, expected = reference.place(z), live_plane.to_plane(z).points
    np.testing.assert_allclose(placed, plane.points, atol=1e-4)
    np.testing.assert_allclose(placed * np.sign((placed * expected).sum(axis=0) + 1e-9), expected, atol=1e-4)
    np.testing.assert_allclose(reference.place(z[3:5]), plane.points[3:5], atol=1e-4)
    if codes.size > 2:
        np.testing.assert_allclose(plane.directions @ plane.directions.T, np.eye(2), atol=1e-4)


def test_nearest_by_sorting_all(found):
    z = found.codes.z[[7]] + 0.01
    order, distances = found.nearest(z, 5)
    every = sorted((float(np.sqrt(((z[0] - code) ** 2).sum())), i) for i, code in enumerate(found.codes.z))
    assert order[0] == 7
    assert list(order) == [i for _, i in every[:5]]
    np.testing.assert_allclose(distances, [distance for distance, _ in every[:5]], rtol=1e-5)


def test_see_compares_without_noise_and_shows_with_it(run, found):
    x = datasets.as_float(datasets.load("strokes", "test").x[[3]])
    noisy = np.clip(x + 0.3 * np.random.default_rng(0).standard_normal(x.shape), 0, 1).astype(np.float32)
    seen, clean = novelty.see(run, x, noisy), novelty.see(run, x, x)
    network = runs.model(run)
    np.testing.assert_allclose(seen.x_hat, network.reconstruct(noisy), atol=1e-6)
    np.testing.assert_allclose(seen.z, network.encode(noisy), atol=1e-5)
    assert seen.mse == pytest.approx(np.mean((seen.x_hat - x) ** 2), rel=1e-4)
    assert seen.mse > clean.mse
    assert seen.percentile == clean.percentile == found.percentile(clean.mse)


def test_a_run_for_other_images_is_named(save_run):
    with pytest.raises(runs.RunError, match="takes images of 8 × 12 × 1, not 28 × 28 × 1"):
        novelty.see(save_run("other"), np.zeros((1, 28, 28, 1), "float32"), np.zeros((1, 28, 28, 1), "float32"))


def test_only_the_last_few_are_kept_and_made_once(run, monkeypatch):
    made = []
    monkeypatch.setattr(novelty, "_known", type(novelty._known)())
    monkeypatch.setattr(novelty, "_make", lambda run: made.append(run) or object())
    monkeypatch.setattr(novelty, "_key", lambda run: run)
    assert novelty.known("a") is None
    assert novelty.reference("a") is novelty.reference("a") is novelty.known("a")
    for i in range(novelty.IN_MEMORY):
        novelty.reference("a")  # used last, it stays
        novelty.reference(i)
    assert len(novelty._known) == novelty.IN_MEMORY
    assert novelty.known("a") is not None
    assert novelty.known(0) is None
    assert len(made) == novelty.IN_MEMORY + 1


def test_words():
    bounds = [(0, "Like"), (94.9, "Like"), (95, "Unusual"), (98.9, "Unusual"), (99, "Unlike"), (100, "Unlike")]
    words = {"Like": "Like the training data", "Unusual": "Unusual", "Unlike": "Unlike the training data"}
    assert [novelty.verdict(percentile) for percentile, _ in bounds] == [words[verdict] for _, verdict in bounds]


@pytest.mark.parametrize("dataset", ["strokes", pytest.param("mnist", marks=pytest.mark.real_data)])
def test_houses_and_letters_are_called_out_and_digits_are_not(dataset):
    """By the narrow network that the page opens with beside the wide one."""
    run = runs.read(runs.PRETRAINED_DIR / name_of(dataset, 8, "bce", "mixed"))
    novelty.reference(run)
    verdicts = {}
    for name in gallery.READY:
        x = drawing.to_network(gallery.picture(name), True)
        verdicts[name] = novelty.verdict(novelty.see(run, x, x).percentile)
    digits = {name: "Like the training data" for name, picture in gallery.READY.items() if picture.is_digit}
    assert verdicts == dict.fromkeys(gallery.READY, "Unlike the training data") | {"zigzag": "Unusual"} | digits
