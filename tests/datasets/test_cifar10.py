"""CIFAR-10 from each of its files, damaged ones, and the download of the authors' archive, with tiny stand-ins."""

import hashlib
import io
import pickle
import struct
import tarfile

import numpy as np
import pytest
from PIL import Image

from cae_core import datasets
from cae_core.datasets import cifar10, cifar10_batches, files
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


def planes(found, split):
    """Images as rows of all red, all green and all blue values."""
    return found[f"x_{split}"].transpose(0, 3, 1, 2).reshape(-1, 3 * 32 * 32)


def members(found, pickled=False, per_member=6):
    """The authors' files by name: records of a label and an image, or pickles as their Python 2 wrote them."""
    names = {"test": ["test_batch"], "train": [f"data_batch_{i}" for i in range(1, 6)]}
    for split, i, name in [(half, i, name) for half in names for i, name in enumerate(names[half])]:
        part = slice(i * per_member, (i + 1) * per_member)
        x, y = planes(found, split)[part], found[f"y_{split}"][part]
        if pickled:
            yield f"cifar-10-batches-py/{name}", python_2(x, y)
        else:
            yield f"cifar-10-batches-bin/{name}.bin", np.concatenate([y[:, None], x], axis=1).tobytes()


def python_2(x, y, order="C"):
    """What cPickle of Python 2 writes, in protocol 2: texts and arrays' contents as byte strings, lists in pieces."""

    def text(value):
        return b"U" + bytes([len(value)]) + value.encode()

    def listed(items):
        return b"]" + b"".join(b"(" + b"".join(items[i : i + 4]) + b"e" for i in range(0, len(items), 4))

    shape, content = struct.pack("<2H", *x.shape), x.tobytes(order)
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01M"
        + shape[:2]
        + b"M"
        + shape[2:]
    )
    array += b"\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    array += (b"\x89" if order == "C" else b"\x88") + b"T" + struct.pack("<I", len(content)) + content + b"tb"
    labels, names = listed([bytes([75, label]) for label in y]), listed([text(f"{i}.png") for i in range(len(y))])
    whole = text("batch_label") + text("training batch 1 of 5") + text("labels") + labels + text("data") + array
    return b"\x80\x02}q\x00(" + whole + text("filenames") + names + b"u."


def packed(files):
    """A tar.gz of these files, by name."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def archive(found, **more):
    return packed(members(found, **more))


def unpack(folder, files):
    for name, content in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


@pytest.fixture(autouse=True)
def tiny(monkeypatch, root):
    """Files of a dozen images in place of 50,000, in an empty folder."""
    monkeypatch.setattr(cifar10, "LENGTHS", {"cifar10-subset.npz": (TRAIN, TEST), "cifar10.npz": (TRAIN, TEST)})
    monkeypatch.setattr(cifar10, "NUM", {"train": 8, "test": 5})
    monkeypatch.setattr(cifar10_batches, "IN_MEMBER", 6)
    digests = {
        name.rpartition("/")[2]: hashlib.md5(content).hexdigest() for name, content in members(arrays(), pickled=True)
    }
    monkeypatch.setattr(cifar10_batches, "PICKLES", digests)
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


@pytest.mark.parametrize(
    ("place", "how"),
    [
        ("cifar-10-batches-py-target", unpack),  # Keras 3
        ("cifar-10-batches-py-target_archive", packed),
        ("", unpack),  # Keras 2, PyTorch
        ("cifar-10-batches-py.tar.gz", packed),
        ("cifar-10-python.tar.gz", packed),
    ],
)
@pytest.mark.parametrize("split", ["train", "test"])
def test_what_keras_and_pytorch_have_fetched_is_read_and_not_unpickled(keras, monkeypatch, place, how, split):
    content = members(arrays(), pickled=True)
    unpack(keras / place, content) if how is unpack else (keras / place).write_bytes(packed(content))
    monkeypatch.setattr(pickle, "Unpickler", None)
    monkeypatch.setattr(pickle, "_Unpickler", None)
    assert datasets.DATASETS["cifar10"].on_machine()
    check(arrays(), split)


def test_folder_of_records_is_read(root):
    unpack(root, members(arrays()))
    check(arrays())


@pytest.mark.parametrize("order", ["C", "F"])
def test_pickle_is_what_python_reads_in_it(monkeypatch, order):
    """The stand-in is a pickle as Keras loads it, and the walk through it finds the same."""
    x, y = planes(arrays(), "train")[:6], arrays()["y_train"][:6]
    content = python_2(x, y, order)
    loaded = pickle.loads(content, encoding="bytes")
    assert loaded[b"labels"] == y.tolist()
    np.testing.assert_array_equal(loaded[b"data"], x)
    monkeypatch.setitem(cifar10_batches.PICKLES, "data_batch_1", hashlib.md5(content).hexdigest())
    found, labels = cifar10_batches._pickled("data_batch_1", content)
    np.testing.assert_array_equal(found, x)
    assert labels.tolist() == y.tolist()


def test_pickles_of_anybody_else_are_left_alone(keras):
    trap = b"cos\nmkdir\n(V" + str(keras / "executed").encode() + b"\ntR."
    unpack(keras, ((name, trap) for name, _ in members(arrays(), pickled=True)))
    with pytest.raises(DataError, match=r"data_batch_1 is not the published one \(MD5 .* download CIFAR-10 again"):
        cifar10.read("train")
    assert not (keras / "executed").exists()


def test_unfinished_folder_is_not_taken(keras):
    unpack(keras, list(members(arrays(), pickled=True))[:-1])
    assert not datasets.DATASETS["cifar10"].on_machine()
    with pytest.raises(DatasetMissing, match=r"not found in .*: run .*--dataset cifar10 .*--download"):
        datasets.load("cifar10", "test")


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.transpose(0, 3, 1, 2),  # as PyTorch has them
        lambda x: x.astype(np.int64),
        lambda x: x.astype(np.float32) / 255,
        lambda x: np.asfortranarray(x.astype(np.float64)),
    ],
)
def test_whole_images_in_another_form_are_read(root, change):
    found = arrays()
    np.savez(
        root / "cifar10.npz", **{**found, "x_train": change(found["x_train"]), "y_train": found["y_train"].astype(int)}
    )
    check(found)


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
