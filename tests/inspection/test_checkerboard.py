"""The checkerboard score on pictures whose answer is known; test_lab_claims.py has it of networks that leave one."""

import numpy as np
import pytest

from cae_core.datasets import as_float, load
from cae_core.inspection import checkerboard


@pytest.fixture(scope="module")
def x():
    return as_float(load("strokes", "test").x[:50])


def board(shape, amplitude):
    """±amplitude, changing from pixel to pixel."""
    rows, columns = np.indices(shape)
    return (amplitude * (-1.0) ** (rows + columns))[None, ..., None]


def blurred(x):
    """The mean of each pixel and its eight neighbours."""
    around = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])
    height, width = x.shape[1:3]
    return sum(around[:, i : i + height, j : j + width] for i in range(3) for j in range(3)) / 9


def test_what_a_known_answer_scores(x):
    assert checkerboard.score(x, x) == pytest.approx(1, rel=1e-12)
    assert checkerboard.score(x, x + 0.2) == pytest.approx(1, rel=1e-5)  # the mean does not count
    assert checkerboard.score(x, 2 * x) == pytest.approx(4, rel=1e-6)  # twice the contrast is four times the energy
    assert checkerboard.score(x, 0.001 * x) < 1e-4  # an answer that is nearly black has no pattern to speak of
    assert checkerboard.score(x, np.zeros_like(x)) == 0
    assert checkerboard.score(x, blurred(x)) < 0.2
    assert checkerboard.score(x, x + board(x.shape[1:3], 0.4) * x) > 3  # only where the picture is, it counts
    flat = np.full((2, 8, 8, 1), 0.5)
    assert checkerboard.score(flat, flat) is None  # nothing to compare with


def test_by_hand():
    """One cosine along the rows: alternating rows of ±a have all their energy, a² per pixel, where it is looked for."""
    rows = np.zeros((1, 8, 6, 1))
    rows[:, ::2], rows[:, 1::2] = 0.3, -0.3
    assert checkerboard.energy(rows) == pytest.approx(8 * 6 * 0.09)
    both = board((8, 6), 0.3)  # the frequency that is the highest in both directions counts once
    assert checkerboard.energy(both) == pytest.approx(8 * 6 * 0.09)
    wide = np.repeat(np.repeat(rows, 2, axis=1), 2, axis=2)  # a period of four pixels is not a stride of 2
    assert checkerboard.energy(wide) == pytest.approx(0, abs=1e-20)
    odd = np.random.default_rng(0).random((3, 9, 7, 2))
    assert checkerboard.energy(odd) == pytest.approx(checkerboard.energy(odd[:, :8, :6]))


def test_the_spectrum_is_parsevals_with_slow_changes_in_its_middle_and_a_checkerboard_at_its_corner(x):
    assert checkerboard._power(x).sum() == pytest.approx(np.square(x.astype(float)).sum(), rel=1e-9)
    height, width = x.shape[1:3]
    plain = checkerboard.spectrum(x)
    assert plain.shape == (height, width)
    assert plain.min() >= 0
    assert plain.max() <= 1
    middle = plain[height // 2 - 2 : height // 2 + 3, width // 2 - 2 : width // 2 + 3]
    assert middle.sum() - middle[2, 2] > 20
    assert middle[2, 2] == 0  # the mean
    marked = checkerboard.spectrum(x + board((height, width), 0.2))
    assert marked[0, 0] > plain[0, 0] + 0.3


@pytest.mark.parametrize(
    "bad", [np.zeros((8, 8)), np.zeros((0, 8, 8, 1)), np.zeros((1, 1, 8, 1)), np.full((1, 8, 8, 1), np.nan)]
)
def test_what_is_no_batch_of_pictures_is_refused(bad, x):
    with pytest.raises(ValueError, match=r"images has (shape|NaN)"):
        checkerboard.energy(bad)
    with pytest.raises(ValueError, match="they must be the same"):
        checkerboard.score(x, bad)


@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (4, 2), (5, 2), (6, 3), (2, 3)])
def test_overlap_is_what_a_transposed_convolution_of_ones_gives(kernel, stride):
    values = np.zeros(7 * stride - stride + 1, int)
    values[::stride] = 1
    counts = checkerboard.overlap(kernel, stride, 7)
    np.testing.assert_array_equal(counts, np.convolve(values, np.ones(kernel, int)))
    inside = counts[kernel:-kernel]
    assert (len(set(inside)) == 1) == (kernel % stride == 0)


def test_the_clearest_crop_is_where_a_pattern_was_added():
    x = np.zeros((6, 28, 28, 1))
    x[2, 4:24, 12] = 1
    pattern = np.zeros_like(x)
    pattern[4, 6:18, 10:22] = board((12, 12), 0.1)[0]
    pattern[2] = -0.9 * x[2]  # a line that was lost is no pattern
    assert checkerboard.clearest(x, x + pattern + 0.1, 12) == (4, 6, 10)
