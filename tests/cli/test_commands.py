"""The command line: what it prints where, its exit status, and one sentence instead of a traceback."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny_cards

from cae_core import datasets, pretrained, runs, training, validation
from cae_core.architectures import ARCHITECTURES
from cae_core.cli import main, parser, terminal
from cae_core.cli.stack import config_of
from cae_core.comparisons import recipes
from cae_core.config import BOUNDS, STACK_BOUNDS, RunConfig
from cae_core.inspection import evaluation
from cae_core.reproduction import registry, results, run_card
from cae_core.stacking import label_curve
from cae_core.sweeps import findings

TINY = ["--dataset", "strokes", "--num-train", "100", "--epochs", "2", "--architecture", "dense", "--bottleneck", "2"]


@pytest.fixture(autouse=True)
def shipped(tmp_path, few_strokes, monkeypatch):
    """Where `pretrained/` would be; does not exist yet."""
    monkeypatch.setattr(runs, "PRETRAINED_DIR", tmp_path / "shipped")
    monkeypatch.setattr(terminal.Bar, "LINES", 1e9)  # however slow the machine, no line of progress
    return tmp_path / "shipped"


def test_train_prints_a_line_an_epoch_and_keeps_the_run_which_evaluate_measures(capsys, runs_folder):
    assert main(["train", *TINY, "--name", "first"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert [line.split(":")[0] for line in lines[:2]] == ["first epoch 1", "first epoch 2"]
    assert "held-out loss 0." in lines[0]
    assert lines[2:] == [f"saved {runs_folder / 'first'}"]
    assert err == ""  # no progress bar where nobody looks
    run = runs.find("first")
    assert run.config == RunConfig(dataset="strokes", num_train=100, epochs=2, architecture="dense", bottleneck=2)
    assert (run.num_train, run.epochs) == (100, 2)
    assert set(run.metrics) == {"clean", "gaussian 0.5"}
    assert f"loss {runs.history(run)['loss'][0]:.4f}" in lines[0]
    for condition, noise_factor in (("clean", 0), ("gaussian 0.5", 0.5)):
        assert main(["evaluate", "first", "--noise-factor", str(noise_factor), "--json"]) == 0
        figures = json.loads(capsys.readouterr().out)
        asked = {name: figures.pop(name) for name in ("run", "dataset", "noise_kind", "noise_factor", "seed")}
        assert list(asked.values()) == ["first", "strokes", "gaussian", noise_factor, 0]
        assert list(figures) == ["mse", "psnr", "ssim", "bce", "num_images"]
        assert figures["num_images"] == 60
        assert figures == pytest.approx(run.metrics[condition], abs=1e-5)
    assert main(["evaluate", "first", "--noise-kind", "masking", "--noise-factor", "1"]) == 0
    assert "first on 60 test images of strokes, masking 1: MSE 0." in capsys.readouterr().out
    assert main(["train", *TINY, "--name", "first"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "There is a run called 'first' already; choose another name." in err


@pytest.mark.parametrize("command", ["train", "stack", "evaluate"])
def test_help_names_every_choice_and_the_default_that_is_taken(command):
    bounds = STACK_BOUNDS if command == "stack" else BOUNDS
    args = parser().parse_args([command] + (["one"] if command == "evaluate" else []))
    settings = {"train": RunConfig, "stack": lambda **_: config_of(args), "evaluate": lambda **_: args}[command]
    taken = vars(settings(dataset=datasets.default())) | {"layers": 2, "seeds": label_curve.PLAN.seeds, "name": None}
    written = {
        "mnist where it is on this machine, else strokes": datasets.default(), "the run's own": None, "on": True,
        "made from its settings": None, "as many as numbers are given for maps or kernels, else 2": 2, "20,20": (20, 20),
        "5,5": (5, 5),
    }  # fmt: skip
    actions = next(action for action in parser()._actions if action.choices).choices[command]._actions
    helped = {action.dest: (action.help or "").split("; default: ") for action in actions}
    helped = {name: parts for name, parts in helped.items() if len(parts) == 2}
    assert set(helped) >= {"dataset", "noise_kind", "noise_factor", "seed"}
    for name, (about, default) in helped.items():
        default = written.get(default, default)
        assert str(taken[name]) in (str(default), f"{default}.0"), name
        for choice in validation.CHOICES.get(name, ()):
            assert choice in about or (command, choice) in (("evaluate", "none"), ("evaluate", "mixed"))
        if name in bounds:
            assert f"{bounds[name].low:g} to " in about


BAD = [
    ("train --bottleneck 0", "bottleneck is '0'; it must be a whole number from 1 to 1024."),
    ("train --loss foo", "Unknown loss 'foo': choose one of bce, mse, half, elbo, iwae_5, iwae_50."),
    ("train --dataset stroke", "Did you mean 'strokes'?"),
    ("train --dataset mnist", "--download"),
    ("train --dataset strokes --name ../a", "'../a' cannot name a run: use up to 80 of a-z, 0-9,"),
    ("evaluate nothing", "There is no run called 'nothing' in "),
    ("evaluate one --noise-factor 1.5", "noise_factor is '1.5'; it must be a number from 0 to 1."),
    ("evaluate one --noise-kind mixed", "Unknown noise kind 'mixed'"),
    ("evaluate one --dataset strokes", "the network takes (n, 8, 12, 1)"),
    ("evaluate bad", "weights.npz is damaged"),
    ("pretrain nonsense", "Unknown pretrained run 'nonsense': choose one of mnist-b2-"),
    ("pretrain nonsense-*", "No pretrained run matches nonsense-*: try 'mnist-*'"),
    ("reproduce pac", "Unknown reproduction 'pac': choose one of pca. Did you mean 'pca'?"),
    ("reproduce --seeds 0", "seeds is 0; it must be a whole number from 1 to 100."),
]


@pytest.mark.usefixtures("tiny_card")
@pytest.mark.parametrize(("words", "sentence"), BAD, ids=[words for words, _ in BAD])
def test_what_is_wrong_is_said_in_one_sentence(
    capsys, words, sentence, save_run, runs_folder, shipped, tmp_path, monkeypatch
):
    monkeypatch.setenv("CAE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    save_run("one")
    (save_run("bad").path / "weights.npz").write_bytes(b"nothing")
    for as_json in ([], ["--json"]):
        assert main([*words.split(), *as_json]) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("error: ")
        assert sentence in err
        assert err.count("\n") == 1
    assert {path.name for path in runs_folder.iterdir()} == {"one", "bad"}
    assert not shipped.exists()


def test_the_program_itself_has_an_exit_status():
    command, root = [sys.executable, "-m", "cae_core", "evaluate", "a/b"], Path(__file__).parents[2]
    refused = subprocess.run(command, cwd=root, capture_output=True, encoding="utf-8", timeout=120)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("error: 'a/b' cannot name a run")


def test_list_names_everything_there_is(capsys, save_run):
    save_run("good")
    (save_run("bad").path / "run.json").write_text("{", encoding="utf-8")
    assert main(["list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert list(listed["architectures"]) == list(ARCHITECTURES)
    assert {"datasets", "losses", "noise kinds", "optimizers", "schedules", "pretrained"} <= set(listed)
    assert list(listed["runs"]) == ["good"]
    assert "run.json is damaged" in listed["damaged runs"][0]
    assert main(["list"]) == 0
    assert "good - clean MSE 0.01000" in capsys.readouterr().out


def test_an_interrupted_training_says_how_far_it_was_and_how_to_go_on(capsys, monkeypatch):
    train = training.train

    def interrupted(*args):
        for event in train(*args):
            yield event
            if event.step == 6:  # in the second epoch
                raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(training, "train", interrupted)
        patch.setattr(terminal.Bar, "LINES", -1.0)  # a line a step, as if each took longer than that
        assert main(["train", *TINY, "--batch-size", "25", "--name", "two"]) == 130  # 100 images, 4 steps an epoch
    out, err = capsys.readouterr()
    _, *lines, last = err.splitlines()
    steps = [f"{12.5 * step:3.0f} % two step {step} of 8" for step in range(1, 7)]
    assert ([line.split(": loss")[0] for line in lines], last) == (steps, "stopped")
    assert "python -m cae_core resume two" in out
    run = runs.find("two")
    assert (run.state, run.epochs, run.step) == ("interrupted", 1, 4)
    assert main(["resume", "two", "--json"]) == 0
    out, err = capsys.readouterr()
    assert [row["epoch"] for row in json.loads(out)["epochs"]] == [1, 2]
    assert "two epoch 2: loss" in err
    assert main(["resume", "two"]) == 1
    assert "only an interrupted or stopped run can be resumed" in capsys.readouterr().err


def test_pretrain_goes_on_where_it_stopped_and_measures_the_rounded_network_that_ships(capsys, shipped, monkeypatch):
    config = RunConfig(dataset="strokes", num_train=100, epochs=1, architecture="dense", bottleneck=2)
    monkeypatch.setattr(recipes, "SHIPPED", {})
    monkeypatch.setattr(findings, "FILES", {})
    monkeypatch.setattr(pretrained, "SHIPPED", {"strokes-a": config, "strokes-b": replace(config, loss="mse")})
    train, trained = training.train, []
    measure, measured = evaluation.measure, []

    def stop_at_the_second(model, config, *images):
        trained.append(config.loss)
        if len(trained) == 2:
            raise KeyboardInterrupt
        return train(model, config, *images)

    def pretrain(*arguments):
        assert main(["pretrain", *arguments, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    monkeypatch.setattr(training, "train", stop_at_the_second)
    monkeypatch.setattr(evaluation, "measure", lambda model, *rest: measured.append(model) or measure(model, *rest))
    assert main(["pretrain"]) == 130
    assert [path.name for path in shipped.iterdir()] == ["strokes-a"]
    run = runs.find("strokes-a")
    for path, w in runs.weights(run).items():
        np.testing.assert_array_equal(measured[0].weights()[path], w)
    again = measure(runs.model(run), "strokes")
    assert again == {label: pytest.approx(figures, rel=1e-4) for label, figures in run.metrics.items()}

    capsys.readouterr()
    assert pretrain() == {"made": ["strokes-b"], "kept": ["strokes-a"]}
    assert runs.read(shipped / "strokes-b").config.loss == "mse"
    shutil.copy(shipped / "strokes-b" / "run.json", shipped / "strokes-a" / "run.json")  # of another recipe
    (shipped / "strokes-b" / "weights.npz").write_bytes(b"damaged")
    assert pretrain("strokes-*") == {"made": ["strokes-a", "strokes-b"], "kept": []}
    monkeypatch.setattr(pretrained, "make", lambda name, on_event: runs.find(name))
    assert pretrain("strokes-a", "--force") == {"made": ["strokes-a"], "kept": []}


@pytest.fixture
def tiny_card(monkeypatch, tmp_path):
    """One card that takes a moment, and a place of its own for what ships."""
    cards = {"pca": tiny_cards.cards()["pca"]}
    for module in (registry, run_card, results):
        monkeypatch.setattr(module, "CARDS", cards)
    monkeypatch.setattr(results, "SHIPPED", tmp_path / "reproductions.json")


@pytest.mark.usefixtures("tiny_card")
def test_reproduce_says_what_came_out_and_ships_it(capsys):
    assert main(["reproduce", "pca", "--ship"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("reproduce-pca-0 epoch 1: loss")
    assert lines[1].startswith("pca, 3 components: ")
    assert lines[1].endswith((", to be met 20: met", ", to be met 20: missed"))
    assert main(["reproduce", "--seeds", "2", "--json"]) == 0
    reproduced = json.loads(capsys.readouterr().out)["pca"]
    first, second = reproduced["values"]["3 components"]
    assert second == first  # there is nothing random in it
    assert reproduced["command"] == "python -m cae_core reproduce pca --seeds 2"
    assert runs.find("reproduce-pca-1").config.seed == 1
    shipped, damaged = results.shipped()
    assert (shipped["pca"].values, damaged) == ({"3 components": (first,)}, [])
