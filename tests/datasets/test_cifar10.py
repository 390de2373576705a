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
from cae_core.datasets.files import DataError, DownloadError

COUNTS = {"train": 12, "test": 7}
RNG = np.random.default_rng(0)
ARRAYS = {
    **{f"x_{split}": RNG.integers(0, 256, (n, 32, 32, 3), dtype=np.uint8) for split, n in COUNTS.items()},
    **{f"y_{split}": (np.arange(n) % 10).astype(np.uint8) for split, n in COUNTS.items()},
}


def planes(split):
    """Images as rows of all red, all green and all blue values."""
    return ARRAYS[f"x_{split}"].transpose(0, 3, 1, 2).reshape(-1, 3 * 32 * 32)


def python_2(x, y, order="C"):
    """What cPickle of Python 2 writes, in protocol 2: texts and arrays' contents as byte strings, lists in pieces."""

    def text(value):
        return b"U" + bytes([len(value)]) + value.encode()

    def listed(items):
        return b"]" + b"".join(b"(" + b"".join(items[i : i + 4]) + b"e" for i in range(0, len(items), 4))

    shape, content = struct.pack("<2H", *x.shape), x.tobytes(order)
    array = b"cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01M"
    array += shape[:2] + b"M" + shape[2:]
    array += b"\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    array += (b"\x89" if order == "C" else b"\x88") + b"T" + struct.pack("<I", len(content)) + content + b"tb"
    labels, names = listed([bytes([75, label]) for label in y]), listed([text(f"{i}.png") for i in range(len(y))])
    whole = text("batch_label") + text("training batch 1 of 5") + text("labels") + labels + text("data") + array
    return b"\x80\x02}q\x00(" + whole + text("filenames") + names + b"u."


def members(pickled, per_member=6):
    """The authors' files by name: records of a label and an image, or pickles as their Python 2 wrote them."""
    names = {"test": ["test_batch"], "train": [f"data_batch_{i}" for i in range(1, 6)]}
    for split, i, name in [(half, i, name) for half in names for i, name in enumerate(names[half])]:
        part = slice(i * per_member, (i + 1) * per_member)
        x, y = planes(split)[part], ARRAYS[f"y_{split}"][part]
        if pickled:
            yield f"cifar-10-batches-py/{name}", python_2(x, y)
        else:
            yield f"cifar-10-batches-bin/{name}.bin", np.concatenate([y[:, None], x], axis=1).tobytes()


RECORDS, PICKLES = list(members(False)), list(members(True))


