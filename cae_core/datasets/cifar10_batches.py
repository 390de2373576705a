"""CIFAR-10 as its authors give it: records or pickles, in an archive or unpacked. No pickle is ever loaded.

Keras and PyTorch fetch the archive of pickles. Loading a pickle can run anything, so here its opcodes are only walked
through, for the one long string of pixels and the list of labels; and a file is looked into only if it is, by its MD5,
the authors' own.

Source of both formats: https://www.cs.toronto.edu/~kriz/cifar.html. In each, 32 × 32 values of red are followed by those of
green and of blue; a record of the binary version is a label and such an image, and a file has 10,000.
"""

import hashlib
import os
import pickletools
import tarfile
from pathlib import Path

import numpy as np

RAW, IN_MEMBER = 32, 10_000
"""Sides in pixels of an image, and how many a file has."""
RECORD = 1 + 3 * RAW * RAW
ARCHIVE = "cifar-10-binary.tar.gz"
BINARY = (ARCHIVE, "cifar-10-batches-bin")
PICKLED = (
    "cifar-10-batches-py",
    "cifar-10-batches-py-target/cifar-10-batches-py",
    "cifar-10-python.tar.gz",
    "cifar-10-batches-py.tar.gz",
    "cifar-10-batches-py-target_archive",
)
"""Archives and what was unpacked from them: as downloaded, as PyTorch and Keras 2 leave them, and as Keras 3 does."""
MEMBERS = {"train": tuple(f"data_batch_{i}" for i in range(1, 6)), "test": ("test_batch",)}
PICKLES = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}
"""MD5 of the authors' pickles."""
MOST_BYTES = 32_000_000
"""Of a pickle; the largest has 31,035,999."""


def find(root: Path, places: tuple[str, ...]) -> Path | None:
    """The first archive or whole folder of some names under `root`; nothing is opened."""
    for path in map(root.joinpath, places):
        if os.path.isfile(path):
            return path
        if all(os.path.isfile(path / name) for names in MEMBERS.values() for name in _names(path, names)):
            return path
    return None


def read(path: Path, split: str, wanted: int) -> tuple[np.ndarray, np.ndarray]:
    """The first images of a split and their labels; nothing is unpacked to the disk.

    Args:
        path: as `find` gives it.
        split: "train" or "test".
        wanted: how many images.

    Returns:
        x `(wanted, 32, 32, 3)` uint8 and y `(wanted,)` uint8.

    Raises:
        ValueError: a file is missing, of another size, or not the authors'; a damaged archive raises what `tarfile` does.
    """
    names = _names(path, MEMBERS[split][: -(-wanted // IN_MEMBER)])
    content = _from_folder(path, names) if os.path.isdir(path) else _from_archive(path, names)
    parse = _records if _is_binary(path) else _pickled
    images, labels = zip(*(parse(name, content[name]) for name in names), strict=True)
    x = np.concatenate(images)[:wanted].reshape(-1, 3, RAW, RAW).transpose(0, 2, 3, 1).copy()
    return x, np.concatenate(labels)[:wanted]


def _is_binary(path: Path) -> bool:
    return path.name in BINARY


def _names(path: Path, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{name}.bin" for name in names) if _is_binary(path) else names


def _from_folder(path: Path, names: tuple[str, ...]) -> dict[str, bytes]:
    for name in names:
        _check_size(path, name, os.path.getsize(path / name))
    return {name: (path / name).read_bytes() for name in names}


def _from_archive(path: Path, names: tuple[str, ...]) -> dict[str, bytes]:
    content: dict[str, bytes] = {}
    folder = "cifar-10-batches-bin" if _is_binary(path) else "cifar-10-batches-py"
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:  # in the archive's order, so that it is gone through once
            name = member.name.removeprefix(f"{folder}/")
            if name in names and member.isfile():
                _check_size(path, name, member.size)
                content[name] = archive.extractfile(member).read()
            if len(content) == len(names):
                return content
    raise ValueError(f"it has no {folder}/{next(name for name in names if name not in content)}")


def _check_size(path: Path, name: str, size: int) -> None:
    if _is_binary(path) and size != IN_MEMBER * RECORD:
        raise ValueError(f"{name} has {size} bytes, expected {IN_MEMBER * RECORD}")
    if size > MOST_BYTES:
        raise ValueError(f"{name} has {size} bytes, expected at most {MOST_BYTES}")


def _records(name: str, content: bytes) -> tuple[np.ndarray, np.ndarray]:
    records = np.frombuffer(content, np.uint8).reshape(IN_MEMBER, RECORD)
    return records[:, 1:], records[:, 0]


def _pickled(name: str, content: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Images `(10000, 3072)` and labels of a pickle, by a walk through its opcodes that carries out none of them."""
    if (md5 := hashlib.md5(content, usedforsecurity=False).hexdigest()) != PICKLES[name]:
        raise ValueError(f"{name} is not the published one (MD5 {md5}, expected {PICKLES[name]})")
    images, labels, numbers, before = b"", [], [], ""
    for opcode, argument, _ in pickletools.genops(content):
        if opcode.name == "MARK":
            numbers = []
        elif opcode.name == "BININT1":
            numbers.append(argument)
        elif opcode.name == "APPENDS":  # the only list of numbers; lists are written in pieces
            labels += numbers
        elif opcode.name == "BINSTRING" and len(argument) == IN_MEMBER * (RECORD - 1):
            images, by_column = argument.encode("latin-1"), before == "NEWTRUE"
        before = opcode.name
    if not images or len(labels) != IN_MEMBER:
        raise ValueError(f"{name} has {len(labels)} labels and {len(images)} values, expected {IN_MEMBER} of images")
    values = np.frombuffer(images, np.uint8).reshape((IN_MEMBER, -1), order="F" if by_column else "C")
    return values, np.array(labels, np.uint8)
