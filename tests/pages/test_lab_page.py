"""Runs side by side on the Architectures page without a browser: what is offered, refused, started, steered and kept."""

import re
import time

import numpy as np
import pytest
from shown_lab import ShownLab

from cae_core import jobs
from cae_core.config import RunConfig
from cae_core.jobs import scheduling as queueing
from pages.parts.architectures import bce_or_mse, race, sparsity
from pages.parts.session.setting import Setting, Some

VIEWS = pytest.mark.parametrize(("view", "lanes"), [("race", 5), ("losses", 2), ("sparsity", 4)])
SMALL = {"sparse_images": 100, "sparse_epochs": 1, "pair_network": "dense", "pair_images": 100, "pair_epochs": 1}
LONG = {"sparse_images": 500, "sparse_epochs": 40}


@pytest.fixture(autouse=True)
def own_jobs(monkeypatch):
    """A queue of the test's own."""
    queue = jobs.Jobs()
    monkeypatch.setattr(jobs, "default", lambda: queue)
    yield queue
    queue.end()


@VIEWS
def test_places_are_kept_before_anything_is_started(view, lanes, asked_hosts):
    page = ShownLab(view=view)
    assert page.labels[0] == "Cleanx, the target"
    assert len(page.labels) == 1 + lanes
    assert page.waiting == lanes
    assert page.can == {"Start": True, "Pause": False, "Stop": False}
    assert page.facts["State"] == "Not started"
    assert page.messages("warning") == page.messages("error") == []
    assert "Try this" in [heading.value for heading in page.app.subheader]
    assert asked_hosts == []


def test_is_whole_before_tensorflow_is_there(monkeypatch):
    monkeypatch.setattr("cae_core.runtime.ready", lambda timeout=0.0: False)
    page = ShownLab(view="race")
    assert page.waiting == 5
    assert page.lines["Numbers in the code"] == ["…"] * 5


def test_the_race_says_what_each_has_to_go_by_and_noise_has_a_row_of_its_own():
    page = ShownLab(view="race", race_noise=0.4)
    assert page.labels[1] == "Noisygaussian 0.4"
    assert page.lines["Numbers in the code"] == ["1,568", "6,272", "6,272", "6,272", "256"]
    assert page.lines["What else passes"] == ["nothing", "6,272 switches", "nothing", "nothing", "nothing"]


def test_racers_differ_in_nothing_but_the_network():
    now = {key: setting.default for key, setting in race.SETTINGS.items()} | {"dataset": "strokes"}
    configs = [lane.config.to_dict() for lane in race.racing(now)]
    assert [config.pop("architecture") for config in configs] == list(race.RACERS)
    assert all(config == configs[0] for config in configs)


def test_the_pair_differs_in_nothing_but_the_loss():
    now = {key: setting.default for key, setting in bce_or_mse.SETTINGS.items()} | {"dataset": "strokes"}
    configs = [lane.config.to_dict() for lane in bce_or_mse.pair(now)]
    assert [config.pop("loss") for config in configs] == ["bce", "mse"]
    assert configs[0] == configs[1]


def test_the_sparse_differ_in_the_penalty_and_the_last_in_its_output():
    now = {key: setting.default for key, setting in sparsity.SETTINGS.items()} | {"dataset": "strokes"}
    configs = [lane.config.to_dict() for lane in sparsity.side_by_side(now)]
    differ = [(config.pop("sparsity"), config.pop("output")) for config in configs]
    assert differ == [(0, "sigmoid"), (0.001, "sigmoid"), (0.005, "sigmoid"), (0.005, "linear")]
    assert all(config == configs[0] for config in configs)


def test_what_cannot_be_trained_is_said_in_a_sentence():
    def check(page, says):
        (warning,) = page.messages("warning")
        assert says in warning
        assert not page.can["Start"]

    check(ShownLab(view="race", racers="conv_resize"), "choose at least two decoders")
    page = ShownLab(view="sparsity", weak="0.01", strong="0.01")
    check(page, "make the stronger one larger")
    check(page.set(weak=0.001, sparse_loss="bce"), "a linear decoder's can be any number")
    link = {"sparse_loss": "bce", "sparse_output": "linear", "other_output": "off"}
    check(ShownLab(view="sparsity", **link), "or loss to 'mse'")


