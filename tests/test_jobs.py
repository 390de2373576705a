"""Runs in the background: the queue, who may do what, pause, step and stop, and that a job equals the run done alone."""

import contextlib
import errno
import json
import os
import pathlib
import shutil
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from cae_core import datasets, jobs, runs, runtime, training
from cae_core.architectures import build
from cae_core.cli import main
from cae_core.config import RunConfig, StackConfig
from cae_core.datasets import DATASETS, DatasetMissing
from cae_core.inspection import evaluation
from cae_core.jobs import JobError, Jobs, scheduling
from cae_core.jobs.job import Job
from cae_core.jobs.requests import Entry
from cae_core.runs import manage, storage
from cae_core.training import monitor, run_monitor, run_trainer, warm_start

CONFIG = RunConfig(
    num_train=100, batch_size=30, architecture="dense", bottleneck=3, epochs=3, noise_kind="gaussian", seed=3,
    optimizer="sgd", learning_rate=0.1,
)  # fmt: skip
"""Three steps an epoch, and quick to compile."""

PATIENCE = 120  # seconds to wait for anything; far more than it takes, so that a busy machine fails nothing

pytestmark = pytest.mark.usefixtures("few_strokes", "tensorflow")


def entries(*configs):
    return [Entry("", config) for config in configs]


@pytest.fixture(scope="module")
def tensorflow():
    assert runtime.ready(PATIENCE)


@pytest.fixture
def make():
    """Makes `Jobs` that end with the test."""
    with contextlib.ExitStack() as stack:

        def make(*clock):
            one = Jobs(*clock)
            stack.callback(one.end)
            return one

        yield make


@pytest.fixture
def queue(make):
    return make()


@pytest.fixture(scope="module")
def whole(few_strokes):
    """What training alone gives: the history, the weights after every step."""
    split = few_strokes("train").x
    model, history, weights = build(CONFIG), [], {}
    for event in training.train(model, CONFIG, *training.split_held_out(split, CONFIG.num_train)):
        weights[event.step] = event.checkpoint().weights
        if event.epoch_loss is not None:
            history.append(training.history_row(event))
    return history, weights


