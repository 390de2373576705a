"""The Latent page as people use it: a point, a spot, a drag, the keyboard, a lasso, a path, and the files to download."""

import re
import time
import zipfile

import numpy as np
import pytest
from PIL import Image

from cae_core import runs
from cae_core.latent import embedding, holes

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def oracle():
    """The points of the opening plane and its scale, computed here."""
    codes = embedding.encode(runs.find("strokes-b2-bce-clean"), "strokes", 500)
    plane = embedding.plane(codes)
    return codes, embedding.scale(plane, True)


@pytest.fixture
def latent(visit, server):
    def open_page(link="points=500", **context):
        visitor = visit(server, f"latent?{link}", **context)
        visitor.page.locator(".chosen img").first.wait_for()
        return visitor.idle()

    return open_page


def title(visitor):
    return visitor.page.locator(".st-key-chosen h2")


# A hand that is quicker than the page answers: the last place is reached while the first is still being decoded.
DRAG = """
places => {
  const canvas = document.querySelector(".plane canvas");
  for (const [clientX, clientY] of places) canvas.dispatchEvent(new PointerEvent("pointermove", { clientX, clientY }));
}
"""


def place(visitor, share):
    """Pixels of a share of the picture."""
    box = visitor.page.locator(".plane canvas").bounding_box()
    return box["x"] + share[0] * box["width"], box["y"] + (1 - share[1]) * box["height"]


def loneliest(shares):
    """The point farthest from all others, well inside the picture."""
    distances = np.linalg.norm(shares[:, None] - shares[None], axis=2)
    np.fill_diagonal(distances, 9)
    inside = ((shares > 0.05) & (shares < 0.95)).all(axis=1)
    return int(np.argmax(distances.min(axis=1) * inside))


def emptiest(shares):
    """A spot with no point near."""
    x, y = np.meshgrid(np.linspace(0.05, 0.95, 60), np.linspace(0.05, 0.95, 60))
    spots = np.stack([x.ravel(), y.ravel()], axis=1)
    return spots[np.argmax(np.linalg.norm(spots[:, None] - shares[None], axis=2).min(axis=1))]


def draw(visitor, tool, places):
    """Draws with a tool of the plane through these shares of the picture."""
    visitor.click(tool)
    visitor.page.mouse.move(*place(visitor, places[0]))
    visitor.page.mouse.down()
    for share in places[1:]:
        visitor.page.mouse.move(*place(visitor, share))
    visitor.page.mouse.up()


def numbers(visitor, setting):
    """The places that the address has for a setting, `(n, 2)`."""
    return np.array([float(number) for number in visitor.link[setting].split(",")]).reshape(-1, 2)


def test_a_point_a_spot_a_lasso_and_a_path_are_chosen_by_hand(latent, oracle, expect, tmp_path):
    codes, scale = oracle
    shares = scale.shares(codes.z)
    visitor = latent()
    i = loneliest(shares)
    visitor.page.mouse.click(*place(visitor, shares[i]))
    expect(title(visitor)).to_have_text(f"Image {i}: {codes.labels[i]}")
    visitor.wait_for_link(image=str(i), spot="")

    spot = emptiest(shares)
    visitor.page.mouse.click(*place(visitor, spot))
    expect(title(visitor)).to_contain_text("Spot")
    np.testing.assert_allclose(scale.shares(numbers(visitor.idle(), "spot"))[0], spot, atol=0.006)
    shown = visitor.page.locator(".chosen .large img").first.get_attribute("alt")
    assert shown.startswith("the image decoded at")
    visitor.page.reload()  # the address has it all
    expect(title(visitor)).to_contain_text("Spot")
    assert visitor.page.locator(".chosen .large img").first.get_attribute("alt") == shown

    drawn = [(0.3, 0.7), (0.6, 0.7), (0.6, 0.5), (0.3, 0.5)]
    draw(visitor.idle(), "Lasso", drawn)
    expect(title(visitor)).to_contain_text("images")
    corners = scale.shares(numbers(visitor.idle(), "area"))
    np.testing.assert_allclose(corners, drawn, atol=0.01)
    inside = embedding.within(shares, corners)
    expect(title(visitor)).to_have_text(f"{len(inside)} images")
    assert len(inside) > 5

    draw(visitor, "Path", [(0.2 + step / 50, 0.2 + 0.3 * np.sin(step / 10)) for step in range(30)])
    expect(title(visitor)).to_have_text("Along your path")
    visitor.idle()
    with visitor.page.expect_download() as waiting:
        visitor.click("Download as GIF")
    gif = Image.open(waiting.value.path())
    assert gif.size == (168, 168)
    assert gif.n_frames > 20


