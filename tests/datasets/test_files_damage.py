"""Damaged files are refused with words that help, and the good set in Keras's cache is never read instead."""

import gzip
import io
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tiny_set import check_equal, idx_bytes, make_arrays, npz_bytes, small_set, with_changed, write_folder

from cae_core.datasets.files import DataError


def check_refused(keras: Path, path: Path, said: str, split: str = "train") -> None:
    np.savez(keras / "tiny_set.npz", **make_arrays())
    with pytest.raises(DataError) as caught:
        small_set().read(split)
    message = str(caught.value)
    assert message.startswith(str(path)), message
    assert said in message
    assert "Take it out of that folder and download Tiny again." in message


class Trap:
    def __reduce__(self):
        return os.mkdir, ("executed",)


def header(claim: str) -> bytes:
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {claim}, }}".ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + bytes(192)


def zipped(x_train: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("x_train.npy", x_train)
        archive.writestr("y_train.npy", b"")
    return buffer.getvalue()


WHOLE, X = " values that are no whole numbers from 0 to 255", (12, 4, 4)
DAMAGED = {
    **{
        f"{array.dtype}{array.shape}{number}": (npz_bytes(with_changed(x_train=array)), says)
        for number, (array, says) in enumerate([
            (np.zeros((11, 4, 4), np.uint8), "shape (11, 4, 4), expected uint8 of shape (12, 4, 4)"),
            *((np.zeros(shape, np.uint8), str(shape)) for shape in ((12, 4, 5), (4, 12, 4), (12, 2, 8), (12, 8))),
            (np.full(X, 0.3001, np.float32), f"float32{WHOLE}"),
            (np.full(X, np.nan), f"float64{WHOLE}"),
            (np.full(X, -1, np.int8), f"int8{WHOLE}"),
            (np.full(X, 256, np.int16), f"int16{WHOLE}"),
            (np.zeros(X, complex), "complex128"),
            (np.zeros(X, "M8[s]"), "datetime64"),
            (np.array([{"a": 1}] * 12, dtype=object), "object"),
            (np.array([Trap()] * 12, dtype=object), "object"),
        ])
    },
    "half labels": (npz_bytes(with_changed(y_train=np.full(12, 0.5))), f"float64{WHOLE}"),
    "more labels": (npz_bytes(with_changed(y_train=np.zeros(13, np.uint8))), "(13,)"),
    "label 10": (npz_bytes(with_changed(y_train=np.full(12, 10, np.uint8))), "the label 10, expected 0 to 9"),
    "no labels": (npz_bytes({name: a for name, a in make_arrays().items() if name != "y_train"}), "no array y_train"),
    **{f"cut at {n}": (npz_bytes(make_arrays())[:n], "cannot be used: ") for n in (0, 1, 100, 400, -1, -30)},
    "html": (b"<html>Please log in</html>", "not a zip file"),
    "claims images": (zipped(header("(99999999999999, 28, 28)")), "(99999999999999, 28, 28)"),
    "claims columns": (zipped(header("(12, 4, 4000000)")), "(12, 4, 4000000)"),
    "version 2": (zipped(b"\x93NUMPY\x02\x00" + struct.pack("<I", 0xFFFFFFFF) + b"{"), "npy format"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGED)
def test_damaged_npz_is_refused_before_memory_is_taken_and_nothing_executed(root, keras, monkeypatch, damage):
    monkeypatch.chdir(root)
    content, says = DAMAGED[damage]
    (root / "tiny_set.npz").write_bytes(content)
    check_refused(keras, root / "tiny_set.npz", says)
    assert not (root / "executed").exists()


def test_every_damaged_byte_of_an_npz_is_refused_or_harmless(root):
    """A flipped byte may sit where nothing depends on it, such as a time stamp; it never changes an array."""
    good, arrays = npz_bytes(make_arrays()), make_arrays()
    refused = 0
    for position in range(0, len(good), 5):
        bad = bytearray(good)
        bad[position] ^= 0xFF
        (root / "tiny_set.npz").write_bytes(bad)
        try:
            check_equal(small_set(), arrays)
        except DataError:
            refused += 1
    assert refused > len(good) / 5 * 0.5


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gzip.compress(idx_bytes(make_arrays()["x_train"])[:-1]), "less than the 192 values"),
        (gzip.compress(idx_bytes(make_arrays()["x_train"]) + b"\0"), "more than the 192 values"),
        (gzip.compress(idx_bytes(make_arrays()["x_train"]))[:-20], "end-of-stream"),
        (gzip.compress(idx_bytes(make_arrays()["x_train"]))[:-8] + bytes(8), "CRC"),
        (b"", "the bytes , expected 00000803"),
        (gzip.compress(b"\0\0\x08"), "the bytes 000008"),
        (gzip.compress(b"\0\0\x08\x03\0\0"), "unpack"),
        (gzip.compress(b"\0\0\x0a\x03" + bytes(300)), "00000a03"),
        (gzip.compress(b"\0\0\x08\xff" + bytes(300)), "unpack"),
        (gzip.compress(idx_bytes(make_arrays()["y_train"])), "(12,), expected (12, 4, 4)"),
        (gzip.compress(idx_bytes(np.zeros((11, 4, 4), np.uint8))), "(11, 4, 4), expected (12, 4, 4)"),
        (gzip.compress(struct.pack(">HBBIII", 0, 8, 3, 0xFFFFFFFF, 28, 28)), "(4294967295, 28, 28)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "file",  # gzip writes the time into its bytes
)
def test_damaged_idx_is_refused(root, keras, content, said):
    write_folder(root / "tiny-set", make_arrays())
    path = root / "tiny-set" / "train-images-idx3-ubyte.gz"
    path.write_bytes(content)
    check_refused(keras, path, said)
