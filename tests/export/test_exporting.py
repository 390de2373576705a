"""Exports: each opens in the program it is for, without the project, and says the same as the run on disk."""

import csv
import dataclasses
import io
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cae_core import datasets, runs
from cae_core import export as exporting
from cae_core.architectures import build, fitting, suited
from cae_core.config import RunConfig
from cae_core.datasets import DatasetMissing
from cae_core.export import EXPORTS, export
from cae_core.runs import writing
from cae_core.training import run_trainer

HOSTILE = '"><script>alert(1)</script> ../../etc/passwd\n'


@pytest.fixture(scope="module")
def recorded(few_strokes, tmp_path_factory):
    """A run of two epochs, and one forked from its first and stopped after one of three."""
    config = RunConfig(architecture="dense", bottleneck=3, num_train=100, batch_size=50, epochs=2, noise_kind="gaussian")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAE_RUNS_DIR", str(tmp_path_factory.mktemp("runs")))
        exporting.data_npz.cache_clear()
        whole = run_trainer.RunTrainer.begin(config, "whole", title=HOSTILE)
        assert len(list(whole.events())) == 4
        whole.close()
        longer = dataclasses.replace(config, epochs=3, seed=4, noise_kind="none")
        fork = run_trainer.RunTrainer.begin(longer, "fork", origin={"run": "whole", "step": 2})
        events = fork.events()
        next(events), next(events)
        fork.write("stopped")
        fork.close()
        yield {name: runs.find(name) for name in ("whole", "fork")}
    exporting.data_npz.cache_clear()


@pytest.fixture
def no_litter(tmp_path, monkeypatch):
    """Temporary files go to a folder that is empty afterwards."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield
    assert not list(folder.iterdir())


def elsewhere(program, folder, *arguments):
    """Runs a program in a Python process that cannot find the project, and whose user has set Keras up otherwise."""
    program = f"import importlib.util, sys\nassert importlib.util.find_spec('cae_core') is None\n{program}"
    (folder / "keras.json").write_text('{"floatx": "float64", "image_data_format": "channels_first"}', encoding="utf-8")
    theirs = {"KERAS_HOME": str(folder), "KERAS_BACKEND": "jax", "TF_USE_LEGACY_KERAS": "1"}
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | theirs
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stderr


def test_files_are_named_by_the_folder(recorded):
    run = recorded["whole"]
    assert run.title == HOSTILE.strip()
    for name, entry in EXPORTS.items():
        assert re.fullmatch(r"(whole[a-z0-9.-]+|events\.out\.tfevents\.\d+\.whole)", entry.file_name(run)), name


WITH_LAYERS = ("conv_unpool", "conv_transpose")
"""Networks with layers that Keras does not have."""
OTHERS = tuple(name for name in suited("strokes") if name not in WITH_LAYERS)

LOAD = """
import runpy
_, names, trained_further = sys.argv
sys.argv = ["fork.py"]
runpy.run_path("fork/fork.py")  # which sets Keras right
import keras, numpy as np
recalled = {}
for name in names.split(","):
    model = keras.models.load_model(name + ".keras")
    x = np.load("x.npy")
    recalled[name] = model(x).numpy()
    z = model.get_layer("encoder")(x)  # with switches, if there are any
    logits = model.get_layer("decoder")(z).numpy()
    x_hat = logits if model.layers[-1].activation.__name__ == "linear" else 1 / (1 + np.exp(-logits))
    np.testing.assert_allclose(x_hat, recalled[name], atol=1e-5)
    with open(name + ".json") as file:
        layers = keras.models.model_from_json(file.read())
    layers.load_weights(name + ".weights.h5")
    np.testing.assert_array_equal(layers(x), model(x))
    if name == trained_further:
        model.compile("adam", "mse")
        model.fit(x, x, epochs=1, verbose=0)
