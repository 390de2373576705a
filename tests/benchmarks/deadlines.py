"""How good runs are by a deadline: bottlenecks against their references, and the first seconds of a visitor's first run.

    python -m tests.benchmarks.deadlines [--rounds 3] [--json]

Each run is the app's own trainer on all of MNIST, held-out losses included, and is cut off at its deadline if it has not
ended by then. Then its squared error is taken on the whole test set, on images with the run's own noise. Seconds count
from the end of the first step, which compiles; that is shown apart. Bars are met by the median of the rounds.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import sys
from dataclasses import dataclass

import numpy as np

from cae_core import datasets, runtime, training
from cae_core.architectures import build
from cae_core.config import RunConfig
from cae_core.corruptions import corrupt
from tests.benchmarks import machine

ALL = RunConfig(
    dataset="mnist", num_train=60_000, architecture="fast", loss="mse", optimizer="muon", learning_rate=0.01,
    schedule="one_cycle", batch_size=128,
)  # fmt: skip
FIRST = dataclasses.replace(ALL, num_train=10_000, loss="bce", noise_kind="gaussian", epochs=3, batch_size=64)
"""What the Train page opens with, on MNIST."""


@dataclass(frozen=True)
class Deadline:
    """What is to be reached, and by when.

    Attributes:
        recipe: the run.
        seconds: of training, after which it is cut off.
        error: squared error on the test set, at most; the mean per pixel.
    """

    recipe: RunConfig
    seconds: float
    error: float


DEADLINES = {
    "32 numbers, noise 0.5": Deadline(
        dataclasses.replace(ALL, bottleneck=32, noise_kind="gaussian", noise_factor=0.5, epochs=5), 60, 0.0105
    ),
    "30 numbers": Deadline(dataclasses.replace(ALL, bottleneck=30, epochs=5), 90, 3.00 / 784),
    "2 numbers": Deadline(dataclasses.replace(ALL, bottleneck=2, epochs=4), 60, 0.037),
    "first preset": Deadline(FIRST, 5, 0.02),
}


def run(deadline: Deadline) -> dict[str, float]:
    """Seconds to compile and to train, and the squared error per pixel on the test set."""
    config = deadline.recipe
    x, x_held_out = training.split_held_out(datasets.load(config.dataset, "train").x, config.num_train)
    model, compiling, seconds = build(config, x.shape[1:]), 0.0, 0.0
    for event in training.train(model, config, x, x_held_out):
        compiling, seconds = compiling or event.seconds, event.seconds
        if seconds - compiling > deadline.seconds:
            break
    clean = datasets.as_float(datasets.load(config.dataset, "test").x)
    seen = corrupt(clean, config.noise_kind, config.noise_factor, 0)
    parts = range(0, len(clean), 500)
    errors = [np.mean((model.reconstruct(seen[a : a + 500]) - clean[a : a + 500]) ** 2) for a in parts]
    return {"compiling": compiling, "seconds": seconds - compiling, "error": float(np.mean(errors))}


def measure(rounds: int, names: list[str]) -> dict:
    found = {}
    for name in names:
        of = [run(DEADLINES[name]) for _ in range(rounds)]
        found[name] = {
            **{key: round(statistics.median(once[key] for once in of), 5) for key in of[0]},
            "every_round": [[round(once["seconds"], 1), round(once["error"], 5)] for once in of],
            "by": DEADLINES[name].seconds,
            "wanted": round(DEADLINES[name].error, 5),
            "recipe": DEADLINES[name].recipe.to_dict(),
        }
    return {"runs": found, "machine": machine.here()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(DEADLINES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if odd := [name for name in options.names if name not in DEADLINES]:
        parser.error(f"no run {odd[0]!r}: choose of {', '.join(DEADLINES)}")
    runtime.ready(300)
    found = measure(options.rounds, options.names or list(DEADLINES))
    if options.json:
        print(json.dumps(found))
    for name, row in {} if options.json else found["runs"].items():
        print(
            f"{name:22} squared error {row['error']:.5f} per pixel, {784 * row['error']:.2f} an image "
            f"({row['wanted']:.5f} wanted) in {row['seconds']:.1f} of {row['by']} s, compiling {row['compiling']:.1f} s"
        )
    return 0 if all(row["error"] <= row["wanted"] for row in found["runs"].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
