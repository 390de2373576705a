"""The drawn digits: repeatable, balanced, centred, anti-aliased at any size, and refused with a reason."""

import numpy as np
import pytest

from cae_core.datasets.strokes import draw

NUM_IMAGES = 500


@pytest.fixture(scope="module")
def drawn():
    return draw(NUM_IMAGES, seed=7)


def test_shapes_types_and_range(drawn):
    images, labels = drawn
    assert (images.shape, images.dtype) == ((NUM_IMAGES, 28, 28), np.uint8)
    assert (labels.shape, labels.dtype) == ((NUM_IMAGES,), np.uint8)
    assert images.min() == 0
    assert (images.max(axis=(1, 2)) > 180).all(), "every digit, even by the finest pen, has nearly white ink"
    assert (images == 255).any(axis=(1, 2)).mean() > 0.9, "strokes have a flat white core"
    assert len(np.unique(images.reshape(NUM_IMAGES, -1), axis=0)) == NUM_IMAGES, "an image is drawn twice"
    frame = np.concatenate([images[:, [0, -1], :], images[:, :, [0, -1]].transpose(0, 2, 1)])
    assert frame.max() < 128, "a digit touches the border"


def test_the_same_seed_draws_the_same_and_leaves_the_global_generator_alone(drawn):
    np.random.seed(3)
    before = np.random.get_state()[1].copy()
    images, labels = draw(NUM_IMAGES, seed=7)
    np.testing.assert_array_equal(images, drawn[0])
    np.testing.assert_array_equal(labels, drawn[1])
    np.testing.assert_array_equal(np.random.get_state()[1], before)


@pytest.mark.parametrize("num_images", [1, 9, 503])
def test_labels_are_balanced_and_shuffled(num_images):
    images, labels = draw(num_images, seed=0)
    counts = np.bincount(labels, minlength=10)
    assert (len(images), len(counts)) == (num_images, 10)
    assert counts.max() - counts.min() <= 1
    if num_images > 500:
        assert (np.diff(labels.astype(int)) % 10 == 1).mean() < 0.3, "the digits come in counting order"
        assert len(np.unique(labels[:50])) == 10, "the digits come in blocks"


def test_a_digit_varies_but_keeps_its_shape(drawn):
    """Labels belong to their images (the nearest class mean names most held-out digits), yet hands differ."""
    images, labels = drawn
    flat = images.reshape(NUM_IMAGES, -1) / 255.0
    means = np.stack([flat[:300][labels[:300] == digit].mean(axis=0) for digit in range(10)])
    nearest = ((flat[300:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest == labels[300:]).mean() > 0.6  # chance is 0.1
    assert all(flat[labels == digit].std(axis=0).max() > 0.25 for digit in range(10))


@pytest.mark.parametrize("image_size", [28, 100])
def test_ink_is_centred_and_fills_mnists_box(image_size):
    images, _ = draw(200, seed=5, image_size=image_size)
    mass, places = images.astype(np.float64), (np.arange(image_size) + 0.5) / image_size - 0.5
    centres = np.array([(mass.sum(axis=axis) * places).sum(axis=1) / mass.sum(axis=(1, 2)) for axis in (2, 1)])
    assert np.abs(centres.mean(axis=1)).max() < 0.1 / 28 * 2, "the whole set leans to one side"
    assert np.abs(centres).max() < 2.0 / 28, "a digit is more than two pixels of 28 off the centre"
    inked = (images > 127).any(axis=1), (images > 127).any(axis=2)
    longer = np.max([[np.ptp(np.flatnonzero(line)) + 1 for line in lines] for lines in inked], axis=0) * 28 / image_size
    assert abs(np.median(longer) - 20) < 1.0
    assert longer.min() > 16
    assert longer.max() < 23


def test_twice_the_size_shows_the_same_digits(drawn):
    images, labels = drawn
    large, large_labels = draw(NUM_IMAGES, seed=7, image_size=56)
    np.testing.assert_array_equal(large_labels, labels)
    shrunk = large.reshape(NUM_IMAGES, 28, 2, 28, 2).mean(axis=(2, 4))
    error = np.abs(shrunk - images).mean(axis=(1, 2))
    assert error.max() < 6.0, "grey levels per pixel, of 255"
    shifted = np.abs(np.roll(shrunk, 1, axis=2) - images).mean(axis=(1, 2))
    assert (error < 0.5 * shifted).all(), "a shift by one pixel must fit much worse, or the bound is idle"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"num_images": 0}, "num_images is 0; it must be a whole number from 1 to 1e"),
        ({"seed": -1}, "seed is -1; it must be a whole number from 0"),
        ({"image_size": 7}, "image_size is 7; it must be a whole number from 8 to 512"),
        ({"image_size": 513}, "image_size is 513; it must be a whole number from 8 to 512"),
    ],
)
def test_bad_arguments_are_refused_in_a_sentence(arguments, says):
    with pytest.raises(ValueError, match=says):
        draw(**{"num_images": 4, "seed": 0, **arguments})
