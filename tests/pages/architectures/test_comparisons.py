"""Runs side by side on the Architectures page without a browser: what is offered, refused, started, steered and kept."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
from shown import ShownArchitectures

from cae_core import comparisons, runs
from cae_core.comparisons import recipes
from cae_core.config import RunConfig
from cae_core.jobs import scheduling
from pages.parts.architectures import bce_or_mse, race, sparsity, versus
from pages.parts.live.lanes import Lane

pytestmark = pytest.mark.usefixtures("few_images_everywhere")
SMALL = {"sparse_images": 100, "sparse_epochs": 1, "other_output": "off"}
PAIR = {"pair_network": "dense", "pair_images": 500, "pair_epochs": 20}


class Shown(ShownArchitectures):
    """One visitor's Architectures page."""

    @property
    def can(self):
        """The buttons that steer the runs, and whether they can be pressed."""
        return self.steering("together_")


VIEWS = {"race": (race, 5, 6), "losses": (bce_or_mse, 2, 3), "sparsity": (sparsity, 4, 5), "beta": (versus, 5, 11)}
"""Modules, and how many runs and rows of images they open with."""
SHIPS = (
    r"ships with the app:\** Strokes, \d epochs of [\d,]+ images, trained in \d.* on \d+ cores?, .*, on \d+ \w+ 20\d\d\."
)


@pytest.mark.parametrize("view", VIEWS)
def test_opens_with_a_shipped_result_and_says_how_long_ones_own_takes(view, loading, asked_hosts):
    page, (_, lanes, rows) = Shown(view=view), VIEWS[view]  # TensorFlow is not there, and nothing waits for it
    assert page.labels[0] == "Cleanx, the target"
    assert (len(page.labels), page.waiting) == (rows, 0)
    assert page.can == {"Start": True, "Pause": False, "Stop": False}
    assert page.facts["State"] == "Finished"
    assert not [cells for cells in page.lines.values() if {"–", "…"} & set(cells)]
    assert re.search(SHIPS, page.text)
    assert "The sidebar has other settings" not in page.text
    assert re.search(rf"{lanes} runs, each \d × [\d,]+ images, about \*\*\d.*\*\* at the shipped runs' pace", page.text)
    assert page.troubles == []
    assert page.has("asked")
    assert asked_hosts == []


def test_the_race_magnifies_a_checkerboard_draws_overlapping_kernels_and_says_what_each_has_to_go_by():
    page = Shown(view="race")
    crops = [alt for alt in page.alts if "12 by 12 pixels magnified" in alt]
    assert [alt.split(",")[0] for alt in crops[:1]] == ["The image"]
    scores = [float(alt.split()[-1]) for alt in crops[1:]]
    assert len(scores) == 3
    assert scores[0] > 1.5 > scores[2]
    assert "reaching each pixel: 1, 1, 2, 2, 3, 2, 3, 2, 3, 2, 2, 1, 1" in page.html
    assert "reaching each pixel: 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1" in page.html
    assert page.lines["Numbers in the code"] == ["1,568", "6,272", "6,272", "6,272", "256"]
    assert page.lines["Passes beside the code"] == ["nothing", "6,272 switches", "nothing", "nothing", "nothing"]
    page = Shown(view="race", race_noise=0.5, racers="conv_denoise,conv_unpool")
    assert page.labels[1] == "Noisygaussian 0.5"


def opening(module):
    """The settings that a view opens with, on Strokes."""
    return {key: setting.default for key, setting in module.SETTINGS.items()} | {"dataset": "strokes"}


@pytest.mark.parametrize("view", VIEWS)
def test_every_question_on_strokes_has_its_shipped_result(view):
    module = VIEWS[view][0]
    for settings in ({}, *(question.settings for question in module.QUESTIONS.values())):
        configs = [lane.config for lane in module.VIEW.plan(opening(module) | dict(settings))]
        assert comparisons.find(module.VIEW.kind, configs), "make it with `python -m cae_core pretrain` and its name"


