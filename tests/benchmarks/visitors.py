"""Many visitors at once: how long each waits for a moved slider, and what one more costs.

Starts the real server and opens websocket sessions, which speak as its front end does: first one, then a quarter, half,
and all. Each visitor has images of its own and moves the noise factor or the bottleneck every two seconds; a wait is the
time from the move to the end of the page that answers it. Shown are the waits, the memory of the server, and what one more
visitor adds to it and to the server's processor time.
"""

import asyncio
import random
import time

from cae_core.config import BOTTLENECKS
from tests.benchmarks import machine, serving
from tests.benchmarks.session import Session

EVERY = 2.0
"""Seconds between a visitor's moves."""
STOPS = {"Noise factor": [i / 20 for i in range(21)], "Bottleneck": [str(size) for size in BOTTLENECKS]}
BAR_MS, BAR_MEGABYTES = 1000.0, 1500.0


async def use(server: serving.Server, sessions: list[Session], seconds: float, rng: random.Random) -> dict:
    """All visitors move sliders for so long; returns the figures."""
    waits: list[float] = []
    errors: list[str] = []
    processor, begun = machine.processor_seconds(server.process.pid), time.monotonic()

    async def visit(visitor: Session) -> None:
        await asyncio.sleep(EVERY * rng.random())
        while time.monotonic() < begun + seconds:
            due = time.monotonic() + EVERY
            label = rng.choice(list(STOPS))
            try:
                waits.append(await visitor.move(label, rng.choice(STOPS[label])))
            except (RuntimeError, OSError) as error:
                errors.append(str(error))
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    await asyncio.gather(*map(visit, sessions))
    spent = machine.processor_seconds(server.process.pid) - processor
    return {
        **machine.figures([1000 * wait for wait in waits]),
        "errors": errors,
        "megabytes": machine.resident(server.process.pid),
        "processors": round(spent / (time.monotonic() - begun), 2),
    }


async def crowd(server: serving.Server, visitors: int, seconds: float) -> dict[int, dict]:
    """By their number, the figures of one visitor, then of more and more, who stay."""
    rows, sessions, rng = {}, [], random.Random(0)
    for count in sorted({1, max(1, visitors // 4), max(1, visitors // 2), visitors}):
        while len(sessions) < count:
            sessions.append(await Session.open(server.root, f"seed={len(sessions)}"))
        rows[count] = await use(server, sessions, seconds, rng)
    for session in sessions:
        await session.close()
    return rows


def visitors(visitors: int, seconds: float) -> tuple[dict, dict]:
    """Waits in milliseconds, memory and processors by the number of visitors, and bars for all of them."""
    with serving.server() as server:
        rows = asyncio.run(crowd(server, visitors, seconds))
    first, last = rows[1], rows[visitors]
    more = max(1, visitors - 1)
    costs = {key: round((last[key] - first[key]) / more, 3) for key in ("megabytes", "processors")}
    bars = {"p95 of the waits, ms": (last["p95"], BAR_MS), "megabytes": (last["megabytes"], BAR_MEGABYTES)}
    return {"visitors": rows, "each_more": costs}, bars | {"errors": (len(last["errors"]), 0)}
