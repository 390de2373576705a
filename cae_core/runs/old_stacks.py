"""Stacks of earlier versions, which lay in a folder of their own beside the runs: moved to the others on first sight."""

import contextlib
import json
import os
import secrets
from pathlib import Path

from cae_core import runs
from cae_core.runs import schema, storage

FOLDER = ".stacks"
"""Where they lie, in the runs' folder."""


def move_in() -> str:
    """Moves every old stack that no process is at work on to the other runs; a sentence that says so, "" without any.

    One that is damaged is moved as it is, and listed as such.
    """
    moved, sentences = [], []
    try:
        for path in runs.folders(runs.runs_dir() / FOLDER):
            if not storage.is_locked(path / "lock"):  # by a program of that version
                moved.append(_move(path))
        (runs.runs_dir() / FOLDER).rmdir()
    except FileNotFoundError:  # there are none, or another process was quicker
        pass
    except OSError as error:  # one is at work, or the disk refuses
        if error.errno not in storage.THERE:
            why = f"({schema.reason(error)}): {storage.advice(error)}"
            sentences = [f"Stacks that an earlier version kept apart could not be moved to the runs {why}"]
    if moved:
        names = ", ".join(map(schema.legible, moved))
        sentences.insert(0, f"Stacks that an earlier version kept apart are among the runs now: {names}.")
    return " ".join(sentences)


def _move(path: Path) -> str:
    """Moves one; its name there."""
    with contextlib.suppress(FileNotFoundError, ValueError, TypeError, RecursionError):  # damage is said by who reads it
        runs.check_contents(path)
        fields = {"kind": "stack", **json.loads(storage.read(path / "stack.json"))}
        storage.write(path / "title.txt", str(fields.get("title", "")).encode(errors="replace"))
        storage.write(path / "run.json", (json.dumps(fields, indent=1) + "\n").encode())
        (path / "stack.json").unlink()
    target = runs.runs_dir() / path.name
    if os.path.lexists(target) or (runs.PRETRAINED_DIR / path.name).exists():
        target = target.with_name(f"{path.name[:74]}-{secrets.token_hex(2)}")
    path.rename(target)
    return target.name
