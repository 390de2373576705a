"""The label curve: pieces that are made once, what the figures say, what ships."""

import dataclasses
import json

import numpy as np
import pytest

from cae_core import datasets
from cae_core.stacking import charts, label_curve, results
from cae_core.stacking.config import check
from cae_core.stacking.label_curve import Plan, curve
from cae_core.stacking.results import Point, confusion, from_json

EXAMPLE = (0.1, 0.2, 0.15, 0.12, 0.18)


@pytest.fixture
def plan(tiny):
    config = dataclasses.replace(tiny, epochs=1, maps=(4,), kernels=(3,), hidden=0)
    return Plan(config, {20: 2, 5_000: 3}, seeds=2, features=(20,))


def test_a_plan_is_carried_out_once_and_goes_on_where_it_was(tensorflow, few_strokes, few_numbers, plan, monkeypatch):
    pieces = []

    class Enough(Exception):
        pass

    def stop(piece, event):
        pieces.append(piece)
        if "seed 1" in piece:
            raise Enough

    with pytest.raises(Enough):
        curve(plan, stop)
    assert {"seed 0, layer 1", "seed 0, 20 labels", "seed 0, 100 labels"} < set(pieces)
    again = []
    result = curve(plan, lambda piece, event: again.append(piece))
    assert all("seed 1" in piece for piece in again)
    assert curve(plan, stop) == result  # nothing is left to be trained
    assert [point.labels for point in result.points] == [20, 100]  # there are no 5,000 images to learn from
    assert all(len(values) == 2 for point in result.points for values in point.errors.values())
    assert set(result.features[20]) == {"encoder", "untrained", "pixels"}
    assert len(result.features[20]["encoder"]["error"]) == 2
    assert from_json(result.to_json()) == result

    pictures = label_curve.pictures(plan)
    test = datasets.load("strokes", "test")
    for point in result.points:
        for arm in ("pretrained", "random"):
            misread = np.mean(pictures[f"predictions/{point.labels}/{arm}"] != test.y)
            assert misread == pytest.approx(point.errors[arm][0])
    assert pictures["x_hats/0"].shape == pictures["x"].shape == (8, 28, 28, 1)
    assert pictures["filters/0"].shape == (4, 3, 3)

    monkeypatch.setattr(results, "SHIPPED", results.runs.runs_dir() / "stack.json")
    monkeypatch.setattr(results, "PICTURES", results.runs.runs_dir() / "stack.npz")
    assert results.shipped() == (None, "")
    results.ship(result, pictures)
    assert results.shipped() == (result, "")
    np.testing.assert_array_equal(results.shipped_pictures()["x"], pictures["x"])
    results.PICTURES.write_bytes(b"PK")
    assert results.shipped_pictures() == {}


def test_the_plan_that_ships_can_be_carried_out():
    assert label_curve.PLAN.seeds >= 5
    assert list(label_curve.PLAN.steps) == [100, 300, 1_000, 10_000, 60_000]
    for labels in (100, 55_000):
        check(dataclasses.replace(label_curve.PLAN.config, labels=labels))
    command = "python -m cae_core stack --curve"
    assert label_curve.command() == command
    assert label_curve.command(label_curve.part(2, (100, 300))) == f"{command} --seeds 2 --labels 100,300"
    with pytest.raises(ValueError, match="the curve has 100, 300, 1000, 10000, 60000, the last for all"):
        label_curve.part(None, (200,))
    with pytest.raises(ValueError, match="seeds is 0"):
        label_curve.part(0, None)


@pytest.mark.parametrize(
    ("pretrained", "verdict"),
    [
        ([e - 0.02 for e in EXAMPLE], "helps"),
        ([e + 0.02 for e in EXAMPLE], "hurts"),
        ([e + d for e, d in zip(EXAMPLE, (0.03, -0.03, 0.02, -0.02, 0.01), strict=True)], "no difference"),
        (EXAMPLE, "no difference"),
        # 2.25 standard errors from 0: over twice, but with five seeds the interval still holds 0.
        ([e - d for e, d in zip(EXAMPLE, (0.0, 0.0, 0.01, 0.015, 0.02), strict=True)], "no difference"),
        ([0.05], "no difference"),
    ],
)
def test_what_the_seeds_say(pretrained, verdict):
    point = Point(100, 10, {"pretrained": tuple(pretrained), "random": EXAMPLE[: len(pretrained)]})
    assert point.verdict == verdict
    if len(pretrained) > 1:
        assert point.mean("random") == (pytest.approx(15), pytest.approx(100 * np.std(EXAMPLE, ddof=1)))


