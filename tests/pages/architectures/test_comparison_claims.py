"""What the questions of the race, BCE or MSE, and Sparsity claim is so: on runs that ship, or trained as they stand.

Each check first looks whether the sentences that it checks still stand there.
"""

import dataclasses
import functools

import numpy as np
import pytest
from claims import answer, asked

from cae_core import comparisons, losses, metrics, training
from cae_core.architectures import build
from cae_core.comparisons import recipes
from cae_core.datasets import as_float, load
from cae_core.inspection import checkerboard, loss_slopes
from cae_core.latent import generate, neighbours
from cae_core.training import run_monitor
from pages.parts.architectures import bce_or_mse, race, sparsity, versus

QUESTIONS = race.QUESTIONS | bce_or_mse.QUESTIONS | sparsity.QUESTIONS | versus.QUESTIONS
CLAIMS = {
    "all_five": ["the score is more than five times that of any other"],
    "one_pixel": ["The error of kernel 3 is larger, too"],
    "training_longer": ["Resizing never has one, and its picture only gets sharper"],
    "switches_and_noise": ["On clean images unpooling has the smallest error of all"],
    "stuck_in_black": ["it is sure and wrong at every white pixel, and there the slope of MSE is nearly 0",
                       "ends at a loss of about 0.1; the other with MSE, and ends at about 0.1"],
    "twins": ["ends at a loss several times lower than with BCE"],
    "large_steps": ["MSE overshoots into black early on and stays there"],
    "outside": ["The curve of BCE now falls without end to the right", "but a sigmoid cannot reach it"],
    "a_price": ["Without a penalty no unit is silent", "linear output silences far fewer", "the error is larger"],
    "collapse": ["Every number of the code is close to 0", "The share of silent units does not say so"],
    "bce_pays_more": ["BCE is several times as large as MSE"],
    "all_at_once": ["A penalty leaves none dead", "lets many more learn something"],
    "ten_or_forty": ["does not cost four times the error"],
    "linear_code": ["by making all numbers smaller, to less than a third"],
    "first_to_go": ["lose more than a third of their sharpness, and fewer than three in ten codes that lay"],
    "who_can_draw": ["a plane that is many times as wide as what is drawn"],
    "best_bound": ["Without a price the rate is out of all bounds",
                   "A high price saves less rate than it adds distortion"],
    "dearer": ["those that are left save more than ten nats of distortion each", "more than twice as wide as before"],
}  # fmt: skip


@dataclasses.dataclass
class Trained:
    """A run that is over, and what its page would show of it."""

    x: np.ndarray
    x_hat: np.ndarray
    silent: float
    size: float  # mean |z|
    progress: run_monitor.Progress | None = None  # of a run that ships

    @property
    def mse(self):
        return metrics.mse(self.x, self.x_hat)

    @property
    def bce(self):
        return metrics.bce(self.x, self.x_hat)

    @property
    def score(self):
        return checkerboard.score(self.x, self.x_hat)

    @property
    def costs(self):
        """Rate and distortion of held-out images, in nats per image."""
        return np.array([self.progress.history[-1][name] for name in ("rate", "distortion")])

    @property
    def is_black(self):
        return self.x_hat.max() < 0.01

    @property
    def is_one_image(self):
        return self.x_hat.var(axis=0).mean() < 0.001 * self.x.var(axis=0).mean()


@functools.cache
def shipped(config):
    """What ships of a run; None for one that does not."""
    for kind in recipes.KINDS:
        if kept := comparisons.find(kind, [config]):
            progress = kept[0].progress
            silent, size = (progress.measured[name][-1, 1] for name in ("silent", "code"))
            return Trained(progress.x, progress.x_hat, silent, size, progress)
    return None


@functools.cache
def trained(config):
    if run := shipped(config):
        return run
    model, x = build(config), load(config.dataset, "train").x
    for _ in training.train(model, config, *training.split_held_out(x, config.num_train)):
        pass
    of = run_monitor.probes(config)
    z = model.encode(as_float(x[-500:]))
    return Trained(of.x, model.reconstruct(of.x_noisy), metrics.silent_share(z), float(np.abs(z).mean()))


def runs(name, dataset):
    """A question's runs, by title; on the data set that it sets, or on this."""
    page = next(view for view in (race, bce_or_mse, sparsity, versus) if name in view.QUESTIONS)
    now = {key: setting.default for key, setting in page.SETTINGS.items()} | {"dataset": dataset}
    return {lane.title: trained(lane.config) for lane in page.VIEW.plan(now | dict(QUESTIONS[name].settings))}


