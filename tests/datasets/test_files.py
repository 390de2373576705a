"""Finding and reading data sets in files; `test_files_damage.py` and `test_files_download.py` have the rest."""

import hashlib
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from tiny_set import SHAPES, check_equal, make_arrays, published, small_set, write_folder

from cae_core import datasets, runs
from cae_core.datasets import DATASETS, files, folders
from cae_core.datasets.fashion_mnist import FASHION_MNIST
from cae_core.datasets.files import DataError, DatasetMissing, DownloadError
from cae_core.datasets.mnist import MNIST


def npz(change=lambda array: array, name="tiny_set.npz", save=np.savez):
    return lambda root, arrays: save(root / name, **{member: change(array) for member, array in arrays.items()})


def folder(name="tiny-set", gzipped=True, rename=lambda file: file):
    def write(root, arrays):
        write_folder(root / name, arrays, gzipped=gzipped)
        for path in [*(root / name).iterdir()]:
            path.rename(path.with_name(rename(path.name)))

    return write


def wider_idx(root, arrays):
    """Labels of 32 bits, and images with an axis for their channel."""
    write_folder(root / "tiny-set", arrays)
    labels = b"\0\0\x0c\x01" + struct.pack(">I12i", 12, *arrays["y_train"].tolist())
    images = b"\0\0\x08\x04" + struct.pack(">4I", 12, 4, 4, 1) + arrays["x_train"].tobytes()
    (root / "tiny-set" / "train-labels-idx1-ubyte.gz").write_bytes(labels)
    (root / "tiny-set" / "train-images-idx3-ubyte.gz").write_bytes(images)


FORMS = {
    "npz": npz(),
    "dash": npz(name="tiny-set.npz", save=np.savez_compressed),
    "int64": npz(lambda a: a.astype(np.int64)),
    "big-endian": npz(lambda a: a.astype(">i2")),
    "float": npz(lambda a: a.astype(np.float32)),
    "shares": npz(lambda a: a.astype(np.float32) / 255 if a.ndim > 1 else a),  # of 255
    "half": npz(lambda a: (a / 255).astype(np.float64) if a.ndim > 1 else a.astype(np.float16)),
    "channels": npz(lambda a: a[..., None]),
    "channels first": npz(lambda a: a[:, None]),
    "rows": npz(lambda a: a.reshape(len(a), -1)),
    "by column": npz(np.asfortranarray),
    "wide columns": npz(lambda a: np.asfortranarray(a[..., None].astype(np.int32))),
    "idx": folder("tiny_set"),
    "unpacked": folder(gzipped=False),
    "dots": folder(rename=lambda file: file.replace("-idx", ".idx")),
    "unpacked dots": folder(gzipped=False, rename=lambda file: file.replace("-idx", ".idx")),
    "named as packed": folder(gzipped=False, rename=lambda file: file + ".gz"),
    "packed": folder(rename=lambda file: file.removesuffix(".gz")),
    "wider": wider_idx,
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_set_is_read(root, form):
    FORMS[form](root, make_arrays())
    assert small_set().on_machine()
    check_equal(small_set(), make_arrays())
    assert not any(array.flags.writeable for split in ("train", "test") for array in small_set().read(split))


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize(
    ("members", "packed", "says"),
    [
        (SHAPES, False, "holds images of Other, not of Tiny: put it in a folder called other, and download Tiny again."),
        (("y_train", "y_test"), False, "holds labels of Other, not of Tiny: put it in a folder called other"),
        (SHAPES, True, "holds images of Other, not of Tiny: call it other.npz, and download Tiny again."),
    ],
)
def test_files_of_another_set_under_the_same_names_are_not_taken_for_it(root, split, members, packed, says):
    tiny, other = small_set(md5=published(1)), small_set("other", label="Other", md5=published(2))
    arrays = {**make_arrays(1), **{member: make_arrays(2)[member] for member in members}}
    np.savez(root / "tiny_set.npz", **arrays) if packed else write_folder(root / "tiny_set", arrays)
    with pytest.raises(DataError, match=says):
        tiny.read(split, (tiny, other))
    assert len(tiny.read(split)) == 2
    np.savez(root / "tiny-set.npz", **make_arrays(3))  # a set of one's own is nobody else's
    tiny.read(split, (tiny, other))


@pytest.mark.real_data
@pytest.mark.parametrize("swapped", [(MNIST, "fashion-mnist"), (FASHION_MNIST, "mnist")], ids=["mnist", "fashion"])
def test_mnist_and_fashion_mnist_are_told_apart(tmp_path, monkeypatch, swapped):
    real, place = swapped
    x, y = real.read("test")
    monkeypatch.setenv("CAE_DATA_DIR", str(tmp_path))
    arrays = dict.fromkeys(("x_train", "x_test"), x[..., 0]) | dict.fromkeys(("y_train", "y_test"), y)
    for name, array in arrays.items():
        path = tmp_path / place / files.IDX_NAMES[name]
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes())
    with pytest.raises(DataError, match=f"holds images of {real.label}, not of"):
        datasets.DATASETS[place.replace("-", "_")].load("test")


