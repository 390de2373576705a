"""Stacks on disk and in the queue: written whole, taken up where they were, found again, refused if damaged."""

import json
import shutil
from dataclasses import replace

import damages
import numpy as np
import pytest
from tiny_stack import TINY

from cae_core import datasets, runs
from cae_core.runs import old_stacks, storage
from cae_core.stacking import stacks
from cae_core.stacking.trainer import StackTrainer
from cae_core.training.events import Diverged

pytestmark = pytest.mark.usefixtures("tensorflow", "few_strokes", "few_numbers")
ME = "somebody"


def drive(trainer, until=0):
    return runs.read(damages.drive(trainer, until))


@pytest.fixture(scope="module")
def whole(tensorflow, few_strokes, few_numbers, tmp_path_factory):
    """A stack trained without a break: what is on disk, its weights, its last look, what its classifiers read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAE_RUNS_DIR", str(tmp_path_factory.mktemp("whole")))
        trainer = StackTrainer.begin(TINY, "whole", owner=ME)
        stack = drive(trainer)
        yield stack, trainer.model.weights(), stacks.progress(stack), stacks.predictions(stack)


@pytest.fixture(scope="module")
def stopped(tensorflow, few_strokes, tmp_path_factory):
    """A stack that was stopped after five steps; use a copy of its folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAE_RUNS_DIR", str(tmp_path_factory.mktemp("stopped")))
        return drive(StackTrainer.begin(TINY, "half", "The half", ME), until=5)


@pytest.fixture
def half(stopped, runs_folder):
    shutil.copytree(stopped.path, runs_folder / "half")
    return runs.find("half")


def assert_equals_whole(trainer, run, whole):
    assert run.state == "finished"
    for name, array in whole[1].items():
        np.testing.assert_allclose(trainer.model.weights()[name], array, atol=1e-4)
    assert [file.name for file in run.path.glob("checkpoint-*")] == ["checkpoint-00000022.npz"]
    progress = stacks.progress(run)
    assert [len(line) for line in progress.losses] == [len(line) for line in whole[2].losses]  # curves go on
    for arm, array in stacks.predictions(run).items():
        np.testing.assert_array_equal(array, whole[3][arm])


def test_a_finished_stack_says_what_came_out(whole):
    stack, _, progress, predictions = whole
    test = datasets.load("strokes", "test")
    assert (stack.state, stack.step, stack.num_steps, stack.owner) == ("finished", 22, 22, ME)
    for arm, classes in predictions.items():
        assert stack.figures[arm] == pytest.approx(np.mean(classes != test.y))
    assert stack.figures["features"]["labels"] == 30
    assert set(stack.figures["features"]) == {"labels", "encoder", "untrained", "pixels"}
    assert (progress.step, progress.stage, len(progress.x_hats), len(progress.filters)) == (22, 2, 2, 2)
    assert [len(line) for line in (*progress.losses, *progress.tuning.values())] == [8, 8, 6, 6]
    assert all(0 <= share <= 1 for line in progress.accuracy.values() for _, share in line)
    with pytest.raises(runs.RunError, match="is finished: only an interrupted or stopped run"):
        StackTrainer.resume(stack)


def test_one_whose_process_is_gone_is_known_as_interrupted_and_goes_on(whole):
    trainer = StackTrainer.begin(TINY, "gone", owner=ME)
    for event in trainer.events():
        if event.step == 19:
            break
    assert runs.read(trainer.path).state == "running"
    trainer.close()
    run = stacks.latest(ME)
    assert (run.name, run.state, run.step) == ("gone", "interrupted", 16)  # the last stage that ended
    assert stacks.latest("another") is None
    trainer = StackTrainer.resume(run)
    assert_equals_whole(trainer, drive(trainer), whole)


