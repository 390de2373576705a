"""Progress of a stack: filters projected to pixels, and a look that comes back from disk as it was."""

import io

import numpy as np
import pytest

from cae_core.runs import storage
from cae_core.stacking.progress import StackProgress, projections


def test_the_first_layers_filters_are_its_kernels():
    kernel = np.random.default_rng(0).normal(size=(3, 3, 1, 4)).astype("float32")
    np.testing.assert_array_equal(projections([kernel], True), np.moveaxis(kernel[:, :, 0], 2, 0))


def test_a_deeper_filter_is_what_one_number_paints(fresh):
    """Held against the network's own way back, without squashing, with each of the four places averaged."""
    import tensorflow as tf

    stack = fresh().stack
    number = np.zeros((1, 7, 7, 4), "float32")
    number[0, 3, 3, 2] = 1
    painted = np.zeros((28, 28))
    for outer in range(4):
        maps = stack.logits_below(tf.constant(number), tf.fill(number.shape, outer), 1).numpy()
        for inner in range(4):
            painted += stack.logits_below(tf.constant(maps), tf.fill(maps.shape, inner), 0).numpy()[0, ..., 0] / 16
    filters = projections([conv.kernel.numpy() for conv in stack.encoders.convs], True)
    assert filters.shape == (4, 8, 8)
    rows, columns = np.nonzero(np.abs(painted) > 1e-6)
    # Averaging over the outer places moves the inner painting by one map pixel, too, so the mean of four is wider.
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) >= filters.shape[1:]
    assert np.isclose(painted.sum(), filters[2].sum(), rtol=1e-4)


def test_a_look_comes_back_as_it_was():
    rng = np.random.default_rng(0)
    pictures = [rng.random((8, 28, 28, 1)).astype("float32") for _ in range(4)]
    line = np.array([[1.0, 0.5], [2.0, 0.25]])
    look = StackProgress(
        3, 20, 22, 1.5, 2, 4, 6, 10.0, None, pictures[0], pictures[1], pictures[2:],
        [np.ones((3, 3, 3), "float32"), np.ones((4, 8, 8), "float32")], [line, line], {"random": line}, {},
    )  # fmt: skip
    with np.load(io.BytesIO(storage.arrays_to_bytes(look.to_arrays())), allow_pickle=False) as arrays:
        back = StackProgress.from_arrays(dict(arrays))
    back.check((28, 28, 1), 2)
    with pytest.raises(ValueError, match="It belongs to another stack, or is damaged"):
        back.check((28, 28, 1), 1)
    assert (back.number, back.step, back.seconds_left) == (3, 20, None)
    np.testing.assert_allclose(back.x_hats[1], look.x_hats[1], atol=1 / 500)
    np.testing.assert_array_equal(back.tuning["random"], line)
    assert back.accuracy == {}
    assert [f.shape for f in back.filters] == [(3, 3, 3), (4, 8, 8)]
