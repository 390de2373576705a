"""What every test gets: no noise from TensorFlow, none of the user's folders, and images that need no data set.

A test marked `real_data` runs only where CAE_DATA_DIR says where MNIST and Fashion-MNIST are.
"""

import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))  # plain `pytest` finds the project, as `python -m pytest` does
_keras_home = tempfile.TemporaryDirectory(prefix="keras-home-")
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_HOME"] = _keras_home.name


def pytest_collection_modifyitems(items):
    if not os.environ.get("CAE_DATA_DIR"):
        for item in items:
            if item.get_closest_marker("real_data"):
                item.add_marker(pytest.mark.skip(reason="CAE_DATA_DIR is not set"))


@pytest.fixture(autouse=True)
def runs_folder(tmp_path, monkeypatch):
    """Where the test's runs are kept; does not exist yet."""
    monkeypatch.setenv("CAE_RUNS_DIR", str(tmp_path / "runs"))
    return tmp_path / "runs"


@pytest.fixture(scope="session")
def digits():
    """400 drawn digits, `(400, 28, 28, 1)` uint8, read-only."""
    from cae_core.datasets import strokes

    x = strokes.draw(400, seed=3)[0][..., np.newaxis]
    x.flags.writeable = False
    return x
