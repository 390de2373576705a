"""Runs side by side on the Architectures page without a browser: what is offered, refused, started, steered and kept."""

import re
import time
from types import SimpleNamespace

import numpy as np
import pytest
from shown import ShownArchitectures

from cae_core.config import RunConfig
from cae_core.jobs import scheduling
from pages.parts.architectures import bce_or_mse, race, sparsity
from pages.parts.live.lanes import Lane
from pages.parts.session.setting import Setting, Some

pytestmark = pytest.mark.usefixtures("few_images_everywhere")
SMALL = {"sparse_images": 100, "sparse_epochs": 1, "other_output": "off"}
PAIR = {"pair_network": "dense", "pair_images": 500, "pair_epochs": 20}


class Shown(ShownArchitectures):
    """One visitor's Architectures page."""

    @property
    def can(self):
        """The buttons that steer the runs, and whether they can be pressed."""
        return self.steering("together_")


@pytest.mark.parametrize(("view", "lanes"), [("race", 5), ("losses", 2), ("sparsity", 4)])
def test_places_are_kept_before_anything_is_started(view, lanes, asked_hosts):
    page = Shown(view=view)
    assert page.labels[0] == "Cleanx, the target"
    assert len(page.labels) == 1 + lanes
    assert page.waiting == lanes
    assert page.can == {"Start": True, "Pause": False, "Stop": False}
    assert page.facts["State"] == "Not started"
    assert page.troubles == []
    assert page.has("asked")
    assert asked_hosts == []


def test_a_checkerboard_is_magnified_and_overlapping_kernels_are_drawn_before_anything_is_started():
    page = Shown(view="race")
    crops = [alt for alt in page.alts if "12 by 12 pixels magnified" in alt]
    assert [alt.split(",")[0] for alt in crops[:1]] == ["The image"]
    scores = [float(alt.split()[-1]) for alt in crops[1:]]
    assert len(scores) == 3
    assert scores[0] > 1.5 > scores[2]
    assert "reaching each pixel: 1, 1, 2, 2, 3, 2, 3, 2, 3, 2, 2, 1, 1" in page.html
    assert "reaching each pixel: 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1" in page.html


def test_is_whole_before_tensorflow_is_there(loading):
    page = Shown(view="race")
    assert page.waiting == 5
    assert page.lines["Numbers in the code"] == ["…"] * 5


def test_the_race_says_what_each_has_to_go_by_and_noise_has_a_row_of_its_own():
    page = Shown(view="race", race_noise=0.4)
    assert page.labels[1] == "Noisygaussian 0.4"
    assert page.lines["Numbers in the code"] == ["1,568", "6,272", "6,272", "6,272", "256"]
    assert page.lines["Passes beside the code"] == ["nothing", "6,272 switches", "nothing", "nothing", "nothing"]


@pytest.mark.parametrize(
    ("view", "plan", "differ"),
    [
        (race, race.racing, [{"architecture": name} for name in race.RACERS]),
        (bce_or_mse, bce_or_mse.pair, [{"loss": "bce"}, {"loss": "mse"}]),
        (sparsity, sparsity.side_by_side, [
            {"sparsity": 0.0, "output": "sigmoid"}, {"sparsity": 0.001, "output": "sigmoid"},
            {"sparsity": 0.005, "output": "sigmoid"}, {"sparsity": 0.005, "output": "linear"},
        ]),
    ],
)  # fmt: skip
def test_lanes_differ_in_nothing_but_what_is_compared(view, plan, differ):
    now = {key: setting.default for key, setting in view.SETTINGS.items()} | {"dataset": "strokes"}
    configs = [lane.config.to_dict() for lane in plan(now)]
    assert [{key: config.pop(key) for key in differ[0]} for config in configs] == differ
    assert all(config == configs[0] for config in configs)


def test_the_checkerboard_score_has_as_many_digits_as_mean_something():
    x = np.random.default_rng(0).random((8, 28, 28, 1))
    board = (np.indices((28, 28)).sum(axis=0) % 2)[None, ..., None]
    for x_hat, score in ((x, r"1\.00"), (x + 9 * board, r"\d{2,}\.\d"), (None, "–")):
        progress = None if x_hat is None else SimpleNamespace(x=x, x_hat=x_hat)
        assert re.fullmatch(score, race.score(Lane("One", RunConfig(), SimpleNamespace(progress=progress))))


