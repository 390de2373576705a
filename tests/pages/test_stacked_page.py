"""The Stacked page without a browser: a stack trained, steered and found again, bad input, the curve and its points."""

import dataclasses

import numpy as np
import pytest
from shown_stacked import ShownStacked

from cae_core import datasets, jobs, runs
from cae_core.config import ARMS, StackConfig
from cae_core.runs import holder
from cae_core.stacking import results, stacks
from cae_core.stacking.results import CurveResult, Point
from cae_core.stacking.trainer import StackTrainer

SMALL = {
    "stack_images": 100, "labels": 30, "maps": 3, "kernel": 3, "stack_epochs": 1, "stack_batch": 25, "tuning_steps": 6,
    "hidden": 8,
}  # fmt: skip
LONG = SMALL | {"stack_images": 1_000, "stack_epochs": 100}


@pytest.fixture(autouse=True)
def own_jobs(monkeypatch):
    """A queue of the test's own."""
    queue = jobs.Jobs()
    monkeypatch.setattr(jobs, "default", lambda: queue)
    yield queue
    queue.end()


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
    found = CurveResult(
        StackConfig(dataset="strokes"), points, {1_000: scored}, 60.0, "2026-01-01", {"numpy": "2"}, "make it"
    )
    pictures = {f"predictions/{p.labels}/{arm}": read(p.errors[arm][0]) for p in points for arm in ARMS} | {
        name: np.zeros((8, 28, 28, 1), np.uint8) for name in ("x", "x_hats/0", "x_hats/1")
    }
    pictures |= {"filters/0": np.zeros((20, 5, 5), "float32"), "filters/1": np.zeros((20, 14, 14), "float32")}
    results.ship(found, pictures)
    return found


def test_a_stack_that_another_program_trains_is_said(monkeypatch):
    page = ShownStacked(**SMALL)
    trainer = StackTrainer.begin(StackConfig(dataset="strokes"), owner=page.owner)
    monkeypatch.setattr(holder, "_TOKEN", "another")
    page.run()
    assert "This stack is trained by the app at port 8501 of this computer (process" in page.text
    with pytest.raises(runs.RunError, match="is trained by the app at port .*: stop it there, or wait for its end"):
        StackTrainer.resume(stacks.latest(page.owner))
    trainer.close()
    page.run()
    assert "is trained by" not in page.text


def test_places_are_kept_before_anything_is_trained(asked_hosts):
    page = ShownStacked(**SMALL)
    assert [label.partition("x,")[0] for label in page.labels] == [
        "Clean", "Through layer 1not trained yet", "Through layers 1–2not trained yet", "Filters, layer 1",
        "Filters, layer 2",
    ]  # fmt: skip
    assert page.waiting == 4
    assert page.facts["State"] == "Not started"
    assert not any(page.can.values())
    assert page.messages("error") == page.messages("warning") == []
    assert (
        "2 × 4 steps on 100 images without labels, then 6 steps on 30 labels; code: 147 numbers of 784 pixels" in page.text
    )
    assert asked_hosts == []


def test_a_stack_is_trained_shown_and_found_again():
    page = ShownStacked("me", **SMALL)
    page.train()
    assert page.facts["State"] == "Finished"
    assert page.facts["Stage"] == "Classifiers"
    assert page.waiting == 0
    figures = page.kept.figures
    assert f"{100 * figures['pretrained']:.2f} %** of the test images misread from the stack" in page.text
    assert f"{100 * figures['random']:.2f} %** from random weights" in page.text
    assert "Features as they are" in page.text
    assert "8 test images, through layers 1–2 and back down through all" in "".join(page.alts)
    own = datasets.load("strokes", "test").y
    misread = round(figures["pretrained"] * len(own))
    rate = f"{100 * misread / len(own):.2f} %"
    assert f"of seed 0: {misread:,} of {len(own):,} test images misread, {rate}" in page.text
    page.set(arm="random")
    assert f"{round(figures['random'] * len(own)):,} of {len(own):,} test images misread" in page.text
    assert page.query["arm"] == "random"

    jobs.default()._all.clear()  # as after a restart
    again = ShownStacked("me")
    assert again.facts["State"] == "Finished"
    assert again.alts[:3] == page.alts[:3]
    assert ShownStacked("you").facts["State"] == "Not started"


