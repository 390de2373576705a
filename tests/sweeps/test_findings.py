"""What is measured on shipped runs, against the same by other means."""

from math import lgamma, log

import numpy as np
import pytest

from cae_core import runs
from cae_core.datasets import strokes
from cae_core.sweeps import findings


def test_a_sparse_code_costs_a_byte_a_number_and_the_choice_of_their_places():
    run = runs.find("strokes-k_sparse")
    x = strokes.draw(40, seed=1)[0][..., np.newaxis] / np.float32(255)
    weights = runs.weights(run)
    (w,) = (value for value in weights.values() if value.shape == (784, 256))
    (up,) = (value for value in weights.values() if value.shape == (256,))
    (down,) = (value for value in weights.values() if value.shape == (784,))
    units, pixels = x.reshape(40, 784) @ w + up, x.reshape(40, 784)
    points = findings._sparse(run, x, x)
    assert [point.size for point in points] == [*findings.KEPT]
    for point in points:
        kept = point.size
        z = np.zeros_like(units)
        for row, h in zip(z, units, strict=True):
            largest = np.argsort(h)[-kept:]
            row[largest] = h[largest]
        choices = (lgamma(257) - lgamma(kept + 1) - lgamma(257 - kept)) / log(2)
        assert point.bytes == pytest.approx(kept + choices / 8, abs=0.001)
        exact = np.mean((z @ w.T + down - pixels) ** 2)
        assert point.mse == pytest.approx(exact, rel=0.02)  # a number is rounded to one of 256 steps
