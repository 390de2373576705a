"""What an hour of mixed use leaves in the server's memory, replayed quickly.

    python -m tests.benchmarks.hour [--visitors 60] [--json]

Starts the real server. One visitor after another opens every page with settings of their own, moves sliders, trains a small
network and leaves, as sixty people would in an hour. The server's memory is read with TensorFlow loaded and nothing done
yet, and after every fifth visitor. The first ten load what stays: networks, data, compiled steps. The bar for the others is
100 MB.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
from pathlib import Path

from cae_core.config import BOTTLENECKS
from tests.benchmarks import machine, session

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))
from live import Server, serve  # noqa: E402

WARM, EVERY, BAR = 10, 5, 100.0
MOVES = 12
"""Of each visitor, on the first page."""
SMALL = "num_train=500&epochs=2&batch_size=50&architecture={}&seed={}"
NETWORKS = ("fast", "dense", "conv_denoise", "fast_denoise")
OTHERS = {
    "runs": "",
    "latent": "points=1000&loss=mse",
    "draw": "seed={}",
    "architectures": "view=layers&source=test&image={}",
    "reproduce": "",
    "stacked": "stack_seed={}",
    "colour": "seed={}",
}
"""Every other page, and what a visitor of a number asks of it."""


async def visit(root: str, number: int) -> None:
    """What one visitor does."""
    rng = random.Random(number)
    first = await session.Session.open(root, f"seed={number}")
    for _ in range(MOVES):
        await first.move("Noise factor", rng.randrange(21) / 20)
        await first.move("Bottleneck", str(rng.choice(BOTTLENECKS)))
    await first.close()
    trains = await session.Session.open(root, SMALL.format(NETWORKS[number % len(NETWORKS)], number), "train", "State")
    await trains.press("Train this network")
    await trains.wait_for("Finished")
    await trains.close()
    for page, query in OTHERS.items():
        other = await session.Session.open(root, query.format(number), page, "")
        await asyncio.sleep(0.3)
        await other.run()
        await other.close()


async def hour(server: Server, visitors: int, say) -> list[dict[str, float]]:
    """Memory before anybody did anything, and after every fifth visitor."""
    idle = await session.Session.open(server.root)
    rows = [{"visitors": 0, "megabytes": round(machine.resident(server.process.pid), 1)}]
    await idle.close()
    for number in range(1, visitors + 1):
        await visit(server.root, number)
        if number % EVERY == 0:
            rows.append({"visitors": number, "megabytes": round(machine.resident(server.process.pid), 1)})
            say(f"{number:4} visitors: {rows[-1]['megabytes']:8.1f} MB")
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--visitors", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.visitors < WARM + EVERY:
        parser.error(f"--visitors must be {WARM + EVERY} or more")
    say = (lambda line: None) if options.json else (lambda line: print(line, flush=True))
    data = {key: os.environ[key] for key in ("CAE_DATA_DIR",) if key in os.environ}
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder), **data) as server:
        rows = asyncio.run(hour(server, options.visitors, say))
    warm = next(row["megabytes"] for row in rows if row["visitors"] >= WARM)
    growth = round(rows[-1]["megabytes"] - warm, 1)
    say(f"{rows[0]['megabytes']} MB with TensorFlow loaded; grew by {growth} MB after the first {WARM} visitors")
    if options.json:
        print(json.dumps({"rows": rows, "growth_megabytes": growth, "machine": machine.here()}))
    return 0 if growth < BAR else 1


if __name__ == "__main__":
    sys.exit(main())
