"""How long a hand waits elsewhere than at a slider: from a stroke's end to its picture, and from page to page.

    python -m tests.benchmarks.hand [--strokes 20] [--rounds 5] [--json]

Starts the real server and headless Chromium, with CAE_DATA_DIR as it is. Measures

- bytes that the server sends over the websocket until the first reconstruction is on screen,
- milliseconds from the pen's lifting on the Draw page to the frame with the new picture,
- milliseconds from the click on another page's name to the frame with its question; every page in turn, each of them for
  the first time in the first round.

Bars: strokes 200 ms and pages 300 ms, medians; 1 MB.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.machine import figures

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))
from drawer import Drawer  # noqa: E402
from live import FLAGS, PATIENCE, chromium, serve  # noqa: E402
from visitor import Visitor  # noqa: E402

BARS = {"stroke": 200.0, "page": 300.0, "bytes": 1e6}
PAGES = ("Train", "Runs", "Latent", "Draw", "Architectures", "Reproduce", "Stacked", "Colour", "Denoise")

# When a watched event came, and when what it changes was painted: a task after a frame's callbacks runs once that frame is.
WATCH = """
window.bench = { since: null, took: null, seen: null };
window.watch = (event, of) => {
  bench.seen = of();
  addEventListener(event, () => { bench.since = performance.now(); bench.took = null; bench.seen = of(); }, true);
  new MutationObserver(() => {
    const now = of();
    if (bench.since === null || !now || now === bench.seen) return;
    const since = bench.since;
    bench.since = null;
    requestAnimationFrame(() => {
      const after = new MessageChannel();
      after.port1.onmessage = () => { bench.took = performance.now() - since; };
      after.port2.postMessage(0);
    });
  }).observe(document, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ["src"] });
};
"""
PICTURE = """() => document.querySelector('.drawn img[alt^="reconstructed"]')?.src"""
QUESTION = """() => document.querySelector("h1")?.textContent"""


def _took(page) -> float:
    page.wait_for_function("bench.took !== null", polling=20)
    return page.evaluate("bench.took")


def strokes(visitor: Visitor, count: int) -> list[float]:
    """Milliseconds of each stroke on a pad that fills up."""
    visitor.open("draw")
    drawer, times = Drawer(visitor).ready(), []
    visitor.page.evaluate(f"watch('pointerup', {PICTURE})")
    for i in range(count):
        drawer.draw([[(50 + 9 * i, 60), (50 + 9 * i, 90 + 12 * (i % 5))]], steps=2)
        times.append(_took(visitor.page))
        visitor.idle()
    return times


def pages(visitor: Visitor, rounds: int) -> tuple[list[float], list[float]]:
    """Milliseconds of each change of page: for the first time, and again."""
    visitor.open().whole()
    visitor.page.evaluate(f"watch('click', {QUESTION})")
    times = []
    for _ in range(rounds):
        for name in PAGES:
            visitor.page.get_by_role("link", name=name, exact=True).click()
            times.append(_took(visitor.page))
            visitor.idle()
    return times[: len(PAGES)], times[len(PAGES) :]


def measure(count: int, rounds: int) -> dict:
    from playwright.sync_api import sync_playwright

    data = {key: os.environ[key] for key in ("CAE_DATA_DIR",) if key in os.environ}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        with serve(Path(folder), **data) as server:

            def visit() -> Visitor:
                context = browser.new_context(viewport={"width": 1366, "height": 768})
                context.set_default_timeout(PATIENCE * 1000)
                context.add_init_script(WATCH)
                return Visitor(context, server.root)

            visit().open().whole()  # everything is loaded and compiled
            time.sleep(5)
            first, received = visit(), []
            first.page.goto("about:blank")
            socket = first.context.new_cdp_session(first.page)
            socket.send("Network.enable")
            socket.on("Network.webSocketFrameReceived", lambda event: received.append(event["response"]))
            first.open().whole()
            sent = sum(map(_size, received))
            drawn = strokes(visit(), count)
            new, again = pages(visit(), rounds)
        browser.close()
    return {
        "first_page_bytes": sent,
        "stroke_milliseconds": figures(drawn),
        "first_visit_milliseconds": figures(new),
        "page_milliseconds": figures(again or new),
    }


def _size(frame: dict) -> int:
    data = frame["payloadData"]
    return len(data.encode()) if frame["opcode"] == 1 else len(base64.b64decode(data))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--strokes", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5, help="through all pages")
    parser.add_argument("--json", action="store_true", help="print only JSON")
    options = parser.parse_args()
    found = measure(options.strokes, options.rounds)
    if options.json:
        print(json.dumps(found))
    else:
        print(f"the first page: {found['first_page_bytes']:,} bytes")
        for name in ("stroke", "first_visit", "page"):
            row = found[f"{name}_milliseconds"]
            print(f"{name.replace('_', ' '):12} median {row['median']:.0f} ms, p95 {row['p95']:.0f}, of {row['n']}")
    medians = {name: found[f"{name}_milliseconds"]["median"] for name in ("stroke", "page")}
    return 0 if all(({**medians, "bytes": found["first_page_bytes"]})[name] <= bar for name, bar in BARS.items()) else 1


if __name__ == "__main__":
    sys.exit(main())
