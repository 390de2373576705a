"""What the app's trainer costs beside the bare loop that it could not do without.

    python -m tests.benchmarks.overhead [--rounds 5] [--json]

Time of a step, in one process and in turns:

- bare: a compiled function over batches that are already cut out, and nothing else,
- app: a run in `Jobs`, written down as it trains, that nobody looks at,
- watched: the same, looked at four times a second,
- fit: Keras's own `fit`, on noisy images made beforehand, and torch: the same network in PyTorch, where that is installed;
  for conv_denoise only.

Same network, noise, batches, optimizer and thread priority. A figure is the mean of the steps after the first ten, which
compile, and before its last, which ends the epoch; shown are the medians over the rounds and, within each round, of the
ratios to bare. The bar is 1.10, and not to be slower than fit. Processor time, of all threads together, is shown beside
the time by the clock: a machine that does other things as well is to be judged by it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
import time

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


def configuration(architecture: str) -> RunConfig:
    return RunConfig(
        dataset="strokes", architecture=architecture, num_train=128 * STEPS[architecture], epochs=1, noise_kind="gaussian"
    )


CLOCK, PROCESSOR = "by the clock", "processor time"


class Ends:
    """When steps ended."""

    def __init__(self) -> None:
        self._times: list[tuple[float, float]] = []

    def step(self) -> None:
        self._times.append((time.perf_counter(), time.process_time()))

    def mean(self) -> dict[str, float]:
        """Milliseconds a step."""
        times = 1000 * np.diff(self._times[COMPILING - 1 : -1], axis=0).mean(axis=0)
        return {CLOCK: float(times[0]), PROCESSOR: float(times[1])}


def at_low_priority(function) -> dict[str, float]:
    """Calls it in a thread like that of the jobs."""
    results = []

    def work() -> None:
        if hasattr(os, "setpriority"):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
        results.append(function())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return results[0]


def bare(config: RunConfig) -> dict[str, float]:
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

    x = load(config.dataset, "train").x[: config.num_train]
    order = np.random.default_rng(0).permutation(len(x)).reshape(-1, 128)
    batches = [tf.constant(x[indices]) for indices in order]
    ends = Ends()
    for number, images in enumerate(batches):
        step(images, tf.constant(1e-3), tf.constant([0, number])).numpy()
        ends.step()
    return ends.mean()


def fit(config: RunConfig) -> dict[str, float]:
    import keras

    model = build(config)
    whole = keras.Model(model.encoder.input, model.decoder(model.encoder.output))
    whole.compile(keras.optimizers.Adam(1e-3), keras.losses.BinaryCrossentropy(from_logits=True))
    x = load(config.dataset, "train").x[: config.num_train].astype("float32") / 255
    noisy = np.clip(x + 0.5 * np.random.default_rng(0).standard_normal(x.shape, dtype="float32"), 0, 1)
    ends = Ends()

    class Note(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            ends.step()

    whole.fit(noisy, x, batch_size=128, epochs=1, verbose=0, callbacks=[Note()])
    return ends.mean()


def torch(config: RunConfig) -> dict[str, float]:
    x = load(config.dataset, "train").x[: config.num_train]
    next(peer.epochs(x[:128], config.noise_factor))
    processor, (seconds, _) = time.process_time(), next(peer.epochs(x, config.noise_factor))
    taken = time.process_time() - processor
    return {CLOCK: 1000 * seconds / STEPS[config.architecture], PROCESSOR: 1000 * taken / STEPS[config.architecture]}


def app(config: RunConfig, looks: bool) -> dict[str, float]:
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


def compare(architecture: str, rounds: int) -> dict:
    config = configuration(architecture)
    ways = {
        "bare": lambda: at_low_priority(lambda: bare(config)),
        "app": lambda: app(config, looks=False),
        "watched": lambda: app(config, looks=True),
    }
    if architecture == "conv_denoise":
        ways["fit"] = lambda: at_low_priority(lambda: fit(config))
        if peer.is_installed():
            ways["torch"] = lambda: at_low_priority(lambda: torch(config))
    figures: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    for number in range(rounds):
        for way in list(ways)[:: 1 if number % 2 else -1]:
            figures[way].append(ways[way]())
    row: dict = {"architecture": architecture, "steps": STEPS[architecture]}
    for kind in (CLOCK, PROCESSOR):
        times = {way: [figure[kind] for figure in of] for way, of in figures.items()}
        ratios = {way: [a / b for a, b in zip(of, times["bare"], strict=True)] for way, of in times.items()}
        row[kind] = {
            way: {
                "ms": round(statistics.median(times[way]), 2),
                "to_bare": round(statistics.median(ratios[way]), 3),
                "every_round": [round(ratio, 3) for ratio in ratios[way]],
            }
            for way in ways
        }
    return row


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--architecture", choices=STEPS, nargs="*", default=list(STEPS))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    runtime.ready(300)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CAE_RUNS_DIR"] = folder
        rows = [compare(architecture, options.rounds) for architecture in options.architecture]
    if options.json:
        print(json.dumps(rows))
    for row in [] if options.json else rows:
        print(f"{row['architecture']}, {row['steps']} steps:")
        for kind in (CLOCK, PROCESSOR):
            for way, of in row[kind].items():
                print(f"  {kind:14} {way:8} {of['ms']:7.2f} ms a step, {of['to_bare']:.3f} of bare {of['every_round']}")
    within = all(row[CLOCK][way]["to_bare"] <= BAR for row in rows for way in ("app", "watched"))
    beaten = any(row[CLOCK]["fit"]["to_bare"] < row[CLOCK]["app"]["to_bare"] for row in rows if "fit" in row[CLOCK])
    return 0 if within and not beaten else 1


if __name__ == "__main__":
    sys.exit(main())
