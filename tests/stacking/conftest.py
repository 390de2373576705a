"""A stack that is trained in a second, and the images for it."""

import pytest
from tiny_stack import TINY

from cae_core import runtime
from cae_core.stacking import linear_probe


@pytest.fixture(scope="session")
def tensorflow():
    assert runtime.ready(300)


@pytest.fixture
def tiny():
    return TINY


@pytest.fixture(scope="module")
def few_numbers():
    """Linear classifiers of fewer numbers, with one penalty to choose from."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(linear_probe, "FEW", 20)
        patch.setattr(linear_probe, "PENALTIES", (1e-3,))
        yield


@pytest.fixture(scope="module")
def images(few_strokes):
    """100 images to learn from, and their classes."""
    split = few_strokes("train")
    return split.x[:100], split.y[:100]


@pytest.fixture
def fresh(tensorflow, few_strokes):
    """Makes the untrained networks of a configuration."""
    from cae_core.stacking.network import Networks

    return lambda config=TINY: Networks(config, (28, 28, 1), 10)
