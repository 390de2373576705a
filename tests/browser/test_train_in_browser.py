"""The Train page as people use it: the real server, a real browser, runs that really train."""

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
    """`visit_train(link)`: a new visitor of the Train page, which is complete."""
    return lambda link: ready(visit(server, link))


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


def key(visitor, name):
    """Presses a key where no field has the focus."""
    visitor.page.evaluate("document.activeElement.blur()")
    visitor.page.keyboard.press(name)


PARTS = {
    "heading": "h1", "train": ".st-key-train button", "pause": ".st-key-live_pause button",
    "step": ".st-key-live_step button", "stop": ".st-key-live_stop button", "progress": "progress", "facts": ".facts",
    "grid": ".grid", "curve": ".st-key-live_curve", "plane": ".st-key-live_plane",
    "network": "[data-testid=stMain] [data-testid=stExpander]",
}  # fmt: skip
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


def test_a_run_learns_before_your_eyes_and_nothing_jumps(visit_train):
    visitor = visit_train(LONG).idle()
    before = places(visitor)
    for part in ("heading", "train", "pause", "grid", "curve", "plane"):
        assert before[part][1] + before[part][3] <= 768, part  # seen without scrolling on a projector
    start_run(visitor, "A name much too long to be shown in a line of numbers whole")
    errors = {}  # by picture, as they came
    while len(errors) < 8 or [*errors.values()][-1] > 0.6 * [*errors.values()][0]:  # waiting and preparing come before
        assert not visitor.facts["Step"].startswith("50,000"), errors
        for alt, src in visitor.sources.items():
            if "reconstructed" in alt:
                errors.setdefault(src, float(alt.rpartition(" ")[2]))
        assert moved(before, places(visitor)) == {}
        time.sleep(0.05)
    assert re.fullmatch(r"MSE 0\.\d{4}", visitor.page.locator(".grid .label small").last.inner_text())
    assert re.fullmatch(r"[\d,]+ of 50,000", visitor.facts["Step"])
    assert re.fullmatch(r"\d+ steps/s", visitor.facts["Speed"])
    assert re.fullmatch(r"[\d.]+ (s|min|h)", visitor.facts["Time left"])
    assert 0 < visitor.page.locator("progress").evaluate("bar => bar.value / bar.max") < 1
    visitor.page.wait_for_function(  # between two pictures there may be none for a moment
        "document.querySelectorAll('.js-plotly-plot')[1]?.querySelectorAll('.point').length === 500", polling=20
    )
    button(visitor, "Pause").click()
    wait_for(visitor, "Paused")
    assert moved(before, places(visitor)) == {}
    button(visitor, "Stop").click()
    wait_for(visitor, "Stopped").idle()
    assert moved(before, places(visitor)) == {}


def test_pause_step_resume_and_stop_by_button_and_key(visit_train, server):
    visitor = past(start_run(visit_train(LONG)), 5)

    def stands_still():
        at = step_of(wait_for(visitor, "Paused").idle())  # the word is there before the last step's number
        time.sleep(0.5)
        assert step_of(visitor) == at
        return at

    field = visitor.page.get_by_label("Name")
    field.click()
    visitor.page.keyboard.type("x stops, p pauses")  # not where one writes
    past(visitor, step_of(visitor) + 50)
    assert visitor.facts["State"] == "Training"
    assert field.input_value() == "x stops, p pauses"  # kept while the page is drawn again and again

    def by_key(name):
        return lambda: key(visitor, name)

    def by_button(label):
        return lambda: button(visitor, label).click()

    for pause, step, resume in (
        (by_button("Pause"), by_key("s"), by_key("p")),
        (by_key("p"), by_button("One step"), by_button("Resume")),
    ):
        pause()
        at = stands_still()
        step()
        past(visitor, at)
        assert stands_still() == at + 1
        resume()
        past(visitor, at + 20)
    key(visitor, "x")
    wait_for(visitor, "Stopped")

    visitor.idle().page.get_by_role("link", name="Time machine").click()
    visitor.page.get_by_role("heading", name="Which settings made the difference?").wait_for()
    visitor.page.wait_for_function("location.pathname === '/runs' && location.search.includes('runs=')")
    run = on_disk(server)[visitor.link["runs"]]
    assert run["state"] == "stopped"
    assert run["step"] > at + 20
    assert run["metrics"]["clean"]["mse"] < 0.1


def test_run_goes_on_without_its_visitor(visit_train):
    visitor = past(start_run(visit_train(LONG), "Still there"), 20)
    visitor.page.reload()
    last = step_of(wait_for(ready(visitor), "Training"))
    assert visitor.facts["Still there"] == "Training"
    visitor.page.close()
    tab = past(wait_for(ready(visitor.another_tab("train")), "Training"), last + 20)
    assert tab.facts["Still there"] == "Training"
    tab.page.get_by_role("link", name="Denoise", exact=True).click()
    tab.page.get_by_role("heading", name="What does the bottleneck keep").wait_for()
    tab.page.get_by_role("link", name="Train", exact=True).click()
    assert wait_for(ready(tab), "Training").facts["Still there"] == "Training"
    button(tab, "Stop").click()
    wait_for(tab, "Stopped")


def queue(visitor):
    """The lines of the queue, without their numbers and times."""
    lines = visitor.page.locator("[data-testid=stMarkdown] p").all_inner_texts()
    numbered = [re.fullmatch(r"(\d+)\. (.*)", line) for line in lines]
    return [line[2].partition(", about")[0] for line in numbered if line]


def test_two_visitors_take_turns_and_the_second_denoises_with_what_came_of_it(visit_train, visit, server, expect):
    first = past(start_run(visit_train(LONG), "Private"), 5)
    second = visit_train(SHORT)
    for name in "psx":
        key(second, name)  # another's run is not theirs to steer
    past(first, step_of(first) + 20)

    start_run(second, "One")
    wait_for(second, "Waiting, 1 ahead")
    start_run(second, "Two")
    expect(second.page.get_by_text("Two: waiting")).to_be_visible()
    lines = ["another visitor's run: training", "One: waiting", "Two: waiting"]
    assert queue(second) == lines
    expect(first.page.get_by_text("another visitor's run: waiting")).to_have_count(2)  # by itself
    second.page.locator("[class*=st-key-withdraw_] button").last.click()  # Two
    expect(second.page.get_by_text("Two: waiting")).to_have_count(0)
    assert queue(second) == lines[:2]
    button(first, "Stop").click()
    wait_for(first, "Stopped")
    wait_for(second, "Finished")  # without anything being pressed
    for visitor in (first, second):
        expect(visitor.page.get_by_role("heading", name="Queue")).to_have_count(0)

    second.idle().page.get_by_role("link", name="Denoise with it").click()
    second.page.get_by_role("heading", name="What does the bottleneck keep").wait_for()
    pictures, name = second.whole().sources, second.link["run"]
    assert on_disk(server)[name]["state"] == "finished"
    second.choose("Network", "Shipped with the app").wait_for_link(run="").whole()
    assert second.sources != pictures
    second.choose("Network", "One").wait_for_link(run=name).whole()
    assert second.sources == pictures
    assert visit(server, f"?run={name}").whole().sources == pictures  # whoever has the link
