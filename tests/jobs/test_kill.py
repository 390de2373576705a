"""A server killed in mid-training, for real, leaves a run that another process takes up."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cae_core import datasets, runs, training
from cae_core.cli import main
from cae_core.config import RunConfig
from cae_core.runs import storage

CONFIG = RunConfig(
    dataset="strokes", num_train=1000, batch_size=50, architecture="dense", bottleneck=4, epochs=4, noise_kind="mixed",
    optimizer="muon", seed=8,
)  # fmt: skip
"""20 steps an epoch."""

FEW = """
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

SERVER = f"""{FEW}
import json, sys, time
from cae_core import jobs
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
time.sleep(600)
"""


@pytest.mark.slow  # what a killed process leaves, and the end of its lock, are also tested with `queue` and `storage`
def test_killed_in_mid_training_a_run_goes_on_as_if_it_had_not_been(capsys, runs_folder, monkeypatch):
    monkeypatch.setitem(datasets.DATASETS, "strokes", datasets.DATASETS["strokes"])
    monkeypatch.setattr(training, "HELD_OUT", training.HELD_OUT)
    datasets.clear_cache()
    exec(FEW, {})
    command = [sys.executable, "-c", SERVER, json.dumps(CONFIG.to_dict())]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, encoding="utf-8") as server:
        try:
            name = server.stdout.readline().strip()
            assert server.stdout.readline() == "in step 50\n"
            run = runs.find(name)
            assert (run.state, run.epochs, storage.is_locked(run.path / "lock")) == ("running", 2, True)
        finally:
            server.kill()
    run = runs.find(name)
    assert (run.state, run.step, run.epochs, run.title, run.owner) == ("interrupted", 40, 2, "Killed", "me")
    assert runs.saved_steps(run) == [0, 20, 40]

    settings = [word for key, value in CONFIG.to_dict().items() for word in (f"--{key.replace('_', '-')}", str(value))]
    for arguments in (["resume", name], ["train", *settings, "--name", "solo"]):
        assert main([*arguments, "--json"]) == 0
    resumed, solo = map(json.loads, capsys.readouterr().out.splitlines())
    for column in ("epoch", "loss", "held_out_loss"):
        theirs, ours = ([row[column] for row in printed["epochs"]] for printed in (resumed, solo))
        np.testing.assert_allclose(theirs, ours, rtol=0, atol=1.01e-6)  # six digits are printed
    for path, w in runs.weights(runs.find(name)).items():
        np.testing.assert_allclose(w, runs.weights(runs.find("solo"))[path], rtol=0, atol=1e-6)
    assert (runs.find(name).state, runs.find(name).step, runs.find(name).title) == ("finished", 80, "Killed")
    assert not list(runs_folder.rglob("resume-*"))
    datasets.clear_cache()
