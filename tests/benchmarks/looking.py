"""What looking costs, before anybody trains: seconds to the first picture, and the server's memory.

    python -m tests.benchmarks.looking [--rounds 5] [--json]

In turn, launches the app and an empty Streamlit page, each with a browser that is already there, and measures from the
launch of the server to the question and to the first reconstruction on screen, or to the empty page's title. Then opens the
pages that only look, Latent, Draw, a shipped run, and reads the server's memory after each. Bars: picture at most 3 s from
launch, 0.5 s after the question, 1.3 times the empty page; memory at most 280 MB.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from cae_core import datasets
from cae_core.pretrained import name_of
from tests.benchmarks.machine import resident

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))
from live import FLAGS, PATIENCE, Server, chromium, serve  # noqa: E402

EMPTY = 'import streamlit as st\nst.title("Empty")\n'
PICTURE = '.grid > img[alt*="reconstructed"]'
LOOKING = {
    "": PICTURE,
    "latent": ".chosen img",
    "draw?ready=seven": ".nearest img",
    f"runs?runs={name_of(datasets.default(), 32, 'bce', 'mixed')}": ".grid > img",
}
"""A page's address to what is on screen when it is whole."""
BAR_SECONDS, BAR_AFTER, BAR_RATIO, BAR_MEGABYTES = 3.0, 0.5, 1.3, 280.0


def seconds(context, server: Server, *shown: str) -> list[float]:
    """From the launch of the server to each of these on its first page."""
    page = context.new_page()
    page.goto(server.root, wait_until="commit")
    times = []
    for selector in shown:
        page.locator(selector).first.wait_for()
        times.append(time.perf_counter() - server.launched)
    page.close()
    return times


def memory(context, server: Server) -> dict[str, float]:
    """Megabytes of the server after each page that looks."""
    megabytes = {}
    for address, shown in LOOKING.items():
        page = context.new_page()
        page.goto(server.root + address)
        page.locator(shown).first.wait_for()
        time.sleep(4)  # what is put off to a page's end, and the comparison with test images in the background
        megabytes[address.partition("?")[0] or "denoise"] = round(resident(server.process.pid), 1)
        page.close()
    return megabytes


def measure(rounds: int) -> dict:
    from playwright.sync_api import sync_playwright

    data = {key: os.environ[key] for key in ("CAE_DATA_DIR",) if key in os.environ}
    rows, megabytes = [], {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        empty = Path(folder) / "empty.py"
        empty.write_text(EMPTY, encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        context = browser.new_context(viewport={"width": 1366, "height": 768})
        context.set_default_timeout(PATIENCE * 1000)
        for number in range(rounds + 1):
            with serve(Path(folder), **data) as server:
                question, picture = seconds(context, server, "h1", PICTURE)
                megabytes = megabytes or memory(context, server)
            with serve(Path(folder), str(empty)) as server:
                (bare,) = seconds(context, server, "h1")
            if number:  # the first round reads the disk
                rows.append({"question": question, "picture": picture, "empty": bare, "ratio": picture / bare})
        browser.close()
    median = {name: round(statistics.median(row[name] for row in rows), 2) for name in rows[0]}
    median["after_question"] = round(statistics.median(row["picture"] - row["question"] for row in rows), 2)
    return {"median": median, "rounds": rows, "megabytes": megabytes, "load_average": round(os.getloadavg()[0], 1)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print only JSON")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds must be 1 or more")
    figures = measure(options.rounds)
    median, most = figures["median"], max(figures["megabytes"].values())
    if not options.json:
        print(f"first picture {median['picture']:.2f} s from launch, {median['after_question']:.2f} s after the question")
        print(f"an empty Streamlit page {median['empty']:.2f} s; ratio {median['ratio']:.2f}")
        print("memory: " + ", ".join(f"{page} {value:.0f} MB" for page, value in figures["megabytes"].items()))
        print(f"load average {figures['load_average']}")
    print(json.dumps(figures))
    holds = median["picture"] <= BAR_SECONDS and median["after_question"] <= BAR_AFTER and median["ratio"] <= BAR_RATIO
    return 0 if holds and most <= BAR_MEGABYTES else 1


if __name__ == "__main__":
    sys.exit(main())
