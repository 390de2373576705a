"""The metrics against the formulas of their papers, written out pixel by pixel."""

import json
import math

import numpy as np
import pytest

from cae_core import metrics


@pytest.fixture
def pair():
    """Three images of 2 channels, `(3, 13, 15, 2)` float32, and a noisy copy in [0, 1]."""
    rng = np.random.default_rng(0)
    x = rng.random((3, 13, 15, 2), dtype=np.float32)
    return x, np.clip(x + rng.normal(scale=0.2, size=x.shape), 0, 1).astype(np.float32)


def constant(value, n=1, side=12):
    return np.full((n, side, side, 1), value, dtype=np.float32)


def ssim(x, x_hat):
    return metrics.per_image(x, x_hat, ["ssim"])["ssim"].mean()


def ssim_from_the_paper(x, y):
    """Mean SSIM of two `(H, W)` images, Wang et al. 2004 eq. 13 to 17, one window at a time."""
    weights = np.array([[math.exp(-((i - 5) ** 2 + (j - 5) ** 2) / (2 * 1.5**2)) for j in range(11)] for i in range(11)])
    weights /= weights.sum()
    c1, c2 = 0.01**2, 0.03**2
    values = []
    for top in range(x.shape[0] - 10):
        for left in range(x.shape[1] - 10):
            a, b = x[top : top + 11, left : left + 11], y[top : top + 11, left : left + 11]
            mean_a, mean_b = (weights * a).sum(), (weights * b).sum()
            var_a, var_b = (weights * (a - mean_a) ** 2).sum(), (weights * (b - mean_b) ** 2).sum()
            covariance = (weights * (a - mean_a) * (b - mean_b)).sum()
            luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
            values.append(luminance * (2 * covariance + c2) / (var_a + var_b + c2))
    return np.mean(values)


def test_ssim_follows_the_paper(pair):
    x, x_hat = (array.astype(np.float64) for array in pair)
    expected = [np.mean([ssim_from_the_paper(x[i, :, :, c], x_hat[i, :, :, c]) for c in range(2)]) for i in range(3)]
    np.testing.assert_allclose(metrics.per_image(*pair)["ssim"], expected, rtol=1e-10)


def test_mse_and_squared_error_by_hand():
    x = constant(0, n=2)
    x_hat = x.copy()
    x_hat[0, 0, :4, 0] = 0.5  # four pixels of 144
    assert metrics.per_image(x, x_hat)["mse"].tolist() == [4 * 0.25 / 144, 0]
    assert metrics.mse(x, x_hat) == 2 * 0.25 / 144
    assert metrics.squared_error_per_image(x, x_hat).tolist() == [1.0, 0.0]
    assert metrics.mse(constant(1), constant(1.5)) == 0.25


def test_psnr_is_the_mean_of_the_images_own_values():
    x_hat = np.concatenate([constant(0.1), constant(0.01)])
    x = np.zeros_like(x_hat)
    np.testing.assert_allclose(metrics.per_image(x, x_hat)["psnr"], [20, 40], rtol=1e-6)
    assert metrics.summary(x, x_hat)["psnr"] == pytest.approx(30, rel=1e-6)  # the PSNR of the mean MSE would be 22.97


def test_bce_pixel_by_pixel_and_clipped_as_in_keras(pair):
    x, x_hat = (array[0].ravel().tolist() for array in pair)
    assert min(x_hat) == 0, "the images must reach the clip"
    assert max(x_hat) == 1, "the images must reach the clip"
    total = 0.0
    for target, value in zip(x, x_hat, strict=True):
        p = min(max(value, 1e-7), 1 - 1e-7)
        total -= target * math.log(p) + (1 - target) * math.log(1 - p)
    assert metrics.per_image(*pair)["bce"][0] == pytest.approx(total / len(x), rel=1e-9)
    assert metrics.bce(constant(1), constant(-3)) == metrics.bce(constant(1), constant(0)) == pytest.approx(-math.log(1e-7))


def test_identical_images_give_finite_json():
    x = np.random.default_rng(1).integers(0, 2, (4, 28, 28, 1)).astype(np.float32)  # black and white: entropy 0
    values = json.loads(json.dumps(metrics.summary(x, x), allow_nan=False))
    assert values["mse"] == 0
    assert values["psnr"] == 100
    assert values["ssim"] == pytest.approx(1, abs=1e-12)
    assert values["bce"] == pytest.approx(1e-7, rel=1e-3)


def test_metric_functions_summary_and_registry_agree(pair):
    before, values = [array.copy() for array in pair], metrics.summary(*pair)
    assert list(values) == list(metrics.METRICS) == ["mse", "psnr", "ssim", "bce"]
    for name, value in values.items():
        assert type(value) is float
        assert value == metrics.per_image(*pair, [name])[name].mean()
    assert (values["mse"], values["bce"]) == (metrics.mse(*pair), metrics.bce(*pair))
    np.testing.assert_array_equal(pair, before)


def test_chunks_change_nothing(pair, monkeypatch):
    whole, squared = metrics.per_image(*pair), metrics.squared_error_per_image(*pair)
    monkeypatch.setattr(metrics, "_CHUNK_VALUES", 2 * pair[0][0].size)  # two images, then one
    assert len(list(metrics._chunks(*pair))) == 2
    for name, values in metrics.per_image(*pair).items():
        np.testing.assert_allclose(values, whole[name], rtol=1e-12)
    np.testing.assert_array_equal(metrics.squared_error_per_image(*pair), squared)


@pytest.mark.parametrize(
    ("x", "x_hat", "message"),
    [
        (constant(0), constant(0, n=2), r"x has shape \(1, 12, 12, 1\) and x_hat \(2, 12, 12, 1\)"),
        (constant(0, n=0), constant(0, n=0), r"x has shape \(0, 12, 12, 1\)"),
        (constant(0)[..., 0], constant(0)[..., 0], r"x has shape \(1, 12, 12\); it must be \(images, height"),
        (constant(0), constant(np.nan), "x_hat has NaN"),
        (constant(255), constant(1), r"x goes from 255 to 255; it must lie in \[0, 1\]"),
        (constant(1), constant(1).astype(np.uint8), "x_hat is uint8"),
    ],
)
@pytest.mark.parametrize("function", [metrics.summary, metrics.squared_error_per_image])
def test_bad_arrays_are_refused(function, x, x_hat, message):
    with pytest.raises(ValueError, match=message):
        function(x, x_hat)


def test_ssim_refuses_images_smaller_than_its_window():
    small = constant(0.5, side=10)
    with pytest.raises(ValueError, match="at least 11 × 11 pixels, these are 10 × 10"):
        ssim(small, small)
    assert metrics.mse(small, small) == 0
    assert ssim(constant(0.5, side=11), constant(0.5, side=11)) == pytest.approx(1)


def test_sharpness_is_1_of_a_copy_and_falls_with_contrast_and_with_blur():
    x = np.zeros((2, 12, 12, 1))
    x[:, :, 6:] = 1  # one step a row
    blurred = x.copy()
    blurred[:, :, 5], blurred[:, :, 6] = 0.25, 0.75
    assert metrics.sharpness(x, x) == pytest.approx(1)
    assert metrics.sharpness(x, x / 2) == pytest.approx(1 / 4)
    assert metrics.sharpness(x, blurred) == pytest.approx(0.25**2 + 0.5**2 + 0.25**2)
    assert metrics.sharpness(x, np.moveaxis(x, 1, 2)) == pytest.approx(1)
    assert metrics.sharpness(x, np.ones_like(x)) == 0
