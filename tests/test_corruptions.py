"""The noises: one contract for all of them, each against a computation of its own, and NumPy against the graph."""

import functools
import math

import numpy as np
import pytest

from cae_core.corruptions import BLUR_SIGMA, CORRUPTIONS, MIXED_SHARES, corrupt, graph_corruption

KINDS = list(CORRUPTIONS)
RANDOM = [kind for kind in KINDS if kind not in ("none", "blur")]
SHAPE = (20, 36, 2)


def images(n=3, shape=(28, 28, 1), seed=0):
    return np.random.default_rng(seed).random((n, *shape), dtype="float32")


@functools.cache
def compiled(kind, factor):
    import tensorflow as tf

    return tf.function(graph_corruption(kind, factor))


def in_graph(kind, x, factor, seed=(0, 1)):
    return compiled(kind, factor)(x, np.array(seed, np.int32)).numpy()


def in_numpy(kind, x, factor):
    return corrupt(x, kind, factor, 5)


BOTH = pytest.mark.parametrize("through", [in_numpy, in_graph], ids=["numpy", "graph"])


@BOTH
@pytest.mark.parametrize("kind", KINDS)
def test_shape_range_dtype_and_that_factor_0_is_the_identity(kind, through):
    x = images(shape=SHAPE)
    before = x.copy()
    noisy = through(kind, x, 1.0)
    assert noisy.shape == x.shape
    assert noisy.dtype == np.float32
    assert noisy.min() >= 0
    assert noisy.max() <= 1
    assert kind == "none" or np.abs(noisy - x).max() > 0.01
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(through(kind, x, 0.0), x)


@pytest.mark.parametrize("kind", RANDOM)
def test_the_seed_decides_the_noise_which_differs_from_image_to_image(kind):
    x = np.full((40, 28, 28, 1), 0.25, "float32")
    first = corrupt(x, kind, 0.5, 1)
    np.testing.assert_array_equal(corrupt(x, kind, 0.5, 1), first)
    assert (corrupt(x, kind, 0.5, 2) != first).any()
    in_steps = in_graph(kind, x, 0.5)
    np.testing.assert_array_equal(in_graph(kind, x, 0.5), in_steps)
    for other in ((0, 2), (1, 1)):
        assert (in_graph(kind, x, 0.5, other) != in_steps).any()
    for noisy in (first, in_steps):
        assert len({image.tobytes() for image in noisy}) > 30


def test_other_random_numbers_in_between_change_nothing():
    import tensorflow as tf

    x = images(20)
    alone = in_graph("mixed", x, 1.0), corrupt(x, "gaussian", 0.5, 3)
    tf.random.set_seed(99)
    tf.random.normal((3,))
    np.random.seed(99)  # noqa: NPY002 - the global generator is what is being disturbed
    np.testing.assert_array_equal(in_graph("mixed", x, 1.0), alone[0])
    np.testing.assert_array_equal(corrupt(x, "gaussian", 0.5, 3), alone[1])


def phi(t):
    return math.exp(-t * t / 2) / math.sqrt(2 * math.pi)


def cdf(t):
    return (1 + math.erf(t / math.sqrt(2))) / 2


def clipped_normal(mean, sigma):
    """Mean and variance of min(max(N(mean, sigma), 0), 1), in closed form."""
    a, b = -mean / sigma, (1 - mean) / sigma
    inside = cdf(b) - cdf(a)
    first = mean * inside + sigma * (phi(a) - phi(b)) + (1 - cdf(b))
    second = (mean**2 + sigma**2) * inside + 2 * mean * sigma * (phi(a) - phi(b)) + sigma**2 * (a * phi(a) - b * phi(b))
    return first, second + (1 - cdf(b)) - first**2


@BOTH
@pytest.mark.parametrize(("value", "factor"), [(0.0, 1.0), (0.3, 0.2)])
def test_gaussian_is_a_clipped_normal(through, value, factor):
    noisy = through("gaussian", np.full((300, 28, 28, 1), value, "float32"), factor).astype("float64")
    mean, variance = clipped_normal(value, factor)
    error = math.sqrt(variance / noisy.size)
    assert abs(noisy.mean() - mean) < 5 * error
    assert noisy.var() == pytest.approx(variance, rel=0.02)
    assert (noisy == 0).mean() == pytest.approx(cdf(-value / factor), abs=0.01)
    assert (noisy == 1).mean() == pytest.approx(1 - cdf((1 - value) / factor), abs=0.01)


@BOTH
@pytest.mark.parametrize("factor", [0.1, 0.6, 1.0])
def test_shares_of_salt_and_pepper_and_of_masking(through, factor):
    x = images(200) * 0.8 + 0.1
    error = 5 * math.sqrt(factor / x.size)
    noisy = through("salt_and_pepper", x, factor)
    assert abs((noisy == 0).mean() - factor / 2) < error
    assert abs((noisy == 1).mean() - factor / 2) < error
    np.testing.assert_array_equal(noisy[(noisy > 0) & (noisy < 1)], x[(noisy > 0) & (noisy < 1)])
    noisy = through("masking", x, factor)
    assert abs((noisy == 0).mean() - factor) < error
    np.testing.assert_array_equal(noisy[noisy > 0], x[noisy > 0])


