"""A damaged run or stack: every damage is a sentence naming the file and the mend, hides no other and executes nothing."""

import contextlib
import json
import os
import pickle
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import damages
import numpy as np
import pytest

from cae_core import export, runs
from cae_core.cli import main
from cae_core.reproduction import measure
from cae_core.runs import RunError, schema, sentences, storage
from cae_core.runs.run import KINDS
from cae_core.runs.schema import STATES
from cae_core.stacking import stacks
from cae_core.stacking.trainer import StackTrainer
from cae_core.training import run_trainer

CHEAP = ("history", "tensorboard")
"""Exports that need no network."""


@pytest.fixture(scope="module")
def sound(few_strokes, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAE_RUNS_DIR", str(tmp_path_factory.mktemp("sound")))
        return damages.sound()


def survives(call, *args):
    """What it gives, or None where it says in one sentence why it cannot; whatever else is raised fails the test."""
    try:
        return call(*args)
    except ValueError as error:
        sentence = str(error)
    assert len(sentence) < 1000
    assert sentence.isprintable()
    return None


def go_on(trainer, run, with_networks):
    """Takes it up, and does a step of it where that is asked for."""
    if resumed := survives(trainer.resume, run):
        if with_networks:
            survives(lambda: (resumed.prepare(), next(resumed.events())))
        resumed.close()


def check_believed(run):
    """What has come through reading is of the kind and the range that the rest of the program takes for granted."""
    assert STATES[run.state]
    assert 0 <= run.step <= run.num_steps <= 10**9
    assert 0 <= run.seconds < 1e10
    assert (run.label + run.message.replace("\n", "")).isprintable()
    if run.kind == "stack":
        return
    assert all(type(number) is int for number in (run.epochs, run.step, run.num_steps, run.num_train, run.code_size))
    assert 0 <= run.epochs <= run.num_epochs
    assert all(0 <= figures["mse"] < np.inf and figures.get("num_images", 1) > 0 for figures in run.metrics.values())
    assert run.origin is None or runs.check_name(run.origin["run"])


def test_every_wrong_value_in_a_description_is_said_or_of_the_kind_that_is_wanted(sound):
    for name in ("stopped", "whole"):
        damaged = [content() for _, content in damages.of_fields((sound[name] / "run.json").read_bytes())]
        reasons = []
        for content in damaged:
            try:
                kind, fields = schema.run_fields(content)
            except Exception as error:
                reasons.append(schema.reason(error))
            else:
                check_believed(KINDS[kind](path=sound[name], **fields))
        assert all(reason.isprintable() and 0 < len(reason) <= 300 for reason in reasons)
        assert 0.5 * len(damaged) < len(reasons) < len(damaged)


def look_at(run, with_networks):
    """All that the program does with a run, as far as it takes no page."""
    check_believed(run)
    columns = survives(runs.history, run)
    assert columns is None or {len(column) for column in columns.values()} <= {run.epochs}
    steps = runs.saved_steps(run)
    assert all(0 <= step <= run.step for step in steps)
    for step in {0, run.step} & set(steps):
        assert survives(runs.weights, run, step) != {}
    survives(measure.known, run, [])
    for name in export.EXPORTS if with_networks else CHEAP:
        content = survives(export.export, name, run)
        assert content is None or isinstance(content, bytes)
        export.EXPORTS[name].file_name(run)
    go_on(run_trainer.RunTrainer, run, with_networks)


def look_at_stack(stack, with_networks):
    seen, read = stacks.progress(stack), stacks.predictions(stack)
    assert seen is None or seen.x.shape[1:] == (28, 28, 1)
    assert all(classes.max() < 10 for classes in read.values())
    check_believed(stack)
    go_on(StackTrainer, stack, with_networks)


@pytest.mark.parametrize(
    ("flips", "share", "least"), [(3, 0.015, 60), pytest.param(20, 0.1, 400, marks=pytest.mark.slow)], ids=["some", "many"]
)
def test_damage_of_every_kind_is_said_and_hides_no_other_run(sound, runs_folder, capsys, flips, share, least):
    """Damages copies of runs and stacks in every way, or in a share of them, and does everything with what is left."""
    rng, count = np.random.default_rng(1), 0
    for name, source in sound.items():
        damaged = damages.folders(source, flips, share, runs_folder, rng)
        readable = []
        for path in runs.folders(runs_folder):
            with contextlib.suppress(RunError):
                if path.name in damaged or path.name == name:
                    readable.append(runs.read(path))
        with_networks = range(name in ("stopped", "half"))  # they take seconds each
        for number, run in enumerate(readable):
            try:
                (look_at_stack if run.kind == "stack" else look_at)(run, number in with_networks)
            except Exception as error:
                raise AssertionError(f"{damaged.get(run.name, 'sound')} was not said in a sentence") from error
        assert name in [run.name for run in readable]
        assert len(damaged) - len(readable) > len(damaged) / 4
        count += len(damaged)
    assert count > least
    assert main(["list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert len(listed["runs"]) + len(listed["damaged runs"]) == len(runs.folders(runs_folder))
    assert set(sound) <= set(listed["runs"])
    assert main(["list"]) == 0
    assert "Traceback" not in "".join(capsys.readouterr())


FOLDERS = {
    "no UTF-8": lambda folder: os.mkdir(os.fsencode(folder) + b"/\xff\xfe-run"),
    "control signs": lambda folder: (folder / "\x1b[31mred\n").mkdir(),
    "capitals": lambda folder: shutil.copytree(folder / "good", folder / "My run"),
    "a link to itself": lambda folder: (folder / "loop").symlink_to(folder / "loop"),
    "a link to nothing": lambda folder: (folder / "link").symlink_to("nowhere"),
    "empty": lambda folder: (folder / "empty").mkdir(),
}


@pytest.mark.parametrize("make", FOLDERS.values(), ids=FOLDERS)
def test_a_folder_that_can_be_no_run_is_listed_as_such(save_run, runs_folder, make, capsys):
    assert runs.every(runs_folder) == ([], [])  # there is none
    save_run("good")
    shutil.copytree(runs_folder / "good", runs_folder / ".two-1234abcd")  # a killed process leaves a draft, which is no run
    make(runs_folder)
    (run,), (sentence,) = runs.every(runs_folder)
    assert run.name == "good"
    assert sentence.isprintable()
    assert main(["list"]) == 0
    assert sentence in capsys.readouterr().out


def test_a_folder_that_may_not_be_listed_is_said(save_run, runs_folder, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)
    assert runs.every(runs_folder) == ([], [f"{runs_folder} cannot be listed (Permission denied)."])


def test_a_memory_error_of_one_run_is_its_own(save_run, runs_folder, monkeypatch):
    def read(path, *args):
        if path.parent.name == "bad":
            raise MemoryError
        return whole(path, *args)

    save_run("good"), save_run("bad")
    whole = storage.read
    monkeypatch.setattr(storage, "read", read)
    (run,), (sentence,) = runs.every(runs_folder)
    assert run.name == "good"
    assert "run.json is damaged (MemoryError)" in sentence


def test_files_are_refused_by_their_size_before_they_are_read(save_run, monkeypatch):
    run = save_run()
    with (run.path / "history.csv").open("ab") as file:
        file.truncate(80_000_000)
    with pytest.raises(RunError, match=r"history\.csv has more than the 1\.05 MB that are read"):
        runs.history(run)
    packed = zipfile.ZipFile(run.path / "weights.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1)
    with packed, packed.open("code/kernel.npy", mode="w", force_zip64=False) as file:
        for _ in range(storage.MOST_UNPACKED // 2**24 + 1):
            file.write(bytes(2**24))
    monkeypatch.delattr(np, "load")  # nothing is unpacked
    with pytest.raises(RunError, match=r"weights\.npz unpacks to 285 MB, and at most 268 MB are read"):
        runs.weights(run)


def test_what_visitors_read_names_no_folder_of_the_server(save_run, runs_folder, caplog):
    """And the log has the whole sentence, once."""
    run = save_run("bad")
    (run.path / "run.json").write_text("{", encoding="utf-8")
    (sentence,) = runs.every(runs_folder)[1]
    assert str(runs_folder) in sentence
    for _ in range(2):
        assert sentences.for_visitors(sentence) == sentence.replace(f"{runs_folder}/", "")
    assert [record.message for record in caplog.records] == [sentence]
    assert sentences.for_visitors(f"nothing written to {runs_folder} (full)") == "nothing written to runs (full)"
    assert sentences.for_visitors(f"in '{Path.home()}/of/a.txt', /etc or and/or") == "in 'a.txt', /etc or and/or"


def test_an_export_that_fails_in_an_unknown_way_is_said_in_a_sentence(save_run, monkeypatch):
    monkeypatch.setitem(export.EXPORTS, "history", replace(export.EXPORTS["history"], make=lambda run: {}["epoch"]))
    with pytest.raises(RunError, match=r"It cannot be made of the run 'one' \(no 'epoch'\)\."):
        export.export("history", save_run())


class Bomb:
    """Unpickling it makes a file."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return Path.touch, (Path(self.path),)


def npz(file, drop=0, **more):
    with np.load(file) as arrays:
        np.savez(file, **{**dict(list(arrays.items())[drop:]), **more})


WEIGHTS = {
    "missing": lambda file: file.unlink(),
    "end lost": lambda file: file.write_bytes(file.read_bytes()[:-10]),
    "a byte changed": lambda file: file.write_bytes(file.read_bytes()[:3000] + b"damage" + file.read_bytes()[3006:]),
    "one array": lambda file: np.save(file.open("wb"), np.zeros(3)),
    "one weight too many": lambda file: npz(file, more=np.zeros(3)),
    "one weight lost": lambda file: npz(file, drop=1),
    "wrong shape": lambda file: npz(file, **{"code/bias": np.zeros(4)}),
    "no numbers": lambda file: npz(file, **{"code/bias": np.array(["a", "b", "c"])}),
    "pickled array": lambda file: npz(file, **{"code/bias": np.array([Bomb(file.parent / "boom")], object)}),
    "pickle": lambda file: file.write_bytes(pickle.dumps(Bomb(file.parent / "boom"))),
}


@pytest.mark.parametrize("damage", WEIGHTS.values(), ids=WEIGHTS)
@pytest.mark.parametrize("precision", list(storage.PRECISIONS))
def test_damaged_weights_are_named_with_the_mend_and_nothing_is_executed(save_run, damage, precision):
    run = save_run(precision=precision)
    runs.model(run)  # what was loaded before does not hide the damage
    file = run.path / "weights.npz"
    damage(file)
    assert runs.find("one") == run  # the rest can still be shown
    with pytest.raises(RunError, match=r"(?s)weights\.npz .*\(.+\): delete the folder or train the run again\.") as refusal:
        runs.model(run)
    assert str(file) in str(refusal.value)
    assert not (run.path / "boom").exists()


def test_a_damaged_shipped_run_says_how_to_make_it_again(save_run, tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "PRETRAINED_DIR", tmp_path / "shipped")
    run = save_run("strokes-b2", folder=tmp_path / "shipped")
    (run.path / "weights.npz").write_bytes(b"")
    with pytest.raises(RunError, match=r": make it again with `python -m cae_core pretrain strokes-b2`\."):
        runs.model(run)
