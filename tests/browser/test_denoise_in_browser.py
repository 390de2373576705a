"""The Denoise page as people use it: the real server, a real browser, real pixels."""

import io
import re

import numpy as np
import pytest
from PIL import Image

from cae_core import datasets
from cae_core.corruptions import corrupt
from pages.parts.glossary import glossary

pytestmark = pytest.mark.browser

DEFAULTS = {
    "dataset": "strokes",
    "noise_kind": "gaussian",
    "noise_factor": "0.5",
    "trained_on": "mixed",
    "bottleneck": "32",
    "loss": "bce",
    "both_losses": "off",
    "seed": "0",
}
OTHERS = {
    "dataset": "strokes",
    "noise_kind": "masking",
    "noise_factor": "0.6",
    "trained_on": "clean",
    "bottleneck": "8",
    "loss": "mse",
    "both_losses": "on",
    "seed": "42",
}
LINK = "?" + "&".join(f"{key}={value}" for key, value in OTHERS.items())


def changed(before, after):
    """What is not the same in two sets of rows."""
    assert set(before) == set(after)
    return {name for name in before if not np.array_equal(before[name], after[name])}


def on_screen(row):
    """A row of pictures as the screen shows it, the middle of each of its own pixels; `(28, 280, 3)` uint8."""
    row.scroll_into_view_if_needed()
    shot, box = np.asarray(Image.open(io.BytesIO(row.screenshot())).convert("RGB")), row.bounding_box()
    # The screenshot begins at a whole pixel of the screen, the row perhaps between two.
    down = box["y"] % 1 + (np.arange(28) + 0.5) * box["height"] / 28
    across = box["x"] % 1 + (np.arange(280) + 0.5) * box["width"] / 280
    return shot[down.astype(int)][:, across.astype(int)]


def set_by_hand(visitor):
    """From the defaults to OTHERS, one control after another."""
    visitor.choose("Noise kind", "Masking").wait_for_link(noise_kind="masking")
    visitor.press("Noise factor", "ArrowRight", "ArrowRight").wait_for_link(noise_factor="0.6")
    visitor.press("Bottleneck", "ArrowLeft", "ArrowLeft").wait_for_link(bottleneck="8")
    visitor.page.get_by_role("radio", name="MSE").click()
    visitor.wait_for_link(loss="mse")
    visitor.page.get_by_role("radio", name="Clean images").click()
    visitor.wait_for_link(trained_on="clean")
    visitor.page.get_by_text("More", exact=True).click()
    visitor.page.get_by_text("Show both losses").click()
    visitor.wait_for_link(both_losses="on")
    visitor.page.get_by_test_id("stNumberInputField").fill("42")
    visitor.page.get_by_test_id("stNumberInputField").press("Enter")
    return visitor.wait_for_link(seed="42").whole()


def test_first_link_of_a_fresh_server_shows_what_it_always_shows(visit, start):
    fresh = start()
    first = visit(fresh, LINK).whole()
    assert first.link == OTHERS
    pictures = first.sources
    assert len(pictures) == 6
    assert visit(fresh, LINK).whole().sources == pictures
    by_hand = visit(fresh).whole()
    assert by_hand.link == DEFAULTS
    assert not set(by_hand.sources.values()) & set(pictures.values())
    set_by_hand(by_hand)
    assert by_hand.link == OTHERS
    assert by_hand.sources == pictures


def test_screen_shows_the_pixels_that_numpy_makes(visit, server):
    visitor = visit(server, "?noise_kind=salt_and_pepper&noise_factor=0.3&seed=5").whole()
    test = datasets.load("strokes", "test")
    clean = on_screen(visitor.row("clean")).reshape(28, 10, 28, 3).swapaxes(0, 1)
    for digit, image in enumerate(clean):
        distance = np.abs(test.x[test.y == digit].astype(int) - image[..., :1]).max(axis=(1, 2, 3))
        assert distance.min() <= 2
    exact = visitor.rows["clean"].reshape(28, 10, 28, 3).swapaxes(0, 1)[..., :1]
    noisy = corrupt(datasets.as_float(exact), "salt_and_pepper", 0.3, 5)
    wanted = np.rint(noisy * 255).swapaxes(0, 1).reshape(28, 280)
    assert np.abs(on_screen(visitor.row("noise,"))[..., 0] - wanted).max() <= 2
    for words, name in (
        ("reconstructed", "reconstructed, trained with BCE"),
        ("absolute", "absolute error, trained with BCE"),
    ):
        assert np.abs(on_screen(visitor.row(words)).astype(int) - visitor.rows[name]).max() <= 2


