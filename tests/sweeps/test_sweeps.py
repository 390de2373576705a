"""Sweeps: grids that are refused, runs by name, and engines that fail in the middle."""

import io
import json
import os
import signal
import sys
import zipfile
from concurrent.futures import Executor, Future
from dataclasses import replace

import numpy as np
import pytest

from cae_core import runs, sweeps, training
from cae_core.cli import main
from cae_core.config import RunConfig
from cae_core.runs import archive
from cae_core.sweeps import grid, identity, worker
from cae_core.training.run_trainer import RunTrainer

BASE = {"dataset": "strokes", "num_train": 100, "epochs": 2, "architecture": "dense", "batch_size": 50}


def plan(**parts):
    return grid.parse("tiny", json.dumps({"base": BASE, **parts}).encode())


class Here(Executor):
    """Trains in this process, at once; `refuse` are numbers of tasks that it loses."""

    def __init__(self, refuse=()):
        self.tasks, self.refuse = [], refuse

    def submit(self, work, task):
        self.tasks.append(task)
        future = Future()
        if len(self.tasks) - 1 in self.refuse:
            future.cancel()
            future.set_running_or_notify_cancel()
        else:
            future.set_result(work(task))
        return future


BAD = {
    "no file": (None, "No such file"),
    "not JSON": ("{", "it is no JSON"),
    "too deep": ("[" * 100_000, "it is no JSON"),
    "a list": ([1], "it holds list, not base, vary and seeds"),
    "an unknown part": ({"varies": {}}, "Unknown part of a grid 'varies': choose one of base, vary, seeds."),
    "an unknown setting": ({"vary": {"botleneck": [2]}}, "Did you mean 'bottleneck'?"),
    "a base of another kind": ({"base": [1]}, "base is [1], not settings by name"),
    "no list": ({"vary": {"bottleneck": 2}}, "vary bottleneck is 2; it must be a list"),
    "an empty list": ({"vary": {"bottleneck": []}}, "vary bottleneck is []; it must be a list of at least one value"),
    "twice": ({"vary": {"bottleneck": [2, 8, 2]}}, "vary bottleneck has 2 twice"),
    "in both": ({"base": {"loss": "mse"}, "vary": {"loss": ["bce"]}}, "loss stands in base and in vary"),
    "out of bounds": ({"vary": {"bottleneck": [2, 0]}}, "With bottleneck 0: bottleneck is 0; it must be a whole"),
    "an unknown value": ({"base": {"loss": "foo"}}, "Unknown loss 'foo'"),
    "what cannot work": ({"base": {"loss": "bce"}, "vary": {"output": ["linear"]}}, "With output linear: "),
    "no seeds": ({"seeds": 0}, "seeds is 0; it must be a whole number from 1 to 1000"),
    "seeds twice": ({"vary": {"seed": [1, 2]}, "seeds": 2}, "seed varies, and seeds asks for more"),
    "too large a seed": ({"base": {"seed": 2**31 - 1}, "seeds": 2}, "seed is 2147483648"),
    "too many": ({"vary": {"bottleneck": [*range(1, 200)], "epochs": [*range(1, 200)]}}, "it has 39,601 runs"),
    "no workers": ({}, "workers is '0'; it must be a whole number from 1 to 256."),
}  # fmt: skip


