"""Bytes on disk: whole or not at all, nothing that executes, and a lock that ends with its process."""

import contextlib
import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from cae_core.runs import holder, storage

ROOT = Path(__file__).parent.parent
FULL = OSError(errno.ENOSPC, "No space left on device")


def refuse(monkeypatch, point, error):
    """Has the disk refuse at one point of a write."""

    def refused(*args, **kwargs):
        raise error

    if point == "open":
        monkeypatch.setattr(Path, "open", refused)
    elif point == "fsync":
        monkeypatch.setattr(os, "fsync", refused)
    elif point == "replace":
        monkeypatch.setattr(os, "replace", refused)
    else:  # half of it is written
        original = Path.open

        @contextlib.contextmanager
        def half(path, *args):
            with original(path, *args) as file:
                write = file.write

                class Half:
                    def write(self, content):
                        write(content[: len(content) // 2])
                        raise error

                yield Half()

        monkeypatch.setattr(Path, "open", half)


def test_every_refusal_of_a_disk_has_its_advice():
    kinds = {
        "free some space": ("ENOSPC", "EDQUOT"), "allow writing to it": ("EROFS", "EACCES", "EPERM"),
        "there is no such folder": ("ENOENT", "ENOTDIR"), "see whether the disk is whole": ("EIO", "EINVAL"),
    }  # fmt: skip
    for words, names in kinds.items():
        for name in names:
            assert storage.advice(OSError(getattr(errno, name), "")).startswith(words)


@pytest.mark.parametrize("error", [FULL, KeyboardInterrupt()], ids=["full", "interrupted"])
@pytest.mark.parametrize("point", ["open", "write", "fsync", "replace"])
@pytest.mark.parametrize("before", [b"old", None], ids=["replacing", "new"])
def test_a_write_that_fails_anywhere_changes_nothing(tmp_path, monkeypatch, point, error, before):
    file = tmp_path / "run.json"
    if before:
        storage.write(file, before)
    refuse(monkeypatch, point, error)
    with pytest.raises(type(error)):
        storage.write(file, b"new and longer")
    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == ({"run.json": before} if before else {})


def test_a_limit_of_the_system_itself_changes_nothing(tmp_path):
    resource = pytest.importorskip("resource")
    file = tmp_path / "weights.npz"
    storage.write(file, b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            storage.write(file, bytes(2_000_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in tmp_path.iterdir()] == ["weights.npz"]
    assert file.read_bytes() == b"old"


def test_a_reader_finds_the_old_or_the_new_and_never_half(tmp_path):
    file, contents = tmp_path / "run.json", [bytes([n]) * 200_000 for n in (1, 2)]
    storage.write(file, contents[0])

    def write():
        for n in range(40):
            storage.write(file, contents[n % 2])

    writer = threading.Thread(target=write)
    writer.start()
    seen = []
    while writer.is_alive():
        seen.append(file.read_bytes())
    writer.join()
    assert seen
    assert not set(seen) - set(contents)
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
        assert (read[name].dtype, read[name].shape) == (array.dtype, array.shape)
        assert read[name].tobytes() == array.tobytes()


class Bomb:
    """Unpickling it makes a file."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return Path.touch, (Path(self.path),)


@pytest.mark.parametrize("read", [storage.read_arrays, storage.read_weights])
def test_an_array_of_objects_is_refused_and_not_executed(tmp_path, read):
    np.savez(tmp_path / "a.npz", good=np.zeros(3), bad=np.array([Bomb(tmp_path / "boom")], object))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        read(tmp_path / "a.npz")
    assert not (tmp_path / "boom").exists()


def test_a_second_lock_is_refused_until_the_first_is_released(tmp_path):
    file = tmp_path / "lock"
    assert not storage.is_locked(file)
    assert not file.exists()  # asking leaves nothing behind
    lock = storage.Lock(file)
    assert storage.is_locked(file)
    for _ in range(2):
        with pytest.raises(storage.Taken):
            storage.Lock(file)
    assert storage.is_locked(file)
    lock.release()
    assert not storage.is_locked(file)
    lock.release()  # once more does no harm
    storage.Lock(file).release()
    assert not storage.is_locked(tmp_path / "nowhere" / "lock")


HOLD = """
import sys, time
from pathlib import Path
from cae_core.runs import holder, storage
holder.introduce("the app at port 8502")
lock = storage.Lock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def other(tmp_path):
    """Another process that has the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "lock")], cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8"
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_lock_of_another_process_holds_until_that_is_killed(tmp_path, other):
    file = tmp_path / "lock"
    assert storage.is_locked(file)
    assert holder.of(tmp_path) == f"the app at port 8502 of this computer (process {other.pid})"
    with pytest.raises(OSError):  # noqa: PT011 - its kind is the system's
        storage.Lock(file)
    assert storage.is_locked(file)
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert not storage.is_locked(file)
    lock = storage.Lock(file)
    assert storage.is_locked(file)
    assert holder.of(tmp_path) == holder.THIS
    lock.release()


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (b"", "another program"),
        (b"\xff{", "another program"),
        (b"[1]", "another program"),
        (b'{"token": "1", "computer": "attic", "program": "the app", "process": "x"}', "another program"),
        (b'{"token": "1", "computer": "attic", "program": "the app", "process": 7}', "the app of the computer attic"),
    ],
)
def test_who_has_a_lock_is_said_as_far_as_it_can_be_read(tmp_path, written, said):
    (tmp_path / "lock").write_bytes(written)
    assert holder.of(tmp_path).partition(" (")[0] == said


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


def test_a_lock_can_be_asked_about_where_nothing_may_be_written(tmp_path, monkeypatch):
    file, original = tmp_path / "lock", Path.open

    def read_only(path, mode="r", *args, **kwargs):
        if set(mode) & set("wax+"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return original(path, mode, *args, **kwargs)

    lock = storage.Lock(file)
    monkeypatch.setattr(Path, "open", read_only)
    assert storage.is_locked(file)
    lock.release()
    assert not storage.is_locked(file)


@pytest.mark.skipif(storage.fcntl is None, reason="Windows has another way to lock")
def test_a_disk_that_knows_no_locks_is_nobody_at_work(tmp_path, monkeypatch):
    def refuse(*args):
        raise OSError(errno.ENOLCK, "No locks available")

    (tmp_path / "lock").touch()
    monkeypatch.setattr(storage.fcntl, "flock", refuse)
    assert not storage.is_locked(tmp_path / "lock")
    with pytest.raises(OSError, match="No locks available") as refused:
        storage.Lock(tmp_path / "lock")
    assert not isinstance(refused.value, storage.Taken)
