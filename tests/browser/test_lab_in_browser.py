"""Runs side by side on the Architectures page as people use them: the real server, a real browser, runs that train."""

import pytest

pytestmark = pytest.mark.browser

LINK = "architectures?view=sparsity&sparse_images={}&sparse_epochs={}"
TOPS = """
() => [...document.querySelectorAll(".stMain progress, .stMain .facts, .stMain .grid, .stMain table, .stMain h3")]
  .map(e => Math.round(e.getBoundingClientRect().top))
"""


def state_is(visitor, words):
    visitor.page.wait_for_function(
        "words => document.querySelector('.facts > div > span')?.textContent.startsWith(words)", arg=words, polling=20
    )
    return visitor


def opened(visit, server, images, epochs, **context):
    visitor = visit(server, LINK.format(images, epochs), **context)
    visitor.page.locator(".st-key-lesson").wait_for()
    visitor.page.locator(".js-plotly-plot .main-svg").nth(3).wait_for(state="attached")
    return visitor


def press(visitor, key):
    visitor.page.locator(f".st-key-together_{key} button:enabled").click()


def test_four_runs_learn_side_by_side_and_nothing_jumps(visit, server):
    visitor = opened(visit, server, 500, 40)
    before = visitor.page.evaluate(TOPS)
    press(visitor, "start")
    state_is(visitor, "Training")
    visitor.page.locator('.grid img[alt*="reconstructed by No penalty"]').wait_for()
    first = visitor.page.locator('.grid img[alt*="reconstructed by No penalty"]').get_attribute("src")
    visitor.page.wait_for_function(
        """first => document.querySelector('.grid img[alt*="reconstructed by No penalty"]').src !== first""", arg=first
    )
    assert visitor.page.evaluate(TOPS) == before
    press(visitor, "pause")
    state_is(visitor, "Paused")
    steps = visitor.facts["Steps"]
    visitor.page.wait_for_timeout(1000)
    assert visitor.facts["Steps"] == steps
    press(visitor, "pause")
    state_is(visitor, "Training")
    press(visitor, "stop")
    state_is(visitor, "Stopped")
    assert visitor.page.evaluate(TOPS) == before
    visitor.page.reload()  # what has ended stays to be seen
    state_is(visitor, "Stopped")
    assert visitor.page.locator('.grid img[alt*="reconstructed"]').count() == 4