@pytest.mark.parametrize(("content", "sentence"), BAD.values(), ids=BAD)
def test_what_is_wrong_with_a_grid_is_said_before_anything_is_trained(content, sentence, tmp_path, runs_folder, capsys):
    file = tmp_path / "grid.json"
    if content is not None:
        file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    assert main(["sweep", str(file), "--workers", "0" if content == {} else "1"]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("error: ")
    assert sentence in err
    assert not runs_folder.exists()


def test_a_dry_run_counts_and_trains_nothing(tmp_path, runs_folder, capsys):
    file = tmp_path / "sizes.json"
    file.write_bytes(
        json.dumps({"base": BASE, "vary": {"bottleneck": [2, 8], "loss": ["mse", "bce"]}, "seeds": 3}).encode()
    )
    assert main(["sweep", str(file), "--dry-run", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["runs"] == 12
    assert err.startswith("sizes: 12 runs, 0 of them there, 0 failed, 12 to train. About ")
    assert not runs_folder.exists()


@pytest.mark.usefixtures("few_strokes")
def test_without_dask_a_sentence_says_how_to_get_it(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    (tmp_path / "grid.json").write_bytes(json.dumps({"base": BASE}).encode())
    assert main(["sweep", str(tmp_path / "grid.json"), "--scheduler", "tcp://127.0.0.1:1"]) == 1
    assert capsys.readouterr().err == "error: --scheduler needs Dask on every machine: pip install distributed\n"


def test_the_name_of_a_run_is_its_settings_and_the_code_that_decides_it(tmp_path):
    core = tmp_path / "cae_core"
    for name in identity.DECIDES:
        (core / name).parent.mkdir(exist_ok=True)
        if name.endswith(".py"):
            (core / name).write_bytes(b"x = 1\n")
        else:
            (core / name).mkdir()
    (core / "figures.py").write_bytes(b"")
    before = identity.code_version(core)

    def version():
        identity.code_version.cache_clear()
        return identity.code_version(core)

    (core / "figures.py").write_bytes(b"y = 2")  # shows, decides nothing
    (core / "losses.py").write_bytes(b"x = 1\r\n")  # the same on Windows
    assert version() == before
    (core / "training" / "loop.py").write_bytes(b"")
    assert version() != before
    names = {identity.name_of(config, code) for config in plan(seeds=2).configs() for code in ("a", "b")}
    assert len(names) == 4
    assert all(runs.check_name(name) for name in names)


def diverging(model, config, *images, train=training.train):
    """In the place of `training.train`: what every run with seed 1 and two numbers ends in."""
    if config.seed == 1 and config.bottleneck == 2:
        raise training.Diverged("The loss exploded", "step 1 of 4", 1, "adam", 0.003)
    return train(model, config, *images)


@pytest.mark.usefixtures("few_strokes")
def test_what_exists_is_skipped_what_failed_is_listed_and_what_was_left_goes_on(runs_folder, monkeypatch):
    configs = plan(vary={"bottleneck": [2, 3]}, seeds=2).configs()
    names = [identity.name_of(config, identity.code_version()) for config in configs]
    assert [(config.bottleneck, config.seed) for config in configs] == [(2, 0), (2, 1), (3, 0), (3, 1)]
    trainer = RunTrainer.begin(configs[0], names[0])  # interrupted after its first epoch
    next(event for event in trainer.events() if event.step == 3)
    trainer.close()
    shares, engine = [], Here(refuse=[3])
    with monkeypatch.context() as patch:
        patch.setattr(training, "train", diverging)
        first = sweeps.sweep(configs, engine, lambda share, text: shares.append((share, text)))
    by_seed = {task.name: task for task in engine.tasks}
    lost = engine.tasks[3].name
    assert (set(first.trained), [*first.failed], [*first.left]) == ({*names} - {names[1], lost}, [names[1]], [lost])
    assert "try 0.0" in first.failed[names[1]]
    assert "give the same command again" in first.left[lost]
    assert shares[-1] == (1.0, "4 of 4 runs, 0 s left")
    assert runs.find(names[0]).title == by_seed[names[0]].title == "" or runs.find(names[2]).title == "bottleneck 3, seed 0"
    alone = RunTrainer.begin(configs[0]).run(lambda event: None)
    for path, w in runs.weights(alone).items():
        np.testing.assert_array_equal(w, runs.weights(runs.find(names[0]))[path])

    second, third = (sweeps.sweep(configs, Here(), again=again) for again in (False, True))
    assert (set(second.kept), second.trained, [*second.failed]) == (set(first.trained), [lost], [names[1]])
    assert (len(third.kept), third.trained, third.failed) == (3, [names[1]], {})
    held = RunTrainer.begin(
        replace(configs[0], seed=7), identity.name_of(replace(configs[0], seed=7), identity.code_version())
    )
    busy = sweeps.sweep([held.config], Here())
    assert "is trained by this program" in busy.left[held.name]
    held.close()
    assert [path.name for path in grid.folder().iterdir()] == []  # nothing of its own is left


@pytest.mark.usefixtures("few_strokes")
def test_a_worker_without_the_runs_folder_sends_its_run(runs_folder, tmp_path, monkeypatch):
    config, code = plan(vary={"bottleneck": [2]}).configs()[0], identity.code_version()
    task = worker.Task(identity.name_of(config, code), config.to_dict(), "far away", code, "/nowhere", "none")
    monkeypatch.setenv("CAE_RUNS_DIR", str(tmp_path / "theirs"))
    sent = worker.work(task)
    assert (sent.state, sent.sentence) == ("trained", "")
    assert worker.work(task).archive == sent.archive  # it is there: sent again, not trained again
    with monkeypatch.context() as patch:
        patch.setattr(training, "train", diverging)
        other = replace(config, seed=1)
        failing = replace(task, name=identity.name_of(other, code), settings=other.to_dict())
        assert [worker.work(failing).state for _ in range(2)] == ["failed", "failed"]
        archive.unpack(worker.work(failing).archive, tmp_path / "here" / failing.name)
    assert runs.read(tmp_path / "here" / failing.name).state == "failed"
    assert worker.work(failing).state == "trained"  # tried again when it is handed in again
    assert "other code or libraries" in worker.work(replace(task, code="another")).sentence
    monkeypatch.setenv("CAE_RUNS_DIR", str(runs_folder))
    archive.unpack(sent.archive, runs_folder / task.name)
    run, theirs = runs.find(task.name), runs.read(tmp_path / "theirs" / task.name)
    assert (run.state, run.title, run.metrics) == ("finished", "far away", theirs.metrics)
    for step in runs.saved_steps(theirs):
        for path, w in runs.weights(theirs, step).items():
            np.testing.assert_array_equal(w, runs.weights(run, step)[path])
    deflated = io.BytesIO()
    with zipfile.ZipFile(deflated, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("run.json", "x" * 999)
    senseless, encrypted = bytearray(deflated.getvalue()), bytearray(sent.archive)
    senseless[30 + len("run.json")] = 0xFF  # no kind of block that zlib knows
    encrypted[sent.archive.index(b"PK\x01\x02") + 8] |= 1
    outside = sent.archive.replace(b"title.txt", b"../le.txt")
    for damaged in (sent.archive[:-30], b"", outside, bytes(senseless), bytes(encrypted)):
        with pytest.raises(ValueError, match="not the archive of a run"):
            archive.unpack(damaged, runs_folder / "other")
    assert not (runs_folder / "other").exists()


TINY = {"dataset": "mnist", "num_train": 300, "batch_size": 20, "architecture": "dense"}


def check_as_alone(name):
    """Fails unless the run is what a trainer in this process makes of its settings."""
    run = runs.find(name)
    alone = RunTrainer.begin(run.config).run(lambda event: None)
    for path, w in runs.weights(alone).items():
        np.testing.assert_allclose(runs.weights(run)[path], w, rtol=1e-4, atol=1e-5)  # threads may share sums otherwise
    assert run.metrics == {of: pytest.approx(figures, rel=1e-3) for of, figures in alone.metrics.items()}


@pytest.fixture
def killed(monkeypatch):
    """The folders of runs whose process was killed; a callable that kills one, the first that has written a step down."""
    monkeypatch.setattr(sweeps, "LOOK", 0.05)
    folders = []

    def kill(share, text):
        begun = [run.path for run in runs.at_work() if run.step > 0]
        if begun and not folders:
            os.kill(json.loads((begun[0] / "lock").read_bytes())["process"], signal.SIGKILL)
            folders.append(begun[0])

    kill.folders = folders
    return kill


@pytest.mark.slow
@pytest.mark.real_data
def test_dask_workers_train_what_one_process_does_and_a_killed_one_loses_nothing(killed):
    from distributed import Client, LocalCluster

    configs = [RunConfig(bottleneck=size, epochs=20, **TINY) for size in (2, 8)]
    begun = {}

    def kill(share, text):
        killed(share, text)
        for path in killed.folders:
            begun.setdefault(path, (path / "weights" / "00000000.npz").stat().st_mtime_ns)

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        outcome = sweeps.sweep(configs, client.get_executor(), kill)
        names = [identity.name_of(config, identity.code_version()) for config in configs]
        assert (sorted(outcome.trained), outcome.failed, outcome.left) == (sorted(names), {}, {})
        ((path, before),) = begun.items()
        assert (path / "weights" / "00000000.npz").stat().st_mtime_ns == before  # it went on, and did not begin again

        def end(share, text):
            if any(run.step for run in runs.at_work()) and cluster.scheduler.status.name == "running":
                cluster.sync(cluster.scheduler.close)

        (left,) = sweeps.sweep([RunConfig(bottleneck=16, epochs=500, **TINY)], client.get_executor(), end).left.values()
    assert "what is written down is kept: give the same command again" in left
    check_as_alone(path.name)


@pytest.mark.slow
@pytest.mark.real_data
def test_a_pool_whose_process_is_killed_is_replaced(killed, monkeypatch, tmp_path, capsys):
    file = tmp_path / "pool.json"
    file.write_bytes(json.dumps({"base": {**TINY, "epochs": 20}}).encode())
    monkeypatch.setattr(main.__globals__["Bar"], "__call__", lambda bar, share, text: killed(share, text))
    assert main(["sweep", str(file), "--workers", "1", "--json"]) == 0
    (path,) = killed.folders
    assert json.loads(capsys.readouterr().out)["trained"] == [path.name]
    check_as_alone(path.name)
    assert [kept.runs for kept in grid.every()] == [(path.name,)]
