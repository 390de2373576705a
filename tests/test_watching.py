"""What is seen of a run while it trains: its curve, pictures only for those who look, and never at much cost."""

import gc
import weakref
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from cae_core import datasets, metrics
from cae_core.config import RunConfig
from cae_core.corruptions import corrupt
from cae_core.datasets import as_float
from cae_core.latent import live_plane
from cae_core.training import monitor, run_monitor
from cae_core.training.monitor import ATTENTION, INTERVAL, SHARE
from cae_core.training.run_monitor import MOST_POINTS, Curve, RunMonitor, probes, sample
from cae_core.training.run_trainer import RunTrainer

CONFIG = RunConfig(
    num_train=100, batch_size=10, architecture="dense", bottleneck=3, epochs=3, noise_kind="mixed", seed=3,
    optimizer="sgd", learning_rate=0.1,
)  # fmt: skip
"""Ten steps an epoch, and quick to compile."""


pytestmark = pytest.mark.usefixtures("few_strokes")


@pytest.mark.parametrize("steps", [0, 1, 399, 400, 401, 5_000, 123_456])
def test_the_curve_is_the_means_of_equal_stretches_and_never_long(steps):
    curve, losses = Curve(), np.random.default_rng(0).random(steps)
    for step, loss in enumerate(losses, 1):
        curve.add(step, loss)
        assert len(curve._means) < MOST_POINTS
    points = curve.points()
    assert points.shape == (len(points), 2)
    stretch = 1
    while steps // stretch >= MOST_POINTS:
        stretch *= 2
    whole = steps // stretch * stretch
    assert len(points) == steps // stretch
    assert not steps or len(points) >= min(steps, MOST_POINTS // 2)
    np.testing.assert_allclose(points[:, 1], losses[:whole].reshape(-1, stretch).mean(axis=1), rtol=1e-12)
    np.testing.assert_allclose(points[:, 0], np.arange(1, whole + 1).reshape(-1, stretch).mean(axis=1), rtol=1e-12)


class Clock:
    """Time that passes only when told: a step takes so long, and so does a look through the network."""

    def __init__(self, monkeypatch, step=0.001, picture=0.05):
        self.now, self.step, self.picture = 1000.0, step, picture
        self.steps_spent = self.pictures_spent = 0.0
        monkeypatch.setattr(monitor, "time", SimpleNamespace(monotonic=lambda: self.now))

    def watch(self, trainer):
        """A `RunMonitor` on a trainer whose network takes its time."""
        if trainer.model is None:
            trainer.prepare()
        reconstruct = trainer.model.reconstruct

        def slowly(x):
            self.now += self.picture
            self.pictures_spent += self.picture
            return reconstruct(x)

        trainer.model.reconstruct = slowly
        return RunMonitor(trainer)

    def tick(self):
        self.now += self.step
        self.steps_spent += self.step


@pytest.fixture
def begun():
    made = []

    def begin(**more):
        made.append(RunTrainer.begin(replace(CONFIG, **more), f"run-{len(made)}"))
        return made[-1]

    yield begin
    for one in made:
        one.close()


def driven(trainer, clock, looked=lambda event: False):
    """Drives a trainer as the jobs do; returns the watch and the steps of its pictures."""
    watch, pictured = clock.watch(trainer), []
    for event in trainer.events():
        clock.tick()
        if looked(event):
            watch.look()
        before = watch.progress
        watch.see(event)
        if watch.progress is not before:
            pictured.append(event.step)
    return watch, pictured


def test_what_is_seen_is_what_there_is(begun, monkeypatch):
    trainer = begun()
    watch, pictured = driven(trainer, Clock(monkeypatch, step=100.0), looked=lambda event: True)
    assert pictured == list(range(1, 31))
    seen, of = watch.progress, probes(trainer.config)
    assert (seen.number, seen.step, seen.num_steps, seen.epoch, seen.epochs, seen.steps_per_epoch) == (30, 30, 30, 3, 3, 10)
    np.testing.assert_array_equal(seen.curve[:, 0], np.arange(1, 31) / 10)
    history = [row["loss"] for row in trainer.history]
    assert [row["loss"] for row in seen.history] == history
    np.testing.assert_allclose(seen.curve[:, 1].reshape(3, 10).mean(axis=1), history, atol=1e-6)
    np.testing.assert_array_equal(seen.x_hat, trainer.model.reconstruct(of.x_noisy))
    codes = trainer.model.encode(sample(trainer.config.dataset).x)
    near = np.linalg.norm(live_plane.to_plane(codes).points, axis=1)
    np.testing.assert_allclose(np.linalg.norm(seen.plane.points, axis=1), near, atol=1e-4)  # turned, not changed
    assert seen.seconds_left == 0
    assert seen.steps_per_second > 0
    assert watch.is_at_end


def test_the_probes_need_no_training_images(monkeypatch):
    loaded = []
    monkeypatch.setattr(run_monitor, "load", lambda dataset, split: loaded.append(split) or datasets.load(dataset, split))
    probes(CONFIG)
    assert loaded == ["test"]


def test_the_probes_are_of_the_test_split_and_under_the_runs_noise(few_strokes):
    of, again = probes(CONFIG), probes(replace(CONFIG, epochs=9, architecture="fast"))
    test, train = few_strokes("test"), few_strokes("train")
    assert of.x.shape == of.x_noisy.shape == (8, 28, 28, 1)
    images = {image.tobytes() for image in as_float(test.x)}
    assert all(image.tobytes() in images for image in of.x)
    np.testing.assert_array_equal(of.x_noisy, corrupt(of.x, "gaussian", 0.25, 3))  # mixed up to 0.5
    for name in ("x", "x_noisy"):
        np.testing.assert_array_equal(getattr(of, name), getattr(again, name))
    codes = sample("strokes")
    np.testing.assert_array_equal(codes.x, as_float(train.x[-60:]))
    np.testing.assert_array_equal(codes.labels, train.y[-60:])


def test_nobody_looking_there_are_no_pictures_but_the_first_and_the_last(begun, monkeypatch):
    clock = Clock(monkeypatch, step=1.0)
    _, pictured = driven(begun(), clock)
    attended = [step for step in pictured if step <= ATTENTION + 1]  # who made it is taken to look at first
    assert pictured == [*attended, 30]
    assert attended[0] == 1
    clock.now += 1000


def test_somebody_who_comes_back_sees_the_next_step_and_no_more_when_they_are_gone(begun, monkeypatch):
    clock = Clock(monkeypatch, step=1.0)
    _, pictured = driven(begun(), clock, looked=lambda event: event.step == 15)
    assert [step for step in pictured if 5 < step < 30] == [15, 16, 17]  # with 0.05 s a picture, one a second


@pytest.mark.parametrize("batch_size", [10, 100], ids=["long epochs", "an epoch a step"])
def test_pictures_take_at_most_their_share_however_short_the_epochs(begun, monkeypatch, batch_size):
    clock = Clock(monkeypatch, step=0.1, picture=0.05)
    trainer = begun(batch_size=batch_size, epochs=4 if batch_size == 10 else 40)
    _, pictured = driven(trainer, clock, looked=lambda event: True)
    assert len(pictured) > 2
    free = 2  # the first and the last are made whatever they cost
    assert (len(pictured) - free) * clock.picture <= clock.steps_spent / SHARE


def test_pictures_that_cost_nothing_come_no_more_often_than_they_can_be_seen(begun, monkeypatch):
    clock = Clock(monkeypatch, step=0.03, picture=0.0)
    _, pictured = driven(begun(epochs=12), clock, looked=lambda event: True)
    assert min(np.diff(pictured[:-1])) * 0.03 >= INTERVAL
    assert max(np.diff(pictured)) * 0.03 <= INTERVAL + 2 * 0.03


def test_showing_the_same_step_again_costs_nothing(begun, monkeypatch):
    trainer, clock = begun(), Clock(monkeypatch)
    watch = clock.watch(trainer)
    watch.show()  # before the first step there is nothing
    assert watch.progress is None
    event = next(trainer.events())
    watch.see(event)
    seen, spent = watch.progress, clock.pictures_spent
    for _ in range(3):
        watch.show()
    assert watch.progress is seen
    assert clock.pictures_spent == spent


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_network_that_no_longer_gives_numbers_makes_no_picture_and_no_error(begun, monkeypatch, value):
    trainer, clock = begun(), Clock(monkeypatch, step=10.0)
    watch = clock.watch(trainer)
    events = trainer.events()
    watch.see(next(events))
    seen, event = watch.progress, next(events)
    trainer.model.set_weights({path: np.full_like(w, value) for path, w in trainer.model.weights().items()})
    watch.look()
    watch.see(event)
    watch.show()
    assert watch.progress is seen
    broken = RunMonitor(trainer)
    broken.see(event)
    assert broken.progress is None


def test_when_it_is_over_the_pictures_stay_and_the_network_goes(begun, monkeypatch):
    trainer = begun()
    watch, _ = driven(trainer, Clock(monkeypatch))
    network, seen = weakref.ref(trainer.model), watch.progress
    trainer.model = trainer.last = None
    gc.collect()
    assert network() is not None
    watch.forget_model()
    gc.collect()
    assert network() is None
    assert watch.progress is seen
    assert seen.x_hat.shape == (8, 28, 28, 1)


def test_what_is_measured_is_measured_in_the_same_units_whatever_the_loss(begun, monkeypatch):
    trainer = begun()
    watch, pictured = driven(trainer, Clock(monkeypatch, step=100.0), looked=lambda event: True)
    seen, model = watch.progress, trainer.model
    codes = model.encode(run_monitor.sample(trainer.config.dataset).x)
    last = {
        "mse": np.mean((seen.x - seen.x_hat) ** 2),
        "bce": metrics.bce(seen.x, seen.x_hat),
        "code": np.abs(codes).mean(),
        "silent": metrics.silent_share(codes),
    }
    assert seen.measured.keys() == run_monitor.MEASURES.keys()
    for name, points in seen.measured.items():
        np.testing.assert_allclose(points[:, 0], np.array(pictured) / seen.steps_per_epoch)
        assert points[-1, 1] == pytest.approx(last[name], rel=1e-5)
