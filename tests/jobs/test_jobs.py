"""Runs in the background: the queue, who may do what, pause, step and stop, and that a job equals the run done alone."""

import contextlib
import errno
import functools
import os
import pathlib
import pickle
import re
import shutil
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from cae_core import datasets, jobs, runs, runtime, training
from cae_core.architectures import build
from cae_core.config import RunConfig, StackConfig
from cae_core.datasets import DatasetMissing
from cae_core.inspection import evaluation
from cae_core.jobs import JobError, Jobs, scheduling, worker
from cae_core.jobs.job import Job
from cae_core.jobs.requests import Entry
from cae_core.runs import manage, storage
from cae_core.runtime import host
from cae_core.training import monitor, run_monitor, run_trainer, warm_start

CONFIG = RunConfig(
    num_train=100, batch_size=30, architecture="dense", bottleneck=3, epochs=3, noise_kind="gaussian", seed=3,
    optimizer="sgd", learning_rate=0.1,
)  # fmt: skip
"""Three steps an epoch, and quick to compile."""
SHORT = replace(CONFIG, epochs=1, seed=7)
OTHER = replace(CONFIG, loss="mse", seed=4)
DIVERGING = replace(CONFIG, architecture="fast", schedule="constant", learning_rate=1.0, sparsity=10.0, epochs=200)

TRAIN = training.train
PATIENCE = 120  # seconds to wait for anything; far more than it takes, so that a busy machine fails nothing

pytestmark = pytest.mark.usefixtures("few_strokes", "tensorflow")


@pytest.fixture(scope="module")
def tensorflow():
    assert runtime.ready(PATIENCE)


class Near(worker.Worker):
    """A worker in this very process: questions and answers are only written as for one that is none."""

    def __init__(self):
        super().__init__(1)
        self._at_work = {}

    def ask(self, name, what, *values):
        with self._asking:
            for dropped in self._dropped:
                self._at_work.pop(dropped, None)
            question = pickle.loads(pickle.dumps((name, what, values)))
            return pickle.loads(pickle.dumps(worker.answer(self._at_work, *question)))


@pytest.fixture(params=["thread", pytest.param("worker", marks=pytest.mark.slow)])
def make(request):
    """Makes `Jobs` that end with the test, on a clock that stands still until `queue.wait` sets it on by some seconds."""
    with contextlib.ExitStack() as stack:

        def make():
            now = [0.0]
            queue = Jobs(lambda: now[0])
            if request.param == "worker":
                queue._workers = [Near()]

            def wait(seconds):
                with queue._changed:
                    now[0] += seconds
                    queue._changed.notify_all()

            queue.wait = wait
            stack.callback(queue.end)
            return queue

        yield make


@pytest.fixture
def queue(make):
    return make()


@functools.cache
def alone(config):
    """What training alone gives: the history, and the weights after every step."""
    model, history, weights = build(config), [], {}
    images = training.split_held_out(datasets.load("strokes", "train").x, config.num_train)
    for event in TRAIN(model, config, *images):
        weights[event.step] = event.checkpoint().weights
        if event.epoch_loss is not None:
            history.append(training.history_row(event))
    return history, weights


def assert_equals(name, config=CONFIG, step=None, tolerance=1e-6):
    """The run is as training alone gives it, at its end or after a step."""
    run, (history, weights) = runs.find(name), alone(config)
    state, step = ("stopped", step) if step else ("finished", len(weights))
    assert (run.state, run.step, run.epochs) == (state, step, step // 3)
    for column in ("loss", "held_out_loss"):
        expected = [row[column] for row in history[: run.epochs]]
        np.testing.assert_allclose(runs.history(run)[column], expected, rtol=0, atol=1.01e-6)  # six digits
    for path, w in runs.weights(run).items():
        np.testing.assert_allclose(w, weights[step][path], rtol=0, atol=tolerance)


def until(condition):
    """Waits for it, and returns what it gave."""
    end = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.002)
    return value


def over(queue, name):
    return until(lambda: (now := queue.snapshot(name)) and not now.is_live and now)


class Gate:
    """Holds the worker before it hands on the events of some steps, and counts those it trained."""

    def __init__(self, monkeypatch):
        self._at, self._seed = {}, None
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
        for event in TRAIN(model, config, *rest):
            self.steps += 1
            if event.step in self._at and self._seed in (None, config.seed):
                self._at.pop(event.step)()
            yield event


