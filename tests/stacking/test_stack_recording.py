"""Stacks on disk and in the queue: written whole, taken up where they were, found again, refused if damaged."""

import json
import time

import numpy as np
import pytest

from cae_core import datasets, jobs, runs
from cae_core.jobs import JobError, scheduling
from cae_core.runs import old_stacks, storage
from cae_core.stacking import stacks
from cae_core.stacking.trainer import StackTrainer

pytestmark = pytest.mark.usefixtures("tensorflow", "few_strokes")
ME = "somebody"


@pytest.fixture
def queue():
    one = jobs.Jobs()
    yield one
    one.end()


def drive(one, until=None):
    one.prepare()
    monitor = one.monitor()
    for event in one.events():
        monitor.see(event)
        if event.step == until:
            one.write("stopped")
            break
    one.close()
    return runs.read(one.path)


def until(queue, name, *states, seconds=120):
    end = time.monotonic() + seconds
    while (now := queue.snapshot(name)).state not in states:
        assert time.monotonic() < end, now
        time.sleep(0.02)
    return now


@pytest.fixture(scope="module")
def whole(few_strokes, tmp_path_factory):
    """A stack trained without a break: what is on disk, its weights, its last look."""
    from tiny_stack import TINY

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAE_RUNS_DIR", str(tmp_path_factory.mktemp("whole")))
        one = StackTrainer.begin(TINY, "whole", owner=ME)
        stack = drive(one)
        yield stack, one.model.weights(), stacks.progress(stack), stacks.predictions(stack)


def test_a_finished_stack_says_what_came_out(whole):
    stack, _, seen, read = whole
    test = datasets.load("strokes", "test")
    assert (stack.state, stack.step, stack.num_steps, stack.owner) == ("finished", 22, 22, ME)
    for arm, found in read.items():
        assert stack.figures[arm] == pytest.approx(np.mean(found != test.y))
    assert stack.figures["features"]["labels"] == 30
    assert set(stack.figures["features"]) == {"labels", "encoder", "untrained", "pixels"}
    assert (seen.step, seen.stage, len(seen.x_hats), len(seen.filters), len(seen.losses)) == (22, 2, 2, 2, 2)
    assert [len(seen.tuning[arm]) for arm in ("pretrained", "random")] == [6, 6]
    assert all(0 <= share <= 1 for line in seen.accuracy.values() for _, share in line)


@pytest.mark.parametrize("stop", [5, 19])
def test_one_that_was_stopped_goes_on_to_the_same_end(whole, tiny, stop):
    stopped = drive(StackTrainer.begin(tiny, "half"), until=stop)
    assert (stopped.state, stopped.step, stopped.figures) == ("stopped", stop, {})
    again = StackTrainer.resume(stopped)
    finished = drive(again)
    assert finished.state == "finished"
    for name, array in whole[1].items():
        np.testing.assert_allclose(again.model.weights()[name], array, atol=1e-4)
    assert len(list(finished.path.glob("checkpoint-*"))) == 1
    seen = stacks.progress(finished)
    assert [len(line) for line in seen.losses] == [len(line) for line in whole[2].losses]


def test_one_whose_process_is_gone_is_known_as_interrupted_and_goes_on(tiny):
    one = StackTrainer.begin(tiny, "gone", owner=ME)
    one.prepare()
    for event in one.events():
        if event.step == 6:
            break
    assert runs.read(one.path).state == "running"
    one.close()
    found = stacks.latest(ME)
    assert (found.name, found.state, found.step) == ("gone", "interrupted", 4)  # the last epoch that ended
    assert drive(StackTrainer.resume(found)).state == "finished"
    assert stacks.latest("another") is None


def test_a_stack_is_a_run_but_no_network(tiny, save_run):
    StackTrainer.begin(tiny, "one", "Mine").close()
    save_run("two")
    assert [(run.name, run.kind, run.label) for run in runs.every(runs.runs_dir())[0]] == [
        ("one", "stack", "Mine"),
        ("two", "network", "two"),
    ]
    assert [run.name for run in runs.networks(runs.runs_dir())] == ["two"]
    with pytest.raises(runs.RunError, match="'Mine' is a stack, which has a page of its own: choose a network"):
        runs.network("one")


def as_before(run):
    """Puts a stack where earlier versions kept it, in their format."""
    old = runs.runs_dir() / ".stacks" / run.name
    old.parent.mkdir(exist_ok=True)
    run.path.rename(old)
    fields = json.loads((old / "run.json").read_text(encoding="utf-8")) | {"title": run.title}
    del fields["kind"]
    (old / "run.json").unlink()
    (old / "title.txt").unlink()
    (old / "stack.json").write_text(json.dumps(fields), encoding="utf-8")
    return old


