"""Arrays read from npz and IDX files as uint8, whatever number type or axes of length 1 they were saved with.

Nothing is unpickled, and no size that a file claims is believed before it is checked.
"""

import gzip
import math
import struct
import zipfile
from pathlib import Path
from typing import BinaryIO

import numpy as np

_IDX_TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
_CHUNK = 1 << 20  # values that are looked at in one go


def read_npz(path: Path, member: str, shape: tuple[int, ...]) -> np.ndarray:
    """One array of a npz file. Not by `np.load`, which allocates what the header claims before it reads.

    Args:
        path: of the file.
        member: the array's name in it.
        shape: as which it is wanted: images `(n, H, W)` or `(n, H, W, C)`, or labels `(n,)`.

    Returns:
        read-only uint8 of that shape.

    Raises:
        ValueError: it is something else; an unreadable file raises whatever `zipfile` and `zlib` do.
    """
    with zipfile.ZipFile(path) as archive:
        if f"{member}.npy" not in archive.namelist():
            raise ValueError(f"it has no array {member}")
        with archive.open(f"{member}.npy") as stream:
            if np.lib.format.read_magic(stream) != (1, 0):  # later versions allow headers of gigabytes
                raise ValueError(f"{member} is in a later version of the npy format, expected 1.0")
            stored, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
            if dtype.kind not in "uif" or not _is_same(stored, shape):
                raise ValueError(f"{member} is {dtype} of shape {stored}, expected uint8 of shape {shape}")
            return _read_values(stream, dtype, stored, shape, "F" if fortran else "C")


def read_idx(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """The array of an IDX file, gzipped or not: two zero bytes, the type, the number of axes, each length, the values.

    Args, returns and errors are those of `read_npz`.
    """
    with open(path, "rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"  # browsers unpack a .gz and leave the name
        file.seek(0)
        with gzip.open(file) if zipped else file as stream:
            magic = stream.read(4)
            if len(magic) != 4 or magic[:2] != b"\0\0" or magic[2] not in _IDX_TYPES:
                expected = struct.pack(">HBB", 0, 8, len(shape)).hex()
                raise ValueError(f"it starts with the bytes {magic.hex()}, expected {expected} (IDX, uint8)")
            stored = struct.unpack(f">{magic[3]}I", stream.read(4 * magic[3]))
            if not _is_same(stored, shape):
                raise ValueError(f"it has the shape {stored}, expected {shape}")
            return _read_values(stream, np.dtype(_IDX_TYPES[magic[2]]), stored, shape, "C")


def _is_same(stored: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether an array of one shape can be given another without a guess at which of its axes is which."""
    if stored[:1] != shape[:1]:
        return False
    flat = len(shape) == 3 and stored[1:] == (math.prod(shape[1:]),)  # grey images as rows of values
    return flat or _channels_first(stored, shape) or [n for n in stored if n != 1] == [n for n in shape if n != 1]


def _channels_first(stored: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether images are in colour and have their channels before rows and columns, as PyTorch does."""
    return len(shape) == 4 and shape[3] > 1 and stored == (shape[0], shape[3], *shape[1:3])


def _read_values(
    stream: BinaryIO, dtype: np.dtype, stored: tuple[int, ...], shape: tuple[int, ...], order: str
) -> np.ndarray:
    """The rest of a stream, which must be the values of an array of this shape and nothing more."""
    size = math.prod(stored)
    content = stream.read(size * dtype.itemsize + 1)  # one more: only the end makes zip and gzip compare checksums
    if len(content) != size * dtype.itemsize:
        more = len(content) > size * dtype.itemsize
        raise ValueError(f"it has {'more' if more else 'less'} than the {size} values expected")
    values = np.frombuffer(content, dtype)
    if dtype != np.uint8:
        values = _as_uint8(values, shares=len(shape) > 1)
    array = values.reshape(stored, order=order)
    return np.moveaxis(array, 1, -1) if _channels_first(stored, shape) else array.reshape(shape)


def _as_uint8(values: np.ndarray, shares: bool) -> np.ndarray:
    """Numbers of another type that mean whole ones of 0 to 255.

    Args:
        values: `(n,)`.
        shares: floats of at most 1 may be shares of 255, as images for a network are.
    """
    full = 255 if shares and values.dtype.kind == "f" and values.max() <= 1 else 1
    whole = np.empty(len(values), np.uint8)
    for start in range(0, len(values), _CHUNK):
        part = values[start : start + _CHUNK].astype(np.float64) * full
        near = np.rint(part)
        if not (np.abs(part - near) < 0.01).all() or near.min() < 0 or near.max() > 255:
            raise ValueError(f"it has {values.dtype} values that are no whole numbers from 0 to 255")
        whole[start : start + _CHUNK] = near
    whole.flags.writeable = False
    return whole