def until(condition):
    """Waits for it, and returns what it gave."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.002)
    return found


def over(queue, name):
    return until(lambda: (seen := queue.snapshot(name)) and not seen.is_live and seen)


def assert_equals_whole(name, whole):
    run, (history, weights) = runs.find(name), whole
    assert (run.state, run.step, run.epochs) == ("finished", 9, 3)
    ours = runs.history(run)
    for column in ("loss", "held_out_loss"):
        np.testing.assert_allclose(ours[column], [row[column] for row in history], rtol=0, atol=1.01e-6)  # six digits
    for path, w in runs.weights(run).items():
        np.testing.assert_allclose(w, weights[9][path], rtol=0, atol=1e-6)


class Gate:
    """Holds the worker before it hands on the events of some steps, and counts those it trained."""

    def __init__(self, monkeypatch):
        self._train, self._at, self._seed = training.train, {}, None
        self.reached, self.open = threading.Event(), threading.Event()
        self.steps, self.seeds = 0, []
        monkeypatch.setattr(training, "train", self._gated)

    def hold_at(self, step, seed=None):
        self._at[step], self._seed = self._wait, seed

    def call_at(self, step, function):
        self._at[step] = function

    def _wait(self):
        self.reached.set()
        assert self.open.wait(PATIENCE)

    def _gated(self, model, config, *rest):
        self.seeds.append(config.seed)
        for event in self._train(model, config, *rest):
            self.steps += 1
            if event.step in self._at and self._seed in (None, config.seed):
                self._at.pop(event.step)()
            yield event


@pytest.fixture
def gate(monkeypatch):
    gate = Gate(monkeypatch)
    yield gate
    gate.open.set()


def test_a_run_to_its_end(queue, whole):
    name = queue.submit(CONFIG, owner="me", title="Mine")
    assert queue.is_busy()
    states = []
    while (seen := queue.snapshot(name)).is_live:
        states += [seen.state] * (not states or states[-1] != seen.state)
        time.sleep(0.001)
    order = ["waiting", "preparing", "running", "measuring"]
    assert [state for state in order if state in states] == states
    assert (seen.state, seen.message, seen.place, seen.title, seen.owner) == ("finished", "", 0, "Mine", "me")
    assert not queue.is_busy()
    assert queue.queue() == []
    assert [one.name for one in queue.of("me")] == [name]
    assert_equals_whole(name, whole)
    run, seen = runs.find(name), seen.progress
    assert (run.owner, run.title) == ("me", "Mine")
    assert (seen.step, seen.num_steps, seen.epoch, seen.epochs, seen.steps_per_epoch) == (9, 9, 3, 3, 3)
    assert [row["loss"] for row in seen.history] == pytest.approx([row["loss"] for row in whole[0]], abs=1.01e-6)
    np.testing.assert_array_equal(seen.curve[:, 0], np.arange(1, 10) / 3)
    np.testing.assert_allclose(seen.x_hat, runs.model(run).reconstruct(seen.x_noisy), atol=1e-5)
    assert queue.snapshot("nothing") is None


def test_a_job_equals_the_same_configuration_in_the_core_and_on_the_command_line(queue, whole, capsys):
    over(queue, name := queue.submit(CONFIG))
    assert_equals_whole(name, whole)
    settings = [word for key, value in CONFIG.to_dict().items() for word in (f"--{key.replace('_', '-')}", str(value))]
    assert main(["train", *settings, "--name", "by-hand", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert_equals_whole("by-hand", whole)
    assert printed["metrics"] == {k: pytest.approx(v, abs=1e-6) for k, v in runs.find(name).metrics.items()}


def test_the_queue_has_an_order_and_places_and_one_may_leave_it(queue, gate, runs_folder):
    gate.hold_at(1)
    names = [queue.submit(replace(CONFIG, seed=seed, epochs=1), owner="ab"[seed % 2]) for seed in range(4)]
    assert gate.reached.wait(PATIENCE)
    assert [(one.name, one.place) for one in queue.queue()] == list(zip(names, range(4), strict=True))
    assert [one.state for one in queue.queue()] == ["running", "waiting", "waiting", "waiting"]
    assert [one.name for one in queue.of("a")] == [names[0], names[2]]
    assert runs.find(names[1]).state == "waiting"
    queue.stop(names[1], "b")
    assert queue.snapshot(names[1]) is None
    assert not (runs_folder / names[1]).exists()
    assert [queue.snapshot(name).place for name in names if name != names[1]] == [0, 1, 2]
    gate.open.set()
    over(queue, names[3])
    assert gate.seeds == [0, 2, 3]
    assert {runs.find(name).state for name in names if name != names[1]} == {"finished"}


def test_only_the_owner_may_touch_or_find_a_run(queue, gate, whole):
    gate.hold_at(2)
    mine, waiting = queue.submit(CONFIG, owner="me"), queue.submit(replace(CONFIG, epochs=1), owner="me")
    assert gate.reached.wait(PATIENCE)
    for name in (mine, waiting, "nothing"):
        for act in (queue.pause, queue.go_on, queue.step, queue.stop, queue.save_again):
            for other in ("you", ""):
                with pytest.raises(JobError, match=f"You have no run '{name}' in training here"):
                    act(name, other)
    assert queue.of("you") == queue.of("") == []
    queue.stop(waiting, "me")
    gate.open.set()
    over(queue, mine)
    assert_equals_whole(mine, whole)


def test_nobody_resumes_anothers_run(queue, gate):
    gate.call_at(2, lambda: queue.stop(name, "me"))
    name = queue.submit(CONFIG, owner="me", title="Mine")
    assert over(queue, name).state == "stopped"
    with pytest.raises(JobError, match="The run 'Mine' is another visitor's: fork it"):
        queue.resume(name, "you")


def assert_stays(queue, gate, steps):
    """Wakes the worker and gives it time to do what it must not: the clock can hide a fault, never make one."""
    with queue._changed:
        queue._changed.notify_all()
    time.sleep(0.05)
    assert gate.steps == steps


def test_while_paused_nothing_is_trained_and_a_step_is_one_step(queue, gate, whole):
    gate.call_at(4, lambda: queue.pause(name, "me"))
    name = queue.submit(CONFIG, owner="me")
    for step in (4, 5, 6):
        until(lambda: (now := queue.snapshot(name)).state == "paused" and now.progress and now.progress.step == step)  # noqa: B023
        assert_stays(queue, gate, step)
        if step < 6:
            queue.step(name, "me")
    assert queue.snapshot(name).state == "paused"
    queue.go_on(name, "me")
    assert over(queue, name).state == "finished"
    assert_equals_whole(name, whole)


def test_when_it_says_paused_the_pictures_are_those_of_that_step(queue, gate, monkeypatch):
    show = run_monitor.RunMonitor.show
    monkeypatch.setattr(run_monitor.RunMonitor, "show", lambda watch: time.sleep(0.05) or show(watch))
    monkeypatch.setattr(monitor, "INTERVAL", 1000.0)  # no other pictures than these, after the first
    gate.call_at(4, lambda: queue.pause(name))
    name = queue.submit(CONFIG)
    assert until(lambda: (now := queue.snapshot(name)).state == "paused" and now).progress.step == 4
    queue.stop(name)
    over(queue, name)


@pytest.mark.parametrize("step", [5, 6])
def test_after_a_stop_the_pictures_are_those_of_the_step_that_is_saved(queue, gate, monkeypatch, step):
    monkeypatch.setattr(monitor, "INTERVAL", 1000.0)
    gate.call_at(step, lambda: queue.stop(name))
    name = queue.submit(CONFIG)
    seen, run = over(queue, name).progress, runs.find(name)
    assert (seen.step, seen.epoch, len(seen.history)) == (run.step, run.epochs, run.epochs) == (step, step // 3, step // 3)
    np.testing.assert_allclose(seen.x_hat, runs.model(run).reconstruct(seen.x_noisy), atol=1e-5)


def test_steps_asked_for_and_not_done_are_forgotten_by_going_on(queue, gate):
    def two_steps_then_on_then_one():
        queue.pause(name), queue.step(name), queue.step(name), queue.go_on(name)
        queue.step(name)  # pauses

    gate.call_at(4, two_steps_then_on_then_one)
    name = queue.submit(CONFIG)
    until(lambda: queue.snapshot(name).state == "paused")
    assert_stays(queue, gate, 4)
    queue.stop(name)
    over(queue, name)


def test_paused_before_it_begins_it_can_be_stepped_and_stopped(queue, gate, monkeypatch):
    prepare = run_trainer.RunTrainer.prepare
    monkeypatch.setattr(run_trainer.RunTrainer, "prepare", lambda self: queue.pause(self.name) or prepare(self))
    name = queue.submit(CONFIG)
    until(lambda: queue.snapshot(name).state == "paused")
    assert gate.steps == 0
    queue.step(name)
    until(lambda: (seen := queue.snapshot(name).progress) and seen.step == 1)
    queue.stop(name)
    assert over(queue, name).state == "stopped"
    assert (runs.find(name).step, gate.steps) == (1, 1)


@pytest.mark.parametrize("step", [5, 6])
def test_stopped_and_resumed_it_equals_never_having_been_stopped(queue, gate, whole, step):
    gate.call_at(step, lambda: queue.stop(name))
    name = queue.submit(CONFIG)
    assert over(queue, name).state == "stopped"
    run = runs.find(name)
    assert (run.state, run.step, run.epochs) == ("stopped", step, step // 3)
    for path, w in runs.weights(run).items():
        np.testing.assert_allclose(w, whole[1][step][path], rtol=0, atol=1e-6)
    assert queue.resume(name) == name
    assert over(queue, name).state == "finished"
    assert gate.steps == 9
    assert_equals_whole(name, whole)


def test_a_resumed_run_that_leaves_the_queue_keeps_what_it_has(queue, gate, whole):
    gate.call_at(2, lambda: queue.stop(name))
    name = queue.submit(CONFIG)
    over(queue, name)
    gate.hold_at(1)
    first = queue.submit(replace(CONFIG, epochs=1))
    queue.resume(name)
    assert queue.snapshot(name).place == 1
    queue.stop(name)
    gate.open.set()
    over(queue, first)
    assert (runs.find(name).state, runs.find(name).step) == ("stopped", 2)
    queue.resume(name)
    over(queue, name)
    assert_equals_whole(name, whole)


def diverging():
    return replace(CONFIG, architecture="fast", schedule="constant", learning_rate=1.0, sparsity=10.0, epochs=200)


def test_a_run_that_diverges_fails_with_advice_and_the_next_one_comes(queue):
    names = [queue.submit(diverging()), queue.submit(replace(CONFIG, epochs=1))]
    failed = over(queue, names[0])
    assert failed.state == "failed"
    assert "Instead of a learning rate of 1, try 0.01, the usual one of SGD." in failed.message
    assert (
        f"in step {failed.progress.step:,} of {failed.progress.num_steps:,}: " in failed.message
    )  # one count, wherever it is said
    assert over(queue, names[1]).state == "finished"
    run = runs.find(names[0])
    assert (run.state, run.message) == ("failed", failed.message)


def test_a_data_set_that_is_missing_or_damaged_fails_with_its_sentence(queue, tmp_path, monkeypatch):
    data = tmp_path / "data"
    data.mkdir()
    (data / "fashion_mnist.npz").write_bytes(b"damaged")
    monkeypatch.setenv("CAE_DATA_DIR", str(data))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    names = [queue.submit(replace(CONFIG, dataset=dataset, epochs=1)) for dataset in ("mnist", "fashion_mnist", "strokes")]
    missing, damaged, good = [over(queue, name) for name in names]
    assert (missing.state, damaged.state, good.state) == ("failed", "failed", "finished")
    assert "--download" in missing.message or "download" in missing.message
    assert "fashion_mnist.npz" in damaged.message
    assert [runs.find(name).message for name in names] == [missing.message, damaged.message, ""]


def test_a_resumed_run_whose_data_set_is_gone_can_be_resumed_when_it_is_back(queue, gate, whole, monkeypatch):
    gate.call_at(5, lambda: queue.stop(name))
    name = queue.submit(CONFIG)
    over(queue, name)
    run = runs.find(name)

    def missing(split):
        raise DatasetMissing("The data set is gone.")

    with monkeypatch.context() as patch:
        patch.setitem(DATASETS, "strokes", replace(DATASETS["strokes"], load=missing))
        datasets.clear_cache()
        queue.resume(name)
        failed = over(queue, name)
    datasets.clear_cache()
    assert (failed.state, failed.message) == ("failed", "The data set is gone.")
    assert runs.find(name) == run
    queue.resume(name)
    over(queue, name)
    assert_equals_whole(name, whole)


def test_what_cannot_be_measured_when_it_is_stopped_does_not_stop_the_queue(queue, gate, monkeypatch):
    def missing(*args):
        raise DatasetMissing("The test images are gone.")

    gate.call_at(2, lambda: monkeypatch.setattr(evaluation, "measure", missing) or queue.stop(name))
    name, other = queue.submit(CONFIG), queue.submit(diverging())
    failed = over(queue, name)
    assert (failed.state, failed.message) == ("failed", "The test images are gone.")
    assert over(queue, other).state == "failed"


@pytest.fixture
def disk(monkeypatch):
    """A disk that can be full."""

    class Disk:
        is_full = False

    fsync, disk = os.fsync, Disk()

    def refuse(number):
        if disk.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return fsync(number)

    monkeypatch.setattr(os, "fsync", refuse)
    return disk


@pytest.mark.parametrize(("step", "state"), [(2, "stopped"), (8, "finished")])
def test_what_a_full_disk_refuses_is_saved_when_it_is_free(queue, gate, disk, whole, step, state):
    gate.call_at(step, lambda: setattr(disk, "is_full", True))
    name, other = queue.submit(CONFIG), queue.submit(diverging())
    for attempt in range(2):
        unsaved = over(queue, name)
        assert unsaved.state == "unsaved"
        assert "No space left on device" in unsaved.message
        assert unsaved.progress  # what was seen of it stays on the page
        if not attempt:
            assert over(queue, other).state == "failed"  # the queue goes on
            queue.save_again(name)  # still full
            until(lambda: not queue.is_busy())
    disk.is_full = False
    queue.save_again(name)
    until(lambda: queue.snapshot(name).state == state)
    until(lambda: not queue.is_busy())
    assert (runs.find(name).state, runs.find(name).step) == (state, 3 if state == "stopped" else 9)
    if state == "stopped":
        queue.resume(name)
        over(queue, name)
    assert_equals_whole(name, whole)


def test_one_visitor_and_all_together_may_only_have_so_many(queue, gate, monkeypatch):
    monkeypatch.setattr(scheduling, "MOST_WAITING", scheduling.MOST_OF_ONE + 2)
    gate.hold_at(1)
    small = replace(CONFIG, epochs=1)
    names = [queue.submit(small, owner="greedy") for _ in range(scheduling.MOST_OF_ONE)]
    with pytest.raises(JobError, match="You have 5 runs in the queue, the most one visitor may: wait for one, or withdraw"):
        queue.submit(small, owner="greedy")
    others = [queue.submit(small, owner=owner) for owner in "ab"]
    with pytest.raises(JobError, match="The queue is full, with 7 runs: try again when some are done"):
        queue.submit(small, owner="c")
    assert len(list(runs.runs_dir().iterdir())) == 7  # nothing is left of those refused
    queue.stop(names[-1], "greedy")
    gate.open.set()
    assert gate.reached.wait(PATIENCE)
    queue.stop(names[0], "greedy"), [queue.stop(name, "greedy") for name in names[1:-1]], queue.stop(others[0], "a")
    over(queue, others[1])


def test_ended_with_its_process_a_run_goes_on_another_day_and_so_does_one_that_waited(make, gate, whole):
    first = make()
    gate.hold_at(5)
    name, waiting = first.submit(CONFIG), first.submit(replace(CONFIG, seed=9, epochs=1))
    assert gate.reached.wait(PATIENCE)
    ending = threading.Thread(target=first.end)
    ending.start()
    until(lambda: first._ending)
    gate.open.set()
    ending.join(PATIENCE)
    assert not ending.is_alive()
    for left, step in ((name, 5), (waiting, 0)):
        assert (runs.find(left).state, runs.find(left).step) == ("interrupted", step)
    second = make()
    second.resume(name), second.resume(waiting)
    assert over(second, waiting).state == "finished"
    assert_equals_whole(name, whole)


def test_ended_while_paused(make, gate, whole):
    first = make()
    gate.call_at(4, lambda: first.pause(name))
    name = first.submit(CONFIG)
    until(lambda: first.snapshot(name).state == "paused")
    first.end()
    assert (runs.find(name).state, runs.find(name).step) == ("interrupted", 4)
    second = make()
    second.resume(name)
    over(second, name)
    assert_equals_whole(name, whole)


def at_once(*calls):
    """Makes them in another thread, which would hang where they have to wait for the worker; their results."""
    results = []
    asking = threading.Thread(target=lambda: results.extend(call() for call in calls), daemon=True)
    asking.start()
    asking.join(20)
    assert not asking.is_alive()
    return results


def test_looking_waits_neither_for_a_step_nor_for_pictures(queue, gate, monkeypatch):
    gate.hold_at(2)
    name = queue.submit(CONFIG, owner="me")
    look = (lambda: queue.snapshot(name).state, lambda: len(queue.of("me")), lambda: len(queue.queue()), queue.is_busy)
    assert gate.reached.wait(PATIENCE)  # the worker is in a step
    assert at_once(*look) == ["running", 1, 1, True]
    drawing, show = threading.Event(), run_monitor.RunMonitor.show

    def slowly(watch):
        drawing.set()
        assert done.wait(PATIENCE)
        show(watch)

    done = threading.Event()
    monkeypatch.setattr(run_monitor.RunMonitor, "show", slowly)
    queue.pause(name, "me")
    gate.open.set()
    assert drawing.wait(PATIENCE)  # the worker makes pictures
    try:
        at_once(*look, lambda: queue.stop(name, "me"))
    finally:
        done.set()
    assert over(queue, name).state == "stopped"


def test_one_taken_out_of_the_queue_just_as_its_turn_comes_is_stopped(queue, monkeypatch):
    work = Job.work

    def withdrawn_at_once(self, is_ending):
        queue.stop(self.now.name)
        return work(self, is_ending)

    monkeypatch.setattr(Job, "work", withdrawn_at_once)
    name, other = queue.submit(CONFIG), queue.submit(replace(CONFIG, epochs=1))
    assert over(queue, name).state == "stopped"
    assert over(queue, other).state == "stopped"
    assert not queue.is_busy()


def test_runs_that_are_over_are_forgotten_but_not_those_unsaved(queue, monkeypatch):
    monkeypatch.setattr(jobs, "REMEMBERED", 2)

    def ended(self, is_ending):
        self.trainer.close()
        yield
        return ("unsaved" if self.now.title == "unsaved" else "stopped"), ""

    monkeypatch.setattr(Job, "work", ended)
    names = [queue.submit(CONFIG, owner="me", title=title) for title in ("unsaved", "b")]
    for title in "cdef":
        over(queue, names[-1])
        names.append(queue.submit(CONFIG, owner="me", title=title))
    over(queue, names[-1])
    assert names[0] in [one.name for one in queue.of("me")]
    assert len(queue.of("me")) <= 1 + 2 + 1


def test_what_a_fork_needs_is_checked_before_it_waits(queue, runs_folder):
    over(queue, parent := queue.submit(replace(CONFIG, epochs=1)))
    with pytest.raises(ValueError, match="bottleneck is 4, but the weights to start from"):
        queue.submit(replace(CONFIG, bottleneck=4), origin={"run": parent, "step": 3})
    with pytest.raises(ValueError, match="Unknown loss 'foo'"):
        queue.submit(replace(CONFIG, loss="foo"))
    child = queue.submit(replace(CONFIG, epochs=1), origin={"run": parent, "step": 3})
    assert over(queue, child).state == "finished"
    for path, w in runs.weights(runs.find(child), 0).items():
        np.testing.assert_array_equal(w, runs.weights(runs.find(parent))[path])
    assert len(list(runs_folder.iterdir())) == 2


# Runs that are trained together, a step each in turn.

OTHER_LOSS = replace(CONFIG, loss="mse", seed=4)
OTHER_NETWORK = replace(CONFIG, architecture="dense_denoise", bottleneck=5)


def alone(config, split):
    """The history and the last weights of a run that nobody interrupts."""
    model, history = build(config), []
    for event in training.train(model, config, *training.split_held_out(split, config.num_train)):
        if event.epoch_loss is not None:
            history.append(training.history_row(event))
    return history, model.weights()


def assert_equals(name, expected, bits=False):
    run, (history, weights) = runs.find(name), expected
    assert run.state == "finished"
    for column in ("loss", "held_out_loss"):
        np.testing.assert_allclose(runs.history(run)[column], [row[column] for row in history], rtol=0, atol=1.01e-6)
    for path, w in runs.weights(run).items():
        np.testing.assert_allclose(w, weights[path], rtol=0, atol=0 if bits else 1e-6)


def test_runs_together_take_turns_and_each_equals_its_solo_run(queue, whole, few_strokes):
    configs = [CONFIG, OTHER_LOSS, OTHER_NETWORK]
    order, train = [], training.train

    def noted(model, config, *rest):
        for event in train(model, config, *rest):
            order.append((event.step, configs.index(config)))
            yield event

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "train", noted)
        names = queue.enter([Entry("", *pair) for pair in zip(configs, "abc", strict=True)], "me", mode="together")
        for name in names:
            over(queue, name)
    assert order == sorted(order)  # a step of each, in their order, then the next step of each
    assert len(order) == 27
    snapshots = queue.of("me")
    assert [(one.name, one.title, one.state) for one in snapshots] == [
        (name, title, "finished") for name, title in zip(names, "abc", strict=True)
    ]
    assert len({one.group for one in snapshots}) == 1
    assert snapshots[0].group
    assert_equals_whole(names[0], whole)
    for name, config in zip(names[1:], configs[1:], strict=True):
        assert_equals(name, alone(config, few_strokes("train").x))


def test_stopping_one_of_them_lets_the_others_go_on(queue, gate, whole):
    gate.call_at(2, lambda: queue.stop(names[0], "me"))
    names = queue.enter(entries(OTHER_LOSS, CONFIG), "me", mode="together")
    assert over(queue, names[0]).state == "stopped"
    assert over(queue, names[1]).state == "finished"
    assert runs.find(names[0]).step == 2
    assert_equals_whole(names[1], whole)


def test_one_that_diverges_lets_the_others_go_on(queue, whole):
    names = queue.enter(entries(diverging(), CONFIG), "me", mode="together")
    assert over(queue, names[0]).state == "failed"
    over(queue, names[1])
    assert_equals_whole(names[1], whole)


def test_paused_together_nothing_is_trained_and_all_go_on(queue, gate, whole):
    gate.call_at(4, lambda: [queue.pause(name, "me") for name in names])
    names = queue.enter(entries(CONFIG, OTHER_LOSS), "me", mode="together")
    until(lambda: "paused" in [one.state for one in queue.of("me")])  # the other's turn to see it comes after this one's
    assert_stays(queue, gate, 4 + 3)
    for name in names:
        queue.go_on(name, "me")
    over(queue, names[1])
    over(queue, names[0])
    assert_equals_whole(names[0], whole)


@pytest.mark.parametrize("bad", [replace(CONFIG, loss="foo"), replace(CONFIG, output="linear")])
def test_a_configuration_that_cannot_be_lets_none_of_them_in(queue, bad, runs_folder):
    with pytest.raises(ValueError, match=r"Unknown loss 'foo'|loss is 'bce' and output 'linear'"):
        queue.enter(entries(CONFIG, bad), mode="together")
    assert queue.queue() == queue.of("") == []
    assert not runs_folder.exists() or not list(runs_folder.iterdir())


def test_only_so_many_go_together(queue):
    for number in (0, jobs.MOST["together"] + 1):
        with pytest.raises(JobError, match=f"Got {number} runs to train together: choose 1 to 6"):
            queue.enter(entries(*[CONFIG] * number), mode="together")


def test_a_disk_that_refuses_the_second_keeps_nothing_of_the_first(queue, runs_folder, monkeypatch):
    begin, begun = run_trainer.RunTrainer.begin, []

    def full(*args):
        if begun:
            raise runs.RunError("No space left on device")
        begun.append(begin(*args))
        return begun[0]

    monkeypatch.setattr(run_trainer.RunTrainer, "begin", full)
    with pytest.raises(runs.RunError, match="No space left"):
        queue.enter(entries(CONFIG, OTHER_LOSS), mode="together")
    assert queue.queue() == []
    assert list(runs_folder.iterdir()) == []


def test_together_they_count_as_one_of_what_a_visitor_may_have(queue, gate):
    gate.hold_at(1)
    small = replace(CONFIG, epochs=1)
    together = queue.enter(entries(*[small] * 3), "greedy", mode="together")
    names = [queue.submit(small, owner="greedy") for _ in range(scheduling.MOST_OF_ONE - 1)]
    with pytest.raises(JobError, match="You have 5 runs in the queue"):
        queue.enter(entries(small), "greedy", mode="together")
    for name in names:
        queue.stop(name, "greedy")
    gate.open.set()
    assert {over(queue, name).state for name in together} == {"finished"}


def test_those_that_wait_together_can_be_withdrawn_one_by_one(queue, gate, whole):
    gate.hold_at(1)
    first = queue.submit(replace(CONFIG, epochs=1))
    names = queue.enter(entries(OTHER_LOSS, CONFIG), "me", mode="together")
    assert gate.reached.wait(PATIENCE)
    assert [queue.snapshot(name).state for name in names] == ["waiting", "waiting"]
    queue.stop(names[0], "me")
    assert queue.snapshot(names[0]) is None
    gate.open.set()
    over(queue, first)
    over(queue, names[1])
    assert_equals_whole(names[1], whole)


def test_ended_with_its_process_all_that_trained_together_go_on_another_day(make, gate, whole, few_strokes):
    first = make()
    gate.hold_at(5, seed=CONFIG.seed)
    names = first.enter(entries(OTHER_LOSS, CONFIG), "me", mode="together")
    assert gate.reached.wait(PATIENCE)
    ending = threading.Thread(target=first.end)
    ending.start()
    until(lambda: first._ending)
    gate.open.set()
    ending.join(PATIENCE)
    assert not ending.is_alive()
    assert [(runs.find(name).state, runs.find(name).step) for name in names] == [("interrupted", 5), ("interrupted", 5)]
    second = make()
    for name in names:
        second.resume(name, "me")
    for name in names:
        over(second, name)
    assert_equals(names[0], alone(OTHER_LOSS, few_strokes("train").x))
    assert_equals_whole(names[1], whole)


# Others wait: who pauses or trains long gives way, and goes on to the last bit.


class Clock:
    """Stands still until it is set on; then those who wait for a time are woken."""

    def __init__(self):
        self.now, self.queue = 0.0, None

    def __call__(self):
        return self.now

    def pass_(self, seconds):
        with self.queue._changed:
            self.now += seconds
            self.queue._changed.notify_all()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def timed(make, clock):
    """A queue on that clock."""
    clock.queue = make(clock)
    return clock.queue


SHORT = replace(CONFIG, epochs=1, seed=7)


@pytest.mark.parametrize("step", [3, 5])
def test_a_pause_ends_when_others_wait_and_the_run_goes_on_to_the_last_bit(timed, clock, gate, whole, step):
    gate.call_at(step, lambda: timed.pause(mine, "me"))
    mine = timed.submit(CONFIG, owner="me")
    until(lambda: timed.snapshot(mine).state == "paused")
    assert not timed.is_busy()  # what is paused alone keeps nobody's time from being estimated
    clock.pass_(10 * scheduling.PAUSE)
    assert timed.snapshot(mine).seconds_left is None  # nobody waits
    gate.hold_at(1, seed=SHORT.seed)
    theirs = timed.submit(SHORT, owner="you")
    assert timed.snapshot(mine).seconds_left == scheduling.PAUSE
    clock.pass_(scheduling.PAUSE)
    assert gate.reached.wait(PATIENCE)
    now, run = timed.snapshot(mine), runs.find(mine)
    assert (now.state, now.place, now.progress.step, run.state, run.step) == ("waiting", 1, step, "waiting", step)
    gate.open.set()
    assert over(timed, theirs).state == "finished"
    ended = over(timed, mine)
    assert gate.steps == 9 + 3  # no step was done twice
    assert len(ended.progress.curve) == 9  # curves go on
    assert_equals(mine, (whole[0], whole[1][9]), bits=True)


def test_a_long_run_gives_way_after_its_turn_and_takes_turns_from_then_on(timed, clock, gate, whole):
    gate.call_at(2, lambda: (theirs.append(timed.submit(SHORT, owner="you")), clock.pass_(scheduling.TURN)))
    theirs = []
    mine = timed.submit(CONFIG, owner="me")
    over(timed, mine)
    assert gate.seeds == [CONFIG.seed, SHORT.seed, CONFIG.seed]
    assert runs.find(theirs[0]).state == "finished"
    assert_equals(mine, (whole[0], whole[1][9]), bits=True)


def test_races_give_way_together_and_series_stay_in_order(timed, clock, gate, whole, few_strokes):
    gate.call_at(4, lambda: timed.pause(race[1], "me"))
    race = timed.enter(entries(CONFIG, OTHER_LOSS), "me", mode="together")
    until(lambda: timed.snapshot(race[1]).state == "paused")
    series = [Entry("first", SHORT), Entry("second", replace(SHORT, seed=8), "", warm_start.at_end_of("first"))]
    timed.enter(series, "you")
    gate.call_at(2, lambda: clock.pass_(scheduling.TURN))
    clock.pass_(scheduling.PAUSE)
    for name in (*race, "first", "second"):
        assert over(timed, name).state == "finished"
    assert_equals(race[0], (whole[0], whole[1][9]), bits=True)
    assert_equals(race[1], alone(OTHER_LOSS, few_strokes("train").x))
    assert runs.find("second").origin == {"run": "first", "step": 3}


def test_what_gave_way_can_be_stopped_and_keeps_its_pictures(timed, clock, gate):
    gate.call_at(4, lambda: timed.pause(mine, "me"))
    mine = timed.submit(CONFIG, owner="me")
    until(lambda: timed.snapshot(mine).state == "paused")
    gate.hold_at(1, seed=SHORT.seed)
    theirs = timed.submit(SHORT, owner="you")
    clock.pass_(scheduling.PAUSE)
    assert gate.reached.wait(PATIENCE)
    timed.stop(mine, "me")
    now, run = timed.snapshot(mine), runs.find(mine)
    assert (now.state, now.progress.step, run.state, run.step) == ("stopped", 4, "stopped", 4)
    assert runs.model(run).image_shape == (28, 28, 1)
    gate.open.set()
    over(timed, theirs)
    timed.resume(mine, "me")
    assert over(timed, mine).state == "finished"


def test_a_disk_that_refuses_when_it_gives_way_keeps_nobody_waiting(timed, clock, gate, disk):
    gate.call_at(4, lambda: timed.pause(mine, "me"))
    mine = timed.submit(CONFIG, owner="me")
    until(lambda: timed.snapshot(mine).state == "paused")
    theirs = timed.submit(SHORT, owner="you")
    disk.is_full = True
    clock.pass_(scheduling.PAUSE)
    assert "free some space" in over(timed, mine).message
    over(timed, theirs)
    disk.is_full = False
    timed.save_again(mine, "me")
    until(lambda: timed.snapshot(mine).state == "stopped")
    assert runs.find(mine).step == 4


def at_the_same_time(count, call):
    """Calls it in so many threads, which all begin at once; how often it was refused."""
    begin, refused = threading.Barrier(count), []

    def press(number):
        begin.wait(PATIENCE)
        try:
            call(number)
        except ValueError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=press, args=(number,)) for number in range(count)]
    [thread.start() for thread in threads]
    [thread.join(PATIENCE) for thread in threads]
    return refused


ENTER = {
    "run": lambda queue, owner, number: queue.submit(SHORT, owner),
    "race": lambda queue, owner, number: queue.enter(entries(SHORT, SHORT), owner, mode="together"),
    "series": lambda queue, owner, number: queue.enter([Entry(f"{owner}-{number}", SHORT)], owner),
    "stack": lambda queue, owner, number: queue.submit(StackConfig(), owner),
}


@pytest.mark.parametrize("enter", ENTER.values(), ids=ENTER)
@pytest.mark.parametrize("one_visitor", [True, False])
def test_limits_hold_when_thirty_press_at_once(queue, monkeypatch, runs_folder, enter, one_visitor):
    monkeypatch.setattr(queue, "_thread", threading.Thread())  # nothing is ever trained
    monkeypatch.setattr(scheduling, "MOST_WAITING", 20)
    refused = at_the_same_time(30, lambda number: enter(queue, "me" if one_visitor else f"visitor{number}", number))
    most = scheduling.MOST_OF_ONE if one_visitor else 20
    assert len({job.group or job.name for job in queue.queue()}) == most
    assert len(refused) == 30 - most
    assert len(list(runs_folder.iterdir())) == len(queue.queue())  # nothing is left of those refused
    monkeypatch.setattr(queue, "_thread", None)


def test_of_thirty_who_enter_a_run_of_one_name_one_does(queue, monkeypatch, runs_folder):
    monkeypatch.setattr(queue, "_thread", threading.Thread())
    monkeypatch.setattr(scheduling, "MOST_OF_ONE", 30)
    with monkeypatch.context() as patch:
        patch.setattr(pathlib.Path, "exists", lambda path: False)  # nobody is there yet when each of them looks
        refused = at_the_same_time(30, lambda number: queue.enter([Entry("card", SHORT)], "me"))
    assert [job.name for job in queue.queue()] == ["card"]
    assert refused == ["'card' is there already: choose another name."] * 29
    assert runs.find("card").state == "waiting"  # and it is still held
    assert [path.name for path in runs_folder.iterdir()] == ["card"]
    monkeypatch.setattr(queue, "_thread", None)


def test_what_the_disk_refuses_can_be_discarded(queue, gate, monkeypatch):
    def refuse(*args):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as patch:
        gate.call_at(5, lambda: patch.setattr(storage, "write", refuse))
        name = queue.submit(CONFIG, owner="me")
        refused = over(queue, name)
        assert refused.state == "unsaved"
        assert "allow writing to it" in refused.message
        with pytest.raises(JobError, match="You have no run"):
            queue.discard(name, "you")
        queue.discard(name, "me")
    assert queue.of("me") == []
    run = runs.find(name)
    assert (run.state, run.step) == ("interrupted", 3)  # its first epoch stays, and nobody holds it
    assert manage.delete(run, "me")


def test_a_folder_that_was_removed_is_made_anew_with_all_that_is_known(queue, gate, runs_folder, whole):
    gate.call_at(5, lambda: shutil.rmtree(runs_folder))
    name = queue.submit(CONFIG, owner="me", title="Mine")
    assert over(queue, name).state == "finished"
    assert_equals_whole(name, whole)
    assert (runs.find(name).title, runs.find(name).owner) == ("Mine", "me")
    assert not storage.is_locked(runs_folder / name / "lock")


def test_what_was_removed_and_cannot_be_made_anew_is_discarded_without_a_trace(queue, gate, runs_folder):
    def replace_by_a_file():
        shutil.rmtree(runs_folder)
        runs_folder.write_text("", encoding="utf-8")

    gate.call_at(2, replace_by_a_file)
    name = queue.submit(CONFIG, owner="me")
    assert "could not be written" in over(queue, name).message
    queue.discard(name, "me")
    assert queue.of("me") == []
    runs_folder.unlink()


def test_the_thread_outlives_whatever_a_run_does(queue, monkeypatch):
    monkeypatch.setattr(run_trainer.RunTrainer, "fail", lambda *args: 1 / 0)
    monkeypatch.setattr(run_monitor.RunMonitor, "catch_up", lambda *args: 1 / 0)
    name, other = queue.submit(diverging()), queue.submit(SHORT)
    assert over(queue, name).state == "failed"
    assert over(queue, other).state == "finished"


def test_what_one_visitor_is_done_with_makes_nobody_elses_forgotten(queue, monkeypatch):
    monkeypatch.setattr(jobs, "REMEMBERED", 2)
    name = queue.submit(SHORT, owner="you")
    over(queue, name)
    for seed in range(4):
        over(queue, queue.submit(replace(SHORT, seed=seed), owner="me"))
    assert queue.snapshot(name).state == "finished"
