"""The comparisons that ship: small, whole, what they say they are, made again by the command, and refused when damaged."""

import dataclasses
import json
import re

import numpy as np
import pytest

from cae_core import comparisons, runs
from cae_core.cli import main
from cae_core.comparisons import recipes
from cae_core.config import RunConfig
from cae_core.runs import RunError, storage
from cae_core.training import run_monitor

LARGEST = 2**20
"""Bytes that all of them together may take."""
DRAWN = ("strokes", "strokes_colour")
LOSSES = comparisons.file_of("losses-strokes")  # as it ships, wherever a test looks for it
TINY = [RunConfig(dataset="strokes", architecture="dense", bottleneck=2, num_train=100, epochs=2, loss=loss) for loss in
        ("mse", "bce")]  # fmt: skip


def test_all_are_there_whole_and_together_small():
    files = [comparisons.file_of(name) for name in recipes.SHIPPED]
    assert sum(file.stat().st_size for file in files) <= LARGEST
    assert [name for name in recipes.SHIPPED if not comparisons.is_made(name)] == []
    for kind, (_, datasets) in recipes.KINDS.items():
        assert datasets[0] in DRAWN, f"{kind} has nothing to show on a machine without downloads"


@pytest.mark.parametrize(
    "name",
    [name if name.endswith(DRAWN) else pytest.param(name, marks=pytest.mark.real_data) for name in recipes.SHIPPED],
)
def test_pictures_curves_and_figures_of_a_run_are_of_one_moment(name):
    configs = recipes.SHIPPED[name]
    for config, watched in zip(configs, comparisons.find(name.partition("-")[0], configs), strict=True):
        progress, images = watched.progress, run_monitor.probes(config)
        np.testing.assert_array_equal(progress.x, images.x)
        assert progress.measured["mse"][-1, 1] == pytest.approx(np.square(progress.x_hat - images.x).mean(), rel=2e-3)
        assert [line[-1, 0] for line in progress.measured.values()] == [config.epochs] * len(progress.measured)
        assert [row["epoch"] for row in progress.history] == [*range(1, config.epochs + 1)]
        assert 0 < progress.curve[0, 0] < progress.curve[-1, 0] <= config.epochs
        if progress.plane:
            size = np.abs(progress.plane.points).mean()
            assert progress.measured["code"][-1, 1] == pytest.approx(size, rel=2e-3)
            assert progress.drawn.shape == progress.x.shape
            assert np.bincount(progress.labels, minlength=10).min() > 20
        assert watched.run.seconds > 0
        assert re.fullmatch(r"\d+ cores?, \S.*", watched.machine)


@pytest.fixture
def tiny(few_strokes, monkeypatch, tmp_path):
    """One small comparison that is not made yet."""
    monkeypatch.setattr(runs, "PRETRAINED_DIR", tmp_path)
    monkeypatch.setattr(comparisons, "SHIPPED", {"losses-strokes": TINY})
    return tmp_path / "losses-strokes.npz"


def test_the_command_trains_what_is_missing_and_the_result_is_that_of_any_run(tiny, capsys, monkeypatch):
    def pretrain(*arguments):
        assert main(["pretrain", *arguments, "--json", "losses-strokes"]) == 0
        return json.loads(capsys.readouterr().out)

    train, trained = comparisons.training.train, []

    def watch(model, config, *images):
        trained.append(config.loss)
        if trained == ["mse", "bce"]:
            raise KeyboardInterrupt
        return train(model, config, *images)

    monkeypatch.setattr(comparisons.training, "train", watch)
    with pytest.raises(RunError, match="is missing. To make it again: python -m cae_core pretrain losses-strokes"):
        comparisons.find("losses", TINY)
    assert main(["pretrain", "losses-strokes"]) == 130
    with pytest.raises(RunError, match="a run is missing in it"):
        comparisons.find("losses", TINY)
    capsys.readouterr()
    assert pretrain() == {"made": ["losses-strokes"], "kept": []}
    assert trained == ["mse", "bce", "bce"]
    assert pretrain() == {"made": [], "kept": ["losses-strokes"]}
    mse, _ = comparisons.find("losses", TINY)
    # The same run by itself, from the command line, which knows nothing of who watches.
    words = {"--dataset": "strokes", "--architecture": "dense", "--bottleneck": 2, "--num-train": 100, "--epochs": 2}
    assert main(["train", *map(str, sum(words.items(), ())), "--loss", "mse", "--name", "alone"]) == 0
    alone, images = runs.network("alone"), run_monitor.probes(TINY[0])
    assert alone.config == TINY[0]
    np.testing.assert_allclose(mse.progress.x_hat, runs.model(alone).reconstruct(images.x_noisy), atol=1e-3)
    assert [row["loss"] for row in mse.progress.history] == pytest.approx(list(runs.history(alone)["loss"]), abs=2e-6)
    assert (mse.run.parameters, mse.run.code_size) == (alone.parameters, alone.code_size)


def test_another_configuration_has_none(tiny):
    assert comparisons.find("losses", [dataclasses.replace(TINY[0], seed=1)]) is None
    assert comparisons.find("losses", []) is None
    assert comparisons.find("losses", [dataclasses.replace(TINY[0], dataset="fashion_mnist")]) is None


DAMAGES = {
    "no archive": lambda arrays: b"damaged",
    "no pictures": lambda arrays: {key: array for key, array in arrays.items() if "x_hat" not in key},
    "not a number": lambda arrays: arrays | {"1/x_hat": arrays["1/x_hat"] * np.float16("nan")},
    "a short curve": lambda arrays: arrays | {"0/curve": arrays["0/curve"][:0]},
    "an epoch less": lambda arrays: arrays | {"0/history": arrays["0/history"][:40]},
    "no machine": lambda arrays: arrays | {"about": _bytes(arrays, lambda run: run.pop("machine"))},
    "an odd setting": lambda arrays: arrays | {"about": _bytes(arrays, lambda run: run["config"].update(epochs="many"))},
    "no text": lambda arrays: arrays | {"about": np.full(9, 255, np.uint8)},
}


def _bytes(arrays, change):
    described = json.loads(arrays["about"].tobytes())
    change(described[0])
    return np.frombuffer(json.dumps(described).encode(), np.uint8)


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_is_refused_in_a_sentence(damage, monkeypatch, tmp_path):
    name, arrays = LOSSES.stem, storage.read_arrays(LOSSES)
    monkeypatch.setattr(runs, "PRETRAINED_DIR", tmp_path)
    content = DAMAGES[damage](arrays)
    content = content if isinstance(content, bytes) else storage.arrays_to_bytes(content)
    comparisons.file_of(name).write_bytes(content)
    with pytest.raises(RunError, match=r"^losses-strokes\.npz is damaged \(.+\)\. To make it again: "):
        comparisons.find("losses", recipes.SHIPPED[name])
    assert not comparisons.is_made(name)
    assert comparisons.runs_of("losses", "strokes") == []
