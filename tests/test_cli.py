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
from cae_core.cli import main, parser, progress
from cae_core.cli.stack import config_of
from cae_core.config import BOUNDS, STACK_BOUNDS, RunConfig
from cae_core.inspection import evaluation
from cae_core.reproduction import registry, results, run_card
from cae_core.stacking import label_curve

TINY = ["--dataset", "strokes", "--num-train", "100", "--epochs", "2", "--architecture", "fast", "--bottleneck", "2"]


@pytest.fixture(autouse=True)
def shipped(tmp_path, few_strokes, monkeypatch):
    """Where `pretrained/` would be; does not exist yet."""
    monkeypatch.setattr(runs, "PRETRAINED_DIR", tmp_path / "shipped")
    monkeypatch.setattr(progress.Bar, "LINES", 1e9)  # however slow the machine, no line of progress
    return tmp_path / "shipped"


@pytest.fixture
def nothing_on_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("CAE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))


def test_train_prints_a_line_an_epoch_and_keeps_the_run(capsys, runs_folder):
    assert main(["train", *TINY, "--name", "first"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert [line.split(":")[0] for line in lines[:2]] == ["first epoch 1", "first epoch 2"]
    assert "held-out loss 0." in lines[0]
    assert lines[2:] == [f"saved {runs_folder / 'first'}"]
    assert err == ""  # no progress bar where nobody looks
    run = runs.find("first")
    assert run.config == RunConfig(dataset="strokes", num_train=100, epochs=2, bottleneck=2)
    assert (run.num_train, run.epochs) == (100, 2)
    assert set(run.metrics) == {"clean", "gaussian 0.5"}
    assert {figures["num_images"] for figures in run.metrics.values()} == {60}
    history = runs.history(run)
    assert list(history) == ["epoch", "loss", "held_out_loss", "seconds"]
    assert f"loss {history['loss'][0]:.4f}" in lines[0]


def test_within_an_epoch_a_log_says_how_far_it_is(capsys, monkeypatch):
    monkeypatch.setattr(progress.Bar, "LINES", -1.0)  # as if every step took longer than that
    assert main(["train", *TINY, "--batch-size", "20", "--epochs", "1"]) == 0  # 100 images, 5 steps
    out, err = capsys.readouterr()
    assert [line.rpartition(": loss")[0] for line in err.splitlines()[1:]] == [
        f" {20 * step} % {out.partition(' epoch')[0]} step {step} of 5".replace(" 100 %", "100 %") for step in range(1, 6)
    ]


def helped(command):
    """Every option of a command that says its default: name, what is allowed, the default."""
    commands = next(action for action in parser()._actions if action.choices)
    for action in commands.choices[command]._actions:
        about, _, default = (action.help or "").partition("; default: ")
        if default:
            yield action.dest, about, default


@pytest.mark.parametrize("command", ["train", "stack", "evaluate"])
def test_help_names_every_choice_and_the_default_that_is_taken(command, save_run):
    bounds = STACK_BOUNDS if command == "stack" else BOUNDS
    args = parser().parse_args([command] + (["one"] if command == "evaluate" else []))
    taken = vars(args)
    if command != "evaluate":
        settings = config_of(args) if command == "stack" else RunConfig(dataset=datasets.default())
        taken |= settings.to_dict() | {"layers": 2, "seeds": label_curve.PLAN.seeds}
    told = {name: (about, default) for name, about, default in helped(command)}
    assert set(told) >= {"dataset", "noise_kind", "noise_factor", "seed"}
    for name, (about, default) in told.items():
        if name == "dataset":
            default = {"mnist where it is on this machine, else strokes": datasets.default(), "the run's own": None}[
                default
            ]
        elif name in ("maps", "kernels"):
            default = [int(number) for number in default.split(",")]
        elif name == "pooling":
            default = {"on": True, "off": False}[default]
        elif name == "layers":
            default = default.removeprefix("as many as numbers are given for maps or kernels, else ")
        elif name == "name":
            continue
        assert str(taken[name]) in (str(default), f"{default}.0"), name
        for choice in validation.CHOICES.get(name, ()):
            assert choice in about or (command, choice) in (("evaluate", "none"), ("evaluate", "mixed"))
        if name in bounds:
            assert f"{bounds[name].low:g} to " in about


def test_train_and_evaluate_in_json(capsys):
    assert main(["train", *TINY, "--name", "first", "--json"]) == 0
    out, err = capsys.readouterr()
    trained = json.loads(out)
    assert trained["run"] == "first"
    assert [row["epoch"] for row in trained["epochs"]] == [1, 2]
    assert "first epoch 2: loss" in err
    for noise in ([], ["--noise-factor", "0.5"]):
        assert main(["evaluate", "first", *noise, "--json"]) == 0
        figures = json.loads(capsys.readouterr().out)
        asked = {name: figures.pop(name) for name in ("run", "dataset", "noise_kind", "noise_factor", "seed")}
        assert list(asked.values()) == ["first", "strokes", "gaussian", 0.5 if noise else 0, 0]
        assert list(figures) == ["mse", "psnr", "ssim", "bce", "num_images"]
        assert figures["num_images"] == 60
        assert figures == pytest.approx(trained["metrics"]["gaussian 0.5" if noise else "clean"], abs=1e-5)
    assert main(["evaluate", "first", "--noise-kind", "masking", "--noise-factor", "1"]) == 0
    assert "first on 60 test images of strokes, masking 1: MSE 0." in capsys.readouterr().out


def test_equal_commands_give_equal_runs(capsys):
    for name in ("a", "b"):
        assert main(["train", *TINY, "--name", name, "--noise-kind", "mixed", "--json"]) == 0
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    for one, other in zip(first["epochs"], second["epochs"], strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-5)
    assert first["metrics"]["clean"] == pytest.approx(second["metrics"]["clean"], rel=1e-3)


def test_without_a_name_the_run_is_called_after_what_it_is(capsys, runs_folder):
    assert main(["train", *TINY]) == 0
    (folder,) = runs_folder.iterdir()
    assert folder.name.startswith("strokes-fast-b2-2")


BAD = [
    (["train", "--bottleneck", "0"], "bottleneck is '0'; it must be a whole number from 1 to 1024."),
    (["train", "--noise-factor", "2"], "noise_factor is '2'; it must be a number from 0 to 1."),
    (["train", "--learning-rate", "nan"], "learning_rate is 'nan'; it must be a number from 1e-06 to 1."),
    (["train", "--epochs", "many"], "epochs is 'many'; it must be a whole number from 1 to 1000."),
    (["train", "--num-train", "99"], "num_train is '99'; it must be a whole number from 100 to 60000."),
    (["train", "--loss", "foo"], "Unknown loss 'foo': choose one of bce, mse, half."),
    (["train", "--architecture", "foo"], "Unknown architecture 'foo': choose one of fast, fast_denoise, dense, "),
    (["train", "--dataset", "stroke"], "Did you mean 'strokes'?"),
    (["train", "--optimizer", "foo"], "Unknown optimizer 'foo': choose one of adam, muon, rmsprop, sgd."),
    (["train", "--dataset", "strokes", "--name", "a/b"], "'a/b' cannot name a run: use up to 80 of a-z, 0-9,"),
    (["train", "--dataset", "strokes", "--name", "../a"], "'../a' cannot name a run"),
    (["evaluate", "nothing"], "There is no run called 'nothing' in "),
    (["evaluate", "a/b"], "'a/b' cannot name a run"),
    (["pretrain", "nonsense"], "Unknown pretrained run 'nonsense': choose one of mnist-b2-"),
    (["pretrain", "nonsense-*"], "No pretrained run matches nonsense-*: try 'mnist-*'"),
]


@pytest.mark.parametrize("as_json", [[], ["--json"]], ids=["text", "json"])
@pytest.mark.parametrize(("arguments", "sentence"), BAD, ids=lambda v: " ".join(v) if isinstance(v, list) else None)
def test_what_is_wrong_is_said_in_one_sentence(capsys, arguments, sentence, as_json, runs_folder, shipped):
    assert main([*arguments, *as_json]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert sentence in err
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert not runs_folder.exists()
    assert not shipped.exists()


@pytest.mark.usefixtures("nothing_on_machine")
def test_a_missing_data_set_says_how_to_get_it(capsys, runs_folder):
    assert main(["train", "--dataset", "mnist"]) == 1
    err = capsys.readouterr().err
    assert "--download" in err
    assert err.count("error: ") == 1
    assert runs.every(runs_folder) == ([], [])


def test_bad_factor_and_seed_of_evaluate(capsys, save_run):
    save_run()
    for arguments, sentence in (
        (["--noise-factor", "1.5"], "noise_factor is '1.5'; it must be a number from 0 to 1."),
        (["--noise-kind", "mixed"], "Unknown noise kind 'mixed'"),
        (["--seed", "-1"], "seed is '-1'; it must be a whole number from 0 to"),
        (["--dataset", "foo"], "Unknown dataset 'foo'"),
        ([], "the network takes (n, 8, 12, 1)"),  # a run for images of another size
    ):
        assert main(["evaluate", "one", *arguments]) == 1
        assert sentence in capsys.readouterr().err


def test_a_damaged_run_is_said_and_listed(capsys, save_run):
    save_run("good")
    run = save_run("bad")
    (run.path / "weights.npz").write_bytes(b"nothing")
    assert main(["evaluate", "bad"]) == 1
    assert f"error: {run.path / 'weights.npz'} is damaged" in capsys.readouterr().err
    (run.path / "run.json").write_text("{", encoding="utf-8")
    assert main(["list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert list(listed["runs"]) == ["good"]
    assert len(listed["damaged runs"]) == 1
    assert "run.json is damaged" in listed["damaged runs"][0]
    assert main(["list"]) == 0
    assert "good - clean MSE 0.01000" in capsys.readouterr().out


def test_a_taken_name_is_refused_before_training(capsys, save_run):
    save_run("taken")
    assert main(["train", *TINY, "--name", "taken"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "There is a run called 'taken' already; choose another name." in err


def interrupted_after(steps):
    """`training.train`, with Ctrl-C pressed when so many steps are done."""
    train = training.train

    def interrupted(*args):
        for event in train(*args):
            yield event
            if event.step == steps:
                raise KeyboardInterrupt

    return interrupted


def test_an_interrupted_training_says_how_to_go_on_and_goes_on_as_if_never_interrupted(capsys, monkeypatch):
    command = ["train", *TINY, "--epochs", "3", "--batch-size", "25"]  # 100 images, 4 steps an epoch
    assert main([*command, "--name", "whole", "--json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    with monkeypatch.context() as patch:
        patch.setattr(training, "train", interrupted_after(6))  # in the second epoch
        assert main([*command, "--name", "two"]) == 130
    out, err = capsys.readouterr()
    assert err == "stopped\n"
    assert "python -m cae_core resume two" in out
    run = runs.find("two")
    assert (run.state, run.epochs, run.step) == ("interrupted", 1, 4)
    assert main(["resume", "two", "--json"]) == 0
    resumed = json.loads(capsys.readouterr().out)
    assert [row["epoch"] for row in resumed["epochs"]] == [1, 2, 3]
    for ours, theirs in zip(resumed["epochs"], whole["epochs"], strict=True):
        assert ours["loss"] == pytest.approx(theirs["loss"], abs=2e-6)
        assert ours["held_out_loss"] == pytest.approx(theirs["held_out_loss"], abs=2e-6)
    assert main(["resume", "two"]) == 1
    assert "only one that was interrupted or stopped can go on" in capsys.readouterr().err


@pytest.fixture
def two_recipes(monkeypatch):
    config = RunConfig(dataset="strokes", num_train=100, epochs=1, bottleneck=2)
    recipes = {"strokes-a": config, "strokes-b": replace(config, loss="mse")}
    monkeypatch.setattr(pretrained, "SHIPPED", recipes)
    return recipes


def pretrain(capsys, *arguments):
    assert main(["pretrain", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_pretrain_goes_on_where_it_stopped(capsys, two_recipes, shipped, monkeypatch):
    train, trained = training.train, []

    def stop_at_the_second(model, config, *images):
        trained.append(config.loss)
        if len(trained) == 2:
            raise KeyboardInterrupt
        return train(model, config, *images)

    monkeypatch.setattr(training, "train", stop_at_the_second)
    assert main(["pretrain"]) == 130
    assert [path.name for path in shipped.iterdir()] == ["strokes-a"]
    capsys.readouterr()
    assert pretrain(capsys) == {"made": ["strokes-b"], "kept": ["strokes-a"]}
    assert pretrain(capsys) == {"made": [], "kept": ["strokes-a", "strokes-b"]}
    assert runs.read(shipped / "strokes-b").config == two_recipes["strokes-b"]

    shutil.copy(shipped / "strokes-b" / "run.json", shipped / "strokes-a" / "run.json")  # of another recipe
    (shipped / "strokes-b" / "weights.npz").write_bytes(b"damaged")
    assert pretrain(capsys, "strokes-a") == {"made": ["strokes-a"], "kept": []}
    assert pretrain(capsys, "*") == {"made": ["strokes-b"], "kept": ["strokes-a"]}
    assert pretrain(capsys, "strokes-a", "--force") == {"made": ["strokes-a"], "kept": []}


@pytest.mark.usefixtures("two_recipes")
def test_what_pretrain_measures_is_the_rounded_network_that_ships(capsys, monkeypatch):
    measure, measured = evaluation.measure, []
    monkeypatch.setattr(evaluation, "measure", lambda model, *rest: measured.append(model) or measure(model, *rest))
    assert pretrain(capsys, "strokes-a")["made"] == ["strokes-a"]
    run = runs.find("strokes-a")
    network = runs.model(run)
    for path, w in network.weights().items():
        np.testing.assert_array_equal(measured[0].weights()[path], w)
    again = measure(network, "strokes")
    assert again == {label: pytest.approx(figures, abs=2e-6) for label, figures in run.metrics.items()}


@pytest.fixture
def tiny_card(monkeypatch, tmp_path):
    """One card that takes a moment, and a place of its own for what ships."""
    made = {"pca": tiny_cards.cards()["pca"]}
    for module in (registry, run_card, results):
        monkeypatch.setattr(module, "CARDS", made)
    monkeypatch.setattr(results, "SHIPPED", tmp_path / "reproductions.json")
    return made["pca"]


@pytest.mark.usefixtures("tiny_card")
def test_reproduce_says_what_came_out_and_ships_it(capsys):
    assert main(["reproduce", "pca", "--ship"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("reproduce-pca-0 epoch 1: loss")
    assert lines[1].startswith("pca, 3 components: ")
    assert lines[1].endswith((", to be met 20: met", ", to be met 20: missed"))
    assert main(["reproduce", "--seeds", "2", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    first, second = made["pca"]["values"]["3 components"]
    shipped, damaged = results.shipped()
    assert damaged == []
    assert shipped["pca"].values == {"3 components": (first,)}
    assert made["pca"]["command"] == "python -m cae_core reproduce pca --seeds 2"
    assert runs.find("reproduce-pca-1").config.seed == 1
    assert second == first  # there is nothing random in it


@pytest.mark.usefixtures("tiny_card")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["pac"], "error: Unknown reproduction 'pac': choose one of pca. Did you mean 'pca'?"),
        (["--seeds", "0"], "error: seeds is 0; it must be a whole number from 1 to 100."),
    ],
)
def test_reproduce_refuses_before_training(capsys, arguments, sentence, runs_folder):
    assert main(["reproduce", *arguments]) == 1
    assert capsys.readouterr().err.startswith(sentence)
    assert not runs_folder.exists()


def test_the_program_itself_prints_one_json_value():
    root = Path(__file__).parent.parent
    command = [sys.executable, "-m", "cae_core", "list", "--json"]
    done = subprocess.run(command, cwd=root, capture_output=True, encoding="utf-8", timeout=120)
    assert done.returncode == 0
    listed = json.loads(done.stdout)
    assert list(listed["architectures"]) == list(ARCHITECTURES)
    assert {"datasets", "losses", "noise kinds", "optimizers", "schedules", "runs", "pretrained"} <= set(listed)
    refused = subprocess.run(
        [*command[:3], "evaluate", "a/b"], cwd=root, capture_output=True, encoding="utf-8", timeout=120
    )
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: 'a/b' cannot name a run")
