"""A damaged run: every damage is a sentence naming the file and the mend, hides no other run and executes nothing."""

import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from cae_core import runs, storage
from cae_core.runs import RunError


def changed(**values):
    return lambda text: json.dumps({**json.loads(text), **values}).encode()


def without(key):
    return lambda text: json.dumps({k: v for k, v in json.loads(text).items() if k != key}).encode()


DESCRIPTIONS = {
    "empty": lambda text: b"",
    "cut": lambda text: text.encode()[:200],
    "no text": lambda text: b"\xff\xfe\x00",
    "a list": lambda text: b"[]",
    "null": lambda text: b"null",
    "a number": lambda text: b"5",
    "no format": without("format"),
    "a later format": changed(format=2),
    "no config": without("config"),
    "config null": changed(config=None),
    "config a list": changed(config=["seed"]),
    "unknown setting": changed(config={"bottelneck": 3}),
    "setting out of range": changed(config={"bottleneck": 0}),
    "setting enormous": changed(config={"bottleneck": 10**400}),
    "no metrics": without("metrics"),
    "shape null": changed(image_shape=None),
}


@pytest.mark.parametrize("damage", DESCRIPTIONS.values(), ids=DESCRIPTIONS)
def test_a_damaged_description_is_named_and_the_other_runs_stay(save_run, runs_folder, damage):
    save_run("bad"), save_run("good")
    file = runs_folder / "bad" / "run.json"
    file.write_bytes(damage(file.read_text(encoding="utf-8")))
    with pytest.raises(
        RunError, match=r"run\.json is damaged \(.+\): delete the folder or train the run again\."
    ) as refusal:
        runs.find("bad")
    assert str(file) in str(refusal.value)
    found, damaged = runs.every(runs_folder)
    assert [run.name for run in found] == ["good"]
    assert damaged == [str(refusal.value)]


def test_a_folder_without_a_description_is_said_to_have_no_run(save_run, runs_folder):
    save_run("good")
    (runs_folder / "empty").mkdir()
    found, damaged = runs.every(runs_folder)
    assert [run.name for run in found] == ["good"]
    assert damaged == [f"There is no run in {runs_folder / 'empty'}."]
    assert runs.every(runs_folder / "nowhere") == ([], [])


class Bomb:
    """Unpickling it makes a file."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return Path.touch, (Path(self.path),)


def npz(file, **more):
    with np.load(file) as arrays:
        np.savez(file, **{**dict(arrays), **more})


def drop_one(file):
    with np.load(file) as arrays:
        np.savez(file, **dict(list(arrays.items())[1:]))


def another_zip(file):
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("code/kernel", b"abc")


WEIGHTS = {
    "missing": lambda file: file.unlink(),
    "empty": lambda file: file.write_bytes(b""),
    "cut": lambda file: file.write_bytes(file.read_bytes()[:2000]),
    "end lost": lambda file: file.write_bytes(file.read_bytes()[:-10]),
    "a byte changed": lambda file: file.write_bytes(file.read_bytes()[:3000] + b"damage" + file.read_bytes()[3006:]),
    "text": lambda file: file.write_text("weights", encoding="utf-8"),
    "one array": lambda file: np.save(file.open("wb"), np.zeros(3)),
    "another zip": lambda file: another_zip(file),
    "one weight too many": lambda file: npz(file, more=np.zeros(3)),
    "one weight lost": drop_one,
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


def test_a_damaged_history_is_named(save_run):
    run = save_run()
    for text in ("epoch,loss\n1,a lot\n", "epoch,loss\n1\n"):
        (run.path / "history.csv").write_text(text, encoding="utf-8")
        with pytest.raises(RunError, match=r"history\.csv is damaged \(.*delete the folder"):
            runs.history(run)
    (run.path / "history.csv").unlink()
    with pytest.raises(RunError, match=r"history\.csv is damaged"):
        runs.history(run)


def test_nothing_reads_a_pickle():
    # script.py only writes the text of a program, in which allow_pickle is left at NumPy's own False.
    files = [path for path in Path(runs.__file__).parent.rglob("*.py") if path.name != "script.py"]
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    assert "allow_pickle=True" not in text
    assert text.count("np.load(") == text.count("allow_pickle=False")
