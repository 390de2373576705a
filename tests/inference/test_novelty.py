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
def reference(run):
    return novelty.reference(run)


def test_percentile_is_the_share_of_test_images_with_a_smaller_error(run, reference):
    test = datasets.as_float(datasets.load("strokes", "test").x)
    x_hat = runs.model(run).reconstruct(test)
    errors = np.mean((x_hat.astype(float) - test) ** 2, axis=(1, 2, 3))
    assert len(reference.errors) == len(test)
    np.testing.assert_allclose(np.sort(errors), reference.errors, atol=1e-7)
    for error in (0.0, 0.005, 0.0123, 0.05, 1.0):
        assert reference.percentile(error) == pytest.approx(100 * np.mean(errors < error), abs=0.05)
    assert reference.nearest(reference.codes.z[[7]] + 0.001)[0][0] == 7


@pytest.mark.parametrize("noise", [0.0, 0.6])
def test_an_image_is_shown_with_its_noise_and_compared_without(run, reference, noise):
    x = drawing.to_network(gallery.picture("house"), True)
    x_noisy = corrupt(x, "gaussian", noise, 0)
    seen, network = novelty.see(run, x, x_noisy), runs.model(run)
    np.testing.assert_allclose(seen.x_hat, network.reconstruct(x_noisy), atol=1e-5)
    np.testing.assert_allclose(seen.z, network.encode(x_noisy), atol=1e-5)
    assert seen.mse == pytest.approx(np.mean((seen.x_hat - x) ** 2), rel=1e-4)
    assert (seen.mse == seen.mse_without_noise) == (noise == 0)
    assert seen.mse_without_noise == pytest.approx(np.mean((network.reconstruct(x) - x) ** 2), rel=1e-4)
    assert seen.percentile == reference.percentile(seen.mse_without_noise)


@pytest.mark.parametrize("shape", [(50, 1), (50, 2), (300, 40), (20, 30), (50, 4, 4, 2)])
def test_place_fits_codes_of_any_shape(shape, run):
    z = np.random.default_rng(0).standard_normal(shape).astype(np.float32) * np.linspace(3, 1, shape[-1], dtype=np.float32)
    codes = embedding.Codes(z.reshape(len(z), -1), np.zeros(len(z), np.uint8), "strokes", run)
    plane = embedding.plane(codes)
    reference = novelty.Reference(np.array([0.1]), codes, plane)
    placed, expected = reference.place(z), live_plane.to_plane(z).points
    np.testing.assert_allclose(placed, plane.points, atol=1e-4)
    np.testing.assert_allclose(placed * np.sign((placed * expected).sum(axis=0) + 1e-9), expected, atol=1e-4)
    np.testing.assert_allclose(reference.place(z[3:5]), plane.points[3:5], atol=1e-4)


def test_a_run_for_other_images_is_named(save_run):
    with pytest.raises(runs.RunError, match="takes images of 8 × 12 × 1, not 28 × 28 × 1"):
        novelty.see(save_run("other"), np.zeros((1, 28, 28, 1), "float32"), np.zeros((1, 28, 28, 1), "float32"))


def test_words():
    like, unusual, unlike = "Like the training data", "Unusual", "Unlike the training data"
    verdicts = {0: like, 94.9: like, 95: unusual, 98.9: unusual, 99: unlike, 100: unlike}
    assert {percentile: novelty.verdict(percentile) for percentile in verdicts} == verdicts


@pytest.mark.parametrize("dataset", ["strokes", pytest.param("mnist", marks=[pytest.mark.real_data, pytest.mark.slow])])
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
