"""A run on disk: there and back, and whole or not at all."""

import errno
import itertools
import os
import time
from pathlib import Path

import numpy as np
import pytest

from cae_core import runs
from cae_core.runs import RunError, storage


def contents(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_there_and_back(save_run, small_network, runs_folder):
    saved = save_run()
    assert set(contents(runs_folder)) == {"one/history.csv", "one/run.json", "one/weights.npz"}
    run = runs.find("one")
    assert run == saved == runs.read(runs_folder / "one")
    assert (run.name, run.config.seed, run.image_shape, run.code_size) == ("one", 5, (8, 12, 1), 3)
    assert (run.metrics, run.num_train, run.epochs, run.seconds) == ({"clean": {"mse": 0.01, "num_images": 5}}, 200, 2, 2.5)
    assert run.parameters == sum(w.size for w in small_network[0].weights().values())
    assert {"python", "tensorflow", "keras", "numpy"} <= set(run.versions)
    columns = runs.history(run)
    assert list(columns) == ["epoch", "loss", "held_out_loss", "seconds"]
    np.testing.assert_array_equal(columns["loss"], [0.5, 0.1])
    model, weights = runs.model(run), runs.weights(run)
    for path, w in small_network[0].weights().items():
        np.testing.assert_array_equal(weights[path], w)
    x = np.random.default_rng(1).random((4, 8, 12, 1), dtype="float32")
    np.testing.assert_allclose(model.reconstruct(x), small_network[0].reconstruct(x), atol=1e-5)
    assert runs.model(run) is model  # kept in memory
    os.utime(save_run(replace=True).path / "weights.npz", ns=(1, 1))
    assert runs.model(run) is not model  # made again, it is loaded again


def test_a_run_is_opened_once_for_each_writing(save_run, runs_folder, monkeypatch):
    saved, opened, opener = [save_run(name) for name in "abc"], [], storage._opener
    for run in saved:
        os.utime(run.path, (0, 0))
        os.utime(run.path / "run.json", (0, 0))
    monkeypatch.setattr(storage, "_opener", lambda path, flags: opened.append(Path(path)) or opener(path, flags))
    assert runs.every(runs_folder) == (saved, [])
    assert {path.parent for path in opened} == {run.path for run in saved}
    opened.clear()
    assert (runs.every(runs_folder), opened) == ((saved, []), [])
    _, b, c = saved
    soon = time.time() + 60
    for title in ("Once", "Twice"):  # at one time of the file system
        storage.write(b.path / "title.txt", title.encode())
        os.utime(b.path, (soon, soon))
        assert runs.find("b").title == title
    assert {path.parent for path in opened if not path.name.startswith(".")} == {b.path}
    opened.clear()
    lock = storage.Lock(c.path / "lock")
    opened.clear()
    assert storage.is_locked(c.path / "lock")
    lock.release()
    assert opened == []


def as_bfloat16(w):
    import tensorflow as tf

    return tf.cast(tf.cast(tf.constant(w), tf.bfloat16), tf.float32).numpy()


def test_rounding_to_bfloat16_is_tensorflows(save_run, small_network, runs_folder):
    rng = np.random.default_rng(0)
    ties = (np.arange(256, dtype="uint32") << 16 | 0x3F800000 | 0x8000).view("float32")
    values = [rng.standard_normal(5000), 1e30 * rng.standard_normal(50), 1e-30 * rng.standard_normal(50), ties, [0.0, -0.0]]
    w = np.concatenate(values).astype("float32")
    np.testing.assert_array_equal(storage.round_to_bfloat16(w), as_bfloat16(w))
    assert storage.round_to_bfloat16(w.reshape(2, -1)).shape == (2, len(w) // 2)
    few = storage.round_to_bfloat16(np.float32([1.03125, 1.03126, -1.09375, 0.0]), 5)  # steps of 1/16 from 1 to 2
    np.testing.assert_array_equal(few, [1.0, 1.0625, -1.125, 0.0])
    save_run("exact"), save_run("rounded", precision="bfloat16")
    weights = runs.weights(runs.find("rounded"))
    for path, w in small_network[0].weights().items():
        np.testing.assert_array_equal(weights[path], as_bfloat16(w))
    sizes = [(runs_folder / name / "weights.npz").stat().st_size for name in ("rounded", "exact")]
    assert sizes[0] < 0.6 * sizes[1]


STEPS = [("mkdir", 1), ("write_bytes", 1), ("write_text", 1), ("write_text", 2), ("rename", 1)]
REFUSED = [*itertools.product((False, True), STEPS), (True, ("rename", 2))]
ERRORS = {
    "full": (OSError(errno.ENOSPC, "No space left on device"), RunError, r"'one' could not .* left on device\): free some"),
    "interrupted": (KeyboardInterrupt(), KeyboardInterrupt, None),
}


@pytest.mark.parametrize(("error", "kind", "words"), ERRORS.values(), ids=ERRORS)
@pytest.mark.parametrize(("replace", "step"), REFUSED)
def test_a_refusal_at_any_step_leaves_what_was_there(save_run, runs_folder, monkeypatch, replace, step, error, kind, words):
    if replace:
        save_run()
    before, (method, number), calls = contents(runs_folder), step, []
    original = getattr(Path, method)

    def call(path, *args, **kwargs):
        calls.append(path)
        if len(calls) == number:
            raise error
        return original(path, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(Path, method, call)
        with pytest.raises(kind, match=words):
            save_run(replace=replace, seconds=99)
    assert contents(runs_folder) == before
    assert [path.name for path in runs_folder.rglob(".*")] == []


def test_a_taken_name_is_refused_unless_replaced(save_run, runs_folder):
    save_run()
    before = contents(runs_folder)
    with pytest.raises(RunError, match="There is a run called 'one' in .* already; choose another name or delete it"):
        save_run(seconds=99)
    assert contents(runs_folder) == before
    assert save_run(replace=True, seconds=99).seconds == 99
    assert [path.name for path in runs_folder.iterdir()] == ["one"]


@pytest.mark.parametrize(
    "name", ["", "..", "../one", "/etc", "a\\b", "One", ".one", "a b", "one\n", "ö", "a" * 81], ids=repr
)
def test_names_that_are_no_folder_name_are_refused(save_run, runs_folder, name):
    for call in (save_run, runs.find, runs.check_name):
        with pytest.raises(RunError, match="cannot name a run: use up to 80 of a-z, 0-9"):
            call(name)
    assert list(runs_folder.parent.iterdir()) == []


def test_names_that_are_allowed():
    for name in ("a", "0", "mnist-b32-bce-mixed", "a" * 80, "fast_2.1"):
        assert runs.check_name(name) == name


def test_a_users_run_comes_before_a_shipped_one(save_run, tmp_path, runs_folder, monkeypatch):
    monkeypatch.setattr(runs, "PRETRAINED_DIR", tmp_path / "shipped")
    for folder in (tmp_path / "shipped", runs_folder):
        save_run(folder=folder)
        assert runs.find("one").path == folder / "one"
    with pytest.raises(RunError, match="There is no run called 'two' in .*`python -m cae_core list` names all"):
        runs.find("two")
