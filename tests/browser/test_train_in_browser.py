"""The Train page as people use it: the real server, a real browser, runs that really train."""

import contextlib
import json
import re
import time

import numpy as np
import pytest

pytestmark = pytest.mark.browser

QUICK = "architecture=dense&optimizer=adam&learning_rate=0.003&schedule=constant"
LONG = f"train?{QUICK}&num_train=500&epochs=1000&batch_size=10"
SHORT = f"train?{QUICK}&num_train=600&epochs=2&batch_size=50"


@pytest.fixture
def visit_train(visit, server):
    """`visit_train(link, **context)`: a new visitor of the Train page; what they leave in training is stopped."""
    opened = []

    def open_page(link="train", **context):
        opened.append(visit(server, link, **context))
        return ready(opened[-1])

    yield open_page
    for visitor in opened:
        end_runs_of(visitor, server)


def end_runs_of(visitor, server):
    """Stops what trains and withdraws what waits."""
    if not any(run["state"] in ("waiting", "running") for run in on_disk(server).values()):
        return
    tab = ready(visitor.another_tab("train"))
    while tab.page.locator(".st-key-live_stop button:enabled").count():
        with contextlib.suppress(Exception):  # it ended in this moment
            tab.page.locator(".st-key-live_stop button:enabled").click(timeout=1000)
        time.sleep(0.3)


def ready(visitor):
    """Waits until the page is complete, with the network's table, which comes last."""
    visitor.page.locator(".grid").wait_for()
    visitor.page.get_by_text("parameters. The").wait_for()
    visitor.page.locator(".js-plotly-plot .main-svg").nth(3).wait_for(state="attached")
    return visitor


def on_disk(server):
    """What `run.json` says of every run of the server's visitors."""
    return {file.parent.name: json.loads(file.read_text(encoding="utf-8")) for file in server.runs.glob("*/run.json")}


STEERING = {"Pause": "pause", "Resume": "pause", "One step": "step", "Stop": "stop", "Withdraw": "stop"}


def button(visitor, label):
    """A button that steers a run; its accessible name ends with its shortcut."""
    return visitor.page.locator(f".st-key-live_{STEERING[label]} button", has_text=label)


def start_run(visitor, title=""):
    if title:
        visitor.page.get_by_label("Name").fill(title)
        visitor.page.get_by_label("Name").press("Enter")
    visitor.click("Train this network")
    return visitor


def wait_for(visitor, words):
    """Waits until the state of the run begins with these words."""
    visitor.page.wait_for_function(
        "words => document.querySelector('.facts > div > span')?.textContent.startsWith(words)", arg=words, polling=20
    )
    return visitor


def step_of(visitor):
    return int(visitor.facts["Step"].partition(" of ")[0].replace(",", ""))


def past(visitor, step):
    """Waits until the run has done more steps than these."""
    visitor.page.wait_for_function(
        "step => parseInt(document.querySelectorAll('.facts > div > span')[2].textContent.replaceAll(',', '')) > step",
        arg=step,
        polling=20,
    )
    return visitor


# Milliseconds from the next key or press, as the page itself sees it, to one of the facts reading so.
CLOCK = """
wanted => {
  let began = null;
  window.took = null;
  for (const kind of ["keydown", "pointerdown"])
    addEventListener(kind, () => { began ??= performance.now(); }, { capture: true });
  const watch = new MutationObserver(() => {
    const reads = [...document.querySelectorAll(".facts > div > span")].some(fact => fact.textContent.startsWith(wanted));
    if (began === null || !reads) return;
    window.took = performance.now() - began;
    watch.disconnect();
  });
  watch.observe(document, { subtree: true, childList: true, characterData: true });
}
"""


def timed(visitor, action, wanted):
    visitor.page.evaluate(CLOCK, wanted)
    action()
    visitor.page.wait_for_function("window.took !== null", polling=20)
    return round(visitor.page.evaluate("window.took"))