def test_what_cannot_be_trained_is_said_in_a_sentence():
    def check(page, says):
        (warning,) = page.messages("warning")
        assert says in warning
        assert not page.can["Start"]

    check(Shown(view="race", racers="conv_resize"), "choose at least two decoders")
    page = Shown(view="sparsity", weak="0.01", strong="0.01")
    check(page, "make the stronger one larger")
    check(page.set(weak=0.001, sparse_loss="bce"), "a linear decoder's can be any number")
    assert page.set(other_output=False).troubles == []  # the one with a linear output is left out
    assert page.waiting == 3
    check(page.set(sparse_output="linear"), "or loss to 'mse'")


def test_targets_outside_0_to_1_are_refused_with_the_reason():
    page = Shown(view="losses", target=-0.5)
    for target in (-0.5, 1.2):
        (warning,) = page.set(target=target).messages("warning")
        assert f"The targets go from {target:g} to {target:g}; BCE takes them from 0 to 1 only." in warning
        assert "has no minimum" in page.text
    assert page.set(target=0.5).messages("warning") == []


def test_several_choices_come_in_their_order_and_once():
    setting = Setting(("a", "b"), Some(("a", "b", "c")))
    assert setting.parse("key", "c,a,c") == ("a", "c")
    assert setting.parse("key", "") == ()
    assert setting.allows(["c", "a"])
    assert not setting.allows(["d"])


def test_from_the_start_to_the_end():
    page = Shown(view="sparsity", **SMALL).click("Start")
    assert page.can["Start again"] is False
    page.until("finished")
    assert [job.title for job in page.group] == [
        "Sparsity: No penalty", "Sparsity: Penalty 0.001", "Sparsity: Penalty 0.005",
    ]  # fmt: skip
    assert (page.facts["State"], page.waiting) == ("Finished", 0)
    for line, cells in page.lines.items():
        assert "–" not in cells, line
    mse = [float(cell) for cell in page.lines["MSE per pixel"]]
    assert mse == [pytest.approx(np.mean((job.progress.x - job.progress.x_hat) ** 2), abs=6e-5) for job in page.group]
    assert page.links["See all under Runs"] == ("runs", {"runs": ",".join(job.name for job in page.group)})
    assert page.can == {"Start again": True, "Pause": False, "Stop": False}
    page.set(sparse_seed=5)  # the finished comparison stays
    assert "other settings than the sidebar shows now" in page.text
    assert page.waiting == 0
    assert page.set(view="losses").waiting == 2  # another view's runs are none of its own
    assert page.set(view="sparsity").waiting == 0
    assert Shown("somebody else", view="sparsity", other_output="off").waiting == 3


def test_one_press_pauses_all_another_lets_all_go_on_and_one_stops_all():
    page, end = Shown(view="losses", **PAIR).click("Start").until("running", "paused"), time.monotonic() + 60
    page.click("Pause")
    while "paused" not in {job.state for job in page.group}:  # the first holds all: they take turns
        assert time.monotonic() < end
    page.run()
    assert "Resume" in page.can
    assert page.facts["State"] == "Paused"
    page.click("Resume")
    while "Pause" not in page.can:  # each goes on when the thread comes to it
        assert time.monotonic() < end
        page.run()
    page.until("running").click("Stop").until("stopped")
    assert page.facts["State"] == "Stopped"
    assert [job.config.loss for job in page.group] == ["bce", "mse"]
    assert len(page.lines["MSE per pixel"]) == len(page.lines["BCE per pixel, nats"]) == 2
    assert all(re.fullmatch(r"\d+\.\d %", cell) for cell in page.lines["Pixels sure and wrong"])


def test_behind_other_runs_it_waits_can_be_withdrawn_and_a_full_queue_is_said(held, monkeypatch):
    held.submit(RunConfig(num_train=500), owner="another")
    page = Shown(view="sparsity", **SMALL).click("Start").run()
    assert page.facts["State"] == "Waiting, 1 ahead"
    assert page.can == {"Start again": False, "Pause": False, "Stop": True}
    page.click("Stop").run()
    assert page.waiting == 3
    assert page.facts["State"] == "Not started"
    monkeypatch.setattr(scheduling, "MOST_WAITING", 0)
    assert any("The queue is full" in warning for warning in page.click("Start").messages("warning"))