def test_keras_cache_is_in_the_home_folder_by_default(monkeypatch, tmp_path):
    for name in ("CAE_DATA_DIR", "KERAS_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    assert folders.roots() == [tmp_path / ".keras" / "datasets"]
    monkeypatch.setenv("CAE_DATA_DIR", "")
    assert len(folders.roots()) == 1
    monkeypatch.setenv("CAE_DATA_DIR", "~/images")
    assert folders.roots()[0] == tmp_path / "images"


def test_without_a_home_folder_no_folder_is_called_tilde(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # as where HOME is not set and the user has no name
    for name in ("CAE_DATA_DIR", "CAE_RUNS_DIR"):
        monkeypatch.setenv(name, "~/somewhere")
    assert runs.runs_dir() == runs.PRETRAINED_DIR.parent / "runs"
    for entry in DATASETS.values():
        if entry.download:
            with pytest.raises(DownloadError, match="no file can be written to any folder.* set CAE_DATA_DIR to a folder"):
                entry.download()
            with pytest.raises(DatasetMissing, match="not found in any folder, for CAE_DATA_DIR names none"):
                entry.load("train")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("CAE_DATA_DIR", str(tmp_path / "data"))
    assert files.writable_root("Tiny") == tmp_path / "data"


def test_missing_set_says_where_it_looked_and_how_to_get_it(root):
    assert not small_set().on_machine()
    with pytest.raises(DatasetMissing) as caught:
        small_set().read("train")
    for part in (str(root), str(root.parent / "keras" / "datasets"), "--download", "CAE_DATA_DIR"):
        assert part in str(caught.value)
    assert str(caught.value).count(". ") == 0, "one sentence"


def test_incomplete_folder_is_named_unless_its_root_has_a_complete_place(root, keras):
    write_folder(root / "tiny-set", make_arrays(1), leave_out="y_test")
    write_folder(keras / "tiny-set", make_arrays(1))
    assert not small_set().on_machine()
    for split in ("train", "test"):
        with pytest.raises(DataError, match="t10k-labels-idx1-ubyte.gz is missing.*[Dd]ownload Tiny again"):
            small_set().read(split)
    np.savez(root / "tiny_set.npz", **make_arrays(2))
    check_equal(small_set(), make_arrays(2))


def test_downloads_land_where_the_sets_are_looked_for():
    root = Path("root")
    assert MNIST._targets(root) == [root / "mnist.npz"]
    assert [path.parent for path in FASHION_MNIST._targets(root)] == [root / "fashion-mnist"] * 4
    for real in (MNIST, FASHION_MNIST):
        assert set(real._targets(root)) == set(next(real._places(root)).values())
        assert set(real.md5) == {"x_train", "y_train", "x_test", "y_test"}
        assert all(url.startswith("https://storage.googleapis.com/") for url in real.urls)


@pytest.mark.real_data
@pytest.mark.parametrize("real", [MNIST, FASHION_MNIST], ids=lambda real: real.name)
def test_real_data_is_the_published_one(real):
    for split, num_images in (("train", 60_000), ("test", 10_000)):
        x, y = real.read(split)
        assert x.shape == (num_images, 28, 28, 1)
        assert y.shape == (num_images,)
        for member, array in ((f"x_{split}", x[..., 0]), (f"y_{split}", y)):
            header = struct.pack(f">I{array.ndim}I", 0x800 + array.ndim, *array.shape)
            assert hashlib.md5(header + array.tobytes()).hexdigest() == real.md5[member]
        counts = np.bincount(y)  # MNIST has most of the digit 1 in both splits
        assert counts.tolist() == [num_images // 10] * 10 if real is FASHION_MNIST else counts.argmax() == 1
