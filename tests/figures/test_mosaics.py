"""Layers and filters as pictures: every channel in its place, and a scale that says what grey means."""

import numpy as np
import pytest

from cae_core.figures import mosaics
from cae_core.figures.mosaics import Scale, number, scale_of
from cae_core.figures.pictures import GAP_GREY


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([0.0, 3.2], "white is 3.2, black 0"),
        ([-1.0, 3.2], "white is 3.2, middle grey 0, black −3.2"),
        ([-250.4, 1.0], "white is 250, middle grey 0, black −250"),
        ([0.0, 0.0], "all 0"),
        ([np.nan, 0.5], "white is 0.5, black 0"),
    ],
)
def test_scale_in_words(values, words):
    assert scale_of(np.array(values)).words == words


def test_zero_is_black_or_the_middle():
    assert scale_of(np.array([0, 5.0])).grey(np.array([0, 2.5, 5])).tolist() == [0, 128, 255]
    assert scale_of(np.array([-5, 2.0])).grey(np.array([-5.0, 0, 5])).tolist() == [0, 128, 255]
    assert Scale(0, 0).grey(np.zeros(3)).tolist() == [0, 0, 0]
    assert number(-0.00123) == "−0.0012"


def test_channels_are_laid_out_row_by_row():
    values = np.zeros((7, 7, 32), np.float32)
    values[2, 3, 9] = 4
    picture = mosaics.layer(values)
    assert picture.shape == (4 * 8 - 1, 8 * 8 - 1, 3)
    assert np.argwhere(picture[..., 0] == 255).tolist() == [[8 + 2, 8 + 3]]
    assert tuple(picture[7, 0]) == GAP_GREY


def test_vectors_are_cells_and_images_stay_images():
    values = np.arange(784, dtype=np.float32)
    np.testing.assert_array_equal(
        mosaics.layer(values, image_size=784)[..., 0], scale_of(values).grey(values).reshape(28, 28)
    )
    assert mosaics.layer(np.ones(2, np.float32)).shape == (1, 2, 3)
    assert mosaics.layer(np.ones(128, np.float32)).shape == (8, 16, 3)
    assert mosaics.layer(np.ones(257, np.float32)).size >= 257 * 3


def test_switches_have_a_colour_each():
    places = np.array([[[0], [1]], [[2], [3]]])
    tied = np.zeros((2, 2, 1), bool)
    assert [tuple(map(int, p)) for p in mosaics.switches(places, tied).reshape(4, 3)] == list(mosaics.SWITCH_COLOURS)
    tied[0, 1] = True
    assert tuple(mosaics.switches(places, tied)[0, 1]) == mosaics.TIED


def test_filters_have_a_row_for_each_channel_in():
    values = np.zeros((2, 3, 5, 5), np.float32)
    values[1, 2, 0, 4], values[0, 0, 0, 0] = 1, -0.5
    picture = mosaics.filters(values)[..., 0]
    assert picture.shape == (2 * 6 - 1, 3 * 6 - 1)
    assert (picture[6, 2 * 6 + 4], picture[0, 0], picture[1, 1]) == (255, 64, 128)
    assert mosaics.filters(np.ones((1, 32, 3, 3), np.float32)).shape == (4 * 4 - 1, 8 * 4 - 1, 3)