@pytest.mark.parametrize(
    ("label", "key", "there", "value", "back"),
    [
        ("Noise factor", "noise_factor", "ArrowRight", "0.55", "ArrowLeft"),
        ("Noise factor", "noise_factor", "ArrowLeft", "0.45", "ArrowRight"),
        ("Noise factor", "noise_factor", "Home", "0", None),
        ("Noise factor", "noise_factor", "End", "1", None),
        ("Bottleneck", "bottleneck", "ArrowRight", "64", "ArrowLeft"),
        ("Bottleneck", "bottleneck", "ArrowLeft", "16", "ArrowRight"),
        ("Bottleneck", "bottleneck", "Home", "2", None),
        ("Bottleneck", "bottleneck", "End", "128", None),
    ],
)
def test_slider_by_keyboard_changes_pixels_and_address(visit, server, label, key, there, value, back):
    visitor = visit(server).whole()
    before, pictures = visitor.rows, visitor.sources
    visitor.press(label, there).wait_for_link(**{key: value}).whole()
    assert visitor.link == {**DEFAULTS, key: value}
    network = {"reconstructed, trained with BCE", "absolute error, trained with BCE"}
    if key == "noise_factor" and value == "0":
        del before["noisy"]  # without noise it would be the clean row once more
    assert changed(before, visitor.rows) == network | ({"noisy"} & set(before) if key == "noise_factor" else set())
    if back:
        visitor.press(label, back).wait_for_link(**{key: DEFAULTS[key]}).whole()
        assert visitor.sources == pictures


def test_many_quick_moves_end_where_the_slider_stands(visit, server):
    visitor = visit(server).whole()
    there_and_back = (["ArrowRight"] * 8 + ["ArrowLeft"] * 8) * 3
    visitor.press("Noise factor", *there_and_back, *["ArrowRight"] * 8, *["ArrowLeft"] * 3)
    visitor.wait_for_link(noise_factor="0.75").whole()
    assert visitor.sources == visit(server, "?noise_factor=0.75").whole().sources


def test_loss_changes_only_what_the_network_makes(visit, server):
    visitor = visit(server).whole()
    before = visitor.rows
    visitor.page.get_by_role("radio", name="MSE").click()
    visitor.wait_for_link(loss="mse").whole()
    after = visitor.rows
    assert set(before) & set(after) == {"clean", "noisy"}
    for name in ("clean", "noisy"):
        np.testing.assert_array_equal(before[name], after[name])
    assert not np.array_equal(before["reconstructed, trained with BCE"], after["reconstructed, trained with MSE"])


def test_new_images_changes_every_row(visit, server):
    visitor = visit(server).whole()
    before = visitor.rows
    visitor.click("New images").wait_for_link(seed="1").whole()
    assert changed(before, visitor.rows) == set(before)


def test_reload_keeps_everything(visit, server):
    visitor = visit(server).whole()
    visitor.press("Noise factor", "ArrowRight").wait_for_link(noise_factor="0.55")
    visitor.press("Bottleneck", "ArrowLeft").wait_for_link(bottleneck="16")
    visitor.click("New images").wait_for_link(seed="1").whole()
    link, pictures = visitor.link, visitor.sources
    visitor.page.reload()
    visitor.whole()
    assert visitor.link == link
    assert visitor.sources == pictures
    assert visitor.slider("Noise factor").input_value() == "0.55"


def test_back_leaves_the_page_and_forward_returns_to_what_was_set(visit, server):
    visitor = visit(server, "_stcore/health")
    start = visitor.page.evaluate("location.href")
    visitor.open().whole()
    visitor.press("Noise factor", "ArrowRight").wait_for_link(noise_factor="0.55")
    visitor.press("Noise factor", "ArrowRight").wait_for_link(noise_factor="0.6").whole()
    pictures = visitor.sources
    visitor.page.go_back()
    assert visitor.page.evaluate("location.href") == start
    visitor.page.go_forward()
    visitor.whole()
    assert visitor.link == {**DEFAULTS, "noise_factor": "0.6"}
    assert visitor.sources == pictures