np.savez("recalled.npz", **recalled)
assert not {"cae_core", "streamlit", "plotly"} & set(sys.modules)
"""


@pytest.mark.parametrize("names", [WITH_LAYERS, pytest.param(OTHERS, marks=pytest.mark.slow)], ids=["own layers", "others"])
def test_models_and_script_work_without_the_project_and_give_the_same(names, recorded, tmp_path, runs_folder, no_litter):
    x = np.random.default_rng(0).random((7, 28, 28, 1), dtype="float32")
    np.save(tmp_path / "x.npy", x)
    unpacked(recorded["fork"], tmp_path)
    saved = {"whole": recorded["whole"]}
    for name in names:
        config = fitting(RunConfig(architecture=name, bottleneck=2, loss="mse", seed=8))
        saved[name] = writing.save(
            runs_folder, name.replace("_", "-"), build(config), config, [], metrics={}, num_train=9, seconds=0
        )
    for name, run in saved.items():
        model = runs.keras_model(run)
        for kind, ending in {"keras": "keras", "architecture": "json", "weights": "weights.h5"}.items():
            (tmp_path / f"{name}.{ending}").write_bytes(export(kind, run))
        assert not model.encoder.get_layer(index=1)._inbound_nodes[1:]  # the one in memory was not wrapped
    elsewhere(LOAD, tmp_path, ",".join(saved), names[0])
    recalled = np.load(tmp_path / "recalled.npz")
    for name, run in saved.items():
        np.testing.assert_allclose(recalled[name], runs.model(run).reconstruct(x), atol=1e-5)
    written = np.loadtxt(tmp_path / "fork" / "history.csv", delimiter=",", skiprows=1, ndmin=2)
    columns = runs.history(recorded["fork"])
    np.testing.assert_allclose(written, np.stack([columns[n] for n in ("epoch", "loss", "held_out_loss")], 1), rtol=1e-5)


def test_the_history_is_the_file_without_unfinished_epochs(recorded):
    run = recorded["whole"]
    content = (run.path / "history.csv").read_bytes()
    assert export("history", run) == content
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert export("history", dataclasses.replace(run, epochs=1)).count(b"\n") == 2


def test_tensorboard_reads_the_losses(recorded, tmp_path, no_litter):
    import tensorflow as tf

    run = recorded["whole"]
    file = tmp_path / EXPORTS["tensorboard"].file_name(run)
    file.write_bytes(export("tensorboard", run))
    first, *events = tf.compat.v1.train.summary_iterator(str(file))
    assert first.file_version == "brain.Event:2"
    columns = runs.history(run)
    assert [event.step for event in events] == [1, 2]
    for tag in ("loss", "held_out_loss"):
        found = [value.simple_value for event in events for value in event.summary.value if value.tag == tag]
        np.testing.assert_allclose(found, columns[tag], rtol=1e-6)
    times = [event.wall_time for event in (first, *events)]
    assert times == sorted(times)


def test_the_grid_is_a_picture(recorded):
    whole = recorded["whole"]
    still = dataclasses.replace(whole, config=dataclasses.replace(whole.config, noise_factor=0.0))
    pictures = [Image.open(io.BytesIO(export("grid", run))) for run in (whole, recorded["fork"], still)]
    assert {picture.format for picture in pictures} == {"PNG"}
    noisy, clean, without = (picture.height for picture in pictures)
    assert clean < noisy  # a row of noisy images more
    assert without < noisy - 28  # pixels of a row


def test_the_figures_are_one_page_that_loads_nothing(recorded):
    page = export("figures", recorded["whole"]).decode()
    assert "alert(1)</script>" not in page
    assert "&quot;&gt;&lt;script&gt;alert(1)" in page
    assert not re.search(r"""<(script|link|img|iframe)[^>]+(src|href)=["']?(https?:)?//""", page)
    assert page.count("Plotly.newPlot(") >= 2
    assert page.count('<img src="data:image/png;base64,') == 1
    assert "plotly.js v" in page
    assert "component 1, " in page
    assert "Strokes, Dense, 3 numbers, BCE, noise gaussian 0.5, 2 epochs of 100 images; clean: MSE 0." in page


def test_the_data_is_as_keras_has_it(recorded):
    data = np.load(io.BytesIO(exporting.data_npz("strokes")))
    assert {name: (data[name].shape, data[name].dtype) for name in data.files} == {
        "x_train": ((160, 28, 28), np.uint8),
        "x_test": ((60, 28, 28), np.uint8),
        "y_train": ((160,), np.uint8),
        "y_test": ((60,), np.uint8),
    }
    np.testing.assert_array_equal(data["x_train"][..., None], datasets.load("strokes", "train").x)


def test_the_start_of_a_fork_is_what_its_parent_was(recorded):
    start = np.load(io.BytesIO(exporting.start_npz(recorded["fork"])))
    then = runs.weights(recorded["whole"], 2)
    assert list(start.files) == list(then)
    assert all(np.array_equal(start[path], w) for path, w in then.items())
    with pytest.raises(runs.RunError, match="started from fresh weights"):
        exporting.start_npz(recorded["whole"])


def unpacked(run, folder):
    with zipfile.ZipFile(io.BytesIO(export("everything", run))) as archive:
        assert archive.testzip() is None
        archive.extractall(folder)
        return archive.namelist()


def test_everything_has_everything(recorded, tmp_path, no_litter):
    run = recorded["fork"]
    names = unpacked(run, tmp_path)
    files = {entry.file_name(run): name for name, entry in EXPORTS.items() if name != "everything"}
    assert set(names) == {f"fork/{file}" for file in (*files, "strokes.npz", "start.npz", "README.txt")}
    for file, name in files.items():
        if name in ("history", "tensorboard", "script", "grid"):
            assert (tmp_path / "fork" / file).read_bytes() == export(name, run)
    text = (tmp_path / "fork" / "README.txt").read_text(encoding="utf-8")
    assert all(f"{file}: " in text for file in (*files, "strokes.npz", "start.npz"))
    assert "is missing" not in text


def test_what_cannot_be_made_is_left_out_and_said(recorded, tmp_path, monkeypatch):
    monkeypatch.delenv("CAE_DATA_DIR", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    datasets.clear_cache()
    run = dataclasses.replace(recorded["whole"], config=dataclasses.replace(recorded["whole"].config, dataset="mnist"))
    with pytest.raises(DatasetMissing, match="MNIST was not found"):
        export("grid", run)
    names = unpacked(run, tmp_path)
    assert {Path(name).suffix for name in names} == {".keras", ".json", ".h5", ".csv", ".whole", ".py", ".txt"}
    text = (tmp_path / "whole" / "README.txt").read_text(encoding="utf-8")
    assert "whole-figures.html is missing: MNIST was not found" in text
