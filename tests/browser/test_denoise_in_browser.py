"""The Denoise page as people use it: the real server, a real browser, real pixels."""

import io
import re
from urllib.parse import parse_qsl, quote

import numpy as np
import pytest
from PIL import Image

from cae_core import datasets
from cae_core.corruptions import corrupt
from pages.parts.glossary import glossary

pytestmark = pytest.mark.browser

DEFAULTS = dict(
    parse_qsl(
        "dataset=strokes&noise_kind=gaussian&noise_factor=0.5&trained_on=mixed&bottleneck=32&loss=bce&both_losses=off&seed=0"
    )
)
LINK = "dataset=strokes&noise_kind=masking&noise_factor=0.6&trained_on=clean&bottleneck=8&loss=mse&both_losses=on&seed=42"
NETWORKS = {"reconstructed, trained with BCE", "absolute error, trained with BCE"}


def on_screen(row):
    """A row of pictures as the screen shows it, the middle of each of its own pixels; `(28, 280, 3)` uint8."""
    row.scroll_into_view_if_needed()
    shot, box = np.asarray(Image.open(io.BytesIO(row.screenshot())).convert("RGB")), row.bounding_box()
    # The screenshot begins at a whole pixel of the screen, the row perhaps between two.
    down = box["y"] % 1 + (np.arange(28) + 0.5) * box["height"] / 28
    across = box["x"] % 1 + (np.arange(280) + 0.5) * box["width"] / 280
    return shot[down.astype(int)][:, across.astype(int)]


def set_by_hand(visitor):
    """From the defaults to LINK, one control after another."""
    visitor.choose("Noise kind", "Masking").wait_for_link(noise_kind="masking")
    visitor.press("Noise factor", "ArrowRight", "ArrowRight").wait_for_link(noise_factor="0.6")
    visitor.press("Bottleneck", "ArrowLeft", "ArrowLeft").wait_for_link(bottleneck="8")
    visitor.page.get_by_role("radio", name="MSE").click()
    visitor.page.get_by_role("radio", name="Clean images").click()
    visitor.wait_for_link(loss="mse", trained_on="clean")
    visitor.page.get_by_text("More", exact=True).click()
    visitor.page.get_by_text("Show both losses").click()
    visitor.wait_for_link(both_losses="on")
    visitor.page.get_by_test_id("stNumberInputField").fill("42")
    visitor.page.get_by_test_id("stNumberInputField").press("Enter")
    return visitor.wait_for_link(seed="42").whole()


LOG_LOOKUPS = """
import os, socket
look_up = socket.getaddrinfo

def log(host, *more, **others):
    with open(os.environ["LOOKUPS"], "a", encoding="utf-8") as file:
        file.write(f"{host}\\n")
    return look_up(host, *more, **others)

socket.getaddrinfo = log
"""