def test_it_is_paused_stepped_stopped_and_goes_on():
    page = ShownStacked("me", **LONG)
    page.press("train_stack")
    page.until("running")
    page.press("stack_pause")
    page.until("paused")
    assert page.can == {"Resume": True, "One step": True, "Stop": True}
    page.press("stack_stop")
    page.until("stopped")
    assert page.can == {"Go on": True, "One step": False, "Stop": False}
    step = page.kept.step
    page.press("stack_pause")
    assert page.until("running", "paused").state == "running"
    page.press("stack_stop")
    page.until("stopped")
    assert page.kept.step >= step


@pytest.mark.parametrize(
    ("link", "says"),
    [
        ({"layers": 3}, "3 layers with max-pooling are too deep for images of 28 × 28 pixels"),
        ({"labels": 9}, "a class without a labelled image cannot be learnt"),
        ({"stack_images": 100, "labels": 200}, "only 100 training images"),
    ],
)
def test_what_cannot_be_trained_is_said_and_mended(link, says):
    page = ShownStacked(**{**SMALL, **link})
    assert says in page.messages("error")[0]
    assert page.widget("train_stack").disabled
    page.press("stack_works")
    assert page.messages("error") == []
    assert not page.widget("train_stack").disabled


def test_a_link_is_read_and_written():
    page = ShownStacked(layers=1, kernel=7, pooling="off", labels=50, stack_noise=0.3)
    assert page.widget("layers").value == 1
    assert page.query | {"layers": "1", "kernel": "7", "pooling": "off", "labels": "50", "stack_noise": "0.3"} == page.query
    assert "Did you mean 'layers'" in ShownStacked(layer=1).messages("warning")[0]


def test_noise_has_a_row_of_its_own():
    assert ShownStacked(stack_noise=0.4).labels[1] == "Noisygaussian 0.4"


def test_without_a_curve_the_published_figures_stand_alone(no_result):
    page = ShownStacked(stack_view="curve")
    assert "No measured curve ships with the app yet" in page.messages("info")[0]
    assert "python -m cae_core stack --curve --ship" in page.messages("info")[0]


def test_the_curve_says_where_pretraining_helps_and_where_not(result):
    page = ShownStacked(stack_view="curve")
    assert "Pretraining **helps** with 100 and 1,000 labels and **does harm** with 55,000." in page.text
    assert page.facts["1,000 labels"] == "+2.00 (+2.00 to +2.00)"
    assert page.facts["55,000 labels"] == "−0.20 (−0.20 to −0.20)"


@pytest.mark.parametrize(("labels", "arm"), [(100, "pretrained"), (55_000, "random")])
def test_any_point_can_be_opened(result, labels, arm):
    page = ShownStacked(stack_view="curve", point=labels, arm=arm)
    read = results.shipped_pictures()[f"predictions/{labels}/{arm}"]
    wrong = int(np.sum(read != datasets.load("strokes", "test").y))
    assert f"of seed 0: {wrong:,} of 5,000 test images misread, {wrong / 50:.2f} %" in page.text
    pictures = [alt for alt in page.alts if alt.startswith("test image ")]
    assert len(pictures) == min(40, wrong)
    for alt in pictures[:5]:
        number, truth, other = alt.removeprefix("test image ").replace(", read as", ",").split(", ")
        assert (int(truth) + 1) % 10 == int(other) == int(read[int(number)])


def test_a_damaged_curve_is_said(result):
    results.SHIPPED.write_text("{", encoding="utf-8")
    page = ShownStacked(stack_view="curve")
    assert "stack.json is damaged" in page.messages("warning")[0]


def test_the_sentence_when_nothing_helps():
    from pages.parts.stacked import label_curve

    same = Point(100, 1, dict.fromkeys(ARMS, (0.1, 0.2, 0.3, 0.2, 0.1)))
    assert label_curve.sentence((same,)) == "Pretraining makes **no difference** that 5 seeds can show with 100."
    worse = dataclasses.replace(same, errors={"pretrained": (0.2,) * 5, "random": (0.1,) * 5})
    assert label_curve.sentence((worse,)) == "Pretraining **does harm** with 100."
