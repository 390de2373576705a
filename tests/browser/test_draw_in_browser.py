"""The Draw page as people use it: real pointer events on the pad, real files, the pictures that come of them."""

import io
import zlib

import numpy as np
import pytest
from drawer import Drawer
from PIL import Image

from cae_core.inputs import drawing

pytestmark = pytest.mark.browser

THREE = [
    [
        (80, 70),
        (110, 45),
        (150, 45),
        (175, 75),
        (160, 110),
        (120, 130),
        (165, 145),
        (185, 185),
        (160, 225),
        (110, 235),
        (75, 210),
    ]
]
LINE = [[(140, 50), (140, 230)]]


@pytest.fixture
def drawer(visit, server):
    return Drawer(visit(server, "draw")).ready()


def test_a_drawn_three_is_reconstructed_with_a_small_error(drawer):
    before = drawer.answer
    drawer.draw(THREE).changed(before)
    ink = drawer.pad
    assert 0.03 < ink.mean() < 0.2
    shown = drawer.tile("your drawing")
    np.testing.assert_allclose(shown, ink.reshape(28, 10, 28, 10).mean(axis=(1, 3)), atol=0.01)
    np.testing.assert_allclose(drawer.tile("what the network sees"), drawing.centre(ink), atol=0.01)
    error = np.mean((drawer.tile("reconstructed") - drawing.centre(ink)) ** 2)
    assert error < 0.02
    assert drawer.error == pytest.approx(error, abs=2e-4)


def test_keys_draw_and_the_pad_says_what_is_on_it(drawer, expect):
    before = drawer.answer
    for key in ("Shift+ArrowUp", "Space", "Shift+ArrowDown", "Shift+ArrowDown", "ArrowRight", "Space", "ArrowRight"):
        drawer.canvas.press(key)
    drawer.changed(before)
    ink = drawer.pad
    assert ink[100:180, 140].min() == 1  # from 40 pixels above the middle to 40 below it
    assert ink[180, 150] == 1
    assert ink[180, 165:].max() == 0  # the pen was up
    expect(drawer.canvas).to_have_accessible_description(drawing.describe(ink))


def test_clear_undo_and_ready_drawings(drawer, expect):
    three = drawer.pad
    before = drawer.answer
    drawer.draw(LINE).changed(before)
    line = drawer.pad
    assert line[:, :100].max() == 0, "the first stroke replaces a ready drawing"
    assert line[140, 140] == 1
    drawer.press("Clear the pad")
    expect(drawer.page.get_by_text("The pad is empty")).to_be_visible()
    assert drawer.pad.max() == 0
    drawer.press("Undo the last stroke")
    expect(drawer.page.get_by_text("The pad is empty")).to_have_count(0)
    np.testing.assert_array_equal(drawer.pad, line)
    drawer.visitor.idle()
    drawer.press("Undo the last stroke")
    drawer.visitor.idle()
    np.testing.assert_allclose(drawer.pad, three, atol=0.01)
    before = drawer.answer
    drawer.pill("House").changed(before)
    assert np.abs(drawer.pad - three).max() > 0.5
    assert "Unlike the training data" in drawer.page.locator(".drawn").inner_text()


def test_drawing_survives_settings_and_a_visit_elsewhere(drawer):
    before = drawer.answer
    drawer.draw([*THREE, LINE[0]]).changed(before)
    drawn = drawer.pad
    drawer.visitor.press("Noise factor", "ArrowRight").wait_for_link(added_noise="0.05")
    np.testing.assert_array_equal(drawer.pad, drawn)
    drawer.page.get_by_role("link", name="Denoise").click()
    drawer.visitor.whole()
    drawer.page.get_by_role("link", name="Draw").click()
    drawer.ready()
    np.testing.assert_array_equal(drawer.pad, drawn)
    assert drawer.visitor.link["ready"] == "own"
    before = drawer.answer
    drawer.press("Undo the last stroke").changed(before)
    assert 0 < drawer.pad.mean() < drawn.mean()


