"""Layers and switches as people see them: nothing jumps, a drawing goes through, links lead on."""

import numpy as np
import pytest
from live import decode

from cae_core.architectures import build, published
from cae_core.config import RunConfig
from cae_core.runs import writing

pytestmark = pytest.mark.browser
LINK = "architectures?dataset=strokes&view=layers&architecture=conv_unpool"


def shown(visitor):
    """Waits until every layer has its picture."""
    visitor.page.locator('.anatomy img[alt^="the reconstruction"]').wait_for()
    return visitor.idle()


@pytest.fixture
def with_run(server):
    """A run with switches on the server, everybody's; taken away afterwards."""
    config = RunConfig.from_dict({**published("conv_unpool").to_dict(), "dataset": "strokes"})
    writing.save(server.runs, "with-switches", build(config), config, [{"epoch": 1, "loss": 0.5, "seconds": 1.0}],
                metrics={"clean": {"mse": 0.1}}, num_train=100, seconds=1.0)  # fmt: skip
    yield
    for file in (server.runs / "with-switches").iterdir():
        file.unlink()
    (server.runs / "with-switches").rmdir()


def test_another_image_changes_every_picture_and_moves_nothing(visit, server):
    visitor = shown(visit(server, LINK))
    diagram = visitor.page.locator(".diagram")
    where, first = diagram.bounding_box(), visitor.page.locator('.anatomy img[alt^="what goes in"]').get_attribute("src")
    layers = '.anatomy img[alt^="layer "]'
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


def test_link_to_the_train_page_brings_the_published_settings(visit, server, expect):
    visitor = shown(visit(server, LINK))
    visitor.page.get_by_role("link", name="Train it with its published settings").click()
    expect(visitor.page.get_by_role("button", name="Train this network")).to_be_visible()
    visitor.idle()
    published = {"architecture": "conv_unpool", "loss": "mse", "optimizer": "rmsprop", "learning_rate": "0.01"}
    assert published.items() <= visitor.link.items()
    assert (visitor.link["dataset"], visitor.link["batch_size"], visitor.link["epochs"]) == ("strokes", "50", "20")


def test_switch_leak(with_run, visit, server):
    visitor = visit(server, "architectures?dataset=strokes&view=leak&guess=random_switches")
    visitor.page.locator('.grid img[alt^="ten images, your mix"]').wait_for()
    visitor.page.locator(".leak-bar").first.wait_for()
    visitor.idle()
    sources = visitor.sources
    assert len(sources) == 7
    (blank,) = [src for alt, src in sources.items() if "code blanked" in alt]
    tiles = decode(blank).reshape(28, 10, 28, 3).swapaxes(0, 1)
    assert (tiles == tiles[:1]).all()
    assert np.ptp(decode(next(iter(sources.values())))) > 200
    visitor.click("Just show me")
    visitor.wait_for_link(mix_code="kept", mix_switches="random")
