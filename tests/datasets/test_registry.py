"""The registry of data sets: its lines, the cache, and what a caller is told."""

import concurrent.futures
import threading

import numpy as np
import pytest

from cae_core import datasets
from cae_core.datasets import DATASETS, DataError, DatasetEntry, DatasetMissing, DownloadError, Split


@pytest.fixture(autouse=True)
def _fresh_cache():
    datasets.clear_cache()
    yield
    datasets.clear_cache()


def tiny_split(value: int = 0) -> Split:
    return Split(np.full((2, 28, 28, 1), value, np.uint8), np.zeros(2, np.uint8))


def add(monkeypatch, load, name="tiny") -> None:
    monkeypatch.setitem(DATASETS, name, DatasetEntry("Tiny", "Small.", "Here", tuple("0123456789"), 2, (28, 28, 1), load))


def test_every_line_is_complete():
    assert set(DATASETS) >= {"mnist", "fashion_mnist", "strokes", "strokes_colour", "cifar10"}
    for name, entry in DATASETS.items():
        kinds = (datasets.GREY, entry.image_shape[2] == 1), (datasets.COLOUR, entry.image_shape[2] == 3)
        assert [name in names for names, _ in kinds] == [is_so and not entry.knows_test for _, is_so in kinds]
        assert entry.label, name
        assert entry.source, name
        assert entry.summary.endswith("."), name
        assert [type(class_name) for class_name in entry.class_names] == [str] * 10, name
        assert (entry.download is None) == (entry.download_bytes == 0), name


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="Unknown dataset 'mnits': choose one of mnist, .* Did you mean 'mnist'"):
        datasets.load("mnits", "train")
    with pytest.raises(ValueError, match="Unknown split 'tests': choose one of train, test"):
        datasets.load("strokes", "tests")
    assert issubclass(DatasetMissing, DataError)
    assert issubclass(DownloadError, DataError)


def test_strokes_of_the_two_splits_are_drawn_with_different_seeds_and_need_no_files(root, monkeypatch):
    draw, asked = datasets.strokes.draw, []
    monkeypatch.setattr(datasets.strokes, "draw", lambda n, seed: asked.append((n, seed)) or draw(20, seed))
    train, test = (datasets.load("strokes", split) for split in ("train", "test"))
    assert asked == [(50_000, 1), (5_000, 2)]
    assert train.x.shape == (20, 28, 28, 1)
    assert test.x.dtype == test.y.dtype == np.uint8


def test_arrays_cannot_be_changed_by_one_visitor_for_all():
    mine = np.zeros((2, 28, 28, 1), np.uint8)
    split = Split(mine, np.zeros(2, np.uint8))
    for array in (split.x, split.y):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    mine[0] = 1  # the caller's own array is left as it was


def test_failed_load_is_not_remembered(monkeypatch):
    answers = iter([None, tiny_split(7)])

    def load(split):
        if answer := next(answers):
            return answer
        raise DatasetMissing("not yet")

    add(monkeypatch, load)
    with pytest.raises(DatasetMissing, match="not yet"):
        datasets.load("tiny", "train")
    assert datasets.load("tiny", "train").x.max() == 7


def test_two_visitors_at_once_load_once(monkeypatch):
    started, go_on, loads = threading.Event(), threading.Event(), []

    def load(split):
        loads.append(split)
        started.set()
        go_on.wait(timeout=30)
        return tiny_split()

    add(monkeypatch, load)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        first = pool.submit(datasets.load, "tiny", "train")
        assert started.wait(timeout=30)
        second = pool.submit(datasets.load, "tiny", "train")
        go_on.set()
    assert loads == ["train"]
    assert first.result() is second.result()


def test_cache_is_bounded_in_bytes(monkeypatch):
    kept = []
    monkeypatch.setattr(datasets, "MOST_BYTES", 3 * tiny_split().x.nbytes)
    for number in range(9):
        add(monkeypatch, lambda split: tiny_split(), f"tiny{number}")
        kept.append(datasets.load(f"tiny{number}", "train"))
    assert [datasets.load(f"tiny{number}", "train") is kept[number] for number in (6, 7, 8)] == [True] * 3
    assert datasets.load("tiny0", "train") is not kept[0]
    monkeypatch.setattr(datasets, "MOST_BYTES", 1)  # what is larger than the cache is kept while it is the last
    before = datasets.load("tiny1", "train")
    assert datasets.load("tiny1", "train") is before
    datasets.load("tiny1", "test")
    assert datasets.load("tiny1", "train") is not before


def test_default_is_mnist_only_where_it_is_on_the_machine(root):
    assert datasets.default() == "strokes"
    (root / "mnist.npz").write_bytes(b"")
    assert datasets.default() == "mnist"


def test_as_float():
    x = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    scaled = datasets.as_float(x)
    assert (scaled.dtype, scaled.shape) == (np.float32, x.shape)
    np.testing.assert_allclose(scaled.ravel(), [value / 255 for value in range(256)], rtol=1e-6)
    with pytest.raises(ValueError, match="float32"):
        datasets.as_float(scaled)