def test_a_result_of_other_settings_or_another_data_set_says_so(loading, few_of):
    page = Shown(view="race", race_seed=7)
    assert (len(page.labels), page.waiting) == (6, 0)
    assert "The sidebar has other settings now." in page.text
    with few_of("fashion_mnist"):
        page = Shown(view="race", dataset="fashion_mnist")
    assert page.waiting == 0
    assert re.search(SHIPS + " It is not of Fashion-MNIST, which the sidebar says", page.text)


def test_without_a_readable_result_places_are_kept_and_start_is_offered(monkeypatch, tmp_path):
    monkeypatch.setattr(runs, "PRETRAINED_DIR", tmp_path)
    page = Shown(view="losses")
    for damage in ("missing", "damaged"):
        (warning,) = [text for text in page.messages("warning") if "losses-strokes" in text]
        assert f"losses-strokes.npz is {damage}" in warning
        assert "python -m cae_core pretrain losses-strokes. Until then, **Start** trains it here." in warning
        assert (page.waiting, page.facts["State"], page.can["Start"]) == (2, "Not started", True)
        (tmp_path / "losses-strokes.npz").write_bytes(b"PK")
        page.run()


@pytest.mark.parametrize(
    ("view", "differ"),
    [
        (race, [{"architecture": name} for name in race.RACERS]),
        (bce_or_mse, [{"loss": "bce"}, {"loss": "mse"}]),
        (sparsity, [
            {"sparsity": 0.0, "output": "sigmoid"}, {"sparsity": 0.001, "output": "sigmoid"},
            {"sparsity": 0.005, "output": "sigmoid"}, {"sparsity": 0.005, "output": "linear"},
        ]),
        (versus, [{"beta": beta} for beta in recipes.BETAS]),
    ],
)  # fmt: skip
def test_lanes_differ_in_nothing_but_what_is_compared(view, differ):
    configs = [lane.config.to_dict() for lane in view.VIEW.plan(opening(view))]
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
    page = Shown(view="beta", betas="1")
    check(page, "1 values of β are chosen: choose two to 5")
    check(page.set(betas=["0", "0.1", "0.5", "1", "2", "4"]), "6 values of β are chosen: choose two to 5")
    page = Shown(view="sparsity", weak="0.01", strong="0.01")
    check(page, "make the stronger one larger")
    check(page.set(weak=0.001, sparse_loss="bce"), "a linear decoder's can be any number")
    assert page.set(other_output=False).troubles == []  # the one with a linear output is left out
    assert "4 runs, each" not in page.text
    assert "3 runs, each" in page.text
    check(page.set(sparse_output="linear"), "or loss to 'mse'")
    page = Shown(view="losses", target=-0.5)
    (warning,) = page.messages("warning")
    assert "The targets go from -0.5 to -0.5; BCE takes them from 0 to 1 only." in warning
    assert "has no minimum" in page.text
    assert page.set(target=0.5).messages("warning") == []


def test_from_the_start_to_the_end():
    page = Shown(view="sparsity", **SMALL)
    assert "ships with the app" in page.text
    page.click("Start")
    assert page.can["Start again"] is False
    assert "ships with the app" not in page.text
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
    assert "**Your own runs:** Strokes, 1 epoch of 100 images. The sidebar has other settings now." in page.text
    assert "ships with the app" not in page.text
    assert "ships with the app" in page.set(view="losses").text  # another view's runs are none of its own
    assert "ships with the app" not in page.set(view="sparsity").text
    assert "ships with the app" in Shown("somebody else", view="sparsity", other_output="off").text


def test_one_press_pauses_all_another_lets_all_go_on_and_one_stops_all():
    page = Shown(view="losses", **PAIR).click("Start").until("running", "paused").click("Pause")
    for state, press in (("Paused", "Resume"), ("Training", "Stop")):  # each when the thread comes to it
        while page.run().facts["State"] != state:
            assert any(job.is_live for job in page.group)
        page.click(press)
    page.until("stopped")
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
    assert (page.facts["State"], page.waiting) == ("Finished", 0)  # what ships is there again
    assert "ships with the app" in page.text
    monkeypatch.setattr(scheduling, "MOST_WAITING", 0)
    assert any("The queue is full" in warning for warning in page.click("Start").messages("warning"))
