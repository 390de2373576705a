"""How long a hand waits: for what a slider changes, for what it has drawn, and for another page.

With the real server and headless Chromium, from the event as the page itself sees it to the frame with what it changed:

- from the key on a slider to the new reconstruction, in turns on noise factor and bottleneck, each when the page is idle;
  then once more while another visitor watches a long run on the Train page,
- from the pen's lifting on the Draw page to the new picture, on a pad that fills up,
- from the click on another page's name to its question; every page in turn, for the first time in the first round;

and the bytes that the server sends for the first page and for a slider's move.
"""

import time

from tests.benchmarks import serving
from tests.benchmarks.machine import figures
from tests.benchmarks.serving import Visitor

BARS = {"slider": 300.0, "slider_while_training": 300.0, "stroke": 200.0, "page": 300.0}
"""Milliseconds, medians."""
FIRST_BYTES = 1e6
SETTLE = 5.0
"""Seconds for what is loaded in the background."""
PAGES = ("Train", "Runs", "Latent", "Draw", "Architectures", "Reproduce", "Stacked", "Colour", "Denoise")
STOPS = {"Noise factor": (10, 21), "Bottleneck": (4, 7)}
"""Each slider's first stop, and how many it has."""
RUN = "train?num_train=60000&epochs=1000&architecture=fast"
"""What the other visitor trains: the page's first preset on all images, longer than anybody measures."""

# When a watched event came, and when what it changes was painted: a task after a frame's callbacks runs once that frame is.
# It watches the whole document, because Streamlit may put new elements in the place of the old ones.
WATCH = """
window.bench = { since: null, took: null, seen: null };
window.watch = (event, of) => {
  const read = () => of()?.src ?? of()?.textContent;
  bench.seen = read();
  addEventListener(event, () => { bench.since = performance.now(); bench.took = null; bench.seen = read(); }, true);
  new MutationObserver(() => {
    const now = read();
    if (bench.since === null || !now || now === bench.seen) return;
    const since = bench.since;
    bench.since = null;
    Promise.resolve(of().decode?.()).then(() => requestAnimationFrame(() => {
      const after = new MessageChannel();
      after.port1.onmessage = () => { bench.took = performance.now() - since; };
      after.port2.postMessage(0);
    }));
  }).observe(document, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ["src"] });
};
"""
RECONSTRUCTION = """() => document.querySelector('.grid > img[alt*="reconstructed"]')"""
DRAWN = """() => document.querySelector('.drawn img[alt^="reconstructed"]')"""
QUESTION = """() => document.querySelector("h1")"""


def took(visitor: Visitor) -> float:
    """Milliseconds of the last event, once what it changed is painted and the page is idle again."""
    visitor.page.wait_for_function("bench.took !== null", polling=20)
    milliseconds = visitor.page.evaluate("bench.took")
    visitor.idle()
    return milliseconds


def walk(start: int, stops: int):
    """Keys that go up and down a slider with so many stops, beginning at stop `start`."""
    at, step = start, 1
    while True:
        if not 0 <= at + step < stops:
            step = -step
        at += step
        yield "ArrowRight" if step > 0 else "ArrowLeft"


def slide(visitor: Visitor, moves: int, keys: dict, sizes: list[int]) -> tuple[list[float], list[int]]:
    """Milliseconds and bytes of so many moves."""
    times, payloads = [], []
    for number in range(moves):
        label = list(STOPS)[number % 2]
        visitor.slider(label).focus()
        sizes.clear()
        visitor.page.keyboard.press(next(keys[label]))
        times.append(took(visitor))
        payloads.append(sum(sizes))
    return times, payloads


def draw(visitor: Visitor, count: int) -> list[float]:
    from drawer import Drawer

    visitor.open("draw")
    drawer, times = Drawer(visitor).ready(), []
    visitor.page.evaluate(f"watch('pointerup', {DRAWN})")
    for i in range(count):
        drawer.draw([[(50 + 9 * i, 60), (50 + 9 * i, 90 + 12 * (i % 5))]], steps=2)
        times.append(took(visitor))
    return times


def turn_pages(visitor: Visitor, rounds: int) -> list[float]:
    visitor.open().whole()
    visitor.page.evaluate(f"watch('click', {QUESTION})")
    times = []
    for name in PAGES * rounds:
        visitor.page.get_by_role("link", name=name, exact=True).click()
        times.append(took(visitor))
    return times


def hand(moves: int, strokes: int, rounds: int) -> tuple[dict, dict]:
    """Figures in milliseconds and bytes, and bars."""
    with serving.browser(WATCH) as visit, serving.server() as server:
        visit(server).open().whole()  # everything is loaded and compiled
        time.sleep(SETTLE)
        visitor = visit(server)
        sizes = serving.received(visitor)
        visitor.open().whole()
        first_bytes = sum(sizes)
        time.sleep(SETTLE)
        visitor.page.evaluate(f"watch('keydown', {RECONSTRUCTION})")
        keys = {label: walk(*stops) for label, stops in STOPS.items()}
        times = {}
        times["slider"], payloads = slide(visitor, moves, keys, sizes)
        times["stroke"] = draw(visit(server), strokes)
        turned = turn_pages(visit(server), rounds)
        times["page_first_visit"], times["page"] = turned[: len(PAGES)], turned[len(PAGES) :] or turned
        visit(server).open(RUN).click("Train this network").page.locator(".facts").get_by_text(
            "Training", exact=True
        ).wait_for()
        time.sleep(SETTLE)
        times["slider_while_training"], _ = slide(visitor, moves, keys, sizes)
    milliseconds = {name: figures(row) for name, row in times.items()}
    bars = {f"{name}, ms": (milliseconds[name]["median"], bar) for name, bar in BARS.items()}
    values = {"milliseconds": milliseconds, "first_page_bytes": first_bytes, "bytes_a_move": figures(payloads)}
    return values, bars | {"bytes of the first page": (first_bytes, FIRST_BYTES)}
