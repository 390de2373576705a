"""CIFAR-10: small photographs in colour, from a file on this machine or from its authors, made 48 by 48 pixels.

Read is whichever comes first: the authors' records, which a download gets; `cifar10-subset.npz` or `cifar10.npz` with
`x_train, y_train, x_test, y_test`; or the authors' pickles, which Keras and PyTorch fetch (see `cifar10_batches.py`).
"""

import hashlib
import os
from pathlib import Path

import numpy as np
from PIL import Image

from cae_core.datasets import cifar10_batches, files, folders
from cae_core.datasets.arrays import read_npz
from cae_core.datasets.cifar10_batches import ARCHIVE, RAW
from cae_core.datasets.entry import DatasetEntry, Split
from cae_core.datasets.files import SPLITS, DatasetMissing, Progress

LABEL, SIZE = "CIFAR-10", 48
"""Its name for people; side in pixels of an image."""
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
NUM = {"train": 15_000, "test": 2_000}
"""Images of each split that are used, the first of the file: as large as needed to learn from, and 118 MB in memory."""
URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
DOWNLOAD_BYTES, MD5 = 170_052_171, "c32a1d4ab5d03f1284b67883e8d87530"
"""Of the archive, as its authors give them."""

LENGTHS = {"cifar10-subset.npz": (15_000, 2_000), "cifar10.npz": (50_000, 10_000)}
"""Training and test images in a npz file of that name."""


def find() -> Path | None:
    """The file or folder to read: the first there is, in the order of `folders.roots()`; it is not opened."""
    for root in folders.roots():
        arrays = next((root / name for name in LENGTHS if os.path.isfile(root / name)), None)
        pickled = cifar10_batches.PICKLED
        if path := cifar10_batches.find(root, cifar10_batches.BINARY) or arrays or cifar10_batches.find(root, pickled):
            return path
    return None


def read(split: str) -> tuple[np.ndarray, np.ndarray]:
    """The images and labels of one split.

    Args:
        split: "train" or "test".

    Returns:
        x (n, 48, 48, 3) uint8 and y (n,) uint8 in [0, 9], n as in `NUM`.

    Raises:
        DatasetMissing: there is no file of it in any of the `roots()`.
        DataError: the file is damaged.
    """
    if (path := find()) is None:
        raise DatasetMissing(
            f"{LABEL} was not found in {folders.places()}: run "
            f"`python -m cae_core train --dataset cifar10 --architecture colorize --download`, or set CAE_DATA_DIR to a "
            f"folder with {', '.join((*LENGTHS, ARCHIVE))} or cifar-10-python.tar.gz."
        )
    try:
        x, y = _read_npz(path, split) if path.suffix == ".npz" else cifar10_batches.read(path, split, NUM[split])
        if y.max() > 9:
            raise ValueError(f"it has the label {y.max()}, expected 0 to 9")
    except Exception as error:  # damaged archives raise anything
        raise files.unusable(path, error, LABEL) from error
    return resized(x), y


def resized(x: np.ndarray) -> np.ndarray:
    """Images `(n, H, W, 3)` uint8 as `(n, 48, 48, 3)`, by Pillow's bicubic filter."""
    larger = np.empty((len(x), SIZE, SIZE, 3), np.uint8)
    for i, image in enumerate(x):
        larger[i] = np.asarray(Image.fromarray(image).resize((SIZE, SIZE), Image.Resampling.BICUBIC))
    return larger


def _read_npz(path: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    length = dict(zip(SPLITS, LENGTHS[path.name], strict=True))[split]
    images, labels = SPLITS[split]
    x = read_npz(path, images, (length, RAW, RAW, 3))
    return x[: NUM[split]], read_npz(path, labels, (length,))[: NUM[split]]


def _check_published(root: Path) -> None:
    with (root / ARCHIVE).open("rb") as file:
        md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if md5 != MD5:
        raise ValueError(f"it is not the published archive (MD5 {md5}, expected {MD5})")


def download(progress: Progress | None = None) -> None:
    """Downloads the authors' archive; arguments and errors are those of `files.download`."""
    files.download(LABEL, (URL,), DOWNLOAD_BYTES, lambda root: [root / ARCHIVE], _check_published, progress)


ENTRY = DatasetEntry(
    label=LABEL,
    summary="17,000 photographs of animals and vehicles in colour, 32 by 32 pixels made 48 by 48.",
    source="A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009",
    class_names=CLASSES,
    num_train=NUM["train"],
    image_shape=(SIZE, SIZE, 3),
    load=lambda split: Split(*read(split)),
    on_machine=lambda: find() is not None,
    download=download,
    download_bytes=DOWNLOAD_BYTES,
)
