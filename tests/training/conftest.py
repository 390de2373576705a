"""Images to train on and to measure with, the same for every training."""

import pytest


@pytest.fixture(scope="module")
def x(digits):
    return digits[:100]


@pytest.fixture(scope="module")
def held_out(digits):
    return digits[300:]
