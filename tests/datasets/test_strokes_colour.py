"""Coloured Strokes: the hue says the digit, and nothing about the grey image does."""

import numpy as np
import pytest

from cae_core import colours
from cae_core.colours import luma
from cae_core.datasets import strokes_colour
from cae_core.datasets.strokes_colour import DIGIT, GROUND, HUES, INK, SIZE, colour, draw


@pytest.fixture(scope="module")
def drawn():
    return draw(600, seed=5)


def test_images_are_balanced_on_a_dark_grey_ground_with_digits_anywhere(drawn):
    images, labels = drawn
    assert (images.shape, images.dtype) == ((600, SIZE, SIZE, 3), np.uint8)
    assert (labels.dtype, np.bincount(labels).tolist()) == (np.uint8, [60] * 10)
    corner = drawn[0][:, 0, 0].astype(int)
    assert (np.ptp(corner, axis=1) == 0).all()
    assert (GROUND[0] - 0.01 < corner[:, 0] / 255).all()
    assert (corner[:, 0] / 255 < GROUND[1] + 0.01).all()
    ink = colours.ink(drawn[0] / np.float32(255))
    tops = np.array([np.flatnonzero(one.any(axis=1))[0] for one in ink])
    assert np.ptp(tops) > (SIZE - DIGIT) * 0.8


def test_equal_seeds_draw_equal_images_whatever_the_chunks(drawn, monkeypatch):
    assert (draw(600, seed=6)[0] != drawn[0]).any()
    monkeypatch.setattr(strokes_colour, "_CHUNK", 70)
    np.testing.assert_array_equal(draw(600, seed=5)[0], drawn[0])


def test_the_hue_says_the_digit(drawn):
    images, labels = drawn
    assert sorted(HUES) == [36 * place for place in range(10)]
    x = images / np.float32(255)
    mean = (x * colours.ink(x)[..., None]).sum(axis=(1, 2))
    assert colours.apart(colours.hue(mean), np.array(HUES)[labels]).max() < 2


def test_luma_does_not_say_the_digit(drawn):
    """The luma of the ink has the same range and mean for all digits: what differs is drawn for each image."""
    images, labels = drawn
    x = images / np.float32(255)
    ink = np.array([np.percentile(one[..., 0], 99.5) for one in luma(x)])
    by_digit = np.array([ink[labels == digit].mean() for digit in range(10)])
    assert ink.min() > INK[0] - 0.02
    assert ink.max() < INK[1] + 0.02
    assert np.ptp(by_digit) < 0.03
    assert np.ptp(ink) > 0.15


@pytest.mark.parametrize("hue", [*HUES, 359.0])
def test_a_colour_has_the_hue_and_the_luma_asked_for(hue):
    wanted = np.array([0.02, 0.3, 0.6, 0.97])
    made = colour(hue, wanted)
    np.testing.assert_allclose(luma(made)[:, 0], wanted, atol=1e-6)
    assert colours.apart(colours.hue(made), np.full(4, hue)).max() < 0.1
    assert made.min() >= 0
    assert made.max() <= 1
