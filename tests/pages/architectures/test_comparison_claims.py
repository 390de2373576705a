"""What the race, BCE or MSE, and Sparsity say to look for is so: each is trained on strokes as it stands, and checked.

Each check first looks whether the sentences that it checks still stand there.
"""

import dataclasses
import functools

import numpy as np
import pytest
from claims import claim_of

from cae_core import metrics, training
from cae_core.architectures import build
from cae_core.datasets import as_float, load
from cae_core.inspection import checkerboard, loss_slopes
from cae_core.training import run_monitor
from pages.parts.architectures import bce_or_mse, race, sparsity

VIEWS = {
    "race": (race, race.racing, race.QUESTIONS),
    "losses": (bce_or_mse, bce_or_mse.pair, bce_or_mse.QUESTIONS),
    "sparsity": (sparsity, sparsity.side_by_side, sparsity.QUESTIONS),
}
CLAIMS = {
    "all_five": ["its score is more than five times that of any other", "the smallest error by far",
                 "its switches tell it where every stroke is"],
    "one_pixel": ["kernel 3 is more than ten times that of kernel 4, and its error is larger"],
    "training_longer": ["falls from over 10 to below 2", "resizing never has one, and its picture gets sharper"],
    "switches_and_noise": ["its error is now more than three times what it was without"],
    "stuck_in_black": ["it is sure and wrong at every white pixel, and there the slope of MSE is nearly 0"],
    "twins": ["their squared errors differ by less than a tenth"],
    "large_steps": ["MSE overshoots into black early on and stays there, while BCE goes on learning"],
    "outside": ["The curve of BCE now falls without end to the right", "but a sigmoid cannot reach it"],
    "a_price": ["the stronger one more than half of them are", "linear output silences far fewer"],
    "collapse": ["gives the same average image for all eight", "does not say so"],
    "bce_pays_more": ["the same stronger penalty silences fewer units: about half as many"],
    "linear_code": ["to less than a third, and no unit falls silent"],
}  # fmt: skip


@dataclasses.dataclass
class Trained:
    """A run that is over, and what its page would show of it."""

    x: np.ndarray
    x_hat: np.ndarray
    codes: np.ndarray

    @property
    def mse(self):
        return metrics.mse(self.x, self.x_hat)

    @property
    def score(self):
        return checkerboard.score(self.x, self.x_hat)

    @property
    def silent(self):
        return metrics.silent_share(self.codes)


@functools.cache
def trained(config):
    model = build(config)
    for _ in training.train(model, config, *training.split_held_out(load("strokes", "train").x, config.num_train)):
        pass
    of = run_monitor.probes(config)
    return Trained(of.x, model.reconstruct(of.x_noisy), model.encode(as_float(load("strokes", "train").x[-500:])))


def runs(view, name):
    """A question's runs, by title."""
    page, plan, questions = VIEWS[view]
    now = {key: setting.default for key, setting in page.SETTINGS.items()} | {"dataset": "strokes"}
    return {lane.title: trained(lane.config) for lane in plan(now | questions[name].settings)}


@pytest.mark.slow  # trains every lane of a question, to prove what a sentence says
@pytest.mark.parametrize(("view", "name"), [(view, name) for view, (*_, entries) in VIEWS.items() for name in entries])
def test_each_question_comes_out_as_it_says(view, name):
    text = claim_of(VIEWS[view][2][name])
    assert [claim for claim in CLAIMS[name] if claim not in text] == []
    globals()[f"check_{name}"](runs(view, name) if name != "outside" else None)


def check_all_five(five):
    score = {title: run.score for title, run in five.items()}
    worst = score.pop("Transpose, kernel 3")
    assert worst > 5 * max(score.values())
    mse = {title: run.mse for title, run in five.items()}
    best = mse.pop("Unpooling with switches")
    assert best < min(mse.values()) / 2


def check_one_pixel(two):
    assert two["Transpose, kernel 3"].score > 10 * two["Transpose, kernel 4"].score
    assert two["Transpose, kernel 3"].mse > two["Transpose, kernel 4"].mse


def check_training_longer(two):
    before = runs("race", "all_five")
    assert before["Transpose, kernel 3"].score > 10
    assert two["Transpose, kernel 3"].score < 2
    three_epochs, eight_epochs = (trained_runs["Resize, then convolve"] for trained_runs in (before, two))
    assert three_epochs.score < eight_epochs.score < 1  # sharper: more of what the image has there
    assert eight_epochs.mse < three_epochs.mse


def check_switches_and_noise(two):
    before = runs("race", "all_five")
    assert before["Unpooling with switches"].mse < before["Convolutional denoiser"].mse
    assert two["Unpooling with switches"].mse > 3 * before["Unpooling with switches"].mse


def check_stuck_in_black(two):
    good, stuck = two["Trained with BCE"], two["Trained with MSE"]
    assert stuck.x_hat.max() < 0.01
    assert good.mse < stuck.mse / 5
    assert loss_slopes.sure_and_wrong(stuck.x, stuck.x_hat)[stuck.x > 0.52].all()
    assert loss_slopes.mean_slope("mse", stuck.x, stuck.x_hat) < 0.001
    assert loss_slopes.mean_slope("bce", stuck.x, stuck.x_hat) > 0.8


def check_twins(two):
    a, b = (run.mse for run in two.values())
    assert abs(a - b) < 0.1 * min(a, b)


def check_large_steps(two):
    assert two["Trained with MSE"].x_hat.max() < 0.01
    assert two["Trained with BCE"].mse < 0.7 * two["Trained with MSE"].mse


def check_outside(_):
    far = loss_slopes.value("bce", 1.2, np.array([1.0, 10.0, 100.0, 1000.0]))
    assert (np.diff(far) < 0).all()
    assert loss_slopes.value("mse", 1.2, 1000.0) == pytest.approx(0.04)


def check_a_price(four):
    assert four["No penalty"].silent == 0
    assert four["Penalty 0.005"].silent > 0.5
    assert four["Penalty 0.005, linear"].silent < four["Penalty 0.005"].silent / 2
    assert four["No penalty"].mse < four["Penalty 0.005"].mse


def check_collapse(three):
    gone = three["Penalty 0.1"]
    assert gone.x_hat.var(axis=0).mean() < 0.001 * gone.x.var(axis=0).mean()
    assert np.abs(gone.codes).mean() < 0.001
    assert gone.silent < 0.2


def check_bce_pays_more(under_bce):
    half = runs("sparsity", "a_price")["Penalty 0.005"].silent / 2
    assert 0.6 * half < under_bce["Penalty 0.005"].silent < 1.4 * half


def check_linear_code(three):
    assert np.abs(three["Penalty 0.03"].codes).mean() < np.abs(three["No penalty"].codes).mean() / 3
    assert {run.silent for run in three.values()} == {0.0}