@pytest.fixture
def gate(monkeypatch):
    gate = Gate(monkeypatch)
    yield gate
    gate.open.set()


def stopped(queue, gate, step, *owner):
    """A run of `CONFIG` that is stopped after a step."""
    gate.call_at(step, lambda: queue.stop(name, *owner))
    name = queue.submit(CONFIG, *owner)
    assert over(queue, name).state == "stopped"
    return name


def paused(queue, gate, step, *owner):
    """One that is paused after a step."""
    gate.call_at(step, lambda: queue.pause(name, *owner))
    name = queue.submit(CONFIG, *owner)
    until(lambda: queue.snapshot(name).state == "paused")
    return name


def assert_stays(queue, gate, steps):
    """Wakes the worker and gives it time to do what it must not: the clock can hide a fault, never make one."""
    with queue._changed:
        queue._changed.notify_all()
    time.sleep(0.05)
    assert gate.steps == steps


def test_a_run_to_its_end(queue):
    name = queue.submit(CONFIG, owner="me", title="Mine")
    assert queue.is_busy()
    states = []
    while (now := queue.snapshot(name)).is_live:
        states += [now.state] * (not states or states[-1] != now.state)
        time.sleep(0.001)
    order = ["waiting", "preparing", "running", "measuring"]
    assert [state for state in order if state in states] == states
    assert (now.state, now.message, now.place, now.title, now.owner) == ("finished", "", 0, "Mine", "me")
    assert not queue.is_busy()
    assert queue.queue() == []
    assert [job.name for job in queue.of("me")] == [name]
    assert queue.snapshot("nothing") is None
    assert_equals(name)
    run, seen = runs.find(name), now.progress
    assert (run.owner, run.title) == ("me", "Mine")
    assert (seen.step, seen.num_steps, seen.epoch, seen.epochs, seen.steps_per_epoch) == (9, 9, 3, 3, 3)
    assert [row["loss"] for row in seen.history] == pytest.approx([row["loss"] for row in alone(CONFIG)[0]], abs=1.01e-6)
    np.testing.assert_array_equal(seen.curve[:, 0], np.arange(1, 10) / 3)
    np.testing.assert_allclose(seen.x_hat, runs.model(run).reconstruct(seen.x_noisy), atol=1e-5)


def test_the_queue_has_an_order_and_places_and_one_may_leave_it(queue, gate, runs_folder):
    gate.hold_at(1)
    single = [queue.submit(replace(SHORT, seed=seed), owner="ab"[seed % 2]) for seed in range(3)]
    together = queue.enter([Entry("", replace(SHORT, seed=seed)) for seed in (3, 4)], "b", mode="together")
    assert gate.reached.wait(PATIENCE)
    names = [*single, *together]
    assert [(job.name, job.place) for job in queue.queue()] == list(zip(names, range(5), strict=True))
    assert [job.state for job in queue.queue()] == ["running", *["waiting"] * 4]
    assert [job.name for job in queue.of("a")] == [names[0], names[2]]
    assert runs.find(names[1]).state == "waiting"
    for name in (names[1], names[3]):  # one alone, and one of those together
        queue.stop(name, "b")
        assert queue.snapshot(name) is None
        assert not (runs_folder / name).exists()
    left = [names[0], names[2], names[4]]
    assert [queue.snapshot(name).place for name in left] == [0, 1, 2]
    gate.open.set()
    assert {over(queue, name).state for name in left} == {"finished"}
    assert gate.seeds == [0, 2, 4]


def test_only_the_owner_may_touch_find_or_resume_a_run(queue, gate):
    gate.hold_at(2)
    mine, waiting = queue.submit(CONFIG, "me", "Mine"), queue.submit(SHORT, "me")
    assert gate.reached.wait(PATIENCE)
    for name in (mine, waiting, "nothing"):
        for act in (queue.pause, queue.go_on, queue.step, queue.stop, queue.save_again, queue.discard):
            for other in ("you", ""):
                with pytest.raises(JobError, match=f"You have no run '{name}' in training here"):
                    act(name, other)
    assert queue.of("you") == queue.of("") == []
    with pytest.raises(JobError, match="only one that is over can be discarded"):
        queue.discard(waiting, "me")
    queue.stop(waiting, "me")
    gate.call_at(5, lambda: queue.stop(mine, "me"))
    gate.open.set()
    over(queue, mine)
    with pytest.raises(JobError, match="The run 'Mine' is another visitor's: fork it"):
        queue.resume(mine, "you")
    assert_equals(mine, step=5)


