"""The Stacked page without a browser: a stack trained, steered and found again, bad input, the curve and its points."""

import dataclasses

import numpy as np
import pytest
from shown import ShownStacked

from cae_core import datasets, jobs, runs
from cae_core.config import ARMS, StackConfig
from cae_core.runs import holder
from cae_core.stacking import results, stacks
from cae_core.stacking.results import CurveResult, Point
from cae_core.stacking.trainer import StackTrainer
from pages.parts.stacked import label_curve

SMALL = {
    "stack_images": 100, "labels": 30, "maps": 3, "kernel": 3, "stack_epochs": 1, "stack_batch": 25, "tuning_steps": 6,
    "hidden": 8,
}  # fmt: skip
LONG = SMALL | {"stack_images": 1_000, "stack_epochs": 100}
STEERING = ("stack_pause", "stack_step", "stack_stop")


class Shown(ShownStacked):
    """One visitor's Stacked page."""

    @property
    def can(self):
        """The buttons that steer the stack, and whether they can be pressed."""
        return {button.label: not button.disabled for button in self.app.button if button.key in STEERING}


@pytest.fixture
def no_result(monkeypatch, tmp_path):
    monkeypatch.setattr(results, "SHIPPED", tmp_path / "stack.json")
    monkeypatch.setattr(results, "PICTURES", tmp_path / "stack.npz")


@pytest.fixture
def result(no_result):
    """A result as it would ship, of the drawn digits; with invented figures, for what the page makes of them."""
    rng, truth = np.random.default_rng(0), datasets.load("strokes", "test").y

    def read(error):
        wrong = rng.random(len(truth)) < error
        return np.where(wrong, (truth + 1) % 10, truth).astype("uint8")

    errors = {100: (0.15, 0.16), 1_000: (0.03, 0.05), 55_000: (0.012, 0.010)}
    points = tuple(
        Point(n, 10, {arm: tuple(e + d for d in (0, 0.001, 0.002, 0.001, 0)) for arm, e in zip(ARMS, pair, strict=True)})
        for n, pair in errors.items()
    )
    scored = {kind: {"size": (980.0,) * 2, "error": (0.1, 0.2), "few_error": (0.2, 0.3)} for kind in ("encoder", "pixels")}
    config = StackConfig(dataset="strokes")
    pictures = {f"predictions/{p.labels}/{arm}": read(p.errors[arm][0]) for p in points for arm in ARMS}
    pictures |= {name: np.zeros((8, 28, 28, 1), np.uint8) for name in ("x", "x_hats/0", "x_hats/1")}
    pictures |= {"filters/0": np.zeros((20, 5, 5), "float32"), "filters/1": np.zeros((20, 14, 14), "float32")}
    results.ship(CurveResult(config, points, {1_000: scored}, 60.0, "2026-01-01", {"numpy": "2"}, "make it"), pictures)


def test_a_stack_that_another_program_trains_is_said(monkeypatch):
    page = Shown(**SMALL)
    trainer = StackTrainer.begin(StackConfig(dataset="strokes"), owner=page.owner)
    monkeypatch.setattr(holder, "_TOKEN", "another")
    assert "This stack is trained by the app at port 8501 of this computer (process" in page.run().text
    with pytest.raises(runs.RunError, match="is trained by the app at port .*: stop it there, or wait for its end"):
        StackTrainer.resume(stacks.latest(page.owner))
    trainer.close()
    assert "is trained by" not in page.run().text


def test_places_are_kept_before_anything_is_trained(asked_hosts):
    page = Shown(**SMALL)
    assert [label.partition("x,")[0] for label in page.labels] == [
        "Clean", "Through layer 1not trained yet", "Through layers 1–2not trained yet", "Filters, layer 1",
        "Filters, layer 2",
    ]  # fmt: skip
    assert page.waiting == 4
    assert page.facts["State"] == "Not started"
    assert page.can == {"Pause": False, "One step": False, "Stop": False}
    assert page.troubles == []
    plan = "2 × 4 steps on 100 images without labels, then 6 steps on 30 labels; code: 147 numbers for 784 pixels"
    assert plan in page.text
    assert asked_hosts == []
    link = {"layers": "1", "kernel": "7", "pooling": "off", "labels": "50", "stack_noise": "0.4"}
    page = Shown(**link)
    assert page.labels[1] == "Noisygaussian 0.4"
    assert page.query | link == page.query