def test_intervals_are_students():
    """Quantiles from a table of the t distribution; pairs whose spread comes from the seed alone are told apart."""
    for count, quantile in ((2, 12.706), (3, 4.303), (5, 2.776), (10, 2.262), (30, 2.045)):
        less = np.arange(count) / 100
        gain = results.paired(less + 0.01 + 0.001 * (-1.0) ** np.arange(count), less)
        spread = np.std(0.1 * (-1.0) ** np.arange(count), ddof=1)
        assert gain.high - gain.mean == pytest.approx(quantile * spread / count**0.5, rel=1e-3)
        assert gain.mean - gain.low == pytest.approx(gain.high - gain.mean)


def test_confusion_counts():
    counts = confusion(np.array([0, 0, 1, 2], np.uint8), np.array([0, 1, 1, 0], np.uint8), 3)
    np.testing.assert_array_equal(counts, [[1, 1, 0], [0, 1, 0], [1, 0, 0]])


ERRORS = {"pretrained": [0.1], "random": [0.2]}
DAMAGED = ["[]", '{"points": []}', "[" * 100_000] + [
    json.dumps({"features": {}, "points": [{"labels": 100, "steps": 1, "errors": errors} for errors in points]})
    for points in ([ERRORS], [{"random": [0.2]}], [ERRORS, {**ERRORS, "random": [0.1, 0.2]}], [{**ERRORS, "random": []}])
]


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_result_is_said(text, monkeypatch, tmp_path):
    monkeypatch.setattr(results, "SHIPPED", tmp_path / "stack.json")
    results.SHIPPED.write_text(text, encoding="utf-8")
    result, trouble = results.shipped()
    assert result is None
    assert "python -m cae_core stack --curve --ship" in trouble


def test_published_figures_are_those_of_the_replication():
    accuracies = {1_000: (92.35, 91.98), 10_000: (97.80, 97.41), 60_000: (98.77, 98.45)}
    for labels, shares in accuracies.items():
        assert list(results.PUBLISHED[labels].values()) == pytest.approx([100 - share for share in shares])


def test_the_chart_has_both_curves_their_spread_and_what_is_published():
    points = [Point(n, 10, {"pretrained": tuple(e / n for e in EXAMPLE), "random": EXAMPLE}) for n in (1, 10)]
    figure = charts.label_curve(points, results.PUBLISHED, (10, "random"))
    assert len(figure["data"]) == 5  # two curves, the same two as published, and the chosen place
    np.testing.assert_allclose(figure["data"][1]["y"], [15, 15])
    np.testing.assert_allclose(figure["data"][0]["error_y"]["array"][1], 10 * np.std(EXAMPLE, ddof=1), rtol=1e-5)
    assert figure["layout"]["xaxis"]["type"] == "log"
    json.dumps(charts.label_curve([], results.PUBLISHED)["layout"])
    assert len(charts.tuning({}, 10)["data"]) == 2
    assert len(charts.layer_losses([], 10)["data"]) == 1


def test_what_ships_is_whole():
    result, trouble = results.shipped()
    assert trouble == ""
    assert [point.labels for point in result.points] == [100, 300, 1_000, 10_000, 55_000]
    assert all(len(values) >= 5 for point in result.points for values in point.errors.values())
    assert set(result.features) == set(label_curve.PLAN.features)
    pictures = results.shipped_pictures()
    for point in result.points:
        for arm, errors in point.errors.items():
            assert pictures[f"predictions/{point.labels}/{arm}"].shape == (10_000,)
            assert 0 < errors[0] < 1
    assert results.SHIPPED.stat().st_size + results.PICTURES.stat().st_size < 1_000_000