def packed(contents):
    """A tar.gz of these files, by name."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in contents:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def archive(name, contents):
    return lambda folder: (folder / name).write_bytes(packed(contents))


def unpacked(place, contents):
    def write(folder):
        for name, content in contents:
            (folder / place / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / place / name).write_bytes(content)

    return write


def npz(name="cifar10.npz", **changes):
    """A writer of the arrays, some of them changed by a function."""
    return lambda folder: np.savez(folder / name, **{**ARRAYS, **{key: f(ARRAYS[key]) for key, f in changes.items()}})


FORMS = {
    "npz": npz(),
    "subset": npz("cifar10-subset.npz"),
    "column": npz(y_train=lambda y: y[:, None], y_test=lambda y: y[:, None].astype(int)),  # as Keras has them
    "first": npz(x_train=lambda x: x.transpose(0, 3, 1, 2)),  # as PyTorch has them
    "shares": npz(x_train=lambda x: x.astype(np.float32) / 255),
    "fortran": npz(x_train=lambda x: np.asfortranarray(x.astype(np.float64))),
    "records": unpacked("", RECORDS),
    "tar": archive(cifar10.ARCHIVE, RECORDS),
    "keras3": unpacked("cifar-10-batches-py-target", PICKLES),
    "keras3 tar": archive("cifar-10-batches-py-target_archive", PICKLES),
    "pytorch": unpacked("", PICKLES),  # and Keras 2
    "keras2 tar": archive("cifar-10-batches-py.tar.gz", PICKLES),
    "pytorch tar": archive("cifar-10-python.tar.gz", PICKLES),
}


@pytest.fixture(autouse=True)
def tiny(monkeypatch, root):
    """Files of a dozen images in place of 50,000, in an empty folder; nothing can be unpickled."""
    lengths = dict.fromkeys(cifar10.LENGTHS, tuple(COUNTS.values()))
    monkeypatch.setattr(cifar10, "LENGTHS", lengths)
    monkeypatch.setattr(cifar10, "NUM", {"train": 8, "test": 5})
    monkeypatch.setattr(cifar10_batches, "IN_MEMBER", 6)
    digests = {name.rpartition("/")[2]: hashlib.md5(content).hexdigest() for name, content in PICKLES}
    monkeypatch.setattr(cifar10_batches, "PICKLES", digests)
    datasets.clear_cache()
    yield
    datasets.clear_cache()


def check(split="train"):
    """What is read is the first images of the file, each made larger by Pillow, with its label."""
    x, y = cifar10.read(split)
    count = cifar10.NUM[split]
    assert (x.shape, x.dtype) == ((count, 48, 48, 3), np.uint8)
    assert y.tolist() == ARRAYS[f"y_{split}"][:count].tolist()
    for larger, image in zip(x, ARRAYS[f"x_{split}"], strict=False):
        expected = Image.fromarray(image).resize((48, 48), Image.Resampling.BICUBIC)
        np.testing.assert_array_equal(larger, np.asarray(expected))


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read_and_nothing_unpickled(keras, monkeypatch, form):
    monkeypatch.setattr(pickle, "Unpickler", None)
    monkeypatch.setattr(pickle, "_Unpickler", None)
    FORMS[form](keras)
    assert datasets.DATASETS["cifar10"].on_machine()
    check("train")
    check("test")


@pytest.mark.parametrize("order", ["C", "F"])
def test_pickle_is_what_python_reads_in_it(monkeypatch, order):
    """The stand-in is a pickle as Keras loads it, and the walk through it finds the same."""
    x, y = planes("train")[:6], ARRAYS["y_train"][:6]
    content = python_2(x, y, order)
    loaded = pickle.loads(content, encoding="bytes")
    assert loaded[b"labels"] == y.tolist()
    np.testing.assert_array_equal(loaded[b"data"], x)
    monkeypatch.setitem(cifar10_batches.PICKLES, "data_batch_1", hashlib.md5(content).hexdigest())
    values, labels = cifar10_batches._pickled("data_batch_1", content)
    np.testing.assert_array_equal(values, x)
    assert labels.tolist() == y.tolist()


TRAP = b"cos\nmkdir\n(Vexecuted\ntR."  # makes a folder where the test runs, if it is loaded


@pytest.mark.parametrize(
    ("name", "write", "says"),
    [
        ("cifar10.npz", lambda folder: (folder / "cifar10.npz").write_bytes(b"no zip"), "not a zip"),
        ("cifar10.npz", npz(y_train=lambda y: y + 12), "the label [12]"),
        (cifar10.ARCHIVE, lambda folder: (folder / cifar10.ARCHIVE).write_bytes(b"no archive"), "not a gzip"),
        (cifar10.ARCHIVE, lambda folder: (folder / cifar10.ARCHIVE).write_bytes(packed(RECORDS)[:-2000]), ""),
        (cifar10.ARCHIVE, archive(cifar10.ARCHIVE, members(False, per_member=5)), "expected"),
        ("cifar-10-batches-py", unpacked("", [(name, TRAP) for name, _ in PICKLES]), "data_batch_1 is not the published"),
    ],
    ids=["npz", "label", "archive", "cut", "short", "trap"],
)
def test_a_damaged_file_is_named_and_not_loaded(root, name, write, says, monkeypatch):
    monkeypatch.chdir(root)
    write(root)
    with pytest.raises(DataError, match=f"cannot be used: .*{says}.*download CIFAR-10 again") as caught:
        cifar10.read("train")
    assert str(caught.value).startswith(str(root / name))
    assert not (root / "executed").exists()


@pytest.fixture
def offered(monkeypatch):
    """What the authors' server gives."""
    content = packed(RECORDS)

    def fetch(url, path, count):
        assert url == cifar10.URL
        count(len(content))
        path.write_bytes(content)

    monkeypatch.setattr(files, "_fetch", fetch)
    monkeypatch.setattr(cifar10, "DOWNLOAD_BYTES", len(content))
    monkeypatch.setattr(cifar10, "MD5", hashlib.md5(content).hexdigest())
    return content


def test_download_replaces_what_is_damaged_and_is_then_read(root, offered, monkeypatch):
    (root / cifar10.ARCHIVE).write_bytes(b"broken")
    reports = []
    datasets.DATASETS["cifar10"].download(lambda *report: reports.append(report))
    assert [path.name for path in root.iterdir()] == [cifar10.ARCHIVE]
    assert reports[-1] == (1.0, "CIFAR-10: ready")
    check()
    monkeypatch.setattr(files, "_fetch", None)
    cifar10.download()  # what is there is not downloaded again


@pytest.mark.parametrize(
    ("name", "value", "says"), [("MD5", "0" * 32, "not the published"), ("DOWNLOAD_BYTES", 10, "more than")]
)
def test_what_is_not_the_published_archive_is_not_kept(root, offered, monkeypatch, name, value, says):
    monkeypatch.setattr(cifar10, name, value)
    with pytest.raises(DownloadError, match=f"{says}.*no broken file was left.*get {cifar10.URL} by hand"):
        cifar10.download()
    assert list(root.iterdir()) == []