def key(visitor, name):
    """Presses a key where no field has the focus."""
    visitor.page.evaluate("document.activeElement.blur()")
    visitor.page.keyboard.press(name)


def test_a_run_learns_before_your_eyes(visit_train):
    visitor = visit_train(LONG)
    assert visitor.facts["State"] == "Not started"
    start_run(visitor, "Before my eyes")
    wait_for(visitor, "Training")
    seen = {}  # picture to its error, as they came
    end = time.monotonic() + 60
    while (len(seen) < 8 or [*seen.values()][-1] > [*seen.values()][0] / 2) and time.monotonic() < end:
        for alt, src in visitor.sources.items():
            if "reconstructed" in alt:
                seen.setdefault(src, float(alt.rpartition(" ")[2]))
        time.sleep(0.05)
    errors = list(seen.values())
    assert len(errors) >= 8
    assert errors[-1] < 0.6 * errors[0]  # five hundred images teach quickly, and the first picture may come late
    note = visitor.page.locator(".grid .label small").last.inner_text()
    assert re.fullmatch(r"MSE 0\.\d{4}", note)
    assert visitor.facts["Before my eyes"] == "Training"
    assert re.fullmatch(r"[\d,]+ of 50,000", visitor.facts["Step"])
    assert re.fullmatch(r"\d+ steps/s", visitor.facts["Speed"])
    assert re.fullmatch(r"[\d.]+ (s|min|h)", visitor.facts["Time left"])
    assert 0 < visitor.page.locator("progress").evaluate("bar => bar.value / bar.max") < 1
    visitor.page.wait_for_function(  # between two pictures there may be none for a moment
        "document.querySelectorAll('.js-plotly-plot')[1]?.querySelectorAll('.point').length === 500", polling=20
    )


def test_pause_step_resume_stop(visit_train, server):
    visitor = past(start_run(visit_train(LONG)), 50)

    def stands_still():
        at = step_of(visitor.idle())  # the word is there before the last step's number
        time.sleep(0.5)
        assert step_of(visitor) == at
        return at

    took = {"pause by button": timed(visitor, lambda: button(visitor, "Pause").click(), "Paused")}
    at = stands_still()
    took["one step by key"] = timed(visitor, lambda: key(visitor, "s"), f"{at + 1:,} of")
    assert stands_still() == at + 1
    took["one step by button"] = timed(visitor, lambda: button(visitor, "One step").click(), f"{at + 2:,} of")
    assert stands_still() == at + 2
    took["resume by key"] = timed(visitor, lambda: key(visitor, "p"), "Training")
    past(visitor, at + 20)
    took["pause by key"] = timed(visitor, lambda: key(visitor, "p"), "Paused")
    at = stands_still()
    button(visitor, "Resume").click()
    past(visitor, at + 20)
    took["stop by key, until it says so"] = timed(visitor, lambda: key(visitor, "x"), "Measuring")
    wait_for(visitor, "Stopped")
    print({what: f"{ms} ms" for what, ms in took.items()})

    visitor.idle().page.get_by_role("link", name="Time machine").click()
    visitor.page.get_by_role("heading", name="Which settings made the difference?").wait_for()
    visitor.page.wait_for_function("location.pathname === '/runs' && location.search.includes('runs=')")
    name = visitor.link["runs"]
    run = on_disk(server)[name]
    assert run["state"] == "stopped"
    assert run["step"] > at + 20
    assert run["metrics"]["clean"]["mse"] < 0.1