def test_while_paused_nothing_is_trained_and_a_step_is_one_step(queue, gate, monkeypatch):
    def pause():
        for act in (queue.pause, queue.step, queue.step, queue.go_on, queue.step):
            act(name, "me")  # steps asked for and not done are forgotten by going on; the last step only pauses

    show = run_monitor.RunMonitor.show
    monkeypatch.setattr(run_monitor.RunMonitor, "show", lambda watch: time.sleep(0.05) or show(watch))
    monkeypatch.setattr(monitor, "INTERVAL", 1000.0)  # no pictures but those of the first step and of pauses
    gate.call_at(4, pause)
    name = queue.submit(CONFIG, "me")
    assert until(lambda: (now := queue.snapshot(name)).state == "paused" and now).progress.step == 4  # the pictures, too
    for step in (4, 5, 6):
        until(lambda: (now := queue.snapshot(name)).state == "paused" and now.progress.step == step)  # noqa: B023
        assert_stays(queue, gate, step)
        if step < 6:
            queue.step(name, "me")
    queue.go_on(name, "me")
    over(queue, name)
    assert_equals(name)


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
def test_stopped_it_shows_what_is_saved_and_resumed_it_equals_never_having_been_stopped(queue, gate, monkeypatch, step):
    monkeypatch.setattr(monitor, "INTERVAL", 1000.0)
    name = stopped(queue, gate, step)
    seen, run = queue.snapshot(name).progress, runs.find(name)
    assert (seen.step, seen.epoch, len(seen.history)) == (step, step // 3, step // 3)
    np.testing.assert_allclose(seen.x_hat, runs.model(run).reconstruct(seen.x_noisy), atol=1e-5)
    assert_equals(name, step=step)
    assert queue.resume(name) == name
    over(queue, name)
    assert gate.steps == 9
    assert_equals(name)


def test_a_resumed_run_that_leaves_the_queue_keeps_what_it_has(queue, gate):
    name = stopped(queue, gate, 5)
    gate.hold_at(1)
    first = queue.submit(SHORT)
    queue.resume(name)
    assert queue.snapshot(name).place == 1
    queue.stop(name)
    gate.open.set()
    over(queue, first)
    assert_equals(name, step=5)
    queue.resume(name)
    over(queue, name)
    assert_equals(name)


def test_a_data_set_that_is_missing_or_damaged_fails_with_its_sentence(queue, tmp_path, monkeypatch):
    (tmp_path / "fashion_mnist.npz").write_bytes(b"damaged")
    monkeypatch.setenv("CAE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    names = [queue.submit(replace(SHORT, dataset=dataset)) for dataset in ("mnist", "fashion_mnist", "strokes")]
    missing, damaged, good = [over(queue, name) for name in names]
    assert (missing.state, damaged.state, good.state) == ("failed", "failed", "finished")
    assert "download" in missing.message
    assert "fashion_mnist.npz" in damaged.message
    assert [runs.find(name).message for name in names] == [missing.message, damaged.message, ""]


def refuse(error):
    def raise_it(*args):
        raise error

    return raise_it


@pytest.mark.parametrize(
    ("place", "name", "error", "message"),
    [
        (evaluation, "measure", DatasetMissing("The test images are gone."), "The test images are gone."),
        (run_monitor.RunMonitor, "catch_up", ZeroDivisionError("bug"), "ZeroDivisionError: bug. Try smaller settings"),
    ],
)
def test_the_thread_outlives_whatever_a_run_does(queue, gate, monkeypatch, place, name, error, message):
    """Even that its end cannot be written down."""
    monkeypatch.setattr(run_trainer.RunTrainer, "fail", refuse(ZeroDivisionError()))
    with monkeypatch.context() as patch:
        gate.call_at(2, lambda: patch.setattr(place, name, refuse(error)) or queue.stop(run))
        run = queue.submit(CONFIG)
        failed = over(queue, run)
    assert failed.state == "failed"
    assert failed.message.startswith(message)
    assert over(queue, queue.submit(SHORT)).state == "finished"


FULL = refuse(OSError(errno.ENOSPC, "No space left on device"))


@pytest.mark.parametrize(("step", "state"), [(2, "stopped"), (8, "finished")])
def test_what_a_full_disk_refuses_is_saved_when_it_is_free(queue, gate, monkeypatch, step, state):
    with monkeypatch.context() as disk:
        gate.call_at(step, lambda: disk.setattr(os, "fsync", FULL))
        name, other = queue.submit(CONFIG), queue.submit(SHORT)
        assert over(queue, other).state == "failed"  # the queue goes on
        for _ in range(2):
            unsaved = over(queue, name)
            assert unsaved.state == "unsaved"
            assert "No space left on device" in unsaved.message
            assert unsaved.progress  # what was seen of it stays on the page
            queue.save_again(name)  # still full
            until(lambda: not queue.is_busy())
    queue.save_again(name)
    until(lambda: queue.snapshot(name).state == state and not queue.is_busy())
    if state == "stopped":
        assert_equals(name, step=3)
        queue.resume(name)
        over(queue, name)
    assert_equals(name)


@pytest.mark.parametrize("when", ["training", "paused", "together"])
def test_ended_with_its_process_a_run_goes_on_another_day_and_so_does_one_that_waits(make, gate, when):
    first = make()
    gate.hold_at(5, CONFIG.seed)
    if when == "paused":
        gate.call_at(5, lambda: (first.pause(names[0]), gate.reached.set()))
    names = first.enter([Entry("", CONFIG), Entry("", OTHER)], mode="together" if when == "together" else "in order")
    assert gate.reached.wait(PATIENCE)
    if when == "paused":
        until(lambda: first.snapshot(names[0]).state == "paused")
    ending = threading.Thread(target=first.end)
    ending.start()
    until(lambda: first._ending)
    gate.open.set()
    ending.join(PATIENCE)
    assert not ending.is_alive()
    steps = (5, 4) if when == "together" else (5, 0)
    assert [(runs.find(name).state, runs.find(name).step) for name in names] == [("interrupted", step) for step in steps]
    second = make()
    for name in names:
        second.resume(name)
    for name, config in zip(names, (CONFIG, OTHER), strict=True):
        over(second, name)
        assert_equals(name, config)


def test_looking_waits_neither_for_a_step_nor_for_pictures(queue, gate, monkeypatch):
    looks, show = [], run_monitor.RunMonitor.show

    def look():
        """In another thread, which would hang where it has to wait for the worker."""
        ask = lambda: looks.append((queue.snapshot(name).state, len(queue.of("me")), len(queue.queue()), queue.is_busy()))  # noqa: E731
        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        asking.join(20)

    monkeypatch.setattr(run_monitor.RunMonitor, "show", lambda watch: look() or show(watch))
    gate.call_at(2, lambda: look() or queue.pause(name, "me"))
    name = queue.submit(CONFIG, "me")
    until(lambda: queue.snapshot(name).state == "paused")
    assert looks[-2:] == [("running", 1, 1, True)] * 2
    queue.stop(name, "me")
    assert over(queue, name).state == "stopped"


def test_one_taken_out_of_the_queue_just_as_its_turn_comes_is_stopped(queue, monkeypatch):
    work = Job.work

    def withdrawn_at_once(self, is_ending):
        queue.stop(self.now.name)
        return work(self, is_ending)

    monkeypatch.setattr(Job, "work", withdrawn_at_once)
    names = [queue.submit(CONFIG), queue.submit(SHORT)]
    assert {over(queue, name).state for name in names} == {"stopped"}
    assert not queue.is_busy()


def test_a_visitors_oldest_runs_that_are_over_are_forgotten_but_not_those_unsaved(queue, monkeypatch):
    monkeypatch.setattr(jobs, "REMEMBERED", 2)

    def ended(self, is_ending):
        self.trainer.close()
        yield
        return ("unsaved" if self.now.title == "unsaved" else "stopped"), ""

    monkeypatch.setattr(Job, "work", ended)
    over(queue, theirs := queue.submit(CONFIG, "you"))
    for title in ("unsaved", *"bcdef"):
        over(queue, queue.submit(CONFIG, "me", title))
    assert [job.title for job in queue.of("me")] == ["unsaved", "d", "e", "f"]  # the last came after the looking
    assert [job.name for job in queue.of("you")] == [theirs]


# Runs that are trained together, a step each in turn.


def test_runs_together_take_turns_and_each_equals_its_solo_run(queue, monkeypatch):
    configs = [CONFIG, OTHER, replace(CONFIG, architecture="dense_denoise", bottleneck=5)]
    expected = [alone(config) for config in configs]
    order = []

    def noted(model, config, *rest):
        for event in TRAIN(model, config, *rest):
            order.append((event.step, configs.index(config)))
            yield event

    monkeypatch.setattr(training, "train", noted)
    names = queue.enter([Entry("", *pair) for pair in zip(configs, "abc", strict=True)], "me", mode="together")
    for name in names:
        over(queue, name)
    assert order == sorted(order)  # a step of each, in their order, then the next step of each
    assert len(order) == sum(len(weights) for _, weights in expected) == 27
    together = queue.of("me")
    assert [(job.name, job.title) for job in together] == list(zip(names, "abc", strict=True))
    assert len({job.group for job in together} - {""}) == 1
    for name, config in zip(names, configs, strict=True):
        assert_equals(name, config)


@pytest.mark.parametrize(("other", "state"), [(OTHER, "stopped"), (DIVERGING, "failed")])
def test_one_that_ends_lets_those_together_with_it_go_on(queue, gate, other, state):
    if state == "stopped":
        gate.call_at(2, lambda: queue.stop(names[0], "me"))
    names = queue.enter([Entry("", other), Entry("", CONFIG)], "me", mode="together")
    ended = [over(queue, name) for name in names]
    assert [now.state for now in ended] == [state, "finished"]
    assert_equals(names[1])
    if state == "failed":
        assert "Instead of a learning rate of 1, try 0.01, the usual one of SGD." in ended[0].message
        where = f"in step {ended[0].progress.step:,} of {ended[0].progress.num_steps:,}: "
        assert where in ended[0].message  # one count, wherever it is said
        assert runs.find(names[0]).message == ended[0].message


@pytest.mark.parametrize(
    ("configs", "refusal"),
    [
        ([CONFIG, replace(CONFIG, loss="foo")], "Unknown loss 'foo'"),
        ([CONFIG, replace(CONFIG, output="linear")], "loss is 'bce' and output 'linear'"),
        ([CONFIG, OTHER], "No space left on device"),
        ([], "Got 0 runs to train together: choose 1 to 6"),
        ([CONFIG] * (jobs.MOST["together"] + 1), "Got 7 runs to train together: choose 1 to 6"),
    ],
    ids=["loss", "output", "disk", "none", "seven"],
)
def test_what_refuses_a_run_lets_none_of_those_together_in(queue, runs_folder, monkeypatch, configs, refusal):
    begin, begun = run_trainer.RunTrainer.begin, []

    def begin_one(config, *args):
        if config == OTHER:
            raise runs.RunError("No space left on device")
        begun.append(begin(config, *args))
        return begun[-1]

    monkeypatch.setattr(run_trainer.RunTrainer, "begin", begin_one)
    with pytest.raises(ValueError, match=refusal):
        queue.enter([Entry("", config) for config in configs], mode="together")
    assert len(begun) == (len(configs) == 2)
    assert queue.queue() == queue.of("") == []
    assert not runs_folder.exists() or not list(runs_folder.iterdir())


# Others wait: who pauses or trains long gives way, and goes on to the last bit.


@pytest.mark.parametrize(("step", "is_stopped"), [(3, False), (5, False), (4, True)])
def test_a_pause_ends_when_others_wait_and_the_run_goes_on_to_the_last_bit(queue, gate, step, is_stopped):
    mine = paused(queue, gate, step, "me")
    assert not queue.is_busy()  # what is paused alone keeps nobody's time from being estimated
    queue.wait(10 * scheduling.PAUSE)
    assert queue.snapshot(mine).seconds_left is None  # nobody waits
    gate.hold_at(1, seed=SHORT.seed)
    theirs = queue.submit(SHORT, owner="you")
    assert queue.snapshot(mine).seconds_left == scheduling.PAUSE
    queue.wait(scheduling.PAUSE)
    assert gate.reached.wait(PATIENCE)
    now, run = queue.snapshot(mine), runs.find(mine)
    assert (now.state, now.place, now.progress.step, run.state, run.step) == ("waiting", 1, step, "waiting", step)
    if is_stopped:
        queue.stop(mine, "me")
        assert (queue.snapshot(mine).state, queue.snapshot(mine).progress.step) == ("stopped", step)
        assert_equals(mine, step=step)
        queue.resume(mine, "me")
    gate.open.set()
    assert over(queue, theirs).state == "finished"
    assert len(over(queue, mine).progress.curve) == 9 - step * is_stopped  # curves go on, but for those of a new job
    assert gate.steps == 9 + 3  # no step was done twice
    assert_equals(mine, tolerance=0)


def test_a_long_run_gives_way_after_its_turn_and_takes_turns_from_then_on(queue, gate):
    gate.call_at(2, lambda: (theirs.append(queue.submit(SHORT, owner="you")), queue.wait(scheduling.TURN)))
    theirs = []
    mine = queue.submit(CONFIG, owner="me")
    over(queue, mine)
    assert gate.seeds == [CONFIG.seed, SHORT.seed, CONFIG.seed]
    assert runs.find(theirs[0]).state == "finished"
    assert_equals(mine, tolerance=0)


def test_races_give_way_together_and_series_stay_in_order(queue, gate):
    gate.call_at(4, lambda: queue.pause(race[1], "me"))
    race = queue.enter([Entry("", CONFIG), Entry("", OTHER)], "me", mode="together")
    until(lambda: queue.snapshot(race[1]).state == "paused")
    series = [Entry("first", SHORT), Entry("second", replace(SHORT, seed=8), "", warm_start.at_end_of("first"))]
    queue.enter(series, "you")
    gate.call_at(2, lambda: queue.wait(scheduling.TURN))
    queue.wait(scheduling.PAUSE)
    for name in (*race, "first", "second"):
        assert over(queue, name).state == "finished"
    assert_equals(race[0], tolerance=0)
    assert_equals(race[1], OTHER)
    assert runs.find("second").origin == {"run": "first", "step": 3}


@pytest.mark.slow
def test_a_stack_gives_way_and_goes_on_to_the_same_end(queue):
    stack = StackConfig(
        dataset="strokes", num_train=100, labels=30, maps=(3,), kernels=(3,), epochs=2, batch_size=25, steps=6, hidden=8
    )  # fmt: skip
    straight, mine = queue.submit(stack, "me"), queue.submit(stack, "me")
    over(queue, straight)
    until(lambda: queue.snapshot(mine).state != "waiting")
    queue.pause(mine, "me")
    until(lambda: queue.snapshot(mine).state == "paused")
    theirs = queue.submit(SHORT, owner="you")
    queue.wait(scheduling.PAUSE)
    over(queue, theirs)
    ended, expected = over(queue, mine).progress, queue.snapshot(straight).progress
    assert [len(line) for line in (*ended.losses, *ended.tuning.values())] == [8, 6, 6]
    np.testing.assert_array_equal(ended.x_hats, expected.x_hats)
    assert runs.find(mine).figures == runs.find(straight).figures


def test_a_disk_that_refuses_when_it_gives_way_keeps_nobody_waiting(queue, gate, monkeypatch):
    mine = paused(queue, gate, 4, "me")
    theirs = queue.submit(SHORT, owner="you")
    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", FULL)
        queue.wait(scheduling.PAUSE)
        assert "free some space" in over(queue, mine).message
        over(queue, theirs)
    queue.save_again(mine, "me")
    until(lambda: queue.snapshot(mine).state == "stopped")
    assert runs.find(mine).step == 4


def at_the_same_time(count, call):
    """Calls it in so many threads, which all begin at once; how it was refused."""
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


@pytest.fixture
def still(queue, monkeypatch):
    """A queue of which nothing is ever trained."""
    with monkeypatch.context() as patch:
        patch.setattr(queue, "_threads", [threading.Thread()])
        yield queue


def test_who_trains_beside_a_run_does_not_wait_for_it(still):
    names = [still.submit(SHORT, owner) for owner in "aabbc"]
    for name in (names[0], names[2]):
        still._all[name].begin()
    assert [job.others for job in still.queue()] == [2, 2, 2, 2, 2]
    assert still.of("c")[0].others == 2
    still._all[names[2]].set("waiting")
    assert still.of("a")[0].others == 3


DOORS = (
    lambda queue, owner, number: queue.submit(SHORT, owner),
    lambda queue, owner, number: queue.enter([Entry("", SHORT)] * 2, owner, mode="together"),
    lambda queue, owner, number: queue.enter([Entry(f"{owner}-{number}", SHORT)], owner),
    lambda queue, owner, number: queue.submit(StackConfig(), owner),
)


def test_where_training_is_off_every_door_is_closed_and_a_run_on_disk_stays(still, monkeypatch, runs_folder):
    trainer = run_trainer.RunTrainer.begin(SHORT)
    trainer.close()
    monkeypatch.setenv("CAE_TRAINING", "off")
    for door in (*DOORS, lambda queue, owner, number: queue.resume(trainer.name, owner)):
        with pytest.raises(JobError, match=re.escape(host.OFF)):
            door(still, "me", 1)
    assert [path.name for path in runs_folder.iterdir()] == [trainer.name]
    monkeypatch.setenv("CAE_TRAINING", "on")
    assert still.resume(trainer.name, "me") == trainer.name


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [("CAE_TRAINING", "no", "on or off"), *(("CAE_WORKERS", each, "a whole number from 1 to 16")
      for each in ("0", "-1", "two", "1000", "1.5", " 2", "²"))],
)  # fmt: skip
def test_what_the_environment_asks_of_a_host_and_cannot_be_is_refused(monkeypatch, name, value, allowed):
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=f"^{name} is '{value}': set it to {allowed}, or leave it out"):
        host.check()
    monkeypatch.setenv(name, "")
    host.check()
    assert host.workers() == 1


