"""Damaged files are refused with words that help, and the good set in Keras's cache is never read instead."""

import gzip
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


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        (with_changed(x_train=np.zeros((11, 4, 4), np.uint8)), "shape (11, 4, 4), expected uint8 of shape (12, 4, 4)"),
        (with_changed(x_train=np.zeros((12, 4, 5), np.uint8)), "(12, 4, 5)"),
        (with_changed(x_train=np.zeros((4, 12, 4), np.uint8)), "(4, 12, 4)"),
        (with_changed(x_train=np.zeros((12, 2, 8), np.uint8)), "(12, 2, 8)"),
        (with_changed(x_train=np.zeros((12, 8), np.uint8)), "(12, 8)"),
        (with_changed(x_train=np.full((12, 4, 4), 0.3001, np.float32)), "float32 values that are no whole numbers from 0"),
        (with_changed(x_train=np.full((12, 4, 4), np.nan)), "float64 values that are no whole numbers from 0 to 255"),
        (with_changed(x_train=np.full((12, 4, 4), -1, np.int8)), "int8 values that are no whole numbers from 0 to 255"),
        (with_changed(x_train=np.full((12, 4, 4), 256, np.int16)), "int16 values that are no whole numbers from 0 to 255"),
        (with_changed(x_train=np.zeros((12, 4, 4), complex)), "complex128"),
        (with_changed(x_train=np.zeros((12, 4, 4), "M8[s]")), "datetime64"),
        (with_changed(y_train=np.full(12, 0.5)), "float64 values that are no whole numbers"),
        (with_changed(y_train=np.zeros(13, np.uint8)), "(13,)"),
        (with_changed(y_train=np.full(12, 10, np.uint8)), "the label 10, expected 0 to 9"),
        (with_changed(x_train=np.array([{"a": 1}] * 12, dtype=object)), "object"),
        ({name: array for name, array in make_arrays().items() if name != "y_train"}, "no array y_train"),
    ],
)
def test_npz_with_wrong_arrays_is_refused(root, keras, arrays, said):
    np.savez(root / "tiny_set.npz", **arrays)
    check_refused(keras, root / "tiny_set.npz", said)


def test_only_the_split_asked_for_is_read(root):
    np.savez(root / "tiny_set.npz", **with_changed(x_train=np.zeros((1, 4, 4), np.uint8)))
    small_set().read("test")
    with pytest.raises(DataError):
        small_set().read("train")


def test_pickled_objects_are_not_executed(root, keras):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(root / "executed"),)

    np.savez(root / "tiny_set.npz", **with_changed(x_train=np.array([Trap()] * 12, dtype=object)))
    check_refused(keras, root / "tiny_set.npz", "object")
    assert not (root / "executed").exists()


@pytest.mark.parametrize("keep", [0, 1, 100, 400, -1, -30])
def test_truncated_npz_is_refused(root, keras, keep):
    (root / "tiny_set.npz").write_bytes(npz_bytes(make_arrays())[:keep])
    check_refused(keras, root / "tiny_set.npz", "cannot be used: ")


def test_npz_that_is_something_else_is_refused(root, keras):
    (root / "tiny_set.npz").write_bytes(b"<html>Please log in</html>")
    check_refused(keras, root / "tiny_set.npz", "not a zip file")


def test_every_damaged_byte_of_an_npz_is_refused_or_harmless(root):
    """A flipped byte may sit where nothing depends on it, such as a time stamp; it never changes an array."""
    good, arrays = npz_bytes(make_arrays()), make_arrays()
    refused = 0
    for position in range(0, len(good), 3):
        bad = bytearray(good)
        bad[position] ^= 0xFF
        (root / "tiny_set.npz").write_bytes(bad)
        try:
            check_equal(small_set(), arrays)
        except DataError:
            refused += 1
    assert refused > len(good) / 3 * 0.5


@pytest.mark.parametrize("claim", ["(99999999999999, 28, 28)", "(12, 4, 4000000)"])
def test_npz_header_that_claims_too_much_is_refused_before_memory_is_taken(root, keras, claim):
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {claim}, }}".ljust(117).encode() + b"\n"
    with zipfile.ZipFile(root / "tiny_set.npz", "w") as archive:
        archive.writestr("x_train.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(192))
        archive.writestr("y_train.npy", b"")
    check_refused(keras, root / "tiny_set.npz", claim)


def test_npy_of_another_version_is_refused(root, keras):
    with zipfile.ZipFile(root / "tiny_set.npz", "w") as archive:
        archive.writestr("x_train.npy", b"\x93NUMPY\x02\x00" + struct.pack("<I", 0xFFFFFFFF) + b"{")
    check_refused(keras, root / "tiny_set.npz", "npy format")


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


@pytest.mark.parametrize(
    ("labels", "said"), [(np.zeros(9, np.uint8), "(9,), expected (10,)"), (np.full(10, 255, np.uint8), "label 255")]
)
def test_wrong_labels_are_refused(root, keras, labels, said):
    write_folder(root / "tiny-set", with_changed(y_test=labels))
    check_refused(keras, root / "tiny-set" / "t10k-labels-idx1-ubyte.gz", said, split="test")
