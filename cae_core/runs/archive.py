"""A run's folder as one archive, to be sent from one machine to another, and back."""

import io
import re
import zipfile
from pathlib import Path

from cae_core.runs import storage

MOST_FILES = 1_000
_NAME = re.compile(r"(weights/)?[A-Za-z0-9_][A-Za-z0-9_.-]*")


def pack(folder: Path) -> bytes:
    """The files of a run, but for its lock, as a zip; weights do not compress, so nothing is compressed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for file in sorted(folder.rglob("*")):
            name = file.relative_to(folder).as_posix()
            if name != "lock" and file.is_file() and _NAME.fullmatch(name):
                archive.writestr(zipfile.ZipInfo(name), storage.read(file, storage.MOST_UNPACKED))
    return buffer.getvalue()


def unpack(content: bytes, target: Path) -> None:
    """Puts the run that was packed at `target`, in the place of what is there; nothing outside of it is ever written.

    Raises:
        ValueError: it is no archive of a run, or would be larger than any run is.
        OSError: the disk refuses; what was there is there.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            odd = [entry.filename for entry in entries if not _NAME.fullmatch(entry.filename)]
            if odd or len(entries) > MOST_FILES or sum(entry.file_size for entry in entries) > storage.MOST_UNPACKED:
                raise ValueError(f"it has {odd[0]!r}" if odd else f"it has {len(entries)} files, or too large ones")
            files = {entry.filename: archive.read(entry) for entry in entries}
    except Exception as error:  # a damaged archive fails in more ways than can be listed: zlib's, or that it is encrypted
        raise ValueError(f"What was sent is not the archive of a run ({error}).") from error
    with storage.folder_in_place(target) as draft:
        (draft / "weights").mkdir()
        for name, data in files.items():
            (draft / name).write_bytes(data)
