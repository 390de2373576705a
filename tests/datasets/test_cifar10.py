"""CIFAR-10 from each of its files, damaged ones, and the download of the authors' archive, with tiny stand-ins."""

import hashlib
import io
import tarfile

import numpy as np
import pytest
from PIL import Image

from cae_core import datasets
from cae_core.datasets import cifar10, files
from cae_core.datasets.files import DataError, DatasetMissing, DownloadError

TRAIN, TEST = 12, 7


def arrays(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "x_train": rng.integers(0, 256, (TRAIN, 32, 32, 3), dtype=np.uint8),
        "y_train": (np.arange(TRAIN) % 10).astype(np.uint8),
        "x_test": rng.integers(0, 256, (TEST, 32, 32, 3), dtype=np.uint8),
        "y_test": (np.arange(TEST) % 10).astype(np.uint8),
    }


def archive(found, per_member=6):
    """The authors' format: records of a label, then all red, all green and all blue values."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for split, names in (("test", cifar10.MEMBERS["test"]), ("train", cifar10.MEMBERS["train"][:2])):
            planes = found[f"x_{split}"].transpose(0, 3, 1, 2).reshape(-1, 3 * 32 * 32)
            records = np.concatenate([found[f"y_{split}"][:, None], planes], axis=1)
            for i, name in enumerate(names):
                part = records[i * per_member : (i + 1) * per_member].tobytes()
                info = tarfile.TarInfo(name)
                info.size = len(part)
                tar.addfile(info, io.BytesIO(part))
    return buffer.getvalue()


@pytest.fixture(autouse=True)
def tiny(monkeypatch, root):
    """Files of a dozen images in place of 50,000, in an empty folder."""
    monkeypatch.setattr(cifar10, "LENGTHS", {"cifar10-subset.npz": (TRAIN, TEST), "cifar10.npz": (TRAIN, TEST)})
    monkeypatch.setattr(cifar10, "NUM", {"train": 8, "test": 5})
    monkeypatch.setattr(cifar10, "IN_MEMBER", 6)
    datasets.clear_cache()
    yield
    datasets.clear_cache()


def check(found, split="train"):
    """What is read is the first images of the file, each made larger by Pillow, with its label."""
    x, y = cifar10.read(split)
    count = cifar10.NUM[split]
    assert (x.shape, x.dtype) == ((count, 48, 48, 3), np.uint8)
    assert y.tolist() == found[f"y_{split}"][:count].tolist()
    for made, image in zip(x, found[f"x_{split}"], strict=False):
        larger = Image.fromarray(image).resize((48, 48), Image.Resampling.BICUBIC)
        np.testing.assert_array_equal(made, np.asarray(larger))


@pytest.mark.parametrize("name", ["cifar10-subset.npz", "cifar10.npz"])
@pytest.mark.parametrize("split", ["train", "test"])
def test_an_npz_is_read(root, name, split):
    np.savez(root / name, **arrays())
    check(arrays(), split)


def test_labels_may_be_a_column_as_keras_has_them(root):
    found = arrays()
    np.savez(root / "cifar10.npz", **{**found, "y_train": found["y_train"][:, None]})
    check(found)


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_authors_archive_is_read(root, split):
    (root / cifar10.ARCHIVE).write_bytes(archive(arrays()))
    check(arrays(), split)


def test_keras_cache_is_looked_into(keras):
    (keras / cifar10.ARCHIVE).write_bytes(archive(arrays()))
    assert datasets.DATASETS["cifar10"].on_machine()
    check(arrays())


def test_keras_pickles_are_left_alone(keras):
    folder = keras / "cifar-10-batches-py"
    folder.mkdir()
    (folder / "data_batch_1").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    assert not datasets.DATASETS["cifar10"].on_machine()
    with pytest.raises(DatasetMissing, match=r"not found in .*: run .*--dataset cifar10 .*--download"):
        datasets.load("cifar10", "test")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("cifar10.npz", b"no zip", "not a zip"),
        ("cifar-10-binary.tar.gz", b"no archive", "not a gzip"),
        ("cifar-10-binary.tar.gz", archive(arrays(), per_member=5), "expected"),
    ],
)
def test_a_damaged_file_is_named(root, name, content, says):
    (root / name).write_bytes(content)
    with pytest.raises(DataError, match=says) as caught:
        cifar10.read("train")
    assert str(caught.value).startswith(str(root / name))
    assert "download CIFAR-10 again" in str(caught.value)


def test_an_archive_that_was_cut_off_is_named(root):
    (root / cifar10.ARCHIVE).write_bytes(archive(arrays())[:-2000])
    with pytest.raises(DataError, match="cannot be used"):
        cifar10.read("train")


def test_labels_out_of_range_are_refused(root):
    np.savez(root / "cifar10.npz", **{**arrays(), "y_train": np.full(TRAIN, 12, np.uint8)})
    with pytest.raises(DataError, match="the label 12"):
        cifar10.read("train")


@pytest.fixture
def offered(monkeypatch):
    """What the authors' server gives."""
    content = archive(arrays())

    def fetch(url, path, count):
        assert url == cifar10.URL
        count(len(content))
        path.write_bytes(content)

    monkeypatch.setattr(files, "fetch", fetch)
    monkeypatch.setattr(cifar10, "DOWNLOAD_BYTES", len(content))
    monkeypatch.setattr(cifar10, "MD5", hashlib.md5(content).hexdigest())
    return content


def test_download_is_checked_and_then_read(root, offered):
    reports = []
    datasets.DATASETS["cifar10"].download(lambda *report: reports.append(report))
    assert [path.name for path in root.iterdir()] == [cifar10.ARCHIVE]
    assert reports[-1] == (1.0, "CIFAR-10: ready")
    check(arrays())


def test_what_is_there_is_not_downloaded_again(root, offered, monkeypatch):
    (root / cifar10.ARCHIVE).write_bytes(offered)
    monkeypatch.setattr(files, "fetch", None)
    cifar10.download()


def test_a_damaged_archive_is_replaced(root, offered):
    (root / cifar10.ARCHIVE).write_bytes(b"broken")
    cifar10.download()
    check(arrays())


@pytest.mark.parametrize(
    ("changed", "says"), [({"MD5": "0" * 32}, "not the published archive"), ({"DOWNLOAD_BYTES": 10}, "more than")]
)
def test_what_is_not_the_published_archive_is_not_kept(root, offered, monkeypatch, changed, says):
    for name, value in changed.items():
        monkeypatch.setattr(cifar10, name, value)
    with pytest.raises(DownloadError, match=f"{says}.*no broken file was left.*by hand"):
        cifar10.download()
    assert list(root.iterdir()) == []
