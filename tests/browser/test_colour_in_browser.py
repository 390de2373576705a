"""The Colour page as people use it: a real server, a real browser, a photograph from a file, both chains in training."""

import io

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.browser

LINK = "colour?chain_images=100&chain_epochs={}"
TOPS = """
() => {
  const tops = [...document.querySelectorAll(".stMain progress, .stMain .facts, .stMain .grid, .stMain table, .stMain h3")]
    .map(e => e.getBoundingClientRect().top);
  return tops.map(top => Math.round(top - tops[0]));  // a click scrolls the page
}
"""


def picture(grey=False):
    """A photograph's bytes, 300 × 200 pixels."""
    pixels = np.full((200, 300, 3), (60, 120, 210), np.uint8)
    pixels[100:] = (50, 140, 60)
    image = Image.fromarray(pixels)
    buffer = io.BytesIO()
    (image.convert("L") if grey else image).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def opened(visit, server, epochs=1, **context):
    visitor = visit(server, LINK.format(epochs), **context)
    visitor.page.locator('.grid img[alt*="coloured, trained with mse"]').wait_for()
    visitor.page.locator('[data-testid="stFileUploader"] button').first.wait_for()
    return visitor.idle()


def upload(visitor, grey):
    file = {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": picture(grey)}
    visitor.page.locator('[data-testid="stFileUploader"] input[type=file]').set_input_files(file)
    visitor.page.locator('.photos img[alt*="trained with mse"]').wait_for()
    return visitor.idle()


def test_digits_are_there_in_both_guesses_and_can_be_exchanged(visit, server):
    visitor = opened(visit, server)
    rows = list(visitor.sources)
    assert rows[0].startswith("10 images, their luma")
    assert [("bce" in row, "mse" in row) for row in rows[1:3]] == [(True, False), (False, True)]
    first = visitor.sources["10 images, in their true colours"]
    visitor.page.get_by_role("button", name="New images").click()
    visitor.wait_for_link(seed="1")
    assert visitor.sources["10 images, in their true colours"] != first


def test_a_photograph_is_coloured_beside_the_truth_and_a_grey_one_alone(visit, server):
    visitor = upload(opened(visit, server), grey=False)
    assert visitor.page.locator(".photos img").count() == 4
    assert visitor.page.get_by_text("Your picture has 300 × 200 pixels").count() == 1
    visitor.page.locator('[data-testid="stFileUploader"]').get_by_role("button").last.click()  # take it away again
    visitor.idle()
    upload(visitor, grey=True)
    visitor.page.get_by_text("nothing to compare with").wait_for()
    assert visitor.page.locator(".photos img").count() == 3


def test_both_chains_learn_and_nothing_jumps(visit, server):
    visitor = opened(visit, server, epochs=20)
    before = visitor.page.evaluate(TOPS)
    visitor.page.locator(".st-key-together_start button:enabled").click()
    visitor.page.locator('.grid img[alt*="reconstructed by Grey to colour, as listed"]').wait_for()
    assert visitor.page.evaluate(TOPS) == before
    visitor.page.locator(".st-key-together_stop button:enabled").click()
    visitor.page.get_by_text("Stopped").first.wait_for()