def test_one_with_a_linear_output_can_be_left_out():
    page = ShownLab(view="sparsity", sparse_loss="bce", other_output="off")
    assert page.messages("warning") == []
    assert page.waiting == 3


def test_targets_outside_0_to_1_are_refused_with_the_reason():
    page = ShownLab(view="losses", target=-0.5)
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


def test_from_the_start_to_the_end(own_jobs):
    page = ShownLab(view="sparsity", **SMALL)
    page.click("Start")
    assert page.can["Start again"] is False
    group = page.until("finished")
    assert [job.title for job in group] == [
        "Sparsity: No penalty", "Sparsity: Penalty 0.001", "Sparsity: Penalty 0.005", "Sparsity: Penalty 0.005, linear",
    ]  # fmt: skip
    assert page.facts["State"] == "Finished"
    assert page.waiting == 0
    for line, cells in page.lines.items():
        assert "–" not in cells, line
    mse = [float(cell) for cell in page.lines["MSE per pixel"]]
    assert mse == [pytest.approx(np.mean((job.progress.x - job.progress.x_hat) ** 2), abs=6e-5) for job in group]
    (link,) = [target for label, target in page.links.items() if label == "See all under Runs"]
    assert all(job.name in link for job in group)
    assert page.can == {"Start again": True, "Pause": False, "Stop": False}

    page.set(sparse_seed=5)  # the finished comparison stays
    assert "other settings than those in the sidebar" in page.text
    assert page.waiting == 0
    page.set(view="losses")
    assert page.waiting == 2  # another view's runs are none of its own
    page.set(view="sparsity")
    assert page.waiting == 0
    assert ShownLab("somebody else", view="sparsity").waiting == 4


def test_both_losses_are_measured_alike():
    page = ShownLab(view="losses", **SMALL)
    page.click("Start")
    group = page.until("finished")
    assert [job.config.loss for job in group] == ["bce", "mse"]
    assert len(page.lines["MSE per pixel"]) == len(page.lines["BCE per pixel, nats"]) == 2
    assert all(re.fullmatch(r"\d+\.\d %", cell) for cell in page.lines["Pixels sure and wrong"])


def test_one_press_pauses_all_another_lets_all_go_on_and_one_stops_all(own_jobs):
    page = ShownLab(view="sparsity", **LONG)
    page.click("Start")
    page.until("running", "paused")
    page.click("Pause")
    end = time.monotonic() + 60
    while "paused" not in {job.state for job in page.group}:  # the first holds all: they take turns
        assert time.monotonic() < end
    page.run()
    assert "Resume" in page.can
    assert page.facts["State"] == "Paused"
    page.click("Resume")
    while "Pause" not in page.can:  # each goes on when the thread comes to it
        assert time.monotonic() < end
        page.run()
    page.until("running")
    page.click("Stop")
    assert {job.state for job in page.until("stopped", "finished")} == {"stopped"}
    assert page.facts["State"] == "Stopped"


def test_behind_other_runs_it_waits_and_can_be_withdrawn(own_jobs):
    first = own_jobs.submit(RunConfig(num_train=500, epochs=500, architecture="dense", batch_size=10), owner="another")
    page = ShownLab(view="sparsity", **SMALL)
    page.click("Start")
    page.run()
    assert page.facts["State"] == "Waiting, 1 ahead"
    assert page.can == {"Start again": False, "Pause": False, "Stop": True}
    page.click("Stop")
    page.run()
    assert page.waiting == 4
    assert page.facts["State"] == "Not started"
    own_jobs.stop(first, "another")


def test_a_queue_that_is_full_is_said(own_jobs, monkeypatch):
    monkeypatch.setattr(queueing, "MOST_WAITING", 0)
    page = ShownLab(view="sparsity", **SMALL)
    page.click("Start")
    assert any("The queue is full" in warning for warning in page.messages("warning"))
