"""A class opens the app while its server starts: what the controls show is what the address and the pictures say."""

import re
import time

import pytest
from live import PATIENCE
from visitor import Visitor

pytestmark = pytest.mark.browser

APART = 0.5  # seconds between two tabs

# Controls as a visitor sees them, by label. One that was not given its value stands at its minimum, or nothing is chosen.
CONTROLS = """
() => {
  const controls = {}, text = element => element.innerText.trim();
  const each = (test_id, value) => {
    for (const box of document.querySelectorAll(`[data-testid="${test_id}"]`))
      controls[text(box.querySelector("label"))] = value(box);
  };
  each("stSlider", box => text(box.querySelector('[data-testid="stSliderThumbValue"]')));
  each("stButtonGroup", box => [...box.querySelectorAll("[aria-checked=true]")].map(text).join());
  each("stSelectbox", box => box.querySelector("input").value || text(box.querySelector("[data-baseweb=select]") || box));
  each("stNumberInput", box => box.querySelector("input").value);
  return controls;
}
"""

# The links that a class opens, and what the controls have to show there.
CLASS = [
    ("", {"Noise factor": "0.50", "Bottleneck": "32", "Loss": "BCE", "Model trained on": "Noisy images"}),
    ("denoise?noise_factor=0.8", {"Noise factor": "0.80", "Bottleneck": "32", "Data set": "Strokes"}),
    ("?noise_factor=0.3&bottleneck=8&loss=mse&trained_on=clean",
     {"Noise factor": "0.30", "Bottleneck": "8", "Loss": "MSE", "Model trained on": "Clean images"}),
    ("train?bottleneck=16&loss=mse&noise_factor=0.2", {"Noise factor": "0.20", "Bottleneck": "16", "Loss": "MSE"}),
    ("latent?points=500&bottleneck=8", {"Points shown": "500", "Bottleneck": "8", "Loss": "BCE"}),
    ("architectures?view=race&race_noise=0.4", {"Noise factor": "0.40", "What to look at": "Decoder race"}),
    ("stacked?stack_view=mine&layers=3&maps=9", {"Layers": "3", "Maps": "9"}),
    ("", {"Noise factor": "0.50", "Bottleneck": "32", "Loss": "BCE", "Model trained on": "Noisy images"}),
]  # fmt: skip


def lying_controls(browser, server, links=CLASS, throttle=1):
    """Opens the links while the server starts, each in a browser of its own; the controls that show something else."""
    tabs, lies, shown = [], [], None
    for link, _ in links:
        tab = Visitor(browser.new_context(viewport={"width": 1366, "height": 768}), server.root)
        tab.context.set_default_timeout(PATIENCE * 1000)
        tab.context.new_cdp_session(tab.page).send("Emulation.setCPUThrottlingRate", {"rate": throttle})
        tab.page.goto(server.root + link, wait_until="commit")
        tabs.append(tab)
        time.sleep(APART)
    tabs[0].whole()  # the networks are there
    while shown != (shown := [tab.idle().page.content() for tab in tabs]):
        time.sleep(2)
    for tab, (link, expected) in zip(tabs, links, strict=True):
        controls = tab.page.evaluate(CONTROLS)
        lies += [(link, label, controls.get(label)) for label, value in expected.items() if controls.get(label) != value]
        tab.context.close()
    return lies


def test_no_control_lies_on_a_server_that_is_starting(browser, expect, start):
    assert lying_controls(browser, start()) == []


def test_no_control_lies_on_slow_phones(browser, expect, start):  # each throttled tab takes a core from the server
    assert lying_controls(browser, start(), CLASS[:4:2], throttle=6) == []


# On a server's path, this holds TensorFlow back until the test lets it go. In find_spec it would hold back every import.
HOLD_BACK = """
import importlib.abc, importlib.machinery, os, sys, time

class HoldBack(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name not in ("tensorflow", "keras"):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        load = spec.loader.exec_module

        def wait(module):
            while not os.path.exists(os.environ["LET_GO"]):
                time.sleep(0.02)
            load(module)

        spec.loader.exec_module = wait
        return spec

sys.meta_path.insert(0, HoldBack())
"""


def test_a_page_that_trains_can_be_used_while_tensorflow_is_loading(visit, expect, start, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(HOLD_BACK, encoding="utf-8")
    let_go = tmp_path / "let-go"
    server = start(PYTHONPATH=str(tmp_path), LET_GO=str(let_go))
    visitor = visit(server, "train")
    button, building = visitor.page.get_by_role("button", name="Train this network"), "The network is being built"
    expect(visitor.page.get_by_text(building)).to_be_visible()
    place = button.bounding_box()
    visitor.press("Noise factor", "ArrowRight")
    expect(visitor.page).to_have_url(re.compile("noise_factor=0.55"))
    expect(visitor.page.get_by_text(building)).to_be_visible()
    visit(server).whole()  # who looks does not wait

    let_go.touch()
    expect(visitor.page.get_by_text(building)).to_have_count(0)  # without anything being pressed
    expect(visitor.page.get_by_text("parameters.")).to_be_visible()
    assert visitor.link["noise_factor"] == "0.55"
    assert button.bounding_box() == place  # nothing has jumped


def test_where_tensorflow_cannot_be_loaded_only_a_page_that_trains_says_so(visit, expect, start, tmp_path):
    stub = tmp_path / "tensorflow"
    stub.mkdir()
    stub.joinpath("__init__.py").write_text("raise ImportError('no such library')\n", encoding="utf-8")
    server = start(PYTHONPATH=str(tmp_path))
    looks, trains = visit(server).whole(), visit(server, "train")
    for visitor, alerts in ((trains, 1), (looks, 0)):
        expect(visitor.page.get_by_test_id("stAlert").filter(has_text="no such library")).to_have_count(alerts)
        visitor.idle()  # nothing asks any more
        assert visitor.page.get_by_test_id("stException").count() == 0
    assert "Traceback" not in server.log.read_text(encoding="utf-8")