def cases():
    """Every question on Strokes, and on MNIST where it sets no data set of its own."""
    for name, question in QUESTIONS.items():
        yield pytest.param(name, "strokes", id=f"{name}-strokes")
        if "dataset" not in question.settings:
            yield pytest.param(name, "mnist", id=f"{name}-mnist", marks=pytest.mark.real_data)


@pytest.mark.slow  # trains the lanes of a question that do not ship, to prove what a sentence says
@pytest.mark.usefixtures("real_data")
@pytest.mark.parametrize(("name", "dataset"), [*cases()])
def test_each_question_comes_out_as_it_says(name, dataset):
    answer(asked(QUESTIONS[name], *CLAIMS[name]), *globals()[f"check_{name}"](functools.partial(runs, dataset=dataset)))


def check_all_five(runs_of):
    five = runs_of("all_five")
    mse = {title: run.mse for title, run in five.items()}
    assert min(mse, key=mse.get) == "Unpooling with switches"
    best = max(five, key=lambda title: five[title].score)
    others = max(run.score for title, run in five.items() if title != best)
    for title in ("Unpooling with switches", "Transpose, kernel 3", "Transpose, kernel 4", "Resize, then convolve"):
        yield title == best and five[title].score > 5 * others


def check_one_pixel(runs_of):
    two = runs_of("one_pixel")
    assert two["Transpose, kernel 3"].mse > two["Transpose, kernel 4"].mse
    ratio = two["Transpose, kernel 4"].score / two["Transpose, kernel 3"].score
    return 0.8 < ratio < 1.2, ratio > 1.2, ratio < 0.1


def check_training_longer(runs_of):
    three, eight = runs_of("all_five"), runs_of("training_longer")
    resized = [epochs["Resize, then convolve"] for epochs in (three, eight)]
    assert resized[0].score < resized[1].score < 1  # sharper: more of what the image has there
    assert resized[1].mse < resized[0].mse
    before, after = (epochs["Transpose, kernel 3"].score for epochs in (three, eight))
    assert before > 5
    return 0.8 < after / before < 1.2, after > 1.2 * before, after < 2


def check_switches_and_noise(runs_of):
    clean, noisy = runs_of("all_five"), runs_of("switches_and_noise")
    assert clean["Unpooling with switches"].mse == min(run.mse for run in clean.values())
    ratio = noisy["Unpooling with switches"].mse / clean["Unpooling with switches"].mse
    return ratio < 1.2, 1.5 < ratio < 2.5, ratio > 3


def check_stuck_in_black(runs_of):
    good, stuck = runs_of("stuck_in_black").values()
    assert (good.bce, stuck.mse) == (pytest.approx(0.1, abs=0.01), pytest.approx(0.1, abs=0.01))
    assert loss_slopes.sure_and_wrong(stuck.x, stuck.x_hat)[stuck.x > 0.52].all()
    assert loss_slopes.mean_slope("mse", stuck.x, stuck.x_hat) < 0.001
    assert loss_slopes.mean_slope("bce", stuck.x, stuck.x_hat) > 0.8
    alike = 0.8 < good.mse / stuck.mse < 1.2
    return alike, stuck.is_black and good.mse < stuck.mse / 5, good.is_black and stuck.mse < good.mse / 5


def check_twins(runs_of):
    with_bce, with_mse = runs_of("twins").values()
    times = with_bce.bce / with_mse.mse  # how much lower its own loss is
    assert times > 4
    ratio = with_mse.mse / with_bce.mse
    return ratio < 2 / times, 0.9 < ratio < 1.1, ratio > 1.2


def check_large_steps(runs_of):
    with_bce, with_mse = runs_of("large_steps").values()
    learns = [run.mse < 0.7 * metrics.mse(run.x, np.zeros_like(run.x)) for run in (with_bce, with_mse)]
    assert with_mse.is_black
    return all(learns), learns == [True, False], learns == [False, True]


def check_outside(_):
    target, far = QUESTIONS["outside"].settings["target"], np.array([1.0, 10.0, 100.0, 1000.0])
    ends = [loss_slopes.value(loss, target, far) for loss in ("bce", "mse")]
    has_best = [values[-1] - values[-2] > -0.01 and min(values) > -0.01 for values in ends]
    assert (np.diff(ends[0]) < 0).all()
    assert ends[1][-1] == pytest.approx(0.04)  # the sigmoid's end is still off by 0.2
    with pytest.raises(ValueError, match="takes them from 0 to 1 only"):
        losses.check_targets("bce", target, target)
    return has_best == [True, False], has_best == [False, True], all(has_best), not any(has_best)


