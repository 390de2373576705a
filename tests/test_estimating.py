"""How long runs take: the arithmetic, what is asked for and when. How near it comes is in `benchmarks/estimate.py`."""

import dataclasses

import pytest

from cae_core import runtime, training
from cae_core.config import RunConfig
from cae_core.training import duration
from cae_core.training.duration import Estimate

IMAGE = (8, 12, 1)
CONFIG = RunConfig(architecture="dense", bottleneck=2, batch_size=10)
FIGURES = Estimate(1.0, 0.01, 0.5)


@pytest.fixture
def tasks(monkeypatch):
    """Background tasks, waiting to be run by the test, with nothing known and nobody busy."""
    waiting = []
    monkeypatch.setattr(runtime, "soon", waiting.append)
    monkeypatch.setattr(duration, "busy", lambda: False)
    duration.forget()
    yield waiting
    duration.forget()


@pytest.fixture
def measured(monkeypatch):
    """What was measured, without the time it takes."""
    done = []
    monkeypatch.setattr(duration, "measure", lambda config, shape, give_up: done.append(config) or FIGURES)
    return done


def do(tasks):
    while tasks:
        tasks.pop(0)()


def other(**changes):
    return dataclasses.replace(CONFIG, **changes)


def test_a_run_is_its_start_its_steps_and_its_epochs_ends():
    assert FIGURES.seconds(other(epochs=3, batch_size=10), 105) == pytest.approx(1 + 3 * (10 * 0.01 + 0.5))
    assert FIGURES.seconds(other(epochs=1, batch_size=4096), 100) == pytest.approx(1 + 0.01 + 0.5)  # one smaller batch


def test_a_request_is_measured_once(tasks, measured):
    assert duration.known(CONFIG, IMAGE) is None
    for _ in range(3):
        duration.request(CONFIG, IMAGE)
    assert len(tasks) == 1
    do(tasks)
    assert duration.known(CONFIG, IMAGE) == FIGURES
    duration.request(CONFIG, IMAGE)
    assert not tasks
    assert measured == [CONFIG]


def test_what_does_not_change_the_speed_shares_an_estimate(tasks, measured):
    duration.request(CONFIG, IMAGE)
    do(tasks)
    same = {"seed": 5, "epochs": 9, "learning_rate": 0.1, "num_train": 500, "noise_factor": 0.1, "dataset": "mnist"}
    assert duration.known(other(**same), IMAGE) == FIGURES
    for change in (
        {"architecture": "fast"}, {"bottleneck": 3}, {"loss": "mse"}, {"noise_kind": "gaussian"}, {"optimizer": "sgd"},
        {"batch_size": 11}, {"sparsity": 0.1},
    ):  # fmt: skip
        assert duration.known(other(**change), IMAGE) is None
    assert duration.known(CONFIG, (28, 28, 1)) is None


def test_a_fixed_code_shares_one_whatever_the_bottleneck(tasks, measured):
    duration.request(other(architecture="conv_denoise", bottleneck=2), IMAGE)
    do(tasks)
    assert duration.known(other(architecture="conv_denoise", bottleneck=64), IMAGE) == FIGURES


def test_a_newer_request_takes_the_place_of_one_that_waits(tasks, measured):
    for bottleneck in (2, 3, 4):
        duration.request(other(bottleneck=bottleneck), IMAGE)
    do(tasks)
    assert measured == [other(bottleneck=4)]
    duration.request(CONFIG, IMAGE)  # and what was skipped may be asked for again
    do(tasks)
    assert measured == [other(bottleneck=4), CONFIG]


def test_going_back_to_what_is_known_drops_what_waits(tasks, measured):
    duration.request(CONFIG, IMAGE)
    do(tasks)
    duration.request(other(bottleneck=3), IMAGE)
    duration.request(CONFIG, IMAGE)
    do(tasks)
    assert measured == [CONFIG]


def test_nothing_is_measured_while_a_run_trains(tasks, measured, monkeypatch):
    monkeypatch.setattr(duration, "busy", lambda: True)
    duration.request(CONFIG, IMAGE)
    do(tasks)
    assert not measured
    monkeypatch.setattr(duration, "busy", lambda: False)
    duration.request(CONFIG, IMAGE)
    do(tasks)
    assert measured == [CONFIG]


def test_a_run_that_begins_interrupts_measuring(tasks, monkeypatch):
    asked = []
    monkeypatch.setattr(duration, "busy", lambda: bool(asked) or asked.append(1))
    duration.request(CONFIG, IMAGE)
    do(tasks)
    assert duration.known(CONFIG, IMAGE) is None
    monkeypatch.setattr(duration, "busy", lambda: False)
    duration.request(CONFIG, IMAGE)
    do(tasks)
    assert duration.known(CONFIG, IMAGE) is not None


def test_a_request_that_the_background_forgot_is_made_again(tasks, measured, monkeypatch):
    duration.request(CONFIG, IMAGE)
    tasks.clear()
    duration.request(CONFIG, IMAGE)
    assert not tasks
    monkeypatch.setattr(duration, "FORGOTTEN", 0.0)
    duration.request(CONFIG, IMAGE)
    do(tasks)
    assert measured == [CONFIG]


def test_what_cannot_be_measured_is_not_tried_for_ever(tasks):
    odd = (9, 9, 1)  # fast takes multiples of 4
    duration.request(other(architecture="fast"), odd)
    do(tasks)
    duration.request(other(architecture="fast"), odd)
    assert not tasks
    assert duration.known(other(architecture="fast"), odd) is None


def test_real_runs_correct_the_figures(tasks, measured):
    duration.learn(CONFIG, IMAGE, 0.02)
    assert duration.known(CONFIG, IMAGE) is None  # of its start nothing is known
    duration.request(CONFIG, IMAGE)
    do(tasks)
    assert duration.known(CONFIG, IMAGE) == Estimate(1.0, 0.02, 1.0)
    duration.learn(CONFIG, IMAGE, 0.0)  # no step was done
    duration.learn(CONFIG, IMAGE, 0.005)
    assert duration.known(CONFIG, IMAGE) == Estimate(1.0, 0.005, 0.25)


def test_not_all_is_kept_for_ever(tasks, measured, monkeypatch):
    monkeypatch.setattr(duration, "MAX_KNOWN", 3)
    for bottleneck in range(1, 7):
        duration.request(other(bottleneck=bottleneck), IMAGE)
        do(tasks)
    assert [duration.known(other(bottleneck=b), IMAGE) is not None for b in range(1, 7)] == [False] * 3 + [True] * 3


@pytest.mark.parametrize("batch_size", [16, 1024])
def test_measuring_takes_real_steps(batch_size, monkeypatch):
    events = []
    train = training.train

    def watched(model, config, x, x_held_out):
        for event in train(model, config, x, x_held_out):
            events.append(event)
            yield event

    monkeypatch.setattr(training, "train", watched)
    config = other(batch_size=batch_size, learning_rate=1.0, epochs=7, noise_kind="gaussian")
    estimate = duration.measure(config, IMAGE)
    assert len(events) == (12 if batch_size == 16 else 6)
    assert min(dataclasses.astuple(estimate)) >= 0
    assert estimate.seconds_per_step > 0
    assert estimate.start_seconds < 60
