"""Storage on disk: atomic writes, reads of regular files up to a size, arrays without pickle, and locks of a process."""

import contextlib
import errno
import io
import os
import secrets
import shutil
import stat
import time
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

import numpy as np

from cae_core.runs import holder

try:
    import fcntl

    _REFUSED = BlockingIOError
except ImportError:  # Windows
    fcntl, _REFUSED = None, OSError
    import msvcrt

FULL = (errno.ENOSPC, errno.EDQUOT) if hasattr(errno, "EDQUOT") else (errno.ENOSPC,)
"""What a disk answers that has no room left, or no more for this user."""
THERE = (errno.EEXIST, errno.ENOTEMPTY)
"""What it answers where something has the name already."""
_GONE = (errno.ENOENT, errno.ENOTDIR)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


def advice(error: OSError) -> str:
    """What mends a disk's refusal, by its cause."""
    if error.errno in FULL:
        return "free some space, for example by deleting runs for good."
    if error.errno in _GONE:
        return "there is no such folder: put it back, or set CAE_RUNS_DIR to a folder that is there."
    if error.errno in _FORBIDDEN:
        return "allow writing to it, or set CAE_RUNS_DIR to a folder you may write to."
    return "see whether the disk is whole and connected, or set CAE_RUNS_DIR to a folder on another one."


MOST = 2**20
"""Bytes of a text file that are read. The longest run of all has a history of 60 kB."""

MOST_UNPACKED = 2**28
"""Bytes that an archive may unpack to. The largest network with its optimizer takes 40 MB."""


class OddFile(ValueError):
    """What stands in a file's place, or is too large to be one of ours; it was not read."""


def check_plain(path: Path) -> None:
    """Nothing for a file or folder.

    Raises:
        OddFile: it is a link, a pipe, a socket or a device: opening one can lead elsewhere, or wait without end.
        OSError: there is none.
    """
    mode = os.lstat(path).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        kinds = ((stat.S_ISLNK, "a link"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))
        kind = next((name for test, name in kinds if test(mode)), "a device")
        raise OddFile(f"{path.name} is {kind}, which is never opened")


def _opener(path: str, flags: int) -> int:
    with contextlib.suppress(FileNotFoundError):  # one that is opened to be made
        check_plain(Path(path))
    # Should another have taken its place since: a link is not followed, and a pipe not waited for.
    descriptor = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0), 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OddFile(f"{Path(path).name} is no file")
    return descriptor


def read(path: Path, most: int = MOST) -> bytes:
    """The content of a file.

    Raises:
        OSError: it cannot be read.
        OddFile: it is no file, or has more than `most` bytes.
    """
    with open(path, "rb", opener=_opener) as file:
        if os.fstat(file.fileno()).st_size <= most and len(content := file.read(most + 1)) <= most:
            return content
    raise OddFile(f"{path.name} has more than the {most / 1e6:.3g} MB that are read")


def write(path: Path, content: bytes) -> None:
    """Puts a file in place whole: a reader, or a crash at any moment, finds the old one or the new one.

    Raises:
        OSError: the disk refuses; the old file is still there.
    """
    draft = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def round_to_bfloat16(w: np.ndarray, digits: int = 8) -> np.ndarray:
    """float32 values rounded to 8 significant bits (the upper half of the 32) or fewer, as float32."""
    bits, dropped = np.ascontiguousarray(w, dtype="<f4").view("<u4"), 24 - digits
    half = 2 ** (dropped - 1) - 1 + ((bits >> dropped) & 1)  # to nearest, ties to even
    return ((bits + half) >> dropped << dropped).astype("<u4").view("<f4")


def _pack(w: np.ndarray) -> np.ndarray:
    # The two bytes of a bfloat16 in planes of their own, (2, *shape) uint8: the upper ones are much alike and compress.
    return np.stack([(round_to_bfloat16(w).view("<u4") >> shift).astype("u1") for shift in (24, 16)])


def _unpack(stored: np.ndarray) -> np.ndarray:
    if stored.dtype != np.uint8:
        return stored
    high, low = stored.astype("<u4")
    return ((high << 24) | (low << 16)).view("<f4")


PRECISIONS = {"float32": lambda w: w.astype("float32"), "bfloat16": _pack}


def weights_to_bytes(weights: Mapping[str, np.ndarray], precision: str = "float32") -> bytes:
    """Weights by name as an npz archive: exactly, or as "bfloat16" rounded to a third of the size for models that ship."""
    packed = {path: PRECISIONS[precision](w) for path, w in weights.items()}
    return arrays_to_bytes(packed, compressed=precision != "float32")