def test_one_that_gives_way_lets_go_of_its_networks_and_goes_on_to_the_same_end(whole):
    trainer = StackTrainer.begin(TINY, "one")
    trainer.prepare()
    monitor = trainer.monitor()
    for event in trainer.events():
        monitor.see(event)
        if event.step == 19:
            break
    monitor.catch_up()
    trainer.rest()
    monitor.let_go()
    assert trainer.model is None
    assert (runs.read(trainer.path).state, monitor.progress.step) == ("waiting", 19)
    for event in trainer.events():
        monitor.see(event)
    assert_equals_whole(trainer, runs.read(trainer.path), whole)
    trainer.close()
    progress, weights = monitor.progress, trainer.model.weights()
    trainer.model.set_weights({name: np.full_like(array, np.nan) for name, array in weights.items()})
    monitor.see(replace(event, step=23))
    assert monitor.progress is progress  # of no numbers there is no picture
    monitor.end_at(Diverged("The loss became nan", "step 7", 23, "adam", 0.1, stage=event.stage))
    assert monitor.progress == replace(progress, step=23, stage_step=7, seconds_left=None)


def test_a_stack_is_a_run_but_no_network(half, save_run):
    save_run("two")
    assert {(run.name, run.kind, run.label) for run in runs.every(runs.runs_dir())[0]} == {
        ("half", "stack", "The half"),
        ("two", "network", "two"),
    }
    assert [run.name for run in runs.networks(runs.runs_dir())] == ["two"]
    with pytest.raises(runs.RunError, match="'The half' is a stack, which has a page of its own: choose a network"):
        runs.network("half")
    with pytest.raises(runs.RunError, match="already"):
        StackTrainer.begin(TINY, "half")
    assert StackTrainer.new_name(TINY) != StackTrainer.new_name(TINY)


def test_stacks_of_earlier_versions_are_moved_to_the_runs_once(stopped, save_run, monkeypatch):
    def refuse(*args):
        raise OSError(30, "Read-only file system")

    save_run("taken")
    old = {name: runs.runs_dir() / ".stacks" / name for name in ("half", "taken", "broken", "at-work")}
    for folder in old.values():  # in their format
        shutil.copytree(stopped.path, folder)
        fields = json.loads((folder / "run.json").read_text(encoding="utf-8")) | {"title": f"The {folder.name}"}
        del fields["kind"]
        (folder / "run.json").unlink()
        (folder / "title.txt").unlink()
        (folder / "stack.json").write_text(json.dumps(fields), encoding="utf-8")
    (old["broken"] / "stack.json").write_text('{"state": 3}', encoding="utf-8")
    lock = storage.Lock(old["at-work"] / "lock")
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.rename", refuse)
        assert "could not be moved to the runs (Read-only file system): allow writing to it" in old_stacks.move_in()
    assert "kept apart are among the runs now: broken, half, taken-" in old_stacks.move_in()
    readable, (damaged,) = runs.every(runs.runs_dir())
    assert "broken/run.json is damaged" in damaged
    assert {run.title for run in readable if run.kind == "stack"} == {"The half", "The taken"}
    assert old_stacks.move_in() == ""
    lock.release()
    assert old_stacks.move_in().endswith("runs now: at-work.")
    assert not (runs.runs_dir() / ".stacks").exists()
    moved = runs.find("half")
    assert (moved.step, moved.created, moved.config) == (5, stopped.created, TINY)
    StackTrainer.resume(moved).close()


def test_a_damaged_checkpoint_is_said_and_a_damaged_look_passed_over(half):
    for content in (b"PK", storage.arrays_to_bytes({"numbers": np.array([4.0, 1.0])})):
        (half.path / "checkpoint-00000005.npz").write_bytes(content)
        with pytest.raises(runs.RunError, match="cannot be resumed; start it again"):
            StackTrainer.resume(half)
    assert not storage.is_locked(half.path / "lock")
    (half.path / "seen.npz").write_bytes(b"PK")
    (half.path / "predictions.npz").write_bytes(storage.arrays_to_bytes({"random": np.full(3, 11, np.uint8)}))
    assert (stacks.progress(half), stacks.predictions(half)) == (None, {})
