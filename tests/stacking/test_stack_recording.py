"""Stacks on disk and in the queue: written whole, taken up where they were, found again, refused if damaged."""

import time

import numpy as np
import pytest

from cae_core import datasets, jobs, runs
from cae_core.jobs import JobError, scheduling
from cae_core.runs import storage
from cae_core.stacking import stacks, trainer
from cae_core.stacking.trainer import StackRecording

pytestmark = pytest.mark.usefixtures("tensorflow", "few_strokes")
ME = "somebody"


@pytest.fixture
def queue():
    one = jobs.Jobs()
    yield one
    one.end()


def drive(one, until=None):
    one.prepare()
    watch = one.watch()
    for event in one.events():
        watch.see(event)
        if event.step == until:
            one.write("stopped")
            break
    one.close()
    return stacks.read(one.path)


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
        one = StackRecording.begin(TINY, "whole", owner=ME)
        stack = drive(one)
        yield stack, one.networks.weights(), stacks.seen(stack), stacks.predictions(stack)


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
    stopped = drive(StackRecording.begin(tiny, "half"), until=stop)
    assert (stopped.state, stopped.step, stopped.figures) == ("stopped", stop, {})
    again = StackRecording.resume(stopped)
    finished = drive(again)
    assert finished.state == "finished"
    for name, array in whole[1].items():
        np.testing.assert_allclose(again.networks.weights()[name], array, atol=1e-4)
    assert len(list(finished.path.glob("checkpoint-*"))) == 1
    seen = stacks.seen(finished)
    assert [len(line) for line in seen.losses] == [len(line) for line in whole[2].losses]


def test_one_whose_process_is_gone_is_known_as_interrupted_and_goes_on(tiny):
    one = StackRecording.begin(tiny, "gone", owner=ME)
    one.prepare()
    for event in one.events():
        if event.step == 6:
            break
    assert stacks.read(one.path).state == "running"
    one.close()
    found = stacks.latest(ME)
    assert (found.name, found.state, found.step) == ("gone", "interrupted", 4)  # the last epoch that ended
    assert drive(StackRecording.resume(found)).state == "finished"
    assert stacks.latest("another") is None


def test_stacks_are_no_runs(whole, tiny):
    StackRecording.begin(tiny, "one").close()
    assert runs.every(runs.runs_dir()) == ([], [])


def test_the_queue_trains_steers_and_keeps_them(queue, whole, tiny):
    name = queue.enter(lambda: StackRecording.begin(tiny, owner=ME), ME, "a stack")
    queue.pause(name, ME)
    assert until(queue, name, "paused").config == tiny
    with pytest.raises(JobError, match="another visitor's"):
        queue.go_on(name, "you")
    queue.step(name, ME)
    while not (now := queue.snapshot(name)).seen:
        time.sleep(0.02)
    assert now.seen.step == 1
    queue.stop(name, ME)
    assert until(queue, name, "stopped").seen.step == 1
    found = stacks.read(stacks.folder() / name)
    assert (found.state, found.step) == ("stopped", 1)
    queue.enter(lambda: StackRecording.resume(found), ME, "a stack")
    now = until(queue, name, "finished", "failed")
    assert (now.state, now.seen.step) == ("finished", 22)
    for arm, array in stacks.predictions(stacks.read(found.path)).items():
        np.testing.assert_array_equal(array, whole[3][arm])


def test_one_that_is_paused_gives_way_to_others_and_goes_on_to_the_same_end(queue, whole, tiny, monkeypatch):
    monkeypatch.setattr(scheduling, "PAUSE", 0.0)  # at once
    name = queue.enter(lambda: StackRecording.begin(tiny, owner=ME), ME)
    queue.pause(name, ME)
    until(queue, name, "paused")
    [queue.step(name, ME) for _ in range(7)]
    while not (now := queue.snapshot(name)).seen or now.seen.step < 7:
        time.sleep(0.02)
    other = queue.enter(lambda: StackRecording.begin(tiny), "you")
    assert until(queue, other, "finished", "failed").state == "finished"
    now = until(queue, name, "finished", "failed")
    assert [len(curve) for curve in now.seen.losses] == [len(curve) for curve in whole[2].losses]  # curves go on
    kept_weights = storage.read_arrays(stacks.folder() / name / "checkpoint-00000022.npz")
    for key, array in whole[1].items():
        np.testing.assert_allclose(kept_weights[f"weights/{key}"], array, rtol=0, atol=1e-5)


def test_one_that_waits_can_be_taken_out(queue, tiny):
    first = queue.enter(lambda: StackRecording.begin(tiny), ME)
    queue.pause(first, ME)
    second = queue.enter(lambda: StackRecording.begin(tiny), ME)
    queue.stop(second, ME)
    assert not (stacks.folder() / second).exists()
    queue.stop(first, ME)


def test_what_the_disk_refuses_is_tried_again(queue, tiny, monkeypatch):
    write, is_full = storage.write, [True]

    def refuse(path, content):
        if is_full[0] and path.name.startswith("checkpoint"):
            raise OSError(28, "No space left on device")
        write(path, content)

    monkeypatch.setattr(storage, "write", refuse)
    name = queue.enter(lambda: StackRecording.begin(tiny, owner=ME), ME)
    now = until(queue, name, "unsaved", "failed")
    assert (now.state, "No space left on device" in now.message) == ("unsaved", True)
    is_full[0] = False
    queue.save_again(name, ME)
    assert until(queue, name, "stopped", "finished").state == "stopped"
    assert stacks.read(stacks.folder() / name).can_go_on


def test_damage_is_said_and_passed_over(tiny):
    StackRecording.begin(tiny, "good", owner=ME).close()
    StackRecording.begin(tiny, "bad", owner=ME).close()
    (stacks.folder() / "bad" / "stack.json").write_text("{", encoding="utf-8")
    with pytest.raises(runs.RunError, match="is damaged"):
        stacks.read(stacks.folder() / "bad")
    assert stacks.latest(ME).name == "good"
    with pytest.raises(runs.RunError, match="There is no stack"):
        stacks.read(stacks.folder() / "none")


def test_a_damaged_checkpoint_is_said(tiny):
    stopped = drive(StackRecording.begin(tiny, "half"), until=5)
    (stopped.path / "checkpoint-00000005.npz").write_bytes(b"PK")
    with pytest.raises(runs.RunError, match="cannot go on; train it again"):
        StackRecording.resume(stopped)
    assert not storage.is_locked(stopped.path / "lock")


def test_one_that_is_over_cannot_go_on(whole):
    with pytest.raises(runs.RunError, match="is finished: only an interrupted or stopped one"):
        StackRecording.resume(whole[0])


def test_names_are_not_taken_twice(tiny):
    StackRecording.begin(tiny, "one").close()
    with pytest.raises(runs.RunError, match="already"):
        StackRecording.begin(tiny, "one")
    assert trainer.new_name(tiny) != trainer.new_name(tiny)