def blurred_directly(image, factor):
    """Every pixel as the weighted mean of all pixels of its image, weights renormalised at the border; float64."""
    height, width, _ = image.shape
    out = np.empty(image.shape)
    rows, columns = np.mgrid[:height, :width]
    for i in range(height):
        for j in range(width):
            down, along = (rows - i) / (factor * BLUR_SIGMA * height), (columns - j) / (factor * BLUR_SIGMA * width)
            weights = np.exp(-(down**2 + along**2) / 2)
            out[i, j] = (weights[..., None] * image).sum((0, 1)) / weights.sum()
    return out


@BOTH
@pytest.mark.parametrize("factor", [0.1, 1.0])
def test_blur_is_a_renormalised_convolution(through, factor):
    assert BLUR_SIGMA * 28 == 4  # pixels
    x = images(1, SHAPE)
    np.testing.assert_allclose(through("blur", x, factor)[0], blurred_directly(x[0], factor), atol=2e-6)


@BOTH
@pytest.mark.parametrize("factor", [0.02, 0.5, 1.0])
def test_occlusion_is_one_grey_rectangle_wholly_inside(through, factor):
    x = np.full((60, *SHAPE), 0.25, "float32")
    sides = [math.floor(factor * size + 0.5) for size in SHAPE[:2]]
    corners = set()
    for image in through("occlusion", x, factor):
        assert (image == image[..., :1]).all()  # every channel alike
        rows, columns = np.nonzero(image[..., 0] != 0.25)
        assert len(rows) == sides[0] * sides[1]
        if len(rows):
            assert (image[rows, columns] == 0.5).all()
            assert [np.ptp(rows) + 1, np.ptp(columns) + 1] == sides  # as many pixels as its bounding box: a rectangle
            corners.add((rows.min(), columns.min()))
    if 0 < factor < 1 and all(sides):
        assert len(corners) > 5


def test_occlusion_reaches_every_border_and_prefers_no_place():
    noisy = corrupt(np.zeros((4000, 28, 28, 1), "float32"), "occlusion", 0.75, 0)[..., 0]  # sides of 21: 8 x 8 places
    top, left = (noisy.max(axis=2) > 0).argmax(axis=1), (noisy.max(axis=1) > 0).argmax(axis=1)
    for start in (top, left):
        counts = np.bincount(start, minlength=8)
        assert len(counts) == 8
        assert np.abs(counts - 500).max() < 5 * math.sqrt(500)


SHARES = {kind: share for kind, entry in CORRUPTIONS.items() for noise, share in MIXED_SHARES if noise is entry.make}


def test_mixed_gives_each_kind_its_share_at_strengths_of_its_own():
    """Each kind leaves marks on images of a constant 0.3 that no other leaves."""
    n = 100
    x = np.full((n, 28, 28, 1), 0.3, "float32")
    x[:, 14, 14] = 0.9  # something to blur
    noisy = in_graph("mixed", x, 1.0)[..., 0]
    kinds = []
    for image in noisy:
        values, changed = set(np.unique(image).tolist()), image != x[0, :, :, 0]
        if values <= {0.0, 1.0, np.float32(0.3), np.float32(0.9)}:
            kinds.append("salt_and_pepper" if 1.0 in values else "masking")
        elif (image[changed] == 0.5).all():
            kinds.append("occlusion")
        elif image.std() < 0.03:
            kinds.append("blur")
        else:
            kinds.append("gaussian")
    counts = {kind: kinds.count(kind) for kind in SHARES}
    assert counts == pytest.approx({kind: share * n for kind, share in SHARES.items()}, abs=2)  # factors near 0 hide a kind
    assert sum(SHARES.values()) == pytest.approx(1)


def test_mixed_strengths_are_the_mean_of_two_uniform_draws():
    """Read off the share of black pixels: triangular over [0, factor], mean factor / 2, variance factor^2 / 24."""
    n, factor = 4000, 0.8
    ends = dict(zip(SHARES, np.cumsum(list(SHARES.values())), strict=True))
    masked = slice(round(ends["salt_and_pepper"] * n), round(ends["masking"] * n))
    strengths = (in_graph("mixed", np.full((n, 28, 28, 1), 0.5, "float32"), factor)[masked] == 0).mean((1, 2, 3))
    assert len(strengths) > 200
    assert strengths.max() < factor + 0.03
    deviation = factor / math.sqrt(24)
    assert abs(strengths.mean() - factor / 2) < 4 * deviation / math.sqrt(len(strengths))
    assert strengths.std() == pytest.approx(deviation, rel=0.15)


@pytest.mark.parametrize("n", [1, 10])
def test_mixed_keeps_every_image_of_any_batch(n):
    assert in_graph("mixed", images(n), 0.5).shape == (n, 28, 28, 1)
    np.testing.assert_array_equal(in_graph("mixed", images(n), 0.0), images(n))


def test_what_is_not_a_noise_is_refused():
    x = images()
    with pytest.raises(ValueError, match="Unknown noise kind 'gausian'.* Did you mean 'gaussian'"):
        corrupt(x, "gausian", 0.5, 0)
    with pytest.raises(ValueError, match="Unknown noise kind 'gausian'.* Did you mean 'gaussian'"):
        graph_corruption("gausian", 0.5)
    with pytest.raises(ValueError, match="Unknown noise kind 'mixed'"):
        corrupt(x, "mixed", 0.5, 0)
    for call in (lambda: corrupt(x, "gaussian", 1.1, 0), lambda: graph_corruption("mixed", math.nan)):
        with pytest.raises(ValueError, match="noise_factor is .*; it must be a number from 0 to 1"):
            call()
