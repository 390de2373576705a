"""The example of each public entry point does what it says."""

import doctest

import pytest

from cae_core import architectures, corruptions, datasets, runs, training
from cae_core.inference import reconstruction

ENTRY_POINTS = (
    architectures.build, corruptions.corrupt, datasets.load, reconstruction.reconstruct, runs.find, training.train,
)  # fmt: skip


@pytest.mark.parametrize("entry_point", ENTRY_POINTS, ids=lambda function: function.__name__)
def test_example_is_so(entry_point):
    (example,) = doctest.DocTestFinder().find(entry_point, entry_point.__name__, globs={})
    assert example.examples
    differences = []
    doctest.DocTestRunner().run(example, out=differences.append)
    assert not differences, "".join(differences)
