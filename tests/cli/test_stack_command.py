"""`python -m cae_core stack`: what it understands, says, keeps and refuses."""

import json

import numpy as np
import pytest

from cae_core import datasets, runs
from cae_core.cli import main, parser
from cae_core.cli.stack import config_of
from cae_core.config import StackConfig
from cae_core.runs import storage
from cae_core.stacking import label_curve, phases, results, stacks

SMALL = "stack --dataset strokes --num-train 100 --labels 30 --epochs 1 --batch-size 50 --steps 3 --maps 3 --kernel 3"


@pytest.mark.parametrize(
    ("words", "maps", "kernels", "pooling"),
    [
        ("", (20, 20), (5, 5), True),
        ("--layers 1", (20,), (5,), True),
        ("--layers 2 --maps 16 --kernel 7", (16, 16), (7, 7), True),
        ("--maps 16,32", (16, 32), (5, 5), True),
        ("--kernels 5,3,3 --pooling off", (20, 20, 20), (5, 3, 3), False),
    ],
)
def test_layers_are_given_by_one_number_or_one_each(words, maps, kernels, pooling):
    config = config_of(parser().parse_args(["stack", *words.split()]))
    assert (config.maps, config.kernels, config.pooling) == (maps, kernels, pooling)
    assert (config.dataset, config.labels) == (datasets.default(), StackConfig().labels)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--maps 3,4 --layers 3", "maps has 2 numbers for 3 layers: give one, or one for each layer"),
        ("--maps 3,x", "maps is 'x'"),
        ("--pooling maybe", "Unknown pooling"),
        ("--labels 5 --dataset strokes", "has 10 classes"),
        ("--seeds 3", "--seeds is about the label curve"),
        ("--curve --maps 3", "--maps belongs to a single stack"),
        ("--curve --labels 70", "the curve has 100, 300"),
        ("--curve --labels a", "labels is 'a'; it must be a whole number"),
        ("--curve --ship --seeds 2", "Only the whole curve with at least 5 seeds ships"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(words, sentence, capsys):
    assert main(["stack", *words.split()]) == 1
    assert sentence in capsys.readouterr().err


def test_an_interrupted_stack_goes_on_by_its_name_to_its_end(few_strokes, capsys, monkeypatch):
    train = phases.train

    def interrupted(*args, **more):
        for event in train(*args, **more):
            yield event
            if event.step == 3:
                raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(phases, "train", interrupted)
        assert main([*SMALL.split(), "--name", "two", "--json"]) == 130
    first = capsys.readouterr().err
    assert "to continue it: python -m cae_core resume two" in first
    assert (runs.find("two").state, runs.find("two").step) == ("stopped", 3)
    assert main(["resume", "two", "--json"]) == 0
    out, err = capsys.readouterr()
    stack = runs.find("two")
    assert stack.state == "finished"
    assert json.loads(out)["figures"] == json.loads(json.dumps(stack.figures))
    for words in ("Layer 1, step 2 of 2", "Layer 2, step 2 of 2", "Classifiers, step 3 of 3", "From the stack:", "Pixels"):
        assert words in first + err
    assert not storage.is_locked(stack.path / "lock")
    assert len(stacks.progress(stack).tuning["random"]) == 3  # the page has its curves
    assert main(["list"]) == 0
    assert f"two - stack, {100 * stack.figures['pretrained']:.2f} % misread from the stack" in capsys.readouterr().out
    assert main(["resume", "two"]) == main(["evaluate", "two"]) == 1
    assert "is a stack, which has a page of its own" in capsys.readouterr().err


def test_the_curve_is_told_a_line_a_number_of_labels(capsys, monkeypatch):
    curve, _ = results.shipped()
    monkeypatch.setattr(label_curve, "curve", lambda plan, on_event: curve)
    assert main(["stack", "--curve"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for point, line in zip(curve.points, lines, strict=False):
        errors = [100 * np.mean(point.errors[arm]) for arm in ("pretrained", "random")]
        gain = f"{errors[1] - errors[0]:+.2f} percentage points"
        assert line.split()[0] == str(point.labels)
        assert all(part in line for part in (*(f"{error:.2f} ± " for error in errors), gain, point.verdict))
    assert len(lines) == len(curve.points) + sum(map(len, curve.features.values()))
    assert all("linear classifier on" in line and " %" in line for line in lines[len(curve.points) :])