def test_run_goes_on_without_its_visitor(visit_train):
    visitor = past(start_run(visit_train(LONG), "Still there"), 20)
    visitor.page.reload()
    at = step_of(wait_for(ready(visitor), "Training"))
    assert visitor.facts["Still there"] == "Training"
    past(visitor, at + 20)
    last = step_of(visitor)
    visitor.page.close()
    time.sleep(1)
    tab = wait_for(ready(visitor.another_tab("train")), "Training")
    assert tab.facts["Still there"] == "Training"
    assert step_of(tab) > last
    denoise = tab.another_tab().whole()
    past(tab, step_of(tab) + 20)
    denoise.page.close()
    tab.page.get_by_role("link", name="Denoise", exact=True).click()
    tab.page.get_by_role("heading", name="What does the bottleneck keep").wait_for()
    tab.page.get_by_role("link", name="Train", exact=True).click()
    assert wait_for(ready(tab), "Training").facts["Still there"] == "Training"


def queue(visitor):
    """The lines of the queue, without their numbers and times."""
    lines = visitor.page.locator("[data-testid=stMarkdown] p").all_inner_texts()
    numbered = [re.fullmatch(r"(\d+)\. (.*)", line) for line in lines]
    return [line[2].partition(", about")[0] for line in numbered if line]


def test_queue_of_two_visitors(visit_train, expect):
    first = past(start_run(visit_train(LONG), "Private"), 5)
    second = visit_train(SHORT)
    assert second.facts["State"] == "Not started"
    for label in ("Pause", "One step", "Stop"):
        expect(button(second, label)).to_be_disabled()
    for name in "psx":
        key(second, name)
    at = step_of(first)
    past(first, at + 20)

    start_run(second, "One")
    wait_for(second, "Waiting, 1 ahead")
    start_run(second, "Two")
    expect(second.page.get_by_text("Two: waiting")).to_be_visible()
    lines = ["another visitor's run: training", "One: waiting", "Two: waiting"]
    assert queue(second) == lines
    expect(first.page.get_by_text("another visitor's run: waiting")).to_have_count(2)  # by itself
    assert queue(first)[0] == "Private: training"

    second.page.locator("[class*=st-key-withdraw_] button").last.click()  # Two
    expect(second.page.get_by_text("Two: waiting")).to_have_count(0)
    assert queue(second) == lines[:2]
    assert second.facts["One"] == "Waiting, 1 ahead"
    button(first, "Stop").click()
    wait_for(first, "Stopped")
    wait_for(second, "Finished")  # without anything being pressed
    expect(second.page.get_by_role("heading", name="Queue")).to_have_count(0)
    expect(first.page.get_by_role("heading", name="Queue")).to_have_count(0)
    assert first.facts["Private"] == "Stopped"


def test_finished_run_denoises_for_its_visitor_and_by_link_for_another(visit_train, visit, server):
    visitor = wait_for(start_run(visit_train(SHORT), "My network"), "Finished")
    visitor.idle().page.get_by_role("link", name="Denoise with it").click()
    visitor.page.get_by_role("heading", name="What does the bottleneck keep").wait_for()
    visitor.whole()
    name = visitor.link["run"]
    assert on_disk(server)[name]["state"] == "finished"
    box = visitor.page.get_by_test_id("stSelectbox").filter(has_text="Network")
    assert "My network" in box.inner_text() or box.get_by_role("combobox").input_value() == "My network"
    pictures = visitor.sources
    assert len(pictures) == 4
    visitor.choose("Network", "Shipped with the app").wait_for_link(run="").whole()
    assert visitor.sources != pictures
    visitor.choose("Network", "My network").wait_for_link(run=name).whole()
    assert visitor.sources == pictures

    stranger = visit(server, f"?run={name}").whole()
    assert stranger.sources == pictures
    newcomer = visit(server).whole().page
    newcomer.get_by_role("combobox", name="Network").click()
    assert "as published" in newcomer.get_by_role("listbox").inner_text()
    assert "My network" not in newcomer.get_by_role("listbox").inner_text()


