"""The loop: one step an event, nothing before it is asked for, and going on from a checkpoint as if never stopped."""

import itertools
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from cae_core.architectures import build
from cae_core.config import RunConfig
from cae_core.training import loop, train
from cae_core.training.events import TrainingEvent
from cae_core.training.loop import Phase, run_phases

CONFIG = RunConfig(
    architecture="dense", bottleneck=3, epochs=3, batch_size=25, noise_kind="mixed", sparsity=0.01, learning_rate=0.01,
    seed=4,
)  # fmt: skip


@pytest.fixture(scope="module")
def images(digits):
    """Two full batches an epoch to train on, and ten images over; and those held out."""
    return digits[:60], digits[350:]


def numbers(events):
    """Everything an event says but how long it took."""
    return [(e.step, e.num_steps, e.epoch, e.loss, e.epoch_loss, e.held_out_loss, e.silent) for e in events]


def assert_same(ours, theirs):
    np.testing.assert_allclose(*(np.array(numbers(rows), float) for rows in (ours, theirs)), rtol=0, atol=1e-6)


def test_each_phase_has_its_own_rate_order_and_batches():
    """The slope of a sum is 1, so plain steps down it add up to the rates."""
    import keras
    import tensorflow as tf

    variable, places = keras.Variable(0.0), []
    model = SimpleNamespace(weights=lambda: {"sum": variable.numpy()}, set_weights=lambda w: variable.assign(w["sum"]))
    images = np.arange(6, dtype="uint8").reshape(6, 1, 1, 1)

    def loss(x, indices, seed):
        tf.debugging.assert_near(x[:, 0, 0, 0] * 255.0, tf.cast(indices, tf.float32))
        tf.numpy_function(lambda *given: places.append([array.tolist() for array in given]), [indices, seed], [])
        return variable.value + 0.0

    def phases():
        for first_step, steps, batch_size, last in ((0, 4, 2, 0), (4, 3, 3, 5)):
            optimizer = keras.optimizers.SGD(1.0)
            optimizer.build([variable])
            orders = (np.roll(np.arange(6, dtype="int32"), epoch - last) for epoch in itertools.count())
            rate = lambda share, first_step=first_step: share + first_step  # noqa: E731
            event = lambda step, losses, first_loss: TrainingEvent(step, 7, len(losses), 0.0, losses[-1])  # noqa: E731
            yield Phase(loss, [variable], optimizer, rate, orders, batch_size, 6 // batch_size, steps, first_step, event)

    events, checkpoints = [], []
    for event in run_phases(model, phases(), images, 9):
        events.append(event)
        checkpoints.append(event.checkpoint())
    rates = [1 / 4, 2 / 4, 3 / 4, 1, 4 + 1 / 3, 4 + 2 / 3, 5]
    np.testing.assert_allclose([c.weights["sum"] for c in checkpoints], -np.cumsum(rates), rtol=1e-6)
    assert [event.epoch for event in events] == [1, 2, 3, 1, 1, 2, 1]  # losses of the epoch so far
    assert [given for given, _ in places] == [[0, 1], [2, 3], [4, 5], [5, 0], [5, 0, 1], [2, 3, 4], [4, 5, 0]]
    assert [seed for _, seed in places] == [[9, step] for step in range(1, 8)]
    for checkpoint in (checkpoints[0], checkpoints[3], checkpoints[5]):  # also from where one phase ends
        rest = list(run_phases(model, phases(), images, 9, checkpoint))
        assert [(e.step, e.epoch, e.loss) for e in rest] == [(e.step, e.epoch, e.loss) for e in events[checkpoint.step :]]


def test_events_count_steps_epochs_and_seconds_without_the_time_between_them(images, monkeypatch):
    now = [0.0]

    def a_second_later():
        now[0] += 1
        return now[0]

    monkeypatch.setattr(loop.time, "perf_counter", a_second_later)
    events = []
    for event in train(build(CONFIG), CONFIG, *images):
        events.append(event)
        now[0] += 1000
    assert [(e.step, e.num_steps, e.epoch) for e in events] == [(n, 6, n // 2) for n in range(1, 7)]
    for event in events:
        assert (event.epoch_loss is None) == (event.held_out_loss is None) == (event.silent is None) == (event.step % 2 > 0)
    assert events[3].epoch_loss == pytest.approx((events[2].loss + events[3].loss) / 2, rel=1e-6)
    assert [e.seconds for e in events] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(("optimizer", "steps"), [("adam", (4, 6)), ("muon", (3,))])
def test_going_on_after_any_step_equals_never_having_stopped(images, optimizer, steps):
    def arrays_of(checkpoint):
        return [*checkpoint.weights.values(), *checkpoint.optimizer, checkpoint.losses]

    config = replace(CONFIG, optimizer=optimizer)
    model, events, checkpoints, copies = build(config), [], [], []
    for event in train(model, config, *images):
        events.append(event)
        checkpoints.append(event.checkpoint())
        copies.append([array.copy() for array in arrays_of(checkpoints[-1])])
    for array, copy in zip(arrays_of(checkpoints[0]), copies[0], strict=True):  # a checkpoint does not change later
        np.testing.assert_array_equal(array, copy)
    assert [checkpoint.step for checkpoint in checkpoints] == [1, 2, 3, 4, 5, 6]
    assert [len(checkpoint.losses) for checkpoint in checkpoints] == [1, 0, 1, 0, 1, 0]  # mid-epoch, or at its end
    final = model.weights()
    for checkpoint in [checkpoint for checkpoint in checkpoints if checkpoint.step in steps]:
        fresh = build(replace(config, seed=99))  # nothing of it may matter
        rest = list(train(fresh, config, *images, checkpoint))
        if checkpoint.step < 6:
            assert_same(rest, events[checkpoint.step :])
        for path, w in fresh.weights().items():
            np.testing.assert_allclose(w, final[path], rtol=0, atol=1e-6, err_msg=f"{path} from step {checkpoint.step}")
        assert all(event.seconds > checkpoint.seconds for event in rest)


def test_a_checkpoint_of_something_else_is_refused_in_a_sentence(images):
    checkpoint = next(train(build(CONFIG), CONFIG, *images)).checkpoint()
    for other in ({"bottleneck": 4}, {"optimizer": "sgd"}, {"optimizer": "muon"}):
        config = replace(CONFIG, **other)
        with pytest.raises(ValueError, match=r"^The (weights do not fit the network|checkpoint belongs to another).*\.$"):
            next(train(build(config), config, *images, checkpoint))
