"""How near the estimate of a run's time comes to the time it takes.

    python -m tests.benchmarks.estimate [--steps 300] [--json]

For each network: the estimate, made in a process that has trained nothing of the kind before, then a real run of so many
steps on random images, and the ratio of the two. Between 0.5 and 2 the estimate serves its purpose.
"""

from __future__ import annotations

import argparse
import json
import sys
import time

import numpy as np

from cae_core import runtime, training
from cae_core.architectures import build, suited
from cae_core.config import RunConfig
from cae_core.training import duration

IMAGE = (28, 28, 1)


def compare(architecture: str, steps: int) -> dict[str, float | str]:
    """Seconds estimated and taken, and seconds that estimating itself took."""
    config = RunConfig(architecture=architecture, noise_kind="gaussian", epochs=2)
    begun = time.perf_counter()
    estimate = duration.measure(config, IMAGE)
    measuring = time.perf_counter() - begun
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (steps // 2 * config.batch_size, *IMAGE), dtype=np.uint8)
    held_out = rng.integers(0, 256, (training.HELD_OUT, *IMAGE), dtype=np.uint8)
    begun = time.perf_counter()
    for _ in training.train(build(config, IMAGE), config, images, held_out):
        pass
    taken = time.perf_counter() - begun
    estimated = estimate.seconds(config, len(images))
    figures = {"estimated": estimated, "taken": taken, "ratio": estimated / taken, "measuring": measuring}
    return {"architecture": architecture} | {name: round(value, 3) for name, value in figures.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    runtime.ready(60)
    rows = [compare(architecture, options.steps) for architecture in suited("strokes")]
    print(json.dumps(rows) if options.json else "\n".join(map(str, rows)))
    return 0 if all(0.5 < row["ratio"] < 2 for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
