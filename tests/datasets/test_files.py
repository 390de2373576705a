"""Finding and reading data sets in files; `test_files_damage.py` and `test_files_download.py` have the rest."""

import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest
from tiny_set import check_equal, make_arrays, small_set, write_folder

from cae_core.datasets import files
from cae_core.datasets.fashion_mnist import FASHION_MNIST
from cae_core.datasets.files import DataError, DatasetMissing
from cae_core.datasets.mnist import MNIST


@pytest.mark.parametrize("file_name", ["tiny-set.npz", "tiny_set.npz"])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_is_read(root, file_name, save):
    save(root / file_name, **make_arrays())
    assert small_set().on_machine()
    check_equal(small_set(), make_arrays())


@pytest.mark.parametrize("folder", ["tiny-set", "tiny_set"])
@pytest.mark.parametrize("gzipped", [True, False])
def test_idx_folder_is_read(root, folder, gzipped):
    write_folder(root / folder, make_arrays(), gzipped=gzipped)
    assert small_set().on_machine()
    check_equal(small_set(), make_arrays())


def test_arrays_stored_by_column_are_read_in_the_right_order(root):
    arrays = make_arrays()
    np.savez(root / "tiny_set.npz", **{name: np.asfortranarray(array) for name, array in arrays.items()})
    check_equal(small_set(), arrays)


def test_arrays_are_read_only(root):
    np.savez(root / "tiny_set.npz", **make_arrays())
    for array in small_set().read("train"):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_roots_are_tried_in_order(root, keras):
    np.savez(keras / "tiny_set.npz", **make_arrays(1))
    check_equal(small_set(), make_arrays(1))
    np.savez(root / "tiny_set.npz", **make_arrays(2))
    check_equal(small_set(), make_arrays(2))


def test_keras_cache_is_in_the_home_folder_by_default(monkeypatch, tmp_path):
    monkeypatch.delenv("CAE_DATA_DIR", raising=False)
    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert files.roots() == [tmp_path / ".keras" / "datasets"]
    monkeypatch.setenv("CAE_DATA_DIR", "")
    assert len(files.roots()) == 1
    monkeypatch.setenv("CAE_DATA_DIR", "~/images")
    assert files.roots()[0] == tmp_path / "images"


def test_missing_set_says_where_it_looked_and_how_to_get_it(root):
    assert not small_set().on_machine()
    with pytest.raises(DatasetMissing) as caught:
        small_set().read("train")
    for part in (str(root), str(root.parent / "keras" / "datasets"), "--download", "CAE_DATA_DIR"):
        assert part in str(caught.value)
    assert str(caught.value).count(". ") == 0, "one sentence"


def test_incomplete_folder_is_not_on_the_machine_and_names_what_is_missing(root, keras):
    write_folder(root / "tiny-set", make_arrays(), leave_out="y_test")
    write_folder(keras / "tiny-set", make_arrays())
    assert not small_set().on_machine()
    for split in ("train", "test"):
        with pytest.raises(DataError, match="t10k-labels-idx1-ubyte.gz is missing.*[Dd]ownload Tiny again"):
            small_set().read(split)


def test_complete_place_is_preferred_to_an_incomplete_one_of_the_same_root(root):
    write_folder(root / "tiny-set", make_arrays(1), leave_out="y_test")
    np.savez(root / "tiny_set.npz", **make_arrays(2))
    check_equal(small_set(), make_arrays(2))


def test_downloads_land_where_the_sets_are_looked_for():
    root = Path("root")
    assert MNIST._targets(root) == [root / "mnist.npz"]
    assert [path.parent for path in FASHION_MNIST._targets(root)] == [root / "fashion-mnist"] * 4
    for real in (MNIST, FASHION_MNIST):
        assert set(real._targets(root)) == set(real._places(root)[0].values())
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
        if real is FASHION_MNIST:
            assert np.bincount(y).tolist() == [num_images // 10] * 10
        else:
            assert np.bincount(y).argmax() == 1  # MNIST has most of the digit 1 in both splits
