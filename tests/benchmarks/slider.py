"""How long a visitor waits: for the first paint, and from a slider's key to new pixels on the screen.

    python -m tests.benchmarks.slider [--moves 40] [--link "dataset=mnist"] [--settle 5] [--while-training] [--json]

Starts the real server and headless Chromium, as the browser tests do, but with CAE_DATA_DIR as it is. Measures

- seconds from the launch of the server to the browser's first paint with content (Streamlit's own bones of a page), to the
  page's question and to the first reconstruction on screen,
- milliseconds from the key on a slider (seen by the page itself) to the frame with the new reconstruction,
- bytes that the server sends for a move over the websocket;
- with --while-training, the same moves once more while another visitor watches a long run on the Train page. The median of
  both sliders should stay below 300 ms.

The moves alternate between the noise factor and the bottleneck, each starting when the page is idle. The first visit to a
bottleneck loads its network unless that was done in the background; those moves are in the figures like all others.
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
from live import FLAGS, PATIENCE, chromium, serve  # noqa: E402
from visitor import Visitor  # noqa: E402

SLIDERS = ("Noise factor", "Bottleneck")
RUN = "train?num_train=60000&epochs=1000&architecture=fast"
"""What the other visitor trains: the page's first preset on all images, longer than anybody measures."""

# Installed before the app: when the key came, and when a reconstruction with other pixels was painted. It watches the whole
# document, because Streamlit may put new elements in the place of the old ones. A task after a frame's callbacks runs once
# that frame is painted.
WATCH = """
window.bench = { key: null, painted: null, shown: null };
addEventListener("keydown", () => { bench.key = performance.now(); bench.painted = null; }, true);
new MutationObserver(() => {
  const image = document.querySelector('.grid > img[alt*="reconstructed"]');
  if (!image || image.src === bench.shown) return;
  bench.shown = image.src;
  image.decode().then(() => requestAnimationFrame(() => {
    const after = new MessageChannel();
    after.port1.onmessage = () => { bench.painted = performance.now(); };
    after.port2.postMessage(0);
  }));
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["src"] });
"""
PAINT = "(performance.timeOrigin + performance.getEntriesByName('first-contentful-paint')[0].startTime) / 1000"
"""Seconds since 1970."""


def walk(n: int, start: int, stops: int):
    """`n` keys that go up and down a slider with so many stops, beginning at stop `start`."""
    at, step = start, 1
    for _ in range(n):
        if not 0 <= at + step < stops:
            step = -step
        at += step
        yield "ArrowRight" if step > 0 else "ArrowLeft"


def measure(moves: int, link: str, settle: float, while_training: bool) -> dict:
    """Everything, as in the module's text; see `main` for the arguments."""
    from playwright.sync_api import sync_playwright

    data = {key: os.environ[key] for key in ("CAE_DATA_DIR",) if key in os.environ}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        context = browser.new_context(viewport={"width": 1366, "height": 768})
        context.set_default_timeout(PATIENCE * 1000)
        context.add_init_script(WATCH)
        with serve(Path(folder), **data) as server:
            visitor = Visitor(context, server.root)
            page, received = visitor.page, []
            page.goto("about:blank")
            socket = context.new_cdp_session(page)
            socket.send("Network.enable")
            socket.on("Network.webSocketFrameReceived", lambda event: received.append(event["response"]))
            answers = time.perf_counter() - server.launched
            visitor.open("?" + link)
            page.locator("h1").wait_for()
            question = time.perf_counter() - server.launched
            paint = page.evaluate(PAINT) - (time.time() - (time.perf_counter() - server.launched))
            visitor.row("reconstructed").first.wait_for()
            reconstruction = time.perf_counter() - server.launched
            visitor.idle()
            time.sleep(settle)

            # The second round goes on where the first ends.
            keys = {SLIDERS[0]: walk(2 * moves, 10, 21), SLIDERS[1]: walk(2 * moves, 4, 7)}
            idle, payloads = _moves(visitor, moves, keys, received)
            busy = {}
            if while_training:
                other = browser.new_context(viewport={"width": 1366, "height": 768})
                other.set_default_timeout(PATIENCE * 1000)
                trainer = Visitor(other, server.root).open(RUN)
                trainer.click("Train this network")
                trainer.page.locator(".facts").get_by_text("Training", exact=True).wait_for()
                time.sleep(settle)
                busy["key_to_pixels_milliseconds_while_training"], _ = _moves(visitor, moves, keys, received)
                busy["run"] = trainer.facts
        browser.close()
    return {
        "seconds_from_launch": {
            "server_answers": round(answers, 2),
            "first_paint": round(paint, 2),
            "question": round(question, 2),
            "first_reconstruction": round(reconstruction, 2),
        },
        "key_to_pixels_milliseconds": idle,
        **busy,
        "bytes_a_move": figures(payloads),
        "load_average": [round(load, 1) for load in os.getloadavg()],
        "processors": os.cpu_count(),
        "link": link,
    }


def _moves(visitor: Visitor, moves: int, keys: dict, received: list) -> tuple[dict, list[int]]:
    """Presses so many keys, half of them on each slider; returns the milliseconds, and the bytes of each move."""
    milliseconds: dict[str, list[float]] = {label: [] for label in SLIDERS}
    payloads: list[int] = []
    for i in range(moves):
        label = SLIDERS[i % 2]
        visitor.slider(label).focus()
        received.clear()
        visitor.page.keyboard.press(next(keys[label]))
        visitor.page.wait_for_function("bench.painted !== null", polling=20)
        milliseconds[label].append(visitor.page.evaluate("bench.painted - bench.key"))
        visitor.idle()
        payloads.append(sum(_size(frame) for frame in received))
    both = [value for values in milliseconds.values() for value in values]
    return {**{label: figures(values) for label, values in milliseconds.items() if values}, "Both": figures(both)}, payloads


def _size(frame: dict) -> int:
    data = frame["payloadData"]
    return len(data.encode()) if frame["opcode"] == 1 else len(base64.b64decode(data))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--moves", type=int, default=40, help="keys pressed, half of them on each slider (default 40)")
    parser.add_argument("--link", default="", help="settings to open with, such as dataset=mnist&trained_on=clean")
    parser.add_argument("--settle", type=float, default=5.0, help="seconds between the first paint and the first key")
    parser.add_argument("--while-training", action="store_true", help="measure again while another visitor's run trains")
    parser.add_argument("--json", action="store_true", help="print only JSON")
    arguments = parser.parse_args()
    if arguments.moves < 1:
        parser.error("--moves must be 1 or more")
    found = measure(arguments.moves, arguments.link, arguments.settle, arguments.while_training)
    if not arguments.json:
        for name, value in found["seconds_from_launch"].items():
            print(f"{name.replace('_', ' '):<24}{value:>8.2f} s from launch")
        rounds = {"idle": "key_to_pixels_milliseconds", "while training": "key_to_pixels_milliseconds_while_training"}
        for when, key in rounds.items():
            if key in found:
                print(f"\n{when:<24}{'moves':>8}{'median':>8}{'p95':>8}{'max':>8}")
                for name, row in found[key].items():
                    print(
                        f"{name + ', ms':<24}" + "".join(f"{row[column]:>8g}" for column in ("n", "median", "p95", "max"))
                    )
        row = found["bytes_a_move"]
        print(f"{'bytes a move':<24}" + "".join(f"{row[key]:>8.0f}" for key in ("n", "median", "p95", "max")))
        print(f"\nload average {found['load_average'][0]} on {found['processors']} processors")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