def test_malformed_link_is_explained_as_text_and_mended(visit, expect, server):
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>![x](http://elsewhere.example/x.png)"
    visitor = visit(server, f"?noise_factor=7&botleneck=8&{evil.replace('=', '%3D')}=1&loss={evil.replace('=', '%3D')}")
    visitor.whole()
    warning = visitor.page.get_by_test_id("stAlert")
    expect(warning).to_have_count(1)
    for text in (
        "noise_factor is '7'",
        "from 0 to 1",
        "Did you mean 'bottleneck'?",
        "<script>alert(1)</script>",
        "bce, mse",
    ):
        expect(warning).to_contain_text(text)
    assert warning.locator("script, img, a").count() == 0
    assert visitor.link == DEFAULTS | {evil: "1"}  # what no setting is like may be somebody else's
    assert visitor.sources == visit(server).whole().sources
    visitor.press("Noise factor", "ArrowRight").wait_for_link(noise_factor="0.55").whole()
    expect(warning).to_have_count(0)


@pytest.mark.parametrize(
    "text",
    ["www.elsewhere.example", "https://elsewhere.example", "me@elsewhere.example", ":red[x]", "$x^2$", "# Title", "1. one"],
)
def test_text_of_a_link_is_shown_as_it_is(visit, expect, server, text):
    visitor = visit(server, "?loss=" + text.replace("#", "%23")).whole()
    warning = visitor.page.get_by_test_id("stAlert")
    expect(warning).to_have_count(1)
    assert f"'{text}'" in warning.inner_text().replace("\u2060", "")
    assert warning.locator("a, h1, li, .katex").count() == 0


def test_download_is_a_picture_of_what_is_shown(visit, server):
    visitor = visit(server, "?noise_factor=0.3").whole()
    with visitor.page.expect_download() as waiting:
        visitor.click("Download as PNG")
    download = waiting.value
    assert download.suggested_filename.endswith(".png")
    picture = Image.open(download.path())
    assert picture.format == "PNG"
    lines = [line.tobytes() for line in np.asarray(picture.convert("RGB"))]
    for name, row in visitor.rows.items():
        tile = row[:, :28].repeat(4, axis=1)  # the first image, four times as large
        assert all(any(line.tobytes() in there for there in lines) for line in tile), name


def test_missing_data_set_is_offered(visit, expect, server):
    visitor = visit(server, "?dataset=mnist")
    expect(visitor.page.get_by_role("button", name="Download MNIST")).to_be_visible()
    expect(visitor.page.locator(".grid")).to_have_count(0)
    assert visitor.link["dataset"] == "mnist"
    visitor.choose("Data set", "Strokes").wait_for_link(dataset="strokes").whole()
    assert visitor.sources == visit(server).whole().sources


def test_answer_is_visible_without_scrolling_on_a_projector(visit, server):
    visitor = visit(server).whole()
    for part in ("h1", ".grid", "table.figures"):
        box = visitor.page.locator(part).bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 768, part


def test_every_picture_says_what_it_shows(visit, server):
    visitor = visit(server, "?both_losses=on").whole()
    alts = visitor.page.eval_on_selector_all("img", "images => images.map(image => image.alt)")
    assert len(alts) >= 7
    assert all(alts)
    assert len(set(alts)) == len(alts)


def test_every_word_in_sight_has_its_meaning_one_key_away(visit, server):
    page = visit(server).whole().page
    word = page.locator(".figures .word", has_text="SSIM")
    shows = "word => getComputedStyle(word, '::after').display"
    assert word.evaluate(shows) == "none"
    word.focus()
    assert word.evaluate(shows) == "block"
    page.get_by_role("button", name="Words", exact=True).press("Enter")
    page.locator(".words dt").first.wait_for()
    listed, others = (page.locator(place).all_text_contents() for place in (".words > dl dt", ".words details dt"))
    text = page.locator('[data-testid="stMain"]').inner_text()
    stands = {w.name for w in glossary.words() if any(re.search(rf"(?<!\w){re.escape(f)}s?(?!\w)", text) for f in w.forms)}
    assert len(stands) > 9
    assert stands <= set(listed)
    assert "confusion matrix" in others
    assert sorted(listed + others) == sorted(w.name for w in glossary.words())
