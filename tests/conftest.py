"""What every test gets: no noise from TensorFlow, none of the user's folders, and images that need no data set.

A test marked `real_data` runs only where CAE_DATA_DIR says where MNIST and Fashion-MNIST are. Elsewhere it is skipped; but
where REQUIRE_DATA or CI is set, whose runs nobody watches, it fails.
"""

import functools
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))  # plain `pytest` finds the project, as `python -m pytest` does

from cae_core import runtime  # noqa: E402
from cae_core.runtime import keras_settings  # noqa: E402

DATA_DIR = os.environ.get("CAE_DATA_DIR")
_keras_home = tempfile.TemporaryDirectory(prefix="keras-home-")
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_HOME"] = _keras_home.name
keras_settings.set_environment()


NO_DATA = (
    "CAE_DATA_DIR is not set: `python -m cae_core train --dataset mnist --download` gets MNIST into ~/.keras/datasets, "
    "--dataset fashion_mnist Fashion-MNIST; then set CAE_DATA_DIR to that folder."
)


def pytest_xdist_setupnodes(config, specs):
    """Shares the cores between the processes, before any of them imports NumPy or TensorFlow.

    Else each starts a thread a core, all wait for each other, and sums that are split otherwise differ in the last bit
    between a test and the programs it starts; those inherit this.
    """
    threads = str(max(1, (os.cpu_count() or 1) // len(specs)))
    os.environ.update(dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), threads))


def pytest_runtest_setup(item):
    if runtime._loader.locked():  # imported by two threads at once, TensorFlow is left half imported for good
        runtime._ready.wait(600)
    if item.get_closest_marker("real_data") and not DATA_DIR:
        required = os.environ.get("REQUIRE_DATA") or os.environ.get("CI")
        (pytest.fail if required else pytest.skip)(NO_DATA)


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


@functools.cache
def _few_strokes(split):
    from cae_core.datasets import Split, strokes

    x, y = strokes.draw(160 if split == "train" else 60, seed=1 if split == "train" else 2)
    return Split(x[..., np.newaxis], y)


@pytest.fixture(scope="module")
def few_strokes(tmp_path_factory):
    """A Strokes data set of which 100 images are left to train on, and no shipped runs; the function that loads it."""
    from cae_core import datasets, runs, training

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "PRETRAINED_DIR", tmp_path_factory.mktemp("shipped"))
        patch.setitem(datasets.DATASETS, "strokes", replace(datasets.DATASETS["strokes"], load=_few_strokes))
        patch.setattr(training, "HELD_OUT", 60)
        datasets.clear_cache()
        yield _few_strokes
    datasets.clear_cache()


@pytest.fixture(scope="session")
def small_network():
    """A network for `(n, 8, 12, 1)` images whose weights are nobody's initial ones, and its configuration."""
    from cae_core.architectures import build
    from cae_core.config import RunConfig

    config = RunConfig(architecture="fast", bottleneck=3, num_train=200, epochs=2, seed=5)
    model, rng = build(config, (8, 12, 1)), np.random.default_rng(0)
    model.set_weights({path: rng.standard_normal(w.shape).astype("float32") for path, w in model.weights().items()})
    return model, config


@pytest.fixture
def save_run(small_network, runs_folder):
    """Saves `small_network` as a run of two epochs."""
    from cae_core.runs import writing

    columns = ("epoch", "loss", "held_out_loss", "seconds")
    history = [dict(zip(columns, row, strict=True)) for row in ((1, 0.5, 0.6, 1.25), (2, 0.1, 0.2, 2.5))]

    def save(name="one", folder=runs_folder, seconds=2.5, **more):
        metrics = {"clean": {"mse": 0.01, "num_images": 5}}
        return writing.save(folder, name, *small_network, history, metrics=metrics, num_train=200, seconds=seconds, **more)

    return save