@pytest.mark.parametrize(
    ("one_visitor", "most", "why"),
    [
        (True, 5, "You have 5 runs in the queue, the most one visitor may"),
        (False, 20, "The queue is full, with 20 runs: try"),
    ],
    ids=["one", "all"],
)
def test_limits_hold_when_thirty_press_at_once(still, monkeypatch, runs_folder, one_visitor, most, why):
    def enter(number):
        DOORS[number % 4](still, "me" if one_visitor else f"visitor{number}", number)

    monkeypatch.setattr(scheduling, "MOST_WAITING", 20)
    refused = at_the_same_time(30, enter)
    assert len({job.group or job.name for job in still.queue()}) == most
    assert [sentence[: len(why)] for sentence in refused] == [why] * (30 - most)
    assert len(list(runs_folder.iterdir())) == len(still.queue())  # nothing is left of those refused


def test_of_thirty_who_enter_a_run_of_one_name_one_does(still, monkeypatch, runs_folder):
    monkeypatch.setattr(scheduling, "MOST_OF_ONE", 30)
    with monkeypatch.context() as patch:
        patch.setattr(pathlib.Path, "exists", lambda path: False)  # nobody is there yet when each of them looks
        refused = at_the_same_time(30, lambda number: still.enter([Entry("card", SHORT)], "me"))
    assert [job.name for job in still.queue()] == ["card"]
    assert refused == ["'card' is there already: choose another name."] * 29
    assert runs.find("card").state == "waiting"  # and it is still held
    assert [path.name for path in runs_folder.iterdir()] == ["card"]


