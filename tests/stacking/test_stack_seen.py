"""What is seen of a stack: filters projected to pixels, and a look that comes back from disk as it was."""

import io

import numpy as np

from cae_core.runs import storage
from cae_core.stacking.progress import StackProgress, projections


def test_the_first_layers_filters_are_its_kernels():
    kernel = np.random.default_rng(0).normal(size=(3, 3, 1, 4)).astype("float32")
    np.testing.assert_array_equal(projections([kernel], True), np.moveaxis(kernel[:, :, 0], 2, 0))


def test_a_deeper_filter_is_what_one_number_paints(tensorflow, few_strokes, tiny):
    """Held against the network's own way back, without squashing, with each of the four places averaged."""
    import tensorflow as tf

    from cae_core.stacking.network import Networks

    stack = Networks(tiny, (28, 28, 1), 10).stack
    kernels = [conv.kernel.numpy() for conv in stack.encoders.convs]
    one = np.zeros((1, 7, 7, 4), "float32")
    one[0, 3, 3, 2] = 1
    painted = np.zeros((28, 28))
    for outer in range(4):
        maps = stack.logits_below(tf.constant(one), tf.fill(one.shape, outer), 1).numpy()
        for inner in range(4):
            painted += stack.logits_below(tf.constant(maps), tf.fill(maps.shape, inner), 0).numpy()[0, ..., 0] / 16
    filters = projections(kernels, True)
    assert filters.shape == (4, 8, 8)
    rows, columns = np.nonzero(np.abs(painted) > 1e-6)
    top, left = rows.min(), columns.min()
    # Averaging over the outer places moves the inner painting by one map pixel, too, so the mean of four is wider.
    assert (rows.max() - top + 1, columns.max() - left + 1) >= filters.shape[1:]
    assert np.isclose(painted.sum(), filters[2].sum(), rtol=1e-4)


def test_a_look_comes_back_as_it_was():
    rng = np.random.default_rng(0)
    pictures = [rng.random((8, 28, 28, 1)).astype("float32") for _ in range(4)]
    line = np.array([[1.0, 0.5], [2.0, 0.25]])
    seen = StackProgress(
        3, 20, 22, 1.5, 2, 4, 6, 10.0, None, pictures[0], pictures[1], pictures[2:],
        [np.ones((3, 3, 3), "float32"), np.ones((4, 8, 8), "float32")], [line, line], {"random": line}, {},
    )  # fmt: skip
    archive = io.BytesIO(storage.arrays_to_bytes(seen.to_arrays()))
    with np.load(archive, allow_pickle=False) as arrays:
        back = StackProgress.from_arrays(dict(arrays))
    assert (back.number, back.step, back.seconds_left) == (3, 20, None)
    np.testing.assert_allclose(back.x_hats[1], seen.x_hats[1], atol=1 / 500)
    np.testing.assert_array_equal(back.tuning["random"], line)
    assert back.accuracy == {}
    assert [f.shape for f in back.filters] == [(3, 3, 3), (4, 8, 8)]
