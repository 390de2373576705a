"""Renaming runs, deleting them, and taking that back.

A deleted run is moved to `.deleted` inside the runs' folder, where nothing lists it; each owner's last few are kept there.
"""

import contextlib
import os
import secrets
import shutil
import unicodedata
from pathlib import Path

from cae_core import runs
from cae_core.runs import AnyRun, RunError, holder, storage
from cae_core.runs.writing import refusals

KEPT = 20
"""Deleted runs of one owner that can be had back; the oldest is removed for good when there is one more."""

_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # would turn round the text after a title


def rename(run: AnyRun, title: str, owner: str) -> None:
    """Gives a run a title; an empty one, and the run goes by its name again.

    Args:
        run: one of the owner's, or of everybody's.
        title: any text; what cannot be shown on one line, and what is over `runs.TITLE` characters, is left out.
        owner: who asks.

    Raises:
        RunError: the run is another's or ships with the app, or the disk refuses.
    """
    _check_own(run, owner, "renamed")
    line = " ".join(title.split())
    kept = "".join(c for c in line if unicodedata.category(c) not in ("Cc", "Cs") and c not in _TURNING)
    with refusals(run.label, "renamed"):
        storage.write(run.path / "title.txt", kept[: runs.TITLE].strip().encode())


def delete(run: AnyRun, owner: str) -> bool:
    """Takes a run off the list; `restore` brings it back as long as it is among its owner's last `KEPT`.

    A disk that is too full to put it there is made free instead: then the run is gone for good.

    Returns:
        Whether it can be brought back.

    Raises:
        RunError: the run is another's, ships with the app or is in training, or the disk refuses.
    """
    _check_own(run, owner, "deleted")
    if storage.is_locked(run.path / "lock"):
        raise RunError(holder.sentence(f"The run {run.label!r}", run.path, "stop it there before you delete it"))
    place = _bin() / run.name
    with refusals(run.label, "deleted"):
        try:
            _bin().mkdir(exist_ok=True)
            if place.exists():  # an older run of that name
                _remove(place)
            run.path.rename(place)
        except OSError as error:
            if error.errno not in storage.FULL:
                raise
            _remove(run.path)
            return False
    with contextlib.suppress(OSError):  # it is deleted, whatever comes of these
        os.utime(place)  # the time of its deletion: moving a folder leaves its own time as it was
        for old in [path for path in _by_age() if _owner(path) == run.owner][KEPT:]:
            _remove(old)
    return True


def remove(name: str, owner: str) -> None:
    """Removes a deleted run for good, which frees its space.

    Raises:
        RunError: it is not among the last deleted, is another's, or the disk refuses.
    """
    run = _deleted(name, owner)
    with refusals(run.label, "removed"):
        _remove(run.path)


def deleted(owner: str) -> list[AnyRun]:
    """The owner's and everybody's deleted runs that can be had back, the last deleted first."""
    restorable = []
    for path in _by_age():
        with contextlib.suppress(RunError):
            run = runs.read(path)
            if run.owner in ("", owner):
                restorable.append(run)
    return restorable


def restore(name: str, owner: str) -> None:
    """Brings a deleted run back.

    Raises:
        RunError: it is not among the last deleted, is another's, a new run has its name, or the disk refuses.
    """
    run = _deleted(name, owner)
    target = runs.runs_dir() / name
    if target.exists():
        raise RunError(f"By now another run is called {name!r}: delete that one first, then bring this one back.")
    with refusals(run.label, "brought back"):
        run.path.rename(target)


def _check_own(run: AnyRun, owner: str, done: str) -> None:
    if run.path.parent == runs.PRETRAINED_DIR:
        raise RunError(f"The run {run.label!r} ships with the app and cannot be {done}: fork it to have one of your own.")
    if run.owner not in ("", owner):
        raise RunError(f"The run {run.label!r} is another visitor's and cannot be {done} by you: fork it instead.")


def _deleted(name: str, owner: str) -> AnyRun:
    path = _bin() / runs.check_name(name)
    if not path.is_dir():
        raise RunError(f"The run {name!r} is not among the last {KEPT} deleted ones: it is gone for good.")
    run = runs.read(path)
    if run.owner not in ("", owner):
        raise RunError(f"The run {run.label!r} is another visitor's: only they can bring it back.")
    return run


def _owner(path: Path) -> str:
    """Whose a deleted run is; what is damaged is everybody's."""
    with contextlib.suppress(RunError):
        return runs.read(path).owner
    return ""


def _bin() -> Path:
    return runs.runs_dir() / ".deleted"


def _by_age() -> list[Path]:
    """The deleted runs' folders, the last deleted first."""
    with contextlib.suppress(OSError):
        folders = [path for path in _bin().iterdir() if path.is_dir() and not path.name.startswith(".")]
        return sorted(folders, key=lambda path: path.stat().st_mtime_ns, reverse=True)
    return []


def _remove(path: Path) -> None:
    """Removes a folder for good; so that no half of it is ever taken for a run, under another name or what it is first."""
    going = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        path.rename(going)
    except OSError as error:
        if error.errno not in storage.FULL:
            raise
        (path / "run.json").unlink(missing_ok=True)
        going = path
    shutil.rmtree(going, ignore_errors=True)