def check_a_price(runs_of):
    four = runs_of("a_price")
    silent = four["Penalty 0.005"].silent
    assert four["No penalty"].silent == 0
    assert four["Penalty 0.005, linear"].silent < silent / 2
    assert four["No penalty"].mse < four["Penalty 0.005"].mse
    return silent == 0, 0.5 < silent < 0.85, silent > 0.9


def check_collapse(runs_of):
    cheaper, gone = runs_of("a_price")["Penalty 0.005"], runs_of("collapse")["Penalty 0.1"]
    assert gone.size < 0.001
    assert gone.silent < 0.2
    more = gone.silent - cheaper.silent
    return more > 0 and not gone.is_one_image, gone.is_one_image, abs(more) < 0.1


def check_bce_pays_more(runs_of):
    under_mse, under_bce = (runs_of(name)["Penalty 0.005"] for name in ("a_price", "bce_pays_more"))
    assert under_bce.bce > 3 * under_bce.mse
    ratio = under_bce.silent / under_mse.silent
    return ratio > 1.2, 0.8 < ratio < 1.2, 0.3 < ratio < 0.7


def check_all_at_once(runs_of):
    scheduled, _, at_once, priced = runs_of("all_at_once").values()
    assert scheduled.silent < at_once.silent - 0.2
    assert priced.silent == 0
    assert priced.size > 0
    return abs(at_once.silent - scheduled.silent) < 0.1, at_once.silent > 0.9, at_once.silent < 0.1


def check_ten_or_forty(runs_of):
    few, many, *_ = runs_of("ten_or_forty").values()
    ratio = few.mse / many.mse
    return ratio < 1.2, 1.4 < ratio < 2.8, ratio > 4


def check_linear_code(runs_of):
    three = runs_of("linear_code")
    assert three["Penalty 0.03"].size < three["No penalty"].size / 3
    silent = max(run.silent for run in three.values())
    return silent == 0, 0.5 < silent < 0.85, silent > 0.9


def check_first_to_go(runs_of):
    vae, dear = (runs_of("first_to_go")[title] for title in ("VAE, β 1", "β 10"))
    sharp = metrics.sharpness(dear.x, dear.x_hat) / metrics.sharpness(vae.x, vae.x_hat)
    of_class = np.divide(*(neighbours.separation(r.progress.plane.points, r.progress.labels).accuracy for r in (dear, vae)))
    return sharp < 2 / 3 and of_class > 0.7, of_class < 0.6 and sharp > 3 / 4, min(sharp, of_class) > 0.9


def check_who_can_draw(runs_of):
    ae, vae = runs_of("who_can_draw").values()
    assert ae.costs[1] < vae.costs[1]
    assert np.abs(ae.progress.plane.points).max() > 10 * np.abs(generate.draw(2, 8, 0)).max()
    differ = [run.progress.drawn.var(axis=0).mean() / run.x.var(axis=0).mean() for run in (ae, vae)]
    share = differ[0] / differ[1]
    return share > 1.5, 0.4 < share < 2 / 3, 0.9 < share < 1.1


def check_best_bound(runs_of):
    (free, cheap, vae, dear) = costs = [run.costs for run in runs_of("best_bound").values()]
    assert free[1] > cheap[1] - 1
    assert free[0] > 5 * cheap[0]
    assert 0 < vae[0] - dear[0] < dear[1] - vae[1]
    sums = [sum(each) for each in costs]
    return [each == min(sums) for each in sums]


def check_dearer(runs_of):
    vae, dear = runs_of("dearer").values()
    widths = [run.progress.measured["width"][-1, 1] for run in (vae, dear)]
    x = as_float(load(runs_of.keywords["dataset"], "train").x)
    unsaid = metrics.bce(x[-5000:], np.broadcast_to(x[:10_000].mean(axis=0), x[-5000:].shape)) * x[0].size
    assert (unsaid - dear.costs[1]) / dear.costs[0] > 10
    assert widths[1] > 2 * widths[0]
    share = dear.costs[0] / vae.costs[0]
    return share < 0.2, 0.3 < share < 0.5, share < 0.01
