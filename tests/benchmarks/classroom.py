"""A class at once: a link that everybody opens on a cold server, every slider and page, Train, and a server that restarts.

Visitors are websocket sessions that speak as Streamlit's front end does, each with a cookie of its own and all from one
network address, for thirty browsers would take the processors from the server that is measured; one more visitor is a real
Chromium page. They open the link within five seconds of a server that nobody has looked at yet, move sliders, open every
page, all press Train, and move sliders again while the queue works. Then the server is stopped and started again while all
of them are there: each comes back to the page that was open, and looks for the run it had.
"""

import asyncio
import hashlib
import random
import re
import sys
import threading
import time

from cae_core import runs
from tests.benchmarks import hour, machine, serving, visitors
from tests.benchmarks.session import Session

ARRIVAL = 5.0
"""Seconds within which all have opened the link."""
RUN = "dataset=strokes&num_train=5000&epochs=2&seed={}"
TOKEN = "visitor-of-the-class-{:04d}"
PICTURE = '.grid > img[alt*="reconstructed"]'
BARS = {"first picture, s": 6.0, "p95 of a move, ms": 1000.0, "megabytes": 1500.0}


def open_in_chromium(server: serving.Server, taken: list[float]) -> None:
    """Adds the seconds from a real browser's asking for the page to the first reconstruction on screen."""
    with serving.browser() as visit:
        page, began = visit(server).page, time.perf_counter()
        page.goto(server.root, wait_until="commit")
        page.locator(PICTURE).first.wait_for()
        taken.append(round(time.perf_counter() - began, 2))


async def arrive(root: str, number: int, delay: float) -> tuple[Session, float]:
    """One visitor, and the seconds to its first picture."""
    await asyncio.sleep(delay)
    began = time.perf_counter()
    session = await Session.open(root, f"seed={number}", token=TOKEN.format(number))
    return session, time.perf_counter() - began


async def open_pages(session: Session, number: int) -> list[float]:
    """Every page, as fast as they come; milliseconds of each."""
    pages = {**hour.OTHERS, "teach": ""}
    return [1000 * await session.go(page, query.format(number)) for page, query in pages.items()]


async def train(session: Session, number: int) -> tuple[str, list[str]]:
    """Presses Train; what the page then says of the run, and what it refuses."""
    await session.go("train", RUN.format(number))
    await session.press("Train this network")
    for _ in range(40):  # the page draws itself once more at once
        await session.run()
        if session.alerts or "Not started" not in session.fact("State"):
            break
        await asyncio.sleep(0.25)
    return f"{session.fact('State')}, starts in {session.fact('Starts in') or '–'}", session.alerts


def owner(number: int) -> str:
    """The mark on the visitor's runs."""
    return hashlib.sha256(TOKEN.format(number).encode()).hexdigest()[:16]


def ahead(words: str) -> int:
    """How many runs a page says are before a visitor's."""
    return int(next(iter(re.findall(r"(\d+) ahead", words)), 0))


async def come_back(session: Session, number: int, names: list[str]) -> str:
    """Connects again, as an open page does by itself, and looks for the visitor's runs; what is amiss, else ""."""
    await session.connect_again()
    if not any("reconstructed" in html for html in session.html):
        return "the page that was open has no pictures"
    if not names:
        return "the run is not on disk"
    for name in names:
        await session.go("runs", f"runs={name}")
        await session.run()
        if "Delete" not in session.widgets:
            return f"{name} is not offered to its owner"
    return ""


def tell(what: str) -> None:
    """What the class does now, for whoever waits for the figures."""
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


async def attend(server: serving.Server, count: int, seconds: float) -> dict:
    """All that the class does; the figures."""
    rng, chromium = random.Random(0), []
    browser = threading.Thread(target=open_in_chromium, args=(server, chromium))
    browser.start()
    tell("everybody opens the link")
    arrivals = [arrive(server.root, number, ARRIVAL * rng.random()) for number in range(count)]
    sessions, firsts = zip(*await asyncio.gather(*arrivals), strict=True)
    figures = {"first picture, s": {**machine.figures(firsts), "in Chromium": 0.0}}
    await asyncio.to_thread(browser.join)
    figures["first picture, s"]["in Chromium"] = chromium[0] if chromium else float("inf")
    tell("sliders")
    figures["moves"] = await visitors.use(server, list(sessions), seconds, rng)
    tell("every page")
    opened = await asyncio.gather(*map(open_pages, sessions, range(count)))
    figures["pages, ms"] = machine.figures([value for values in opened for value in values])
    tell("Train")
    pressed = await asyncio.gather(*map(train, sessions, range(count)))
    figures["refused"] = [words for _, alerts in pressed for words in alerts]
    figures["the queue"] = {"first": pressed[0][0], "last": max((words for words, _ in pressed), key=ahead)}
    tell("sliders while it trains")
    await asyncio.gather(*(session.go("", f"seed={number}") for number, session in enumerate(sessions)))
    figures["moves while training"] = await visitors.use(server, list(sessions), seconds, rng)
    figures["megabytes"] = machine.resident_family(server.process.pid)
    tell("stop and start")
    begun = time.perf_counter()
    await asyncio.to_thread(server.stop)
    stopped = time.perf_counter()
    await asyncio.to_thread(server.start_again)
    figures["restart, s"] = {"stop": round(stopped - begun, 1), "start": round(time.perf_counter() - stopped, 1)}
    tell("everybody comes back")
    kept = runs.every(server.runs)[0]
    had = [[run.name for run in kept if run.owner == owner(number)] for number in range(count)]
    lost = await asyncio.gather(*map(come_back, sessions, range(count), had))
    figures["back"] = {state: sum(run.state == state for run in kept) for state in sorted({run.state for run in kept})}
    figures["lost"] = [words for words in lost if words]
    await asyncio.gather(*(session.close() for session in sessions))
    log = server.log.read_text(encoding="utf-8")
    figures["errors"] = figures["moves"].pop("errors") + figures["moves while training"].pop("errors")
    figures["errors"] += [line for line in log.splitlines() if "Traceback" in line]
    return figures


def classroom(visitors: int, seconds: float) -> tuple[dict, dict]:
    """Figures and bars for a class of so many, who move sliders twice for so many seconds."""
    with serving.server() as server:
        figures = asyncio.run(attend(server, visitors, seconds))
    worst = {
        "first picture, s": max(figures["first picture, s"]["max"], figures["first picture, s"]["in Chromium"]),
        "p95 of a move, ms": max(figures[when]["p95"] for when in ("moves", "moves while training")),
        "megabytes": figures["megabytes"],
    }
    none = {name: (len(figures[name]), 0) for name in ("refused", "lost", "errors")}
    return figures, {name: (worst[name], bar) for name, bar in BARS.items()} | none
