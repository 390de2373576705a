"""Progress of a run while it trains: its curve, pictures only for those who look, and never at much cost."""

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
from cae_core.training import duration, monitor, run_monitor
from cae_core.training.events import Diverged, TrainingEvent
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


class Run:
    """What a monitor knows of a trainer: a network whose every look takes so long, and whose steps are told."""

    def __init__(self, monkeypatch, step=0.001, picture=0.05, epochs=3, steps_per_epoch=10):
        self.now, self.step, self.picture = 1000.0, step, picture
        self.config, self.steps_per_epoch = replace(CONFIG, epochs=epochs), steps_per_epoch
        self.last, self.history, self.value, self.pictures = None, [], 0.5, 0
        self.model = SimpleNamespace(
            seen=lambda x: x,
            reconstruct=self.reconstruct,
            encode=self.encode,
            image_shape=(28, 28, 1),
            is_variational=False,
        )
        monkeypatch.setattr(monitor, "time", SimpleNamespace(monotonic=lambda: self.now))

    def reconstruct(self, x):
        self.now += self.picture
        self.pictures += 1
        return np.full_like(x, self.value)

    def encode(self, x):
        return np.full((len(x), 3), self.value, "float32") + np.arange(len(x))[:, None]

    def events(self):
        num_steps = self.config.epochs * self.steps_per_epoch
        for step in range(1, num_steps + 1):
            self.now += self.step
            epoch = step // self.steps_per_epoch
            self.history += [{"loss": 1 / step}] * (step % self.steps_per_epoch == 0)
            self.last = TrainingEvent(step, num_steps, epoch, step * self.step, 1 / step)
            yield self.last


def driven(run, is_looked=lambda event: False):
    """Drives a run as the jobs do; returns its monitor and the steps of its pictures."""
    watcher, pictured = RunMonitor(run), []
    for event in run.events():
        if is_looked(event):
            watcher.look()
        before = watcher.progress
        watcher.see(event)
        if watcher.progress is not before:
            pictured.append(event.step)
    return watcher, pictured


def test_progress_is_that_of_the_run_and_when_it_is_over_the_pictures_stay_and_the_network_goes():
    trainer, of = RunTrainer.begin(CONFIG, "one"), probes(CONFIG)
    trainer.prepare()
    watcher = trainer.monitor()
    for event in trainer.events():
        watcher.see(event)
        watcher.show()
    del event  # it holds the network
    now = watcher.progress
    assert (now.number, now.step, now.num_steps, now.epoch, now.epochs, now.steps_per_epoch) == (30, 30, 30, 3, 3, 10)
    np.testing.assert_array_equal(now.curve[:, 0], np.arange(1, 31) / 10)
    history = [row["loss"] for row in trainer.history]
    assert [row["loss"] for row in now.history] == history
    np.testing.assert_allclose(now.curve[:, 1].reshape(3, 10).mean(axis=1), history, atol=1e-6)
    np.testing.assert_array_equal(now.x_hat, trainer.model.reconstruct(of.x_noisy))
    codes = trainer.model.encode(sample(CONFIG.dataset).x)
    near = np.linalg.norm(live_plane.to_plane(codes).points, axis=1)
    np.testing.assert_allclose(np.linalg.norm(now.plane.points, axis=1), near, atol=1e-4)  # turned, not changed
    assert now.seconds_left == 0 < now.steps_per_second
    assert watcher.is_at_end
    last = {  # in the same units whatever the loss
        "mse": np.mean((now.x - now.x_hat) ** 2),
        "bce": metrics.bce(now.x, now.x_hat),
        "code": np.abs(codes).mean(),
        "silent": metrics.silent_share(codes),
    }
    assert {*now.measured, *run_monitor.OF_CLOUDS} == run_monitor.MEASURES.keys()
    for name, points in now.measured.items():
        np.testing.assert_allclose(points[:, 0], np.arange(1, 31) / 10)
        assert points[-1, 1] == pytest.approx(last[name], rel=1e-5)

    network = weakref.ref(trainer.model)
    trainer.model = trainer.last = None
    gc.collect()
    assert network() is not None
    watcher.forget_model()
    gc.collect()
    assert network() is None
    assert watcher.progress is now
    trainer.close()


