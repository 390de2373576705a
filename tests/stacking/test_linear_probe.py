"""Linear classifiers on features: the loss and its slope, the minimiser, and what is chosen on which images."""

import numpy as np
import pytest

from cae_core.stacking import linear_probe
from cae_core.stacking.linear_probe import linear_error, minimise, scores, softmax_loss


@pytest.fixture
def clouds():
    """Three clouds of points in five dimensions, `(n, 5)` and their classes."""

    def draw(n, seed):
        rng = np.random.default_rng(seed)
        y = rng.integers(0, 3, n)
        return (rng.normal(size=(n, 5)) + 2.5 * np.eye(5)[y]).astype("float32"), y.astype("uint8")

    return draw


def test_the_slope_is_that_of_the_loss(clouds):
    x, y = clouds(40, 0)
    x = x.astype(float)
    weights = np.random.default_rng(1).normal(size=18)
    loss, slope = softmax_loss(weights, x, y, 3, 0.1)
    w = weights.reshape(6, 3)
    p = np.exp(x @ w[:-1] + w[-1])
    p /= p.sum(axis=1, keepdims=True)
    assert loss == pytest.approx(-np.log(p[np.arange(40), y]).mean() + 0.05 * (w[:-1] ** 2).sum())
    for i in range(18):
        step = np.zeros(18)
        step[i] = 1e-5
        about = [softmax_loss(weights + sign * step, x, y, 3, 0.1)[0] for sign in (1, -1)]
        assert slope[i] == pytest.approx((about[0] - about[1]) / 2e-5, abs=1e-6)


def test_the_least_point_of_a_valley_is_found():
    scale = np.array([1.0, 30.0, 900.0])
    least = minimise(lambda p: (float(np.sum(scale * (p - 2) ** 2)), 2 * scale * (p - 2)), np.zeros(3))
    np.testing.assert_allclose(least, 2, atol=0.02)


def test_clouds_are_told_apart_as_well_as_they_can_be(clouds):
    error = linear_error(clouds(500, 0), clouds(300, 1), clouds(4000, 2))
    x, y = clouds(4000, 2)
    best = np.mean(x[:, :3].argmax(axis=1) != y)  # what knows the clouds' middles can do
    assert best <= error < best + 0.02


def test_the_penalty_is_chosen_on_held_out_images_and_not_on_the_test(clouds, monkeypatch):
    judged = []
    misread = linear_probe._misread
    monkeypatch.setattr(linear_probe, "_misread", lambda w, x, y: judged.append(len(x)) or misread(w, x, y))
    linear_error(clouds(60, 0), clouds(50, 1), clouds(70, 2))
    assert judged == [50] * len(linear_probe.PENALTIES) + [70]


def test_the_error_of_codes_is_that_of_all_training_images_whatever_is_always_0(few_strokes, few_numbers, monkeypatch):
    monkeypatch.setattr(linear_probe, "load", lambda _, split: few_strokes(split))
    code = np.random.default_rng(0).normal(size=(784, 20)).astype("float32")
    errors = [
        linear_probe.error_of(lambda x, more=more: np.pad(x.reshape(len(x), -1) @ code, ((0, 0), (0, more))), "strokes")
        for more in (0, 30)
    ]
    assert errors[0] == errors[1]
    assert 0 < errors[0] < 0.9


def test_scores_are_of_all_numbers_and_of_as_few(few_strokes, few_numbers, tiny):
    code = np.random.default_rng(0).normal(size=(784, 60)).astype("float32")
    kinds = {"encoder": lambda x: x.reshape(len(x), -1) @ code, "pixels": lambda x: x}
    by_count = scores(kinds, tiny, [20, 60], 0)
    figures = by_count[60]
    assert set(figures["encoder"]) == {"size", "error", "few_error"}
    assert set(figures["pixels"]) == {"size", "error", "few_error", "same_error"}
    assert [figures[kind]["size"] for kind in kinds] == [60, 784]
    assert all(0 <= figures[kind][name] <= 1 for kind in kinds for name in figures[kind] if name != "size")
    assert by_count[20] == scores(kinds, tiny, [20], 0)[20]
