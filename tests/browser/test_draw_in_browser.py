"""The Draw page as people use it: real pointer events on the pad, a real file, the pictures that come of them."""

import io

import numpy as np
import pytest
from drawer import Drawer
from PIL import Image

from cae_core.inputs import drawing

pytestmark = pytest.mark.browser

THREE = [
    (80, 70), (110, 45), (150, 45), (175, 75), (160, 110), (120, 130), (165, 145), (185, 185), (160, 225), (110, 235),
    (75, 210),
]  # fmt: skip
LINE = [(140, 50), (140, 230)]


@pytest.fixture
def drawer(visit, server):
    return Drawer(visit(server, "draw")).ready()


def test_a_drawing_is_answered_while_the_pen_is_down_and_survives_settings_and_a_visit_elsewhere(drawer):
    before = drawer.answer
    drawer.page.mouse.move(*drawer.at(*THREE[0]))
    drawer.page.mouse.down()
    for point in THREE[1:8]:
        drawer.page.mouse.move(*drawer.at(*point), steps=6)
        drawer.page.wait_for_timeout(60)
    drawer.page.wait_for_function(
        "old => document.querySelector('.drawn img[alt^=\"reconstructed\"]').src !== old", arg=before
    )
    middle = drawer.answer
    for point in THREE[8:]:
        drawer.page.mouse.move(*drawer.at(*point), steps=6)
    drawer.page.mouse.up()
    drawer.changed(middle)
    ink = drawer.pad
    assert 0.03 < ink.mean() < 0.2
    shown = drawer.tile("your drawing")
    np.testing.assert_allclose(shown, ink.reshape(28, 10, 28, 10).mean(axis=(1, 3)), atol=0.01)
    np.testing.assert_allclose(drawer.tile("what the network sees"), drawing.centre(ink), atol=0.01)
    error = np.mean((drawer.tile("reconstructed") - drawing.centre(ink)) ** 2)
    assert error < 0.02
    assert drawer.error == pytest.approx(error, abs=2e-4)

    drawer.visitor.press("Noise factor", "ArrowRight").wait_for_link(added_noise="0.05")
    np.testing.assert_array_equal(drawer.pad, ink)
    drawer.page.get_by_role("link", name="Denoise").click()
    drawer.visitor.whole()
    drawer.page.get_by_role("link", name="Draw").click()
    drawer.ready()
    np.testing.assert_array_equal(drawer.pad, ink)
    assert drawer.visitor.link["ready"] == "own"


def test_mouse_keys_clear_undo_and_ready_drawings(drawer, expect):
    """Everything about the pad can be done by keyboard, and it says what is on it."""
    three, before = drawer.pad, drawer.answer
    drawer.draw([LINE]).changed(before)
    line = drawer.pad
    assert line[:, :100].max() == 0, "the first stroke replaces a ready drawing"
    assert line[140, 140] == 1
    pen = drawer.page.get_by_role("slider", name="Pen width")
    pen.focus()
    for _ in range(8):
        drawer.page.keyboard.press("ArrowRight")
    before = drawer.answer
    drawer.draw([[(60, 140), (220, 140)]]).changed(before)
    assert 36 <= (drawer.pad[:, 100] > 0.5).sum() <= 44, "24 and eight steps of 2 are 40 pixels"
    undo, clear = (drawer.page.get_by_role("button", name=name) for name in ("Undo the last stroke", "Clear the pad"))
    before = drawer.answer
    undo.press("Enter")
    drawer.changed(before)
    np.testing.assert_array_equal(drawer.pad, line)
    clear.click()
    expect(drawer.page.get_by_text("The pad is empty")).to_be_visible()
    assert drawer.pad.max() == 0
    undo.click()
    expect(drawer.page.get_by_text("The pad is empty")).to_have_count(0)
    np.testing.assert_array_equal(drawer.pad, line)
    drawer.visitor.idle()
    undo.click()
    drawer.visitor.idle()
    np.testing.assert_allclose(drawer.pad, three, atol=0.01)

    before = drawer.answer
    for key in ("Shift+ArrowUp", "Space", "Shift+ArrowDown", "Shift+ArrowDown", "ArrowRight", "Space", "ArrowRight"):
        drawer.canvas.press(key)
    drawer.changed(before)
    ink = drawer.pad
    assert ink[100:180, 140].min() == 1  # from 40 pixels above the middle to 40 below it
    assert ink[180, 150] == 1
    assert ink[180, 175:].max() == 0  # the pen was up
    expect(drawer.canvas).to_have_accessible_description(drawing.describe(ink))
    before = drawer.answer
    drawer.pill("House").changed(before)
    assert np.abs(drawer.pad - ink).max() > 0.5
    assert "Unlike the training data" in drawer.page.locator(".drawn").inner_text()


def test_finger_draws_and_the_page_stays_where_it_is(visit, server):
    visitor = visit(server, "draw", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    drawer = Drawer(visitor).ready()
    before = drawer.answer
    for control in (
        *(drawer.page.get_by_role("button", name=name).first for name in ("Undo", "Clear")),
        drawer.page.get_by_role("slider", name="Pen width"),
    ):
        box = control.bounding_box()
        assert min(box["width"], box["height"]) >= 40
    drawer.canvas.scroll_into_view_if_needed()
    session = visitor.context.new_cdp_session(visitor.page)
    top = drawer.canvas.bounding_box()["y"]
    for i in range(9):
        x, y = drawer.at(140, 60 + 20 * i)
        kind = "touchMove" if i else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    drawer.changed(before)
    assert drawer.canvas.bounding_box()["y"] == top, "the finger drew and scrolled as well"
    rows = np.flatnonzero(drawer.pad[:, 140] > 0.5)
    assert rows.min() < 70
    assert rows.max() > 205


def test_a_file_reaches_the_pad_and_one_that_cannot_be_used_leaves_it(drawer, expect):
    def upload(name, data):
        file = {"name": name, "mimeType": "image/png", "buffer": data}
        drawer.page.locator('input[type="file"]').set_input_files(file)
        drawer.visitor.idle()

    image, picture = Image.new("L", (60, 90), 255), io.BytesIO()
    image.paste(0, (26, 20, 34, 70))
    image.save(picture, "PNG")
    before = drawer.answer
    upload("one.png", picture.getvalue())
    drawer.changed(before)
    assert (drawer.pad[140, 140], drawer.pad[5, 140]) == (1, 0)
    assert drawer.visitor.link["ready"] == "own"
    kept = drawer.pad
    for data, says in ((picture.getvalue()[:90], "damaged or was cut off"), (b"", "is empty")):
        upload("bad.png", data)
        expect(drawer.page.get_by_role("alert").filter(has_text=says)).to_be_visible()
        np.testing.assert_array_equal(drawer.pad, kept)
