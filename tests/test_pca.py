"""PCA against the singular value decomposition, and against the figures of Hinton & Salakhutdinov on real MNIST."""

import os
from pathlib import Path

import numpy as np
import pytest

from cae_core import metrics, pca


@pytest.fixture
def x():
    """`(60, 4, 5, 1)` float64 with clearly different variances along random directions."""
    rng = np.random.default_rng(0)
    rotation = np.linalg.qr(rng.normal(size=(20, 20)))[0]
    return (rng.normal(size=(60, 20)) * 0.8 ** np.arange(20) @ rotation + 0.5).reshape(60, 4, 5, 1)


def by_svd(x):
    """Mean, components and variances of `(n, d)` rows by another route."""
    flat = x.reshape(len(x), -1)
    singular, rows = np.linalg.svd(flat - flat.mean(axis=0), full_matrices=False)[1:]
    return flat.mean(axis=0), rows, singular**2 / len(x)


def test_components_and_variances_are_those_of_the_svd(x):
    fitted = pca.fit(x, 7)
    mean, rows, variances = by_svd(x)
    np.testing.assert_allclose(fitted.mean, mean, atol=1e-12)
    np.testing.assert_allclose(np.abs((fitted.components * rows[:7]).sum(axis=1)), 1, atol=1e-10)
    np.testing.assert_allclose(fitted.explained_variance_ratio, variances[:7] / variances.sum(), atol=1e-12)
    np.testing.assert_allclose(fitted.components @ fitted.components.T, np.eye(7), atol=1e-12)


def test_reconstruction_is_the_projection_and_its_error_the_variance_left_out(x):
    before = x.copy()
    x_hat = pca.fit(x, 7).reconstruct(x)
    np.testing.assert_array_equal(x, before)
    mean, rows, variances = by_svd(x)
    flat = x.reshape(60, 20)
    expected = (flat - mean) @ rows[:7].T @ rows[:7] + mean
    assert x_hat.shape == x.shape
    assert x_hat.dtype == np.float32
    np.testing.assert_allclose(x_hat.reshape(60, 20), expected, atol=1e-6)
    assert np.square(x_hat - x).sum(axis=(1, 2, 3)).mean() == pytest.approx(variances[7:].sum(), rel=1e-5)


def test_encode_and_decode_are_the_two_halves(x):
    fitted = pca.fit(x, 3)
    z = fitted.encode(x[:5])
    assert z.shape == (5, 3)
    assert z.dtype == np.float32
    np.testing.assert_allclose(z, (x[:5].reshape(5, 20) - x.mean(axis=0).ravel()) @ fitted.components.T, atol=1e-6)
    np.testing.assert_allclose(fitted.encode(fitted.decode(z)), z, atol=1e-6)
    np.testing.assert_allclose(fitted.decode(np.zeros((1, 3)))[0], x.mean(axis=0), atol=1e-6)


def test_all_components_reconstruct_exactly(x):
    np.testing.assert_allclose(pca.fit(x, 20).reconstruct(x), x, atol=1e-6)
    few = x[:6]  # fewer images than values
    np.testing.assert_allclose(pca.fit(few, 6).reconstruct(few), few, atol=1e-6)


def test_signs_do_not_depend_on_the_order_or_the_sign_of_the_data(x):
    fitted = pca.fit(x, 7)
    largest = np.abs(fitted.components).argmax(axis=1)
    assert (fitted.components[np.arange(7), largest] > 0).all()
    np.testing.assert_allclose(pca.fit(x[::-1], 7).components, fitted.components, atol=1e-9)
    np.testing.assert_allclose(pca.fit(-x, 7).components, fitted.components, atol=1e-9)
    np.testing.assert_array_equal(pca.fit(x, 7).components, fitted.components)


def test_truncate_is_fitting_with_fewer(x):
    short, again = pca.fit(x, 7).truncate(4), pca.fit(x, 4)
    assert short.num_components == 4
    np.testing.assert_array_equal(short.components, again.components)
    np.testing.assert_array_equal(short.explained_variance_ratio, again.explained_variance_ratio)
    np.testing.assert_array_equal(short.reconstruct(x), again.reconstruct(x))


def test_chunks_change_nothing(x, monkeypatch):
    whole = pca.fit(x, 7)
    monkeypatch.setattr(pca, "_CHUNK_VALUES", 7 * 20)  # 60 images in chunks of 7: the last is shorter
    assert [len(part) for part in pca._chunks(x)] == [7] * 8 + [4]
    chunked = pca.fit(x, 7)
    np.testing.assert_allclose(chunked.components, whole.components, atol=1e-10)
    np.testing.assert_allclose(chunked.reconstruct(x), whole.reconstruct(x), atol=1e-6)


def test_bytes_are_not_added_up_as_bytes():
    x = np.random.default_rng(0).integers(0, 256, (40, 6), dtype=np.uint8)
    np.testing.assert_allclose(pca.fit(x, 2).mean, x.astype(float).mean(axis=0))


def test_identical_images_have_no_variance_to_explain():
    x = np.full((5, 3, 3), 0.5, dtype=np.float32)
    fitted = pca.fit(x, 2)
    np.testing.assert_allclose(fitted.reconstruct(x), x, atol=1e-6)
    assert fitted.explained_variance_ratio.tolist() == [0, 0]


@pytest.mark.parametrize("num_components", [0, 21, 2.5])
def test_impossible_code_sizes_are_refused(x, num_components):
    with pytest.raises(ValueError, match="num_components is .* a whole number from 1 to 20"):
        pca.fit(x, num_components)
    with pytest.raises(ValueError, match="a whole number from 1 to 3"):
        pca.fit(x, 3).truncate(num_components)
    with pytest.raises(ValueError, match="a whole number from 1 to 6"):
        pca.fit(x[:6], 7)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.zeros((0, 4, 4)), r"x has shape \(0, 4, 4\)"),
        (np.zeros(4), r"x has shape \(4,\)"),
        (np.array([[0.0, np.nan], [1, 1]]), "NaN"),
        (np.array([[0.0, np.inf], [1, 1]]), "infinite"),
    ],
)
def test_data_without_a_pca_are_refused(data, message):
    with pytest.raises(ValueError, match=message):
        pca.fit(data, 1)


def test_images_and_codes_of_another_shape_are_refused(x):
    fitted = pca.fit(x, 3)
    with pytest.raises(ValueError, match=r"x has shape \(60, 5, 4, 1\); it must be \(n, 4, 5, 1\)"):
        fitted.encode(x.reshape(60, 5, 4, 1))
    with pytest.raises(ValueError, match=r"z has shape \(2, 4\); it must be \(n, 3\)"):
        fitted.decode(np.zeros((2, 4)))


@pytest.mark.real_data
@pytest.mark.slow  # components of 60,000 images
def test_squared_errors_on_mnist_are_the_published_ones():
    """30 components: 13.87 squared error per test image (Hinton & Salakhutdinov, Science 2006, Fig. 2)."""
    with np.load(Path(os.environ["CAE_DATA_DIR"]) / "mnist.npz") as arrays:
        x_train, x_test = ((arrays[name][..., None] / 255).astype(np.float32) for name in ("x_train", "x_test"))
    fitted = pca.fit(x_train, 128)
    figures = {2: 43.64, 4: 37.56, 8: 29.35, 16: 21.06, 30: 13.87, 32: 13.19, 64: 7.09, 128: 3.30}
    measured = {k: metrics.squared_error_per_image(x_test, fitted.truncate(k).reconstruct(x_test)).mean() for k in figures}
    assert {k: round(float(error), 2) for k, error in measured.items()} == figures
