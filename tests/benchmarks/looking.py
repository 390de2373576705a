"""What looking costs, before anybody trains: seconds to the first picture, and the server's memory.

In turn, launches the app and an empty Streamlit page, each with a browser that is already there, and measures from the
launch of the server to the question and to the first reconstruction on screen, or to the empty page's title. Then opens the
pages that only look, Latent, Draw, a shipped run, and reads the server's memory after each.
"""

import time

from cae_core import datasets
from cae_core.pretrained import name_of
from tests.benchmarks import serving
from tests.benchmarks.machine import medians, resident

PICTURE = '.grid > img[alt*="reconstructed"]'
LOOKING = {
    "": PICTURE,
    "latent": ".chosen img",
    "draw?ready=seven": ".nearest img",
    f"runs?runs={name_of(datasets.default(), 32, 'bce', 'mixed')}": ".grid > img",
}
"""A page's address to what is on screen when it is whole."""
BARS = {"picture": 3.0, "after_question": 0.5, "ratio": 1.3}
"""Seconds from launch, seconds after the question, and times the empty page."""
BAR_MEGABYTES = 280.0


def seconds(visit, server: serving.Server, *shown: str) -> list[float]:
    """From the launch of the server to each of these on its first page."""
    page = visit(server).page
    page.goto(server.root, wait_until="commit")
    times = []
    for selector in shown:
        page.locator(selector).first.wait_for()
        times.append(time.perf_counter() - server.launched)
    page.close()
    return times


def memory(visit, server: serving.Server) -> dict[str, float]:
    """Megabytes of the server after each page that looks."""
    megabytes = {}
    for address, shown in LOOKING.items():
        page = visit(server).open(address).page
        page.locator(shown).first.wait_for()
        time.sleep(4)  # what is put off to a page's end, and the comparison with test images in the background
        megabytes[address.partition("?")[0] or "denoise"] = resident(server.process.pid)
        page.close()
    return megabytes


def looking(rounds: int) -> tuple[dict, dict]:
    """Figures and bars."""
    rows, megabytes = [], {}
    with serving.browser() as visit:
        for number in range(rounds + 1):
            with serving.server() as server:
                question, picture = seconds(visit, server, "h1", PICTURE)
                megabytes = megabytes or memory(visit, server)
            with serving.server(is_empty=True) as server:
                (bare,) = seconds(visit, server, "h1")
            if number:  # the first round reads the disk
                ratios = {"ratio": picture / bare, "after_question": picture - question}
                rows.append({"question": question, "picture": picture, "empty": bare, **ratios})
    median = medians(rows, 2)
    bars = {name: (median[name], bar) for name, bar in BARS.items()}
    bars["megabytes"] = (max(megabytes.values()), BAR_MEGABYTES)
    return {"seconds": median, "pictures": [round(row["picture"], 2) for row in rows], "megabytes": megabytes}, bars
