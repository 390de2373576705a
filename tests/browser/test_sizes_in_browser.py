"""Every page and view on every screen, in both themes: all of it is there, nothing covers anything, pictures grow."""

import io

import numpy as np
import pytest
from checks import axe, flaws
from PIL import Image

import os
SHOTS = os.environ.get('SHOTS')
pytestmark = pytest.mark.browser

SIZES = {
    "phone": (390, 844),
    "200 % zoom": (683, 384),
    "small": (1024, 768),
    "laptop": (1366, 768),
    "large": (1920, 1080),
}
RUN = "train?architecture=dense&optimizer=adam&learning_rate=0.003&schedule=constant&num_train=600&epochs=2&batch_size=50"
TITLE = "https://elsewhere.example/<b>" + "w" * 60
PAIR = "strokes-b2-bce-clean,strokes-b8-mse-mixed"
VIEWS = [
    "?both_losses=on",
    "?noise_factor=7&loss=" + "x" * 200,
    "?dataset=mnist",
    "runs?runs={run}",
    "runs?whose=shipped&runs={run}," + PAIR,
    *(f"latent?points=500&part={part}" for part in ("manifold", "interpolate", "sliders", "neighbours", "export")),
    "draw?models=" + PAIR,
    *(f"architectures?view={view}" for view in ("layers", "race", "leak", "losses")),
    "architectures?view=sparsity&sparse_images=200&sparse_epochs=1",
    "reproduce",
    "stacked",
    "stacked?stack_view=mine",
    "colour",
]
GROW = ".stMain :is(.grid img, .plane canvas, .drawn img, .js-plotly-plot, .photos img, .anatomy img)"
LARGEST = f"""() => Math.max(0, ...[...document.querySelectorAll("{GROW}")].map(e => e.getBoundingClientRect()).map(box => box.width))"""
# What waits to be trained has no picture.
COMPLETE = """() => !document.querySelector(".waiting, .diagram-waiting") || document.querySelector("button[kind=primary]")"""
UNFOLD = """() => document.querySelectorAll("[data-testid=stExpander] details:not([open]) > summary").forEach(e => e.click())"""


def look(visitor, view):
    """Everything that is wrong with a view, a line each."""
    visitor.page.wait_for_function(COMPLETE)
    visitor.page.evaluate(UNFOLD)
    visitor.page.wait_for_timeout(600)  # they open slowly
    visitor.idle()
    import time; print(view, time.time(), flush=True); wrong, widths = [], {}
    for size, (width, height) in SIZES.items():
        visitor.page.emulate_media(color_scheme="dark" if size in ("phone", "200 % zoom") else "light")
        visitor.page.set_viewport_size({"width": width, "height": height})
        visitor.page.wait_for_timeout(250)  # colours fade from one theme to the other
        wrong += [f"{view}, {size}: {flaw}" for flaw in flaws(visitor)]
        widths[size] = visitor.page.evaluate(LARGEST)
        if size in ("phone", "laptop"):
            wrong += [f"{view}, {size}: {finding}" for finding in axe(visitor)]
        if SHOTS:
            full = visitor.page.evaluate("document.querySelector('.stMainBlockContainer').scrollHeight")
            visitor.page.set_viewport_size({"width": width, "height": min(5000, max(height, full + 60))})
            visitor.page.wait_for_timeout(200)
            import re
            visitor.page.screenshot(path=f"{SHOTS}/{re.sub('[^a-z0-9]+', '_', view)[:50]}-{size.replace(' ', '')}.png")
    if widths["large"] < 1.25 * widths["laptop"]:
        wrong.append(f"{view}: the largest picture is {widths['laptop']:.0f} px wide on a laptop, {widths['large']:.0f} on 1920")
    return wrong


def test_every_view_fits_every_screen(visit, server):
    visitor = visit(server, RUN, has_touch=True, reduced_motion="reduce")
    page, wrong = visitor.page, []
    page.get_by_label("Name").fill(TITLE)
    page.get_by_label("Name").press("Enter")
    visitor.click("Train this network")
    page.wait_for_function("() => document.querySelector('.facts span')?.textContent.startsWith('Finished')")
    (run,) = [folder.name for folder in server.runs.iterdir() if (folder / "run.json").exists()]
    wrong += look(visitor, "train")
    for view in VIEWS:
        page.set_viewport_size({"width": 1366, "height": 768})
        visitor.open(view.format(run=run)).idle()
        wrong += look(visitor, view)
    assert wrong == [], "\n".join(wrong)