def test_drag_and_arrow_keys_move_a_spot(latent, oracle, expect):
    _, scale = oracle
    visitor = latent()
    page = visitor.page
    there_and_on = [place(visitor, (0.5 + step / 40, 0.5 + step / 60)) for step in (5, 8, 11)]
    page.mouse.move(*place(visitor, (0.5, 0.5)))
    page.mouse.down()
    page.evaluate(DRAG, there_and_on)
    expect(title(visitor)).to_contain_text("Spot")
    page.mouse.up()
    end = time.monotonic() + 10
    while True:  # the address follows the hand, a moment later
        visitor.idle()
        (spot,) = numbers(visitor, "spot")
        if np.allclose(scale.shares([spot])[0], (0.5 + 11 / 40, 0.5 + 11 / 60), atol=0.008):
            break
        assert time.monotonic() < end, spot
    page.locator(".plane canvas").focus()
    before = page.evaluate("location.search")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("before => location.search !== before", arg=before)
    visitor.idle()
    (moved,) = numbers(visitor, "spot")
    assert moved[0] < spot[0]
    assert moved[1] == pytest.approx(spot[1], rel=1e-2, abs=0.1)


def test_a_click_in_a_hole_says_why_and_a_key_leads_to_the_image_beside_it(latent, oracle, expect):
    codes = embedding.encode(oracle[0].run, "strokes", 2000)
    plane = embedding.plane(codes)
    scale = embedding.scale(plane, True)
    (hole, *_) = holes.find(codes, plane, scale)
    visitor = latent("points=2000")
    canvas = visitor.page.locator(".plane canvas")
    expect(canvas).to_have_accessible_description(re.compile("10 classes. Class 0: [0-9]+ codes, .* Hole 1, where no code"))
    visitor.page.mouse.click(*place(visitor, hole.middle))
    expect(title(visitor)).to_contain_text("in a hole")
    expect(visitor.page.locator(".st-key-hole_figures")).to_contain_text("of 5,000; usually")
    visitor.click("BCE or MSE?", "link").wait_for_link(view="losses", dataset="strokes")
    visitor.click("Latent", "link").wait_for_link(points="2000")  # and back everything is as it was
    expect(title(visitor)).to_contain_text("in a hole")
    canvas.press("Enter")
    nearest = np.linalg.norm(scale.shares(codes.z) - hole.middle, axis=1).argsort()[:3]  # of those on the circle, one
    expect(title(visitor)).to_have_text(re.compile("|".join(f"Image {i:,}: {codes.labels[i]}" for i in nearest)))


def test_a_click_on_the_sheet_chooses_a_sample_and_the_projectors_files_download(latent, expect):
    visitor = latent("points=500&run=strokes-vae-b2&part=generate")
    sheet = visitor.page.locator(".samples img")
    side = sheet.bounding_box()["width"] / 10
    sheet.click(position={"x": 3.5 * side, "y": 2.5 * side})
    visitor.wait_for_link(sample="24")
    expect(visitor.page.locator(".st-key-copied figcaption").first).to_have_text("Sample 24")
    visitor.open("latent?points=500&part=export")
    with visitor.page.expect_download() as waiting:
        visitor.click("Download for the projector")
    with zipfile.ZipFile(waiting.value.path()) as folder:
        assert {"vectors.tsv", "metadata.tsv", "sprite.png", "projector_config.pbtxt"} < set(folder.namelist())


def test_a_tap_on_a_phone_is_a_spot(latent):
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    visitor = latent("points=500&grid_behind=on&part=sliders", **phone)
    page = visitor.page
    page.touchscreen.tap(*place(visitor, (0.02, 0.02)))
    page.wait_for_function("() => document.querySelector('.chosen h2').textContent.startsWith('Spot')")