def test_the_probes_are_of_the_test_split_and_under_the_runs_noise(few_strokes, monkeypatch):
    loaded = []
    monkeypatch.setattr(
        run_monitor, "load", lambda dataset, split, **more: loaded.append(split) or datasets.load(dataset, split)
    )
    of, again = probes(CONFIG), probes(replace(CONFIG, epochs=9, architecture="fast"))
    assert loaded == ["test", "test"]  # it may take long to draw the training images
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


def test_pictures_are_made_for_those_who_look_and_of_the_first_and_the_last_step(monkeypatch):
    _, pictured = driven(Run(monkeypatch, step=1.0))
    attended = [step for step in pictured if step <= ATTENTION + 1]  # who made it is taken to look at first
    assert pictured == [*attended, 30]
    assert attended[0] == 1
    _, pictured = driven(Run(monkeypatch, step=1.0), is_looked=lambda event: event.step == 15)
    assert [step for step in pictured if 5 < step < 30] == [15, 16, 17]  # with 0.05 s a picture, one a second


@pytest.mark.parametrize("steps_per_epoch", [10, 1], ids=["long epochs", "an epoch a step"])
def test_pictures_take_at_most_their_share_however_short_the_epochs(monkeypatch, steps_per_epoch):
    run = Run(monkeypatch, step=0.1, picture=0.05, epochs=40 // steps_per_epoch, steps_per_epoch=steps_per_epoch)
    _, pictured = driven(run, is_looked=lambda event: True)
    assert len(pictured) > 2
    free = 2  # the first and the last are made whatever they cost
    assert (len(pictured) - free) * run.picture <= 40 * run.step / SHARE


def test_pictures_that_cost_nothing_come_no_more_often_than_they_can_be_seen(monkeypatch):
    _, pictured = driven(Run(monkeypatch, step=0.03, picture=0.0, epochs=12), is_looked=lambda event: True)
    assert min(np.diff(pictured[:-1])) * 0.03 >= INTERVAL
    assert max(np.diff(pictured)) * 0.03 <= INTERVAL + 2 * 0.03


def test_showing_the_same_step_again_costs_nothing(monkeypatch):
    run = Run(monkeypatch)
    watcher = RunMonitor(run)
    watcher.show()  # before the first step there is nothing
    watcher.catch_up()
    assert watcher.progress is None
    next(run.events())
    for again in (watcher.catch_up, watcher.catch_up, watcher.show, watcher.show):  # a step is not counted twice
        again()
    assert (watcher.progress.number, run.pictures, len(watcher.progress.curve)) == (1, 1, 1)


def test_a_network_that_no_longer_gives_numbers_makes_no_picture_and_no_error(monkeypatch):
    run = Run(monkeypatch, step=10.0)
    watcher, events = RunMonitor(run), run.events()
    watcher.see(next(events))
    progress, run.value = watcher.progress, np.nan
    watcher.look()
    watcher.see(next(events))
    watcher.show()
    assert watcher.progress is progress
    broken = RunMonitor(run)
    broken.see(run.last)
    assert broken.progress is None
    watcher.end_at(Diverged("The loss became nan", "step 3", 3, "adam", 0.1))
    assert watcher.progress == replace(progress, step=3, seconds_left=None)


def test_what_a_step_took_is_learned_for_the_next_estimate(monkeypatch):
    learned = {}
    monkeypatch.setattr(duration, "_own", lambda: learned)
    watcher, _ = driven(Run(monkeypatch, step=0.25))
    watcher.learn()
    assert duration.pace(watcher._config, (28, 28, 1)) == duration.Pace(pytest.approx(0.25), True)