def test_first_link_of_a_fresh_server_shows_what_it_always_shows_and_no_other_host_is_asked(visit, start, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(LOG_LOOKUPS, encoding="utf-8")
    lookups = tmp_path / "lookups"
    lookups.touch()
    fresh = start(PYTHONPATH=str(tmp_path), LOOKUPS=str(lookups), DISPLAY="")
    first = visit(fresh, "?" + LINK).whole()
    assert first.link == dict(parse_qsl(LINK))
    pictures = first.sources
    assert len(pictures) == 6
    by_hand = visit(fresh).whole()
    assert by_hand.link == DEFAULTS
    assert not set(by_hand.sources.values()) & set(pictures.values())
    set_by_hand(by_hand)
    assert by_hand.link == first.link
    assert by_hand.sources == pictures
    assert set(lookups.read_text(encoding="utf-8").split()) <= {"localhost", "127.0.0.1", "0.0.0.0", "::", "None"}


def test_screen_and_download_show_the_pixels_that_numpy_makes(visit, server):
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
    for name in NETWORKS:
        assert np.abs(on_screen(visitor.row(name)).astype(int) - visitor.rows[name]).max() <= 2

    with visitor.page.expect_download() as waiting:
        visitor.click("Download as PNG")
    assert waiting.value.suggested_filename.endswith(".png")
    picture = Image.open(waiting.value.path())
    lines = [line.tobytes() for line in np.asarray(picture.convert("RGB"))]
    for name, row in visitor.rows.items():
        tile = row[:, :28].repeat(4, axis=1)  # the first image, four times as large
        assert all(any(line.tobytes() in there for there in lines) for line in tile), name


MOVES = [
    ("Noise factor", "noise_factor", NETWORKS | {"noisy"},
     [("ArrowRight", "0.55"), ("End", "1"), ("ArrowLeft", "0.95"), ("Home", "0")]),
    ("Bottleneck", "bottleneck", NETWORKS, [("ArrowLeft", "16"), ("End", "128"), ("Home", "2"), ("ArrowRight", "4")]),
]  # fmt: skip
"""A slider: its label, its setting, the rows that it changes, and keys with what each leads to."""


def test_sliders_by_keyboard_change_pixels_and_address_and_a_reload_and_going_back_keep_them(visit, server):
    visitor = visit(server, "_stcore/health")
    start = visitor.page.evaluate("location.href")
    visitor.open().whole()
    for part in ("h1", ".grid", "table.figures"):  # in sight without scrolling on a projector
        box = visitor.page.locator(part).bounding_box()
        assert 0 <= box["y"] <= 768 - box["height"], part
    for label, setting, drawn, moves in MOVES:
        for key, value in moves:
            before, link = visitor.rows, visitor.link
            visitor.press(label, key).wait_for_link(**{setting: value}).whole()
            assert visitor.link == {**link, setting: value}
            after = visitor.rows  # without noise, the noisy row would be the clean one once more
            assert {name for name in before if not np.array_equal(before[name], after.get(name))} == drawn & set(before)

    there_and_back = (["ArrowRight"] * 8 + ["ArrowLeft"] * 8) * 3
    visitor.press("Noise factor", *there_and_back, *["ArrowRight"] * 18, *["ArrowLeft"] * 3)
    visitor.wait_for_link(noise_factor="0.75").whole()
    link, pictures = visitor.link, visitor.sources
    for leave_and_return in (visitor.page.reload, lambda: (visitor.page.go_back(), visitor.page.go_forward())):
        leave_and_return()
        visitor.whole()
        assert visitor.link == link
        assert visitor.sources == pictures
        assert visitor.slider("Noise factor").input_value() == "0.75"
    visitor.page.go_back()
    assert visitor.page.evaluate("location.href") == start


EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>![x](http://elsewhere.example/x.png)"
DRAWN = {
    "loss": EVIL, "dataset": "www.elsewhere.example", "noise_kind": "https://elsewhere.example", "seed": "$x^2$",
    "trained_on": "me@elsewhere.example", "bottleneck": ":red[x]", "both_losses": "# Title", "guess": "1) one",
}  # fmt: skip
"""By setting, a wrong value that Markdown or the browser would draw as something else."""


def test_malformed_link_is_explained_as_text_and_mended(visit, expect, server):
    wrong = {"noise_factor": "7", "botleneck": "8", EVIL: "1", **DRAWN}
    visitor = visit(server, "?" + "&".join(f"{quote(key)}={quote(value)}" for key, value in wrong.items())).whole()
    warning = visitor.page.get_by_test_id("stAlert")
    expect(warning).to_have_count(1)
    says = warning.inner_text().replace("\u2060", "")
    shown = ("noise_factor is '7'", "from 0 to 1", "Did you mean 'bottleneck'?", "bce, mse", *map(repr, DRAWN.values()))
    assert [text for text in shown if text not in says] == []
    assert warning.locator("script, img, a, h1, li, .katex").count() == 0
    assert visitor.link == DEFAULTS | {EVIL: "1"}  # what no setting is like may be somebody else's
    visitor.press("Noise factor", "ArrowRight").wait_for_link(noise_factor="0.55").whole()
    expect(warning).to_have_count(0)


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
    assert sorted(listed + others) == sorted(w.name for w in glossary.words())
