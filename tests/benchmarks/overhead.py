"""What the app's trainer costs beside the bare loop that it could not do without.

Time of a step, in one process and in turns:

- bare: a compiled function over batches that are already cut out, and nothing else,
- app: a run in `Jobs`, written down as it trains, that nobody looks at,
- watched: the same, looked at four times a second,
- fit: Keras's own `fit`, on noisy images made beforehand, and torch: the same network in PyTorch, where that is installed;
  for conv_denoise only.

Same network, noise, batches, optimizer and thread priority. A figure is the mean of the steps after the first ten, which
compile, and before its last, which ends the epoch; shown are the medians over the rounds of milliseconds and, within each
round, of the ratios to bare. The bar is 1.10, and not to be slower than fit. Processor time, of all threads together, is
shown beside the time by the clock: a machine that does other things as well is to be judged by it.
"""

import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable

import numpy as np

from cae_core import runtime, training
from cae_core.architectures import build
from cae_core.config import RunConfig
from cae_core.corruptions import graph_corruption
from cae_core.datasets import load
from cae_core.jobs import Jobs
from cae_core.training import monitor
from tests.benchmarks import peer

STEPS = {"fast": 300, "conv_denoise": 60}
COMPILING, BAR = 10, 1.10
KINDS = ("clock", "processor")


class Ends:
    """When steps ended."""

    def __init__(self) -> None:
        self._times: list[tuple[float, float]] = []

    def step(self) -> None:
        self._times.append((time.perf_counter(), time.process_time()))

    def mean(self) -> np.ndarray:
        """Milliseconds a step, by the clock and of the processor."""
        return 1000 * np.diff(self._times[COMPILING - 1 : -1], axis=0).mean(axis=0)


def at_low_priority(function: Callable[[RunConfig], np.ndarray], config: RunConfig) -> np.ndarray:
    """Calls it in a thread like that of the jobs."""
    results = []

    def work() -> None:
        if hasattr(os, "setpriority"):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
        results.append(function(config))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return results[0]


def images_of(config: RunConfig) -> np.ndarray:
    return load(config.dataset, "train").x[: config.num_train]


def bare(config: RunConfig) -> np.ndarray:
    import keras
    import tensorflow as tf

    model = build(config)
    optimizer = keras.optimizers.Adam(config.learning_rate)
    optimizer.build(model.trainable_variables)
    corruption = graph_corruption(config.noise_kind, config.noise_factor)

    @tf.function(autograph=False)
    def step(images, rate, seed):
        x = tf.cast(images, tf.float32) / 255.0
        with tf.GradientTape() as tape:
            logits = model.decoder(model.encoder(corruption(x, seed), training=True), training=True)
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=logits))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.learning_rate.assign(rate)
        optimizer.apply(gradients, model.trainable_variables)
        return loss

    x = images_of(config)
    order = np.random.default_rng(0).permutation(len(x)).reshape(-1, 128)
    batches = [tf.constant(x[indices]) for indices in order]
    ends = Ends()
    for number, images in enumerate(batches):
        step(images, tf.constant(1e-3), tf.constant([0, number])).numpy()
        ends.step()
    return ends.mean()


def fit(config: RunConfig) -> np.ndarray:
    import keras

    x, ends = images_of(config).astype("float32") / 255, Ends()
    noisy = np.clip(x + 0.5 * np.random.default_rng(0).standard_normal(x.shape, dtype="float32"), 0, 1)

    class Note(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            ends.step()

    peer.published()[1].fit(noisy, x, batch_size=128, epochs=1, verbose=0, callbacks=[Note()])
    return ends.mean()


def torch(config: RunConfig) -> np.ndarray:
    x = images_of(config)
    next(peer.epochs(x[:128], config.noise_factor))
    processor, (seconds, _) = time.process_time(), next(peer.epochs(x, config.noise_factor))
    return 1000 * np.array([seconds, time.process_time() - processor]) / STEPS[config.architecture]


def app(config: RunConfig, looks: bool = False) -> np.ndarray:
    ends, train, attention = Ends(), training.train, monitor.ATTENTION

    def timed(*args):
        for event in train(*args):
            ends.step()
            yield event

    jobs = Jobs()
    training.train, monitor.ATTENTION = timed, attention if looks else 0.0
    try:
        name = jobs.submit(config)
        while jobs.is_busy():
            if looks:
                jobs.snapshot(name)
            time.sleep(0.25)
        ended = jobs.snapshot(name)
    finally:
        training.train, monitor.ATTENTION = train, attention
        jobs.end()
    if ended.state != "finished":
        raise RuntimeError(ended.message)
    return ends.mean()


def compare(architecture: str, rounds: int) -> dict[str, dict]:
    """By the way of training, milliseconds a step and their ratio to bare."""
    config = RunConfig(
        dataset="strokes", architecture=architecture, num_train=128 * STEPS[architecture], epochs=1, noise_kind="gaussian"
    )
    ways = {"bare": lambda config: at_low_priority(bare, config), "app": app, "watched": lambda config: app(config, True)}
    if architecture == "conv_denoise":
        ways["fit"] = lambda config: at_low_priority(fit, config)
        if peer.is_installed():
            ways["torch"] = lambda config: at_low_priority(torch, config)
    every: dict[str, list[np.ndarray]] = {way: [] for way in ways}
    for number in range(rounds):
        for way in list(ways)[:: 1 if number % 2 else -1]:
            every[way].append(ways[way](config))
    rows: dict[str, dict] = {way: {} for way in ways}
    for way, row in rows.items():
        for kind, times, of_bare in zip(KINDS, np.transpose(every[way]), np.transpose(every["bare"]), strict=True):
            row[f"{kind}_ms"] = round(statistics.median(times), 2)
            row[f"{kind}_to_bare"] = round(statistics.median(times / of_bare), 3)
        row["every_round"] = [round(float(a[0] / b[0]), 3) for a, b in zip(every[way], every["bare"], strict=True)]
    return rows


def overhead(rounds: int) -> tuple[dict, dict]:
    """Figures and bars by network."""
    runtime.ready(300)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CAE_RUNS_DIR"] = folder
        values = {architecture: compare(architecture, rounds) for architecture in STEPS}
    to_bare = {(name, way): row["clock_to_bare"] for name, rows in values.items() for way, row in rows.items()}
    bars = {f"{name}, {way} to bare": (to_bare[name, way], BAR) for name in STEPS for way in ("app", "watched")}
    bars["conv_denoise, app to bare beside fit"] = (to_bare["conv_denoise", "app"], to_bare["conv_denoise", "fit"])
    return values, bars
