"""Runs side by side in processes, each as trained alone to the last bit; processes that are killed, or never start."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from cae_core import runs, runtime
from cae_core.config import RunConfig
from cae_core.jobs import Jobs, worker
from cae_core.runs import storage

CONFIG = RunConfig(dataset="strokes", num_train=100, batch_size=30, architecture="dense", bottleneck=3, epochs=3, seed=3)
PATIENCE = 240  # seconds to wait for anything; far more than it takes, so that a busy machine fails nothing


def until(condition):
    end = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.01)
    return value


@pytest.fixture
def queue():
    queue = Jobs(workers=2)
    yield queue
    queue.end()


def over(queue, name):
    return until(lambda: not (now := queue.snapshot(name)).is_live and now)


def paused_at(queue, name, step):
    return until(lambda: (now := queue.snapshot(name)).state == "paused" and now.progress and now.progress.step == step)


def test_who_looks_while_a_step_is_done_has_pictures_made_in_the_next():
    class Fake:
        def ask(self, name, what, is_looked_at):
            looks.append(is_looked_at)
            if len(looks) == 1:
                lent.look()
            return len(looks) < 3, None, {}

    looks, lent = [], worker.Lent(SimpleNamespace(name="a-run"))
    lent.worker = Fake()
    assert len(list(lent.events(lambda: None))) == 2
    assert looks == [True, True, False]


@pytest.mark.slow
def test_side_by_side_they_obey_and_a_kill_costs_no_more_than_the_steps_since_the_last_writing(queue):
    assert runtime.ready(PATIENCE)
    here, names = Jobs(), {}
    alone = here.submit(CONFIG)
    for owner, steps in (("a", 2), ("b", 4)):
        names[owner] = queue.submit(CONFIG, owner)
        queue.pause(names[owner], owner)
        [queue.step(names[owner], owner) for _ in range(steps)]
    paused_at(queue, names["a"], 2), paused_at(queue, names["b"], 4)  # both stand in their midst at once
    os.kill(queue._all[names["b"]].trainer.worker._process.pid, signal.SIGKILL)
    queue.go_on(names["b"], "b"), queue.go_on(names["a"], "a")
    now, run = over(queue, names["b"]), runs.find(names["b"])
    assert (now.state, now.message, run.state, run.step) == ("interrupted", worker.LOST, "interrupted", 3)
    queue.resume(names["b"], "b")
    for name in (over(here, alone).name, *(over(queue, each).name for each in names.values())):
        run, other = runs.find(name), runs.find(alone)
        assert (run.state, run.metrics) == ("finished", other.metrics)
        assert list(runs.history(run)["held_out_loss"]) == list(runs.history(other)["held_out_loss"])
        for path, w in runs.weights(run).items():
            np.testing.assert_array_equal(w, runs.weights(other)[path])
    here.end()


@pytest.mark.parametrize(
    ("program", "says"), [("missing", "(No such file or directory): close other"), ("false", "resume")]
)
def test_a_process_that_does_not_start_is_said_and_the_queue_goes_on(queue, monkeypatch, tmp_path, program, says):
    monkeypatch.setattr(sys, "executable", "/bin/false" if program == "false" else str(tmp_path / program))
    for name in [queue.submit(replace(CONFIG, seed=seed), "a") for seed in range(3)]:
        now = over(queue, name)
        assert now.state == runs.find(name).state == "interrupted"
        assert says in now.message
    assert queue.queue() == []


APP = """
import time
from cae_core.config import RunConfig
from cae_core.jobs import Jobs
queue = Jobs(workers=2)
name = queue.submit(RunConfig(dataset="strokes", num_train=100, batch_size=30, architecture="dense", epochs=500))
while not (workers := [each for each in queue._workers if each._process]): time.sleep(0.01)
print(name, workers[0]._process.pid, flush=True)
while {wait} and not queue.snapshot(name).progress: time.sleep(0.01)
print("now", flush=True)
time.sleep(1000)
"""


@pytest.mark.slow
@pytest.mark.parametrize("ends_by", [signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_the_app_and_its_run_can_go_on(ends_by):
    """A keyboard interrupts all processes, in mid-training; a kill meets the app alone, while TensorFlow is loaded."""
    app = subprocess.Popen(
        [sys.executable, "-c", APP.format(wait=ends_by == signal.SIGINT)], start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8",
    )  # fmt: skip
    with app:
        name, pid = app.stdout.readline().split()
        assert app.stdout.readline() == "now\n"
        os.killpg(app.pid, ends_by) if ends_by == signal.SIGINT else app.kill()
    until(lambda: not is_running(int(pid)))
    run = runs.find(name)
    assert run.state == "interrupted"
    assert bool(run.step) == (ends_by == signal.SIGINT)
    assert not storage.is_locked(run.path / "lock")


def is_running(pid):
    try:
        return open(f"/proc/{pid}/stat", encoding="utf-8").read().split()[2] != "Z"  # noqa: SIM115
    except FileNotFoundError:
        return False
