"""Processes of their own: one killed in mid-training leaves a run that goes on; two at once do not disturb each other."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cae_core import datasets, runs, training
from cae_core.cli import main
from cae_core.config import RunConfig
from cae_core.runs import storage

ROOT = Path(__file__).parent.parent
CONFIG = RunConfig(
    dataset="strokes",
    num_train=1000,
    batch_size=50,
    architecture="dense",
    bottleneck=4,
    epochs=4,
    noise_kind="mixed",
    optimizer="muon",
    seed=8,
)  # 20 steps an epoch

FEW = """
import sys
from dataclasses import replace
import numpy as np
from cae_core import training
from cae_core.datasets import DATASETS, Split, strokes

def few(split):
    x, y = strokes.draw(1500 if split == "train" else 60, seed=1 if split == "train" else 2)
    return Split(x[..., np.newaxis], y)

DATASETS["strokes"] = replace(DATASETS["strokes"], load=few)
training.HELD_OUT = 500
"""
"""Makes of the Strokes a set that every process draws in a moment."""

PROGRAM = f"{FEW}\nfrom cae_core.cli import main\nsys.exit(main())"
"""`python -m cae_core` on that set."""

SERVER = f"""{FEW}
import json, sys, time
from cae_core import jobs, training
from cae_core.config import RunConfig

train = training.train

def held(*args):
    for event in train(*args):
        if event.step == 50:
            print("in step 50", flush=True)
            time.sleep(600)
        yield event

training.train = held
print(jobs.default().submit(RunConfig(**json.loads(sys.argv[1])), owner="me", title="Killed"), flush=True)
while jobs.default().is_busy():
    time.sleep(0.1)
"""


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """The same set in this process."""
    monkeypatch.setitem(datasets.DATASETS, "strokes", datasets.DATASETS["strokes"])
    monkeypatch.setattr(training, "HELD_OUT", training.HELD_OUT)
    datasets.clear_cache()
    exec(FEW, {})
    yield
    datasets.clear_cache()


@pytest.fixture
def processes():
    """Starts Python processes in the project; kills those that are left."""
    started = []

    def start(*arguments):
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def result(process):
    """The JSON value that a command printed."""
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return json.loads(out)


def command(config, name):
    settings = [word for key, value in config.to_dict().items() for word in (f"--{key.replace('_', '-')}", str(value))]
    return ["train", *settings, "--name", name, "--json"]


def assert_same(printed, config, capsys):
    """What a process printed is what this one gets, undisturbed."""
    assert main(command(config, f"solo-{config.seed}")) == 0
    alone = json.loads(capsys.readouterr().out)
    for column in ("epoch", "loss", "held_out_loss"):
        theirs, ours = ([row[column] for row in of["epochs"]] for of in (printed, alone))
        np.testing.assert_allclose(theirs, ours, rtol=0, atol=1.01e-6)  # six digits are printed
    for path, w in runs.weights(runs.find(printed["run"])).items():
        np.testing.assert_allclose(w, runs.weights(runs.find(f"solo-{config.seed}"))[path], rtol=0, atol=1e-6)


def test_killed_in_mid_training_a_run_goes_on_as_if_it_had_not_been(processes, capsys, runs_folder):
    server = processes("-c", SERVER, json.dumps(CONFIG.to_dict()))
    name = server.stdout.readline().strip()
    assert server.stdout.readline() == "in step 50\n", server.communicate()[1]
    run = runs.find(name)
    assert (run.state, run.epochs) == ("running", 2)
    assert storage.is_locked(run.path / "lock")
    os.kill(server.pid, signal.SIGKILL)
    server.wait()

    listed = result(processes("-m", "cae_core", "list", "--json"))["runs"]
    assert listed[name]["state"] == "interrupted"
    run = runs.find(name)
    assert (run.state, run.step, run.epochs, run.title, run.owner) == ("interrupted", 40, 2, "Killed", "me")
    assert len(runs.history(run)["loss"]) == 2
    assert runs.saved_steps(run) == [0, 20, 40]
    assert all(runs.weights(run, step) for step in (0, 20, 40))

    resumed = result(processes("-c", PROGRAM, "resume", name, "--json"))
    assert resumed["run"] == name
    assert len(resumed["epochs"]) == 4
    assert_same(resumed, CONFIG, capsys)
    run = runs.find(name)
    assert (run.state, run.step, run.title) == ("finished", 80, "Killed")
    assert not list(runs_folder.rglob("resume-*"))


@pytest.mark.slow  # two more processes; jobs that train at once are held against their solo runs in one
def test_two_processes_at_once_each_equal_their_solo_run(processes, capsys):
    configs = [
        RunConfig(**{**CONFIG.to_dict(), "optimizer": optimizer, "noise_kind": noise, "epochs": 2, "seed": seed})
        for optimizer, noise, seed in (("adam", "mixed", 1), ("rmsprop", "masking", 2))
    ]
    both = [processes("-c", PROGRAM, *command(config, f"both-{config.seed}")) for config in configs]
    for process, config in zip(both, configs, strict=True):
        assert_same(result(process), config, capsys)
