"""A data set small enough to damage byte by byte, written without the code under test."""

import gzip
import hashlib
import io
import struct
from pathlib import Path

import numpy as np

from cae_core.datasets.files import FileSet

SHAPES = {"x_train": (12, 4, 4), "y_train": (12,), "x_test": (10, 4, 4), "y_test": (10,)}
STEMS = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}


def make_arrays(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.integers(0, 256 if name[0] == "x" else 10, shape).astype(np.uint8) for name, shape in SHAPES.items()}


def idx_bytes(array: np.ndarray) -> bytes:
    dimensions = b"".join(struct.pack(">I", length) for length in array.shape)
    return bytes([0, 0, 8, array.ndim]) + dimensions + bytes(array.ravel().tolist())


def npz_bytes(arrays: dict[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def small_set(name: str = "tiny_set", urls: tuple[str, ...] = ("http://127.0.0.1:9/tiny-set.npz",), **more) -> FileSet:
    sizes = {"download_bytes": 1000, "num_train": 12, "num_test": 10, "image_size": 4}
    return FileSet(**{"name": name, "label": "Tiny", "urls": urls, **sizes, **more})


def published(seed: int = 0) -> dict[str, str]:
    """MD5 of each array of a set."""
    return {name: hashlib.md5(idx_bytes(array)).hexdigest() for name, array in make_arrays(seed).items()}


def write_folder(folder: Path, arrays: dict[str, np.ndarray], leave_out: str = "", gzipped: bool = True) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in arrays.items():
        if name != leave_out:
            content = idx_bytes(array)
            path = folder / (STEMS[name] + ".gz" * gzipped)
            path.write_bytes(gzip.compress(content) if gzipped else content)


def tree(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def check_equal(tiny: FileSet, arrays: dict[str, np.ndarray]) -> None:
    for split in ("train", "test"):
        x, y = tiny.read(split)
        assert x.dtype == y.dtype == np.uint8
        np.testing.assert_array_equal(x[..., 0], arrays[f"x_{split}"])
        np.testing.assert_array_equal(y, arrays[f"y_{split}"])


def with_changed(**changed) -> dict[str, np.ndarray]:
    return {**make_arrays(), **changed}
