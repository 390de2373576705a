"""Luma, chroma and hue against other people's formulas."""

import colorsys

import numpy as np
import pytest
from PIL import Image

from cae_core import colours
from cae_core.colours import luma


@pytest.fixture(scope="module")
def rgb():
    """`(6, 5, 7, 3)` float32 in [0, 1]."""
    return np.random.default_rng(0).random((6, 5, 7, 3), dtype="float32")


def test_luma_and_chroma_are_pillows_up_to_rounding_and_give_the_colour_back(rgb):
    pixels = np.rint(rgb[0] * 255).astype(np.uint8)
    theirs = np.asarray(Image.fromarray(pixels).convert("YCbCr")).astype(float)
    np.testing.assert_allclose(luma(pixels / 255) * 255, theirs[..., :1], atol=1)
    np.testing.assert_allclose(colours.chroma(pixels / 255) * 255, theirs[..., 1:] - 128, atol=1)
    np.testing.assert_allclose(colours.with_chroma(luma(rgb), colours.chroma(rgb)), rgb, atol=1e-6)


def test_luma_of_a_tensor_is_that_of_the_array(rgb):
    import tensorflow as tf

    np.testing.assert_allclose(luma(tf.constant(rgb)).numpy(), luma(rgb), atol=1e-6)


@pytest.mark.parametrize(
    ("colour", "expected"),
    [((0, 0, 1), (0.5, -0.0813)), ((1, 0, 0), (-0.1687, 0.5)), ((1, 1, 0), (-0.5, 0.0813)), ((0.3, 0.3, 0.3), (0, 0))],
)
def test_chroma_of_known_colours(colour, expected):
    """The corners of the standard's colour cube."""
    np.testing.assert_allclose(colours.chroma(np.array(colour, float)), expected, atol=1e-4)


def test_luma_keeps_grey_and_refuses_grey_images():
    grey = np.linspace(0, 1, 11)[:, None].repeat(3, axis=1)
    np.testing.assert_allclose(luma(grey)[:, 0], grey[:, 0], atol=1e-12)
    with pytest.raises(ValueError, match="needs red, green and blue"):
        luma(np.zeros((2, 8, 8, 1)))


def test_error_is_0_for_the_truth_and_that_of_grey_for_its_luma(rgb):
    assert colours.error(rgb, rgb).tolist() == [0] * 6
    grey = np.repeat(luma(rgb), 3, axis=-1)
    np.testing.assert_allclose(colours.error(rgb, grey), colours.error_of(rgb, 0.0), rtol=1e-5)
    np.testing.assert_allclose(colours.error_of(rgb, 0.0), np.square(colours.chroma(rgb)).mean(axis=(1, 2, 3)), rtol=1e-5)


def test_nothing_constant_beats_the_mean():
    images = np.random.default_rng(1).integers(0, 256, (50, 4, 4, 3), dtype=np.uint8)
    x, mean = images / np.float32(255), colours.mean(images)
    np.testing.assert_allclose(mean, colours.chroma(x).mean(axis=0), atol=1e-6)
    best = colours.error_of(x, mean).mean()
    for step in (-0.01, 0.01):
        assert colours.error_of(x, mean + step).mean() > best
    assert colours.error_of(x, mean.mean(axis=(0, 1))).mean() >= best


def test_chunks_change_nothing(rgb, monkeypatch):
    whole = colours.error(rgb, rgb[::-1]), colours.error_of(rgb, 0.1)
    monkeypatch.setattr(colours, "_CHUNK", 4)
    np.testing.assert_array_equal(colours.error(rgb, rgb[::-1]), whole[0])
    np.testing.assert_array_equal(colours.error_of(rgb, 0.1), whole[1])


def test_hue_is_that_of_colorsys_and_grey_has_none(rgb):
    theirs = [360 * colorsys.rgb_to_hsv(*map(float, colour))[0] for colour in rgb.reshape(-1, 3)]
    np.testing.assert_allclose(colours.hue(rgb.reshape(-1, 3)), theirs, atol=1e-3)
    assert np.isnan(colours.hue(np.full((1, 3), 0.4))).all()
    a, b = np.transpose([(0, 10), (350, 10), (10, 350), (0, 180), (90, 300), (np.nan, 20)])
    assert colours.apart(a, b).tolist() == [10, 20, 20, 180, 150, 180]  # the short way round


def test_hue_error_looks_at_the_ink_alone():
    x = np.full((1, 8, 8, 3), 0.1, np.float32)
    x[0, 2:6, 3:5] = colorsys.hsv_to_rgb(100 / 360, 1, 0.8)
    guess = np.full((1, 8, 8, 3), (1.0, 0.0, 0.0), np.float32)  # of the ground, where nobody asks
    guess[0, 2:6, 3:5] = colorsys.hsv_to_rgb(112 / 360, 0.5, 0.6)
    np.testing.assert_allclose(colours.hue_error(x, guess), [12], atol=1e-3)
    assert colours.ink(x)[0].sum() == 8