def test_stacks_of_earlier_versions_are_moved_to_the_runs_once_and_go_on(tiny, save_run, monkeypatch):
    def refuse(*args):
        raise OSError(30, "Read-only file system")

    names = ("half", "taken", "broken", "at-work")
    kept = {name: drive(StackTrainer.begin(tiny, name, f"The {name}", ME), until=5) for name in names}
    old = {name: as_before(run) for name, run in kept.items()}
    save_run("taken")
    (old["broken"] / "stack.json").write_text('{"state": 3}', encoding="utf-8")
    lock = storage.Lock(old["at-work"] / "lock")
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.rename", refuse)
        assert "could not be moved to the runs (Read-only file system): allow writing to it" in old_stacks.move_in()
    assert "kept apart are among the runs now: broken, half, taken-" in old_stacks.move_in()
    readable, (damaged,) = runs.every(runs.runs_dir())
    assert "broken/run.json is damaged" in damaged
    assert runs.find("half") == kept["half"]
    assert [run.title for run in readable if run.kind == "stack"] == ["The half", "The taken"]
    assert old_stacks.move_in() == ""
    lock.release()
    assert old_stacks.move_in().endswith("runs now: at-work.")
    assert not (runs.runs_dir() / ".stacks").exists()
    assert drive(StackTrainer.resume(runs.find("half"))).state == "finished"


def test_the_queue_trains_steers_and_keeps_them(queue, whole, tiny):
    name = queue.submit(tiny, ME, "a stack")
    queue.pause(name, ME)
    assert until(queue, name, "paused").config == tiny
    with pytest.raises(JobError, match="another visitor's"):
        queue.go_on(name, "you")
    queue.step(name, ME)
    while not (now := queue.snapshot(name)).progress:
        time.sleep(0.02)
    assert now.progress.step == 1
    queue.stop(name, ME)
    assert until(queue, name, "stopped").progress.step == 1
    found = runs.find(name)
    assert (found.state, found.step) == ("stopped", 1)
    queue.resume(name, ME)
    now = until(queue, name, "finished", "failed")
    assert (now.state, now.progress.step) == ("finished", 22)
    for arm, array in stacks.predictions(runs.read(found.path)).items():
        np.testing.assert_array_equal(array, whole[3][arm])


def test_one_that_is_paused_gives_way_to_others_and_goes_on_to_the_same_end(queue, whole, tiny, monkeypatch):
    monkeypatch.setattr(scheduling, "PAUSE", 0.0)  # at once
    name = queue.submit(tiny, ME)
    queue.pause(name, ME)
    until(queue, name, "paused")
    [queue.step(name, ME) for _ in range(7)]
    while not (now := queue.snapshot(name)).progress or now.progress.step < 7:
        time.sleep(0.02)
    other = queue.submit(tiny, "you")
    assert until(queue, other, "finished", "failed").state == "finished"
    now = until(queue, name, "finished", "failed")
    assert [len(curve) for curve in now.progress.losses] == [len(curve) for curve in whole[2].losses]  # curves go on
    kept_weights = storage.read_arrays(runs.runs_dir() / name / "checkpoint-00000022.npz")
    for key, array in whole[1].items():
        np.testing.assert_allclose(kept_weights[f"weights/{key}"], array, rtol=0, atol=1e-5)


def test_one_that_waits_can_be_taken_out(queue, tiny):
    first = queue.submit(tiny, ME)
    queue.pause(first, ME)
    second = queue.submit(tiny, ME)
    queue.stop(second, ME)
    assert not (runs.runs_dir() / second).exists()
    queue.stop(first, ME)


def test_what_the_disk_refuses_is_tried_again(queue, tiny, monkeypatch):
    write, is_full = storage.write, [True]

    def refuse(path, content):
        if is_full[0] and path.name.startswith("checkpoint"):
            raise OSError(28, "No space left on device")
        write(path, content)

    monkeypatch.setattr(storage, "write", refuse)
    name = queue.submit(tiny, ME)
    now = until(queue, name, "unsaved", "failed")
    assert (now.state, "No space left on device" in now.message) == ("unsaved", True)
    is_full[0] = False
    queue.save_again(name, ME)
    assert until(queue, name, "stopped", "finished").state == "stopped"
    assert runs.find(name).can_go_on


def test_damage_is_said_and_passed_over(tiny):
    StackTrainer.begin(tiny, "good", owner=ME).close()
    StackTrainer.begin(tiny, "bad", owner=ME).close()
    (runs.runs_dir() / "bad" / "run.json").write_text("{", encoding="utf-8")
    with pytest.raises(runs.RunError, match="is damaged"):
        runs.read(runs.runs_dir() / "bad")
    assert stacks.latest(ME).name == "good"
    with pytest.raises(runs.RunError, match="There is no run"):
        runs.read(runs.runs_dir() / "none")


def test_a_damaged_checkpoint_is_said(tiny):
    stopped = drive(StackTrainer.begin(tiny, "half"), until=5)
    (stopped.path / "checkpoint-00000005.npz").write_bytes(b"PK")
    with pytest.raises(runs.RunError, match="cannot go on; start it again"):
        StackTrainer.resume(stopped)
    assert not storage.is_locked(stopped.path / "lock")


def test_one_that_is_over_cannot_go_on(whole):
    with pytest.raises(runs.RunError, match="is finished: only one that was interrupted or stopped"):
        StackTrainer.resume(whole[0])


def test_names_are_not_taken_twice(tiny):
    StackTrainer.begin(tiny, "one").close()
    with pytest.raises(runs.RunError, match="already"):
        StackTrainer.begin(tiny, "one")
    assert StackTrainer.new_name(tiny) != StackTrainer.new_name(tiny)
