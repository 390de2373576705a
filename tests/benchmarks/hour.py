"""What an hour of mixed use leaves in the server's memory, replayed quickly.

Starts the real server. One visitor after another opens every page with settings of their own, moves sliders, trains a small
network and leaves, as sixty people would in an hour. The server's memory is read with TensorFlow loaded and nothing done
yet, and after every fifth visitor. The first ten load what stays: networks, data, compiled steps; the bar is for others.
"""

import asyncio
import random

from cae_core.config import BOTTLENECKS
from tests.benchmarks import serving
from tests.benchmarks.machine import resident
from tests.benchmarks.session import Session

WARM, EVERY, BAR_MEGABYTES = 10, 5, 100.0
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
    first = await Session.open(root, f"seed={number}")
    for _ in range(MOVES):
        await first.move("Noise factor", rng.randrange(21) / 20)
        await first.move("Bottleneck", str(rng.choice(BOTTLENECKS)))
    await first.close()
    trains = await Session.open(root, SMALL.format(NETWORKS[number % len(NETWORKS)], number), "train", "State")
    await trains.press("Train this network")
    await trains.wait_for("Finished")
    await trains.close()
    for page, query in OTHERS.items():
        other = await Session.open(root, query.format(number), page, "")
        await asyncio.sleep(0.3)
        await other.run()
        await other.close()


async def use(server: serving.Server, visitors: int) -> dict[int, float]:
    """Megabytes before anybody did anything, and after every fifth visitor."""
    idle = await Session.open(server.root)
    rows = {0: resident(server.process.pid)}
    await idle.close()
    for number in range(1, visitors + 1):
        await visit(server.root, number)
        if number % EVERY == 0:
            rows[number] = resident(server.process.pid)
    return rows


def hour(visitors: int) -> tuple[dict, dict]:
    """Megabytes by how many visitors there have been, and the bar for their growth; at least fifteen visitors."""
    with serving.server() as server:
        rows = asyncio.run(use(server, max(visitors, WARM + EVERY)))
    grown = round(list(rows.values())[-1] - rows[WARM], 1)
    return {"megabytes": rows, "grown_megabytes": grown}, {"growth, MB": (grown, BAR_MEGABYTES)}
