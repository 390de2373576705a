"""Layers, runs side by side, Stacked and Reproduce as people use them: what is in sight, and that nothing jumps."""

import pytest

pytestmark = pytest.mark.browser

WIDE, PHONE = {"width": 1366, "height": 768}, {"width": 390, "height": 844}
SPARSITY = "architectures?view=sparsity&sparse_images=500&sparse_epochs=40"
STACK = "stacked?stack_view=mine&dataset=strokes&maps=4&kernel=3&stack_images=500&stack_epochs=1&labels=50&tuning_steps=20"
TOPS = """
() => [...document.querySelectorAll(".stMain progress, .stMain .facts, .stMain .grid, .stMain table, .stMain h3")]
  .map(e => Math.round(e.getBoundingClientRect().top))
"""


def state_is(visitor, words):
    visitor.page.wait_for_function(
        "words => document.querySelector('.facts > div > span')?.textContent.startsWith(words)", arg=words, polling=20
    )
    return visitor


@pytest.mark.parametrize(
    ("link", "size", "answer"),
    [("reproduce", WIDE, ".facts"), *(("stacked", size, "[data-testid=stPlotlyChart]") for size in (WIDE, PHONE))],
)
def test_the_answer_needs_no_scrolling(visit, server, link, size, answer):
    visitor = visit(server, link, viewport=size)
    visitor.page.locator(answer).first.wait_for()
    box = visitor.idle().page.locator(answer).first.bounding_box()
    assert box["y"] + box["height"] < size["height"]


def test_another_image_changes_every_layers_picture_and_moves_nothing(visit, server):
    visitor = visit(server, "architectures?dataset=strokes&view=layers&architecture=conv_unpool")
    visitor.page.locator('.anatomy img[alt^="the reconstruction"]').wait_for()
    diagram, layers = visitor.idle().page.locator(".diagram"), '.anatomy img[alt^="layer "]'
    where, first = diagram.bounding_box(), visitor.page.locator('.anatomy img[alt^="what goes in"]').get_attribute("src")
    before = visitor.page.eval_on_selector_all(layers, "images => images.map(image => image.src)")
    visitor.page.get_by_role("spinbutton", name="Number of the test image").fill("3")
    visitor.page.keyboard.press("Enter")
    visitor.wait_for_link(image="3")
    visitor.page.wait_for_function("old => document.querySelector('.anatomy img').src !== old", arg=first)
    after = visitor.page.eval_on_selector_all(layers, "images => images.map(image => image.src)")
    assert len(after) == len(before) == 9  # eight layers and the switches
    assert all(old != new for old, new in zip(before, after, strict=True))
    assert diagram.bounding_box() == where
    assert visitor.page.locator(layers).first.evaluate("image => getComputedStyle(image).imageRendering") == "pixelated"


def test_four_runs_learn_side_by_side_and_nothing_jumps(visit, server):
    def press(key):
        visitor.page.locator(f".st-key-together_{key} button:enabled").click()

    visitor = visit(server, SPARSITY)
    visitor.page.locator(".js-plotly-plot .main-svg").nth(3).wait_for(state="attached")
    before = visitor.idle().page.evaluate(TOPS)
    press("start")
    state_is(visitor, "Training")
    picture = visitor.page.locator('.grid img[alt*="reconstructed by No penalty"]')
    first = picture.get_attribute("src")
    visitor.page.wait_for_function(
        """first => document.querySelector('.grid img[alt*="reconstructed by No penalty"]').src !== first""", arg=first
    )
    assert visitor.page.evaluate(TOPS) == before
    press("pause")
    steps = state_is(visitor, "Paused").facts["Steps"]
    visitor.page.wait_for_timeout(1000)
    assert visitor.facts["Steps"] == steps
    press("pause")
    state_is(visitor, "Training")
    press("stop")
    state_is(visitor, "Stopped")
    assert visitor.page.evaluate(TOPS) == before
    visitor.page.reload()  # what has ended stays to be seen
    state_is(visitor, "Stopped")
    assert visitor.page.locator('.grid img[alt*="reconstructed"]').count() == 4


def test_a_stack_learns_before_ones_eyes(visit, server, expect):
    visitor = visit(server, STACK)
    visitor.page.get_by_role("button", name="Train this stack").click()
    state_is(visitor, "Finished")
    expect(visitor.page.locator(".grid .waiting")).to_have_count(0)
    expect(visitor.page.locator(".misread img").first).to_be_visible()
    visitor.idle().page.reload()
    state_is(visitor, "Finished")  # it is theirs, also in another tab
    expect(visitor.page.locator(".confusion")).to_be_visible()
