"""Bytes on disk: whole or not at all, nothing that executes, and a lock that ends with its process."""

import errno
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cae_core import runs
from cae_core.runs import RunError, holder, manage, storage
from cae_core.training.run_trainer import RunTrainer

ROOT = Path(__file__).parents[2]


def refuse(error):
    def raise_it(*args, **kwargs):
        raise error

    return raise_it


def test_every_refusal_of_a_disk_has_its_advice():
    kinds = {
        "free some space": ("ENOSPC", "EDQUOT"), "allow writing to it": ("EROFS", "EACCES", "EPERM"),
        "there is no such folder": ("ENOENT", "ENOTDIR"), "see whether the disk is whole": ("EIO", "EINVAL"),
    }  # fmt: skip
    for words, names in kinds.items():
        for name in names:
            assert storage.advice(OSError(getattr(errno, name), "")).startswith(words)


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()], ids=["full", "interrupted"])
@pytest.mark.parametrize(("place", "call"), [(Path, "open"), (os, "fsync"), (os, "replace")])
@pytest.mark.parametrize("before", [{"run.json": b"old"}, {}], ids=["replacing", "new"])
def test_a_write_that_fails_anywhere_changes_nothing(tmp_path, monkeypatch, place, call, error, before):
    for name, content in before.items():
        storage.write(tmp_path / name, content)
    with monkeypatch.context() as patch:
        patch.setattr(place, call, refuse(error))
        with pytest.raises(type(error)):
            storage.write(tmp_path / "run.json", b"new and longer")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_reader_finds_the_old_or_the_new_and_never_half(tmp_path):
    file, contents = tmp_path / "run.json", [bytes([n]) * 200_000 for n in (1, 2)]
    storage.write(file, contents[0])
    writer = threading.Thread(target=lambda: [storage.write(file, contents[n % 2]) for n in range(40)])
    writer.start()
    read = []
    while writer.is_alive():
        read.append(file.read_bytes())
    writer.join()
    assert read
    assert not set(read) - set(contents)
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_arrays_there_and_back(tmp_path):
    arrays = {
        "code/kernel": np.random.default_rng(0).standard_normal((3, 4)).astype("float32"),
        "optimizer/0000": np.array(7, "int64"),
        "losses": np.empty(0),
        "a name with spaces, ö": np.array([1e300, -0.0, 1e-300]),
    }
    storage.write(tmp_path / "a.npz", storage.arrays_to_bytes(arrays))
    read = storage.read_arrays(tmp_path / "a.npz")
    assert list(read) == list(arrays)
    for name, array in arrays.items():
        assert (read[name].dtype, read[name].shape, read[name].tobytes()) == (array.dtype, array.shape, array.tobytes())


def test_a_second_lock_is_refused_until_the_first_is_released(tmp_path, monkeypatch):
    file, open_file = tmp_path / "lock", open

    def open_to_read(path, mode="r", **more):
        assert not set(mode) & set("wax+")
        return open_file(path, mode, **more)

    assert not storage.is_locked(file)
    assert not file.exists()  # asking leaves nothing behind
    lock = storage.Lock(file)
    for _ in range(2):
        with pytest.raises(storage.Taken):
            storage.Lock(file)
    monkeypatch.setattr("builtins.open", open_to_read)
    assert storage.is_locked(file)  # which can be asked where nothing may be written
    lock.release()
    assert not storage.is_locked(file)
    lock.release()  # once more does no harm
    assert not storage.is_locked(tmp_path / "nowhere" / "lock")


SERVER = """
import time
from cae_core.config import RunConfig
from cae_core.runs import holder
from cae_core.training.run_trainer import RunTrainer

holder.introduce("the app at port 8502")
trainer = RunTrainer.begin(RunConfig(dataset="strokes", num_train=100), "one", "Mine")
print("at work", flush=True)
time.sleep(600)
"""


def test_a_run_of_another_process_is_left_alone_until_that_is_killed(runs_folder):
    with subprocess.Popen([sys.executable, "-c", SERVER], cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8") as server:
        try:
            assert server.stdout.readline() == "at work\n"
            run = runs.find("one")
            assert (run.state, run.title, runs.at_work()) == ("waiting", "Mine", [run])
            where = rf"'Mine' is trained by the app at port 8502 of this computer \(process {server.pid}\): stop it"
            for act in (RunTrainer.resume, lambda run: manage.delete(run, "")):
                with pytest.raises(RunError, match=where):
                    act(run)
            with pytest.raises(RunError, match=where):
                RunTrainer.resume(replace(run, state="interrupted"))  # as it was when somebody looked
        finally:
            server.kill()
    run = runs.find("one")
    assert (run.state, runs.at_work()) == ("interrupted", [])
    resumed = RunTrainer.resume(run)
    assert holder.of(run.path) == holder.THIS
    resumed.close()


def test_who_has_a_lock_is_said_as_far_as_it_can_be_read(tmp_path):
    sound = b'{"token": "1", "computer": "attic", "program": "the app", "process": 7}'
    for written in (b"", b"\xff{", b"[1]", sound.replace(b"7", b'"x"')):
        (tmp_path / "lock").write_bytes(written)
        assert holder.of(tmp_path).partition(" (")[0] == "another program"
    (tmp_path / "lock").write_bytes(sound)
    assert holder.of(tmp_path).partition(" (")[0] == "the app of the computer attic"


def test_asking_and_taking_at_the_same_moment_disturb_nobody(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")
    (tmp_path / "lock").touch()
    with (tmp_path / "lock").open("rb") as asking:
        fcntl.flock(asking, fcntl.LOCK_SH)  # as `is_locked` does, for a moment
        assert not storage.is_locked(tmp_path / "lock")
        waits = []

        def a_moment_later(seconds):
            waits.append(seconds)
            if len(waits) == 2:
                fcntl.flock(asking, fcntl.LOCK_UN)

        monkeypatch.setattr(storage.time, "sleep", a_moment_later)
        storage.Lock(tmp_path / "lock").release()
    assert len(waits) == 2


@pytest.mark.skipif(storage.fcntl is None, reason="Windows has another way to lock")
def test_a_disk_that_knows_no_locks_is_nobody_at_work(tmp_path, monkeypatch):
    (tmp_path / "lock").touch()
    monkeypatch.setattr(storage.fcntl, "flock", refuse(OSError(errno.ENOLCK, "No locks available")))
    assert not storage.is_locked(tmp_path / "lock")
    with pytest.raises(OSError, match="No locks available") as refused:
        storage.Lock(tmp_path / "lock")
    assert not isinstance(refused.value, storage.Taken)