def arrays_to_bytes(arrays: Mapping[str, np.ndarray], compressed: bool = True) -> bytes:
    """Arrays by name as an npz archive.

    Args:
        arrays: of any shape and kind but objects.
        compressed: worth it for images. For float32 weights it takes 200 ms a million and saves 7 %.
    """
    buffer = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(buffer, **arrays)
    return buffer.getvalue()


def read_weights(path: Path) -> dict[str, np.ndarray]:
    """The inverse of `weights_to_bytes`; whatever is wrong with a damaged archive is raised as it comes."""
    return {name: _finite(name, _unpack(array)) for name, array in read_arrays(path).items()}


def _finite(name: str, array: object) -> np.ndarray:
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu" or not np.isfinite(array).all():
        raise ValueError(f"{name} is no array of finite numbers")
    return array


def read_arrays(path: Path, most: int = MOST_UNPACKED) -> dict[str, np.ndarray]:
    """The arrays of an npz archive; one that unpacks to more than `most` bytes or to anything but numbers is refused."""
    with open(path, "rb", opener=_opener) as file:
        with zipfile.ZipFile(file) as archive:
            size = sum(entry.file_size for entry in archive.infolist())  # no more than that is ever unpacked
        if size > most:
            raise OddFile(f"{path.name} unpacks to {size / 1e6:,.0f} MB, and at most {most / 1e6:,.0f} MB are read")
        file.seek(0)
        with np.load(file, allow_pickle=False) as arrays:
            return {name: _finite(name, arrays[name]) for name in arrays.files}


ATTEMPTS = 20
"""Times a lock is tried for, a hundredth of a second apart: who only asks whether it is taken holds it for a moment."""


class Taken(OSError):
    """Somebody else has the lock."""


def _lock(file: IO[bytes], shared: bool) -> None:
    """Locks an open file; a `_REFUSED` where it is taken, another OSError on a disk that knows no locks."""
    if fcntl:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    else:
        file.seek(1 << 30)  # behind everything written, which on Windows others may not read where it is locked
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)


_held: set[Path] = set()
"""Locks of this process, which need not be asked of the system."""


class Lock:
    """Says that this process is at work on a folder; the system takes it back when the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        """Takes the lock, and writes into its file who has it.

        Raises:
            Taken: somebody else has it.
            OddFile: what is there is no file.
            OSError: the disk refuses.
        """
        self._path, self._file = path, open(path, "ab", buffering=0, opener=_opener)  # noqa: SIM115
        for attempt in range(1, ATTEMPTS + 1):
            try:
                _lock(self._file, shared=False)
                with contextlib.suppress(OSError):  # a full disk: then nobody knows who it is, and the lock holds
                    self._file.truncate(0)
                    self._file.write(holder.mark())
                _held.add(path)
                return
            except _REFUSED as error:
                if attempt == ATTEMPTS:
                    self._file.close()
                    raise Taken(*error.args) from error
            except OSError:  # a disk that knows no locks
                self._file.close()
                raise
            time.sleep(0.01)

    def release(self) -> None:
        _held.discard(self._path)
        with contextlib.suppress(OSError):
            self._file.close()


def is_locked(path: Path) -> bool:
    """Whether some process, this one included, has the lock on `path`."""
    if path in _held:
        return True
    try:
        file = open(path, "rb", opener=_opener)  # noqa: SIM115 (only to read, so that it works where one may not write)
    except (OSError, OddFile):
        return False
    with file:
        try:
            _lock(file, shared=True)  # so that askers do not disturb one another; closing it lets go
        except _REFUSED:
            return True
        except OSError:  # a disk that knows no locks: nobody can have one
            pass
    return False


@contextlib.contextmanager
def folder_in_place(target: Path, replace: bool = True) -> Iterator[Path]:
    """A new folder to write into, which takes `target`'s name when the block ends well and is removed when it does not.

    The only step that a reader can see is a rename. What was at `target` before is gone then, and not before.

    Args:
        target: where it shall be.
        replace: whether it may take another one's place; else that is an `OSError`, also if that came in the meantime.
    """

    def beside() -> Path:
        return target.with_name(f".{target.name}-{secrets.token_hex(4)}")

    draft = beside()
    try:
        draft.mkdir(parents=True)
        yield draft
        if replace and target.exists():
            old = beside()
            target.rename(old)
            try:
                draft.rename(target)
            except BaseException:  # also an interruption
                old.rename(target)
                raise
            shutil.rmtree(old, ignore_errors=True)
        else:
            draft.rename(target)
    finally:  # also when interrupted; after the rename there is nothing left to remove
        shutil.rmtree(draft, ignore_errors=True)