@pytest.mark.usefixtures("few_images")
def test_a_stack_is_trained_shown_and_found_again():
    page = Shown("me", **SMALL, layers=1).press("train_stack").until("finished", "failed")
    assert (page.facts["State"], page.facts["Stage"], page.waiting) == ("Finished", "Classifiers", 0)
    figures = stacks.latest(page.owner).figures
    assert f"{100 * figures['pretrained']:.2f} %** of the test images misread from the stack" in page.text
    assert f"{100 * figures['random']:.2f} %** from random weights" in page.text
    assert "Features as they are" in page.text
    assert "8 test images, through layer 1 and back down through all" in "".join(page.alts)
    number = len(datasets.load("strokes", "test").y)
    for arm in ("pretrained", "random"):
        page.set(arm=arm)
        misread = round(figures[arm] * number)
        assert f"of seed 0: {misread:,} of {number:,} test images misread, {100 * misread / number:.2f} %" in page.text
    assert page.query["arm"] == "random"

    jobs.default()._all.clear()  # as after a restart
    again = Shown("me")
    assert again.facts["State"] == "Finished"
    assert again.alts[:3] == page.alts[:3]
    you = Shown("you", stack=stacks.latest(page.owner).name)
    assert you.facts["State"] == "Finished"
    assert not you.has("stack_last")  # of somebody who has none, none is offered
    assert Shown("you").facts["State"] == "Not started"
    assert Shown("me", stack=stacks.latest(page.owner).name).press("stack_last").query["stack"] == ""


@pytest.mark.usefixtures("few_images")
def test_it_is_paused_stepped_stopped_and_goes_on():
    page = Shown("me", **LONG).press("train_stack").until("running").press("stack_pause").until("paused")
    assert page.can == {"Resume": True, "One step": True, "Stop": True}
    page.press("stack_stop").until("stopped")
    assert page.can == {"Go on": True, "One step": False, "Stop": False}
    step = stacks.latest(page.owner).step
    page.press("stack_pause").until("running").press("stack_stop").until("stopped")
    assert stacks.latest(page.owner).step >= step


def test_what_cannot_be_trained_is_said_and_mended():
    page = Shown(**{**SMALL, "layers": 3}, layer=1)
    assert "Did you mean 'layers'" in page.messages("warning")[0]
    assert "3 layers with max-pooling are too deep for images of 28 × 28 pixels" in page.messages("error")[0]
    assert page.widget("train_stack").disabled
    assert page.press("stack_works").messages("error") == []
    assert not page.widget("train_stack").disabled


def test_without_a_curve_the_published_figures_stand_alone(no_result):
    (message,) = Shown(stack_view="curve").messages("info")
    assert "No measured curve ships with the app yet" in message
    assert "python -m cae_core stack --curve --ship" in message


@pytest.mark.parametrize(("labels", "arm"), [(100, "pretrained"), (55_000, "random")])
def test_the_curve_says_where_pretraining_helps_and_any_point_can_be_opened(result, labels, arm):
    page = Shown(stack_view="curve", point=labels, arm=arm)
    assert "Pretraining **helps** with 100 and 1,000 labels and **does harm** with 55,000." in page.text
    assert page.facts["1,000 labels"] == "+2.00 (+2.00 to +2.00)"
    assert page.facts["55,000 labels"] == "−0.20 (−0.20 to −0.20)"
    read = results.shipped_pictures()[f"predictions/{labels}/{arm}"]
    wrong = int(np.sum(read != datasets.load("strokes", "test").y))
    assert f"of seed 0: {wrong:,} of 5,000 test images misread, {wrong / 50:.2f} %" in page.text
    pictures = [alt for alt in page.alts if alt.startswith("test image ")]
    assert len(pictures) == min(40, wrong)
    for alt in pictures[:5]:
        number, truth, other = alt.removeprefix("test image ").replace(", read as", ",").split(", ")
        assert (int(truth) + 1) % 10 == int(other) == int(read[int(number)])
    results.SHIPPED.write_text("{", encoding="utf-8")
    assert "stack.json is damaged" in page.run().messages("warning")[0]


def test_the_sentence_when_nothing_helps():
    same = Point(100, 1, dict.fromkeys(ARMS, (0.1, 0.2, 0.3, 0.2, 0.1)))
    assert label_curve.sentence((same,)) == "Pretraining makes **no difference** that 5 seeds can show with 100."
    worse = dataclasses.replace(same, errors={"pretrained": (0.2,) * 5, "random": (0.1,) * 5})
    assert label_curve.sentence((worse,)) == "Pretraining **does harm** with 100."
