"""The folder of a run in training: created whole, locked by this process, created again if removed, released."""

import contextlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cae_core.runs import RunError, holder, storage
from cae_core.runs.writing import refusals


class Folder:
    """A folder that nobody else writes to, once `make` or `take_up` was called."""

    def __init__(self, path: Path, stays: Mapping[str, bytes], below: Sequence[str] = ()) -> None:
        """Takes what is put back with the folder if that is gone.

        Args:
            path: where it is, or will be.
            stays: files that are written once: content by name.
            below: names of folders in it.
        """
        self.path, self.name = path, path.name
        self._stays, self._below = stays, below
        self._lock: storage.Lock | None = None

    def __getstate__(self) -> dict[str, Any]:
        """For another process, which writes while this one holds the lock."""
        return vars(self) | {"_lock": None}

    def make(self, files: Mapping[str, bytes]) -> None:
        """Makes it, with all of its first files or not at all.

        Args:
            files: their content by name, which may lie in a folder below.

        Raises:
            RunError: there is one of that name, if only since a moment ago, or the disk refuses.
        """
        with refusals(self.name, f"written to {self.path.parent}"):
            try:
                with storage.folder_in_place(self.path, replace=False) as draft:
                    for name in self._below:
                        (draft / name).mkdir()
                    for name, content in {**self._stays, **files}.items():
                        (draft / name).write_bytes(content)
            except OSError as error:
                if error.errno in storage.THERE:
                    raise RunError(f"{self.name!r} is there already: choose another name.") from error
                raise
            try:
                self._lock = storage.Lock(self.path / "lock")
            except OSError:
                shutil.rmtree(self.path, ignore_errors=True)
                raise

    def take_up(self, what: str) -> None:
        """Takes over what is there, to write on in it.

        Args:
            what: names it to people, such as "The run 'one'".

        Raises:
            RunError: another process is at work in it, or the disk refuses.
        """
        try:
            self._lock = storage.Lock(self.path / "lock")
        except storage.Taken as error:
            raise RunError(holder.sentence(what, self.path)) from error
        except OSError as error:
            raise RunError(
                f"{what} cannot go on: its folder cannot be written to ({error.strerror or error}): {storage.advice(error)}"
            ) from error
        for draft in self.path.rglob(".*"):  # what a killed process was just writing
            with contextlib.suppress(OSError):
                draft.unlink()

    def write(self, name: str, content: bytes) -> None:
        """Puts a file in place whole, after making the folder anew if it is gone.

        Raises:
            RunError: the disk refuses; the old file is still there.
        """
        with refusals(self.name, f"written to {self.path}"):
            self._make_anew()
            storage.write(self.path / name, content)

    def discard(self, keep: bool, was_begun: bool) -> None:
        """Lets go of it.

        Args:
            keep: whether what is written down stays; else the folder is removed.
            was_begun: whether it trained here, so that `run.json` is to say now that it was stopped.
        """
        if keep and was_begun:
            with contextlib.suppress(OSError, ValueError):
                file = self.path / "run.json"
                fields = json.loads(file.read_text(encoding="utf-8")) | {"state": "stopped"}
                storage.write(file, (json.dumps(fields, indent=1) + "\n").encode())
        self.close()
        if not keep:
            shutil.rmtree(self.path, ignore_errors=True)

    def close(self) -> None:
        """Lets go of it; what is not written down is lost."""
        if self._lock:
            self._lock.release()
        self._lock = None

    def _make_anew(self) -> None:
        for name in ("", *self._below):
            (self.path / name).mkdir(parents=True, exist_ok=True)
        if not (self.path / "lock").exists():  # one that is no longer there holds nothing
            lock = storage.Lock(self.path / "lock")
            self.close()
            self._lock = lock
            for name, content in self._stays.items():
                storage.write(self.path / name, content)
