"""Many visitors at once: how long each waits for a moved slider, and what one more costs.

    python -m tests.benchmarks.visitors [--visitors 20] [--seconds 60] [--json]

Starts the real server and opens websocket sessions, which speak as its front end does: first one, then a quarter, half,
and all. Each visitor has images of its own and moves the noise factor or the bottleneck every two seconds; a wait is the
time from the move to the end of the page that answers it. Shown are the waits, the memory of the server, and what one more
visitor adds to it and to the server's processor time. Bars for all: p95 at most 1 s, no error, memory at most 1.5 GB.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from cae_core.config import BOTTLENECKS
from tests.benchmarks import machine, session

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))
from live import Server, serve  # noqa: E402

EVERY = 2.0
"""Seconds between a visitor's moves."""
STOPS = {"Noise factor": [i / 20 for i in range(21)], "Bottleneck": [str(size) for size in BOTTLENECKS]}
BAR_SECONDS, BAR_MEGABYTES = 1.0, 1500.0


class Crowd:
    """Visitors of one server, who stay."""

    def __init__(self, server: Server) -> None:
        self._server, self._sessions, self._rng = server, [], random.Random(0)

    async def grow(self, to: int) -> None:
        """Opens sessions until there are so many."""
        while len(self._sessions) < to:
            self._sessions.append(await session.Session.open(self._server.root, f"seed={len(self._sessions)}"))

    async def use(self, seconds: float) -> dict:
        """All visitors move sliders for so long; returns the figures."""
        waits: list[float] = []
        errors: list[str] = []
        processor, begun = machine.processor_seconds(self._server.process.pid), time.monotonic()

        async def visit(visitor: session.Session) -> None:
            await asyncio.sleep(EVERY * self._rng.random())
            while time.monotonic() < begun + seconds:
                due = time.monotonic() + EVERY
                label = self._rng.choice(list(STOPS))
                try:
                    waits.append(await visitor.move(label, self._rng.choice(STOPS[label])))
                except (RuntimeError, OSError) as error:
                    errors.append(str(error))
                await asyncio.sleep(max(0.0, due - time.monotonic()))

        await asyncio.gather(*map(visit, self._sessions))
        taken = machine.processor_seconds(self._server.process.pid) - processor
        return {
            "visitors": len(self._sessions),
            "wait_ms": machine.figures([1000 * wait for wait in waits]),
            "errors": errors,
            "megabytes": round(machine.resident(self._server.process.pid), 1),
            "processors": round(taken / (time.monotonic() - begun), 2),
        }

    async def leave(self) -> None:
        for visitor in self._sessions:
            await visitor.close()


async def crowd(server: Server, visitors: int, seconds: float) -> list[dict]:
    """The figures of one visitor, then of more and more."""
    rows, people = [], Crowd(server)
    for count in sorted({1, max(1, visitors // 4), max(1, visitors // 2), visitors}):
        await people.grow(count)
        rows.append(await people.use(seconds))
    await people.leave()
    return rows


def measure(visitors: int, seconds: float) -> dict:
    data = {key: os.environ[key] for key in ("CAE_DATA_DIR",) if key in os.environ}
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder), **data) as server:
        rows = asyncio.run(crowd(server, visitors, seconds))
    first, last = rows[0], rows[-1]
    more = max(1, last["visitors"] - first["visitors"])
    one_more = {key: round((last[key] - first[key]) / more, 3) for key in ("megabytes", "processors")}
    return {"rows": rows, "one_more": one_more, "every_seconds": EVERY}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60.0, help="of use, at each number of visitors")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.visitors < 1:
        parser.error("--visitors must be 1 or more")
    found = measure(options.visitors, options.seconds)
    if options.json:
        print(json.dumps(found))
    for row in [] if options.json else found["rows"]:
        wait = row["wait_ms"]
        print(
            f"{row['visitors']:3} visitors: {wait['median']:6.0f} ms, p95 {wait['p95']:6.0f} of {wait['n']} moves; "
            f"{len(row['errors'])} errors; {row['megabytes']:7.1f} MB; {row['processors']:.2f} processors"
        )
    if not options.json:
        print(f"one more visitor: {found['one_more']['megabytes']} MB, {found['one_more']['processors']} processors")
    last = found["rows"][-1]
    holds = last["wait_ms"]["p95"] <= 1000 * BAR_SECONDS and not last["errors"] and last["megabytes"] <= BAR_MEGABYTES
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
