"""Carrying cards out on a tiny data set, and the file of results that ship."""

import dataclasses
import json

import numpy as np
import pytest
import tiny_cards

from cae_core import metrics, runs
from cae_core.architectures import published
from cae_core.corruptions import binarised, corrupt
from cae_core.datasets import as_float, load
from cae_core.inspection import evaluation
from cae_core.reproduction import measure, results
from cae_core.reproduction.claims import Claim
from cae_core.reproduction.results import Result
from cae_core.reproduction.run_card import reproduce
from cae_core.runs import RunError
from cae_core.training.run_trainer import RunTrainer

pytestmark = pytest.mark.usefixtures("cards")


@pytest.fixture(autouse=True)
def shipped_file(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "SHIPPED", tmp_path / "reproductions.json")
    return tmp_path / "reproductions.json"


def test_a_card_is_trained_measured_and_never_trained_again(whole, monkeypatch):
    monkeypatch.setenv("CAE_RUNS_DIR", str(whole.folder))
    assert {name: len(done) for name, done in whole.steps.items()} == {
        f"reproduce-{run}-{seed}": 1 if run == "pca" else 20 for run in ("first", "second", "pca") for seed in (0, 1)
    }
    values = whole.result.values
    assert {label: len(of_seeds) for label, of_seeds in values.items()} == {
        "clean": 2, "after 1 epoch": 2, "at the end": 2, "PCA": 2,
    }  # fmt: skip
    assert values["clean"][0] != values["clean"][1]
    assert whole.result.command == "python -m cae_core reproduce two"
    assert whole.result.seconds > 0
    assert set(whole.result.versions) == {"python", "tensorflow", "keras", "numpy"}

    x = as_float(load("strokes", "test").x)
    for seed in (0, 1):
        first, run = (runs.find(f"reproduce-{name}-{seed}") for name in ("first", "second"))
        assert run.origin == {"run": first.name, "step": 20}
        for path, w in runs.weights(run, 0).items():
            np.testing.assert_array_equal(w, runs.weights(first)[path])
        noisy = corrupt(x, "gaussian", 0.5, 0)
        expected = np.mean((runs.model(run, 5).reconstruct(noisy) - x) ** 2)
        assert values["after 1 epoch"][seed] == pytest.approx(expected, abs=1e-5)
        expected = metrics.squared_error_per_image(x, runs.model(run).reconstruct(x)).mean()
        assert values["at the end"][seed] == pytest.approx(expected, abs=1e-4)
    assert reproduce("two", on_event=lambda run, event: pytest.fail(f"{run} is trained")).values == values


def test_a_variational_network_is_measured_in_nats_on_pixels_of_black_and_white(runs_folder, monkeypatch):
    config = dataclasses.replace(published("vae_binary"), dataset="strokes", bottleneck=2, epochs=2, batch_size=20)
    run = RunTrainer.begin(config, "drawn").run(lambda event: None)
    figures = {name: measure.measure(Claim("", "drawn", metric=name), run) for name in ("elbo", "distortion", "rate")}
    assert figures["elbo"] == pytest.approx(figures["distortion"] + figures["rate"])
    x = binarised(load("strokes", "test").x, 0)
    of_pixels = evaluation.evaluate(runs.model(run), x, "none", 0.0)
    assert figures["distortion"] == of_pixels["distortion"] != run.metrics["clean"]["distortion"]
    assert measure.measure(Claim("", "drawn", metric="running"), run) == runs.history(run)["loss"][-1]
    # With as many codes for all images as for some, what is left is the bound of many.
    for name, value in (("MANY", 30), ("FEW", 3), ("SOME", len(x))):
        monkeypatch.setattr(measure, name, value)
    exact = -evaluation.importance_bound(runs.keras_model(run), as_float(x), 30, seed=1).mean()
    assert measure.measure(Claim("", "drawn", metric="bound"), run) == pytest.approx(exact)
    assert exact < figures["elbo"]
    monkeypatch.setattr(measure, "SOME", 20)
    assert measure.measure(Claim("", "drawn", metric="bound"), run) == pytest.approx(exact, abs=2)


def test_what_was_interrupted_goes_on_to_the_same_figures(whole):
    def interrupt(run, event):
        if (run, event.step) == ("reproduce-second-0", 12):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reproduce("two", seeds=1, on_event=interrupt)
    assert runs.find("reproduce-second-0").state == "interrupted"
    steps = []
    result = reproduce("two", seeds=1, on_event=lambda run, event: steps.append((run, event.step)))
    assert steps[:-1] == [("reproduce-second-0", step) for step in range(11, 21)]  # from its last whole epoch
    assert result.values == whole.first_seed


def test_a_run_that_diverges_says_so_now_and_the_next_time(cards):
    wild = dataclasses.replace(tiny_cards.BASE, architecture="fast", learning_rate=1.0, output="linear", loss="mse")
    cards["two"] = dataclasses.replace(cards["two"], claims=cards["two"].claims[:1], runs={"first": wild}, starts={})
    with pytest.raises(FloatingPointError, match="the steps are too large"):
        reproduce("two", seeds=1)
    assert runs.find("reproduce-first-0").state == "failed"
    with pytest.raises(RunError, match=r"The run 'reproduce-first-0' failed \(.+\): delete .+, and try again"):
        reproduce("two", seeds=1)


RESULT = Result({"3 components": (20.1, 20.3)}, 12.5, "2026-11-22", {"python": "3.11"}, "python -m x")


def test_results_ship_one_by_one_in_the_order_of_the_cards(shipped_file, monkeypatch):
    assert RESULT.means == {"3 components": pytest.approx(20.2)}
    assert results.shipped() == ({}, [])
    results.ship("pca", RESULT)
    other = dataclasses.replace(RESULT, values={"clean": (0.3,)})
    results.ship("two", other)
    assert results.shipped() == ({"two": other, "pca": RESULT}, [])
    before = shipped_file.read_bytes()
    assert list(json.loads(before)) == ["two", "pca"]
    assert [path.name for path in shipped_file.parent.iterdir() if path.is_file()] == [shipped_file.name]
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("no space")))
    with pytest.raises(OSError, match="no space"):
        results.ship("two", RESULT)
    assert shipped_file.read_bytes() == before


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[]", b"[" * 100_000], ids=range(4))
def test_a_damaged_file_is_said_in_one_sentence_and_not_written_over(shipped_file, content):
    shipped_file.write_bytes(content)
    results_read, damaged = results.shipped()
    assert (results_read, len(damaged)) == ({}, 1)
    assert damaged[0].startswith("reproductions.json is damaged (")
    with pytest.raises(ValueError, match="Nothing was written"):
        results.ship("pca", RESULT)
    assert shipped_file.read_bytes() == content


VALUES = [], {"a": []}, {"a": ["20"]}, {"a": [float("nan")]}, {"a": 20.0}, {"a": [10**400]}


@pytest.mark.parametrize("damage", [*({"values": values} for values in VALUES), {"seconds": None}, {"versions": 3}, None])
def test_a_damaged_result_leaves_the_others(shipped_file, damage):
    results.ship("two", RESULT)
    results.ship("pca", RESULT)
    content = json.loads(shipped_file.read_text(encoding="utf-8"))
    content |= {"pca": {**content["pca"], **damage} if damage else {}, "unknown": 3}
    shipped_file.write_text(json.dumps(content), encoding="utf-8")
    results_read, damaged = results.shipped()
    assert (list(results_read), len(damaged)) == (["two"], 1)
    assert damaged[0].startswith("The result of pca in reproductions.json is damaged (")