PARTS = {
    "heading": "h1",
    "train": ".st-key-train button",
    "pause": ".st-key-live_pause button",
    "step": ".st-key-live_step button",
    "stop": ".st-key-live_stop button",
    "progress": "progress",
    "facts": ".facts",
    "grid": ".grid",
    "curve": ".st-key-live_curve",
    "plane": ".st-key-live_plane",
    "network": "[data-testid=stMain] [data-testid=stExpander]",
}


PLACES = """
parts => Object.fromEntries(Object.entries(parts).map(([name, part]) => {
  const boxes = [...document.querySelectorAll(part)].map(element => element.getBoundingClientRect());
  const box = boxes.find(box => box.width > 0 && box.height > 0);
  return [name, box ? [box.left, box.top, box.width, box.height] : null];
}))
"""


def places(visitor):
    """Left, top, width and height of every part, all at one moment; None for what is not there."""
    return visitor.page.evaluate(PLACES, PARTS)


def moved(before, after):
    """What is not where it was, within two pixels, or of another size, or gone."""
    return {
        name: (before[name], after[name])
        for name in before
        # The last button changes its word and its width; nothing that was there before is at its right.
        if after[name] is None or np.abs(np.subtract(before[name], after[name]))[: 2 if name == "stop" else 4].max() > 2
    }


def test_nothing_jumps(visit_train):
    visitor = visit_train(LONG).idle()
    before = places(visitor)
    for part in ("heading", "train", "pause", "grid", "curve", "plane"):
        assert before[part][1] + before[part][3] <= 768, part  # seen without scrolling on a projector
    start_run(visitor, "A name much too long to be shown in a line of numbers whole")
    for _ in range(20):  # waiting for its turn, preparing, the first pictures
        assert moved(before, places(visitor)) == {}
        time.sleep(0.1)
    past(visitor, 100)
    assert moved(before, places(visitor)) == {}
    button(visitor, "Pause").click()
    wait_for(visitor, "Paused")
    assert moved(before, places(visitor)) == {}
    button(visitor, "Stop").click()
    wait_for(visitor, "Stopped")
    visitor.idle()
    assert moved(before, places(visitor)) == {}


def test_shortcuts_do_nothing_in_the_name_field(visit_train):
    visitor = past(start_run(visit_train(LONG)), 5)
    field = visitor.page.get_by_label("Name")
    field.click()
    visitor.page.keyboard.type("x stops, p pauses")
    assert field.input_value() == "x stops, p pauses"
    at = step_of(visitor)
    past(visitor, at + 50)
    assert visitor.facts["State"] == "Training"
    assert field.input_value() == "x stops, p pauses"  # kept while the page is drawn again and again


def test_run_of_a_killed_server_is_interrupted_and_goes_on_where_it_was(visit, start):
    killed = start()
    visitor = ready(visit(killed, f"train?{QUICK}&num_train=500&epochs=16&batch_size=10&seed=3"))
    start_run(visitor, "Cut off")
    visitor.page.wait_for_function(
        "parseFloat(document.querySelectorAll('.facts > div > span')[1].textContent) > 1.1", polling=20
    )
    killed.kill()
    visitor.page.close()
    visitor.errors.clear()  # of a browser whose server is gone
    ((name, run),) = on_disk(killed).items()
    assert run["state"] == "running"
    assert 1 <= run["epochs"] < 16
    history = (killed.runs / name / "history.csv").read_text(encoding="utf-8")

    server = start()
    visitor.root = server.root
    again = visitor.another_tab(f"runs?runs={name}")
    again.page.locator("td", has_text="interrupted").wait_for(state="attached")
    again.click("Resume")
    again.page.get_by_role("heading", name="How does a network learn to do that?").wait_for()
    wait_for(again, "Finished")
    run = on_disk(server)[name]
    assert (run["state"], run["epochs"], run["step"]) == ("finished", 16, 800)
    whole = (server.runs / name / "history.csv").read_text(encoding="utf-8")
    assert whole.startswith(history)
    assert [row.partition(",")[0] for row in whole.split()] == ["epoch", *map(str, range(1, 17))]
