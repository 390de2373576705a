"""A user's own settings of Keras change nothing here."""

import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import keras
import numpy as np

from cae_core import runtime
from cae_core.architectures import build
from cae_core.config import RunConfig

NAMES = ("fast", "conv_unpool")
PROBE = f"""
import os, sys
import numpy as np
from cae_core import runtime
from cae_core.architectures import build
from cae_core.config import RunConfig
runtime.ready(300)
built = [build(RunConfig(architecture=name), (28, 28, 1)) for name in {NAMES}]
np.savez(sys.argv[1], *[array for model in built for array in model.weights().values()])
print(os.environ["KERAS_HOME"])
"""


def weights():
    return [array for name in NAMES for array in build(RunConfig(architecture=name), (28, 28, 1)).weights().values()]


def assert_same(found, expected):
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
        np.testing.assert_array_equal(ours, theirs)


def test_neither_keras_json_nor_the_environment_change_a_network(tmp_path):
    theirs = {"floatx": "float64", "image_data_format": "channels_first", "backend": "jax", "epsilon": 1}  # 1 stops Keras
    (tmp_path / "keras.json").write_text(json.dumps(theirs), encoding="utf-8")
    flags = {"KERAS_MAX_EPOCHS": "few", "KERAS_NNX_ENABLED": "1", "TF_XLA_FLAGS": "--no_such_flag"}
    environment = {**os.environ, "KERAS_HOME": str(tmp_path), "KERAS_BACKEND": "torch", **flags}
    command, root = [sys.executable, "-c", PROBE, str(tmp_path / "weights.npz")], Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, encoding="utf-8", timeout=300)
    assert (done.returncode, done.stdout.strip()) == (0, str(tmp_path)), done.stderr  # data are still looked for there
    with np.load(tmp_path / "weights.npz") as found:
        assert_same(list(found.values()), weights())
    assert {path.name for path in tmp_path.iterdir()} >= {"keras.json", "weights.npz"}


def test_what_the_program_around_it_has_set_is_set_back():
    expected = weights()
    keras.config.set_floatx("float64")
    keras.config.set_image_data_format("channels_first")
    assert_same(weights(), expected)


def test_another_backend_that_runs_already_is_said(monkeypatch):
    said = []
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    monkeypatch.setattr(runtime, "_failure", said)
    monkeypatch.setattr(runtime, "_ready", threading.Event())
    runtime._load()
    assert len(said) == 1
    assert re.fullmatch("Keras was started with the backend jax [^:]*: use `streamlit run app.py` or [^:]*", said[0])
