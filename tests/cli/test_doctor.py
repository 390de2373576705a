"""`doctor`: a fault planted in each thing it looks at is named, with what to do; and the exit status."""

import errno
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cae_core.cli import doctor, main
from cae_core.datasets import DATASETS, clear_cache
from cae_core.runtime import memory, packages

DENIED = PermissionError(errno.EACCES, "Permission denied")
GONE = FileNotFoundError(errno.ENOENT, "No such file or directory")
TAKEN = OSError(errno.EADDRINUSE, "Address already in use")
FOLDER = Path("runs")
FAULTS = [
    (doctor.of_python("3.10.4"), "3.10.4", "use Python 3.11, 3.12 or 3.13"),
    (doctor.of_python("3.14.0"), "3.14.0", "use Python 3.11, 3.12 or 3.13"),
    (doctor.of_package("plotly", ">=6,<8", None), "not installed, wanted >=6,<8", "pip install -r requirements.txt"),
    (doctor.of_package("numpy", ">=2.1,<3", "1.26.4"), "1.26.4, wanted >=2.1,<3", "pip install -r requirements.txt"),
    (doctor.of_memory(300, None), "needs about 600 MB of memory for TensorFlow, and 300 MB are left", "close other"),
    (doctor.of_memory(9e3, 700), "needs about 2,500 MB of memory for TensorFlow, and 700 MB are left", "close other"),
    (doctor.of_training("CAE_WORKERS is '0': set it to 1", 0, None), "CAE_WORKERS is '0'", "set it to 1"),
    (doctor.of_training("", 3, 900.0), "3 runs at a time need about 1,800 MB, and 900 MB are free", "lower CAE_WORKERS"),
    (doctor.of_runs(FOLDER, DENIED, 0), "runs takes no file (Permission denied)", "set CAE_RUNS_DIR to a folder you may"),
    (doctor.of_runs(FOLDER, GONE, 0), "runs takes no file (No such", "put it back, or set CAE_RUNS_DIR"),
    (doctor.of_runs(FOLDER, None, 3), "3 MB are free", "free some space"),
    (doctor.of_data_set("mnist", True, "mnist.npz cannot be used: cut. Take it out."), "used: cut", "Take it out."),
    (doctor.of_downloads({FOLDER: DENIED}, ["mnist"]), "runs takes no file, so mnist cannot be got", "set CAE_DATA_DIR"),
    (doctor.of_downloads({}, ["mnist"]), "no folder takes a file", "set CAE_DATA_DIR"),
    (doctor.of_keras({}, "Keras was started with jax: use `streamlit run app.py`", {}), "with jax", "streamlit run app.py"),
    (doctor.of_keras(doctor.KERAS | {"backend": "jax"}, "", {}), "backend jax", "need backend tensorflow: run"),
    (doctor.of_port(8501, TAKEN, True, 9000), "taken by a Streamlit app", "open http://localhost:8501, or start another:"),
    (doctor.of_port(80, DENIED, False, 9000), "80 cannot be listened at (Permission denied)", "--server.port 9000"),
]


NO_FAULTS = [
    (doctor.of_python("3.11.0rc1"), ""),
    (doctor.of_package("tensorflow", ">=2.21,<2.23", "2.22.0rc1"), ""),
    (doctor.of_memory(None, None), "nobody can tell"),
    (doctor.of_memory(9e3, None), "9,000 MB are free"),
    (doctor.of_training("", 1, 500.0), "1 run at a time"),
    (doctor.of_data_set("mnist", False, ""), "works"),
    (doctor.of_downloads({FOLDER: DENIED}, []), "every data set is there"),
    (doctor.of_downloads({Path("one"): DENIED, Path("two"): None}, ["mnist"]), "go to two"),
    (doctor.of_keras(doctor.KERAS, "", {"backend": "jax", "floatx": "float32"}), "backend jax, set for other programs"),
    (doctor.of_port(8501, None, False, 8501), "8501 is free"),
]


@pytest.mark.parametrize(("finding", "text", "advice"), [*FAULTS, *((*works, "") for works in NO_FAULTS)])
def test_a_fault_is_named_with_what_to_do_and_what_works_is_none(finding, text, advice):
    assert finding.works == (advice == "")
    assert text in finding.text
    assert advice in finding.advice


def test_bounds_are_read_however_they_are_spaced_and_compared_as_numbers():
    for line in ("NumPy >= 2.1, <3 # fast", "numpy>=2.1,<3"):
        assert packages.required(f"# five\n\n{line}\n") == {"numpy": ">=2.1,<3"}
    assert [packages.allows(">=2.1,<3", version) for version in ("2.0.9", "2.1", "3.0.0")] == [False, True, False]
    assert not packages.allows(">=6,<8", "10.1")


def test_a_package_counts_under_whatever_name_its_module_came(monkeypatch):
    """`tensorflow-cpu` brings `tensorflow`, which then is installed under no name of its own."""
    versions = {"tensorflow-cpu": "2.21.0", "keras": "3.15.0", "numpy": "2.4.0"}

    def version(name):
        if name not in versions:
            raise packages.metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(packages.metadata, "version", version)
    monkeypatch.setattr(packages.metadata, "packages_distributions", lambda: {"tensorflow": ["tensorflow-cpu"]})
    assert packages.versions()["tensorflow"] == "2.21.0"
    assert packages.version("plotly") is None