def test_what_the_disk_refuses_can_be_discarded(queue, gate, monkeypatch):
    with monkeypatch.context() as patch:
        error = OSError(errno.EROFS, os.strerror(errno.EROFS))
        gate.call_at(5, lambda: patch.setattr(storage, "write", refuse(error)))
        name = queue.submit(CONFIG, owner="me")
        refused = over(queue, name)
        assert refused.state == "unsaved"
        assert "allow writing to it" in refused.message
        queue.discard(name, "me")
    assert queue.of("me") == []
    run = runs.find(name)
    assert (run.state, run.step) == ("interrupted", 3)  # its first epoch stays, and nobody holds it
    assert manage.delete(run, "me")


@pytest.mark.parametrize("file_in_its_place", [False, True])
def test_a_folder_that_was_removed_is_made_anew_or_leaves_no_trace(queue, gate, runs_folder, file_in_its_place):
    def remove():
        shutil.rmtree(runs_folder)
        if file_in_its_place:
            runs_folder.write_text("", encoding="utf-8")

    gate.call_at(5, remove)
    name = queue.submit(CONFIG, "me", "Mine")
    ended = over(queue, name)
    if file_in_its_place:
        assert "could not be written" in ended.message
        queue.discard(name, "me")
        assert queue.of("me") == []
        runs_folder.unlink()
        return
    assert_equals(name)
    assert (runs.find(name).title, runs.find(name).owner) == ("Mine", "me")
    assert not storage.is_locked(runs_folder / name / "lock")
