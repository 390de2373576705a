"""What many runs in one process leave in memory.

    python -m tests.benchmarks.memory [--runs 50] [--json]

Trains short runs one after the other through `Jobs`, looked at four times a second as a page does, and reads the process's
memory every five runs. The first five load and compile what stays. The bar for the others is 200 MB.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time

from cae_core import runtime
from cae_core.config import RunConfig
from cae_core.jobs import Jobs
from tests.benchmarks.machine import resident

EVERY, BAR = 5, 200.0


def measure(runs: int, say) -> list[dict[str, float]]:
    """Memory after every fifth run."""
    jobs, rows = Jobs(), []
    for number in range(1, runs + 1):
        config = RunConfig(dataset="strokes", num_train=1000, epochs=1, noise_kind="mixed", seed=number)
        name = jobs.submit(config, owner=f"visitor {number}")
        while (seen := jobs.snapshot(name)).is_live:
            time.sleep(0.25)
        if seen.state != "finished":
            raise RuntimeError(seen.message)
        if number % EVERY == 0:
            rows.append({"runs": number, "megabytes": round(resident(), 1)})
            say(f"{number:4} runs: {rows[-1]['megabytes']:8.1f} MB")
    jobs.end()
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    runtime.ready(300)
    say = (lambda line: None) if options.json else (lambda line: print(line, flush=True))
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CAE_RUNS_DIR"] = folder
        rows = measure(options.runs, say)
    growth = round(rows[-1]["megabytes"] - rows[0]["megabytes"], 1)
    say(f"grew by {growth} MB after the first {EVERY}")
    if options.json:
        print(json.dumps({"rows": rows, "growth_megabytes": growth}))
    return 0 if growth < BAR else 1


if __name__ == "__main__":
    sys.exit(main())