@pytest.fixture
def healthy(monkeypatch, tmp_path):
    """A machine without a fault, whatever this one has, and whose Keras is not loaded."""
    monkeypatch.setattr(doctor, "_load_keras", lambda: (doctor.KERAS, ""))
    monkeypatch.setattr(memory, "available", lambda: 5_000.0)
    monkeypatch.setattr(memory, "available_addresses", lambda: None)
    monkeypatch.setenv("CAE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv("KERAS_BACKEND")
    with socket.socket() as free:
        free.bind(("", 0))
        return str(free.getsockname()[1])


def test_all_is_well(healthy, runs_folder, capsys):
    assert main(["doctor", "--port", healthy]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "Everything will work."
    assert {line.partition(":")[0] for line in lines[:-1] if line[0] != " "} == {
        f"ok    {about}" for about in ("python", *packages.required(packages.REQUIREMENTS.read_text(encoding="utf-8")))
    } | {f"ok    {about}" for about in ("memory", "training", "runs", "downloads", "keras", "port")} | {
        f"ok    data set {name}" for name in DATASETS
    }  # fmt: skip
    assert not runs_folder.exists()  # looking leaves nothing behind


@pytest.mark.parametrize(
    "fault", ["runs", "training", "data set mnist", "downloads", "port", "memory", "tensorflow", "keras.json"]
)
def test_what_is_wrong_with_this_machine_is_met(fault, healthy, tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    listening = socket.socket()
    if fault == "runs":
        monkeypatch.setenv("CAE_RUNS_DIR", str(tmp_path / "file/runs"))
    elif fault == "training":
        monkeypatch.setenv("CAE_WORKERS", "two")
    elif fault == "data set mnist":
        clear_cache()  # of what other tests have read from elsewhere
        (tmp_path / "data").mkdir()
        (tmp_path / "data/mnist.npz").write_text("no archive", encoding="utf-8")
    elif fault == "downloads":
        monkeypatch.setenv("CAE_DATA_DIR", str(tmp_path / "file/data"))
        monkeypatch.setenv("KERAS_HOME", str(tmp_path / "file/keras"))
    elif fault == "port":
        listening.bind(("", int(healthy)))
        listening.listen()
    elif fault == "memory":
        monkeypatch.setattr(memory, "available", lambda: 100.0)
    elif fault == "tensorflow":
        monkeypatch.setattr(packages, "version", lambda name: None if name == fault else "0")
        monkeypatch.setattr(packages, "allows", lambda *_: True)
    else:
        (tmp_path / "keras").mkdir()
        (tmp_path / "keras/keras.json").write_text('{"backend": "jax", "floatx": "float64"}', encoding="utf-8")
    with listening:
        status = main(["doctor", "--json", "--port", healthy])
    result = json.loads(capsys.readouterr().out)
    faults = [finding for finding in result["findings"] if not finding["works"]]
    if fault == "keras.json":  # it counts only for other programs
        (keras,) = (finding for finding in result["findings"] if finding["about"] == "keras")
        assert "backend jax, floatx float64, set for other programs" in keras["text"]
        assert (status, faults) == (0, [])
        return
    assert (status, result["works"]) == (1, False)
    also = ["data set mnist_with_test"] if fault == "data set mnist" else []  # of the same file
    assert [finding["about"] for finding in faults] == [fault, *also]
    assert all(finding["advice"] for finding in faults)


@pytest.mark.parametrize(
    ("code", "end"), [("import os; os.kill(os.getpid(), 4)", "signal 4"), ("1 / 0", "ZeroDivisionError")]
)
def test_a_crash_of_tensorflow_is_a_fault_and_not_the_doctors_end(code, end, monkeypatch):
    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda command, **more: run([sys.executable, "-c", code], **more))
    finding = doctor.of_keras(*doctor._load_keras(), {})
    assert not finding.works
    assert end in finding.text
    assert "trained networks can still be looked at" in finding.advice


def test_keras_as_it_is_loaded_here_is_as_the_networks_need_it(monkeypatch, capsys):
    def run(command, **more):  # in this process
        exec(command[2])
        return subprocess.CompletedProcess(command, 0, stdout=capsys.readouterr().out)

    monkeypatch.setattr(subprocess, "run", run)
    assert doctor._load_keras() == (doctor.KERAS, "")


def test_without_a_package_every_command_says_so(tmp_path):
    (tmp_path / "numpy.py").write_text("raise ModuleNotFoundError(\"No module named 'numpy'\")", encoding="utf-8")
    command = [sys.executable, "-m", "cae_core", "doctor"]
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "PYTHONSAFEPATH": ""}
    root = packages.REQUIREMENTS.parent
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, encoding="utf-8", timeout=120)
    assert done.returncode == 1
    assert done.stderr.startswith("error: No module named 'numpy': run `pip install -r requirements.txt`")