def test_controls_work_by_keyboard_and_are_large_enough(drawer):
    before = drawer.answer
    drawer.draw(LINE).changed(before)
    for name in ("Undo the last stroke", "Clear the pad"):
        box = drawer.page.get_by_role("button", name=name).bounding_box()
        assert min(box["width"], box["height"]) >= 40
    pen = drawer.page.get_by_role("slider", name="Pen width")
    assert pen.bounding_box()["height"] >= 40
    pen.focus()
    for _ in range(8):
        drawer.page.keyboard.press("ArrowRight")
    before = drawer.answer
    drawer.draw([[(60, 140), (220, 140)]]).changed(before)
    column = drawer.pad[:, 100]
    assert 36 <= (column > 0.5).sum() <= 44, "24 and eight steps of 2 are 40 pixels"
    before = drawer.answer
    drawer.page.get_by_role("button", name="Undo the last stroke").focus()
    drawer.page.keyboard.press("Enter")
    drawer.changed(before)
    assert drawer.pad[140, 100] == 0


def test_finger_draws_and_the_page_stays_where_it_is(visit, server):
    visitor = visit(server, "draw", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    drawer = Drawer(visitor).ready()
    before = drawer.answer
    drawer.canvas.scroll_into_view_if_needed()
    session = visitor.context.new_cdp_session(visitor.page)
    top = drawer.canvas.bounding_box()["y"]
    points = [(140, 60 + 20 * i) for i in range(9)]
    for i, point in enumerate(points):
        x, y = drawer.at(*point)
        kind = "touchMove" if i else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    drawer.changed(before)
    assert drawer.canvas.bounding_box()["y"] == top, "the finger drew and scrolled as well"
    rows = np.flatnonzero(drawer.pad[:, 140] > 0.5)
    assert rows.min() < 70
    assert rows.max() > 205
    assert visitor.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_answers_while_the_pen_is_down(drawer):
    before = drawer.answer
    stroke = THREE[0]
    drawer.page.mouse.move(*drawer.at(*stroke[0]))
    drawer.page.mouse.down()
    for point in stroke[1:8]:
        drawer.page.mouse.move(*drawer.at(*point), steps=6)
        drawer.page.wait_for_timeout(60)
    drawer.page.wait_for_function(
        "old => document.querySelector('.drawn img[alt^=\"reconstructed\"]').src !== old", arg=before
    )
    middle = drawer.answer
    for point in stroke[8:]:
        drawer.page.mouse.move(*drawer.at(*point), steps=6)
    drawer.page.mouse.up()
    drawer.changed(middle)
    np.testing.assert_allclose(drawer.tile("what the network sees"), drawing.centre(drawer.pad), atol=0.01)


def files(kind, image):
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def test_files_good_and_bad(drawer, expect):
    page = drawer.page

    def upload(name, data):
        page.locator('input[type="file"]').set_input_files({"name": name, "mimeType": "image/png", "buffer": data})
        drawer.visitor.idle()

    picture = np.full((90, 60), 255, np.uint8)
    picture[20:70, 26:34] = 0
    before = drawer.answer
    upload("one.png", files("PNG", Image.fromarray(picture)))
    drawer.changed(before)
    assert drawer.pad[140, 140] == 1
    assert drawer.pad[5, 140] == 0
    assert drawer.visitor.link["ready"] == "own"
    kept = drawer.pad
    bomb = bytearray(files("PNG", Image.new("L", (30, 30))))
    bomb[16:24] = (50_000).to_bytes(4, "big") * 2
    bomb[29:33] = zlib.crc32(bomb[12:29]).to_bytes(4, "big")
    for name, data, says in [
        ("bomb.png", bytes(bomb), "2,500 megapixels; at most 20"),
        ("text.png", b"this is no picture", "is not an image that can be read here"),
        ("cut.png", files("PNG", Image.fromarray(picture))[:90], "damaged or was cut off"),
        ("empty.png", b"", "is empty"),
        ("plain.png", files("PNG", Image.new("L", (30, 30), 0)), "all of one colour"),
    ]:
        upload(name, data)
        expect(page.get_by_role("alert").filter(has_text=says)).to_be_visible()
        np.testing.assert_array_equal(drawer.pad, kept), name
    photo = Image.fromarray(np.rot90(255 - picture // 2, 3))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    buffer = io.BytesIO()
    photo.save(buffer, "JPEG", exif=exif)
    upload("photo.jpg", buffer.getvalue())
    expect(page.get_by_role("alert")).to_have_count(0)
    assert drawer.page.get_by_text("Traceback").count() == 0
