"""The data sets by name, and the one way to load them.

`load("mnist", "train").x` is all a caller needs. To add a data set, describe it in a file beside this one (see
`mnist.py`) and give it a line in `DATASETS`.
"""

from __future__ import annotations

import collections
import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cae_core.config import lookup
from cae_core.datasets import cifar10, strokes, strokes_colour
from cae_core.datasets.fashion_mnist import FASHION_MNIST
from cae_core.datasets.files import SPLITS, DataError, DatasetMissing, DownloadError, FileSet, Progress
from cae_core.datasets.mnist import MNIST

__all__ = [
    "COLOUR",
    "DATASETS",
    "DIGITS",
    "DataError",
    "DatasetEntry",
    "DatasetMissing",
    "DownloadError",
    "GREY",
    "Progress",
    "SPLITS",
    "Split",
    "as_float",
    "clear_cache",
    "default",
    "load",
]


@dataclass(frozen=True, eq=False)
class Split:
    """Labelled images, read-only since everyone who visits the app shares them.

    Attributes:
        x: (n, H, W, C) uint8, black is 0; C is 1 for grey and 3 for red, green and blue.
        y: (n,) uint8 in [0, 9], an index into the data set's `class_names`.
    """

    x: np.ndarray
    y: np.ndarray

    def __post_init__(self) -> None:
        for name in ("x", "y"):
            shared = getattr(self, name).view()
            shared.flags.writeable = False
            object.__setattr__(self, name, shared)


@dataclass(frozen=True)
class DatasetEntry:
    """One line of the registry.

    Attributes:
        label: name shown to people.
        summary: one plain sentence.
        source: citation and licence.
        class_names: what the labels 0 to 9 mean.
        num_train: images in its training split.
        image_shape: `(H, W, C)`.
        load: reads "train" or "test" without a cache; call `datasets.load` instead.
        on_machine: whether `load` can work without a download; looks for files and does not open them.
        download: gets the data (see `files.FileSet.download`), or None when there is nothing to download.
        download_bytes: about how much that is; 0 when there is nothing to download.
        hues: where a colour says the class, the hue of each in degrees of the HSV circle; else ().
    """

    label: str
    summary: str
    source: str
    class_names: tuple[str, ...]
    num_train: int
    image_shape: tuple[int, int, int]
    load: Callable[[str], Split]
    on_machine: Callable[[], bool] = lambda: True
    download: Callable[..., None] | None = None
    download_bytes: int = 0
    hues: tuple[float, ...] = ()


def _from_files(files: FileSet) -> DatasetEntry:
    return DatasetEntry(
        label=files.label,
        summary=files.summary,
        source=files.source,
        class_names=files.class_names,
        num_train=files.num_train,
        image_shape=(files.image_size, files.image_size, 1),
        load=lambda split: Split(*files.read(split, (MNIST, FASHION_MNIST))),
        on_machine=files.on_machine,
        download=files.download,
        download_bytes=files.download_bytes,
    )


NUM_STROKES, NUM_COLOURED = 50_000, 25_000


def _draw_strokes(split: str) -> Split:
    x, y = strokes.draw(NUM_STROKES, seed=1) if split == "train" else strokes.draw(5_000, seed=2)
    return Split(x[..., np.newaxis], y)


def _draw_coloured(split: str) -> Split:
    return Split(*(strokes_colour.draw(NUM_COLOURED, seed=3) if split == "train" else strokes_colour.draw(2_000, seed=4)))


DATASETS: dict[str, DatasetEntry] = {
    "mnist": _from_files(MNIST),
    "fashion_mnist": _from_files(FASHION_MNIST),
    "strokes": DatasetEntry(
        label="Strokes",
        summary="55,000 digits drawn by the program from pen movements; needs no download.",
        source="This project, `cae_core/datasets/strokes.py`",
        class_names=MNIST.class_names,
        num_train=NUM_STROKES,
        image_shape=(28, 28, 1),
        load=_draw_strokes,
    ),
    "strokes_colour": DatasetEntry(
        label="Coloured Strokes",
        summary="27,000 drawn digits, 48 by 48 pixels, each in a hue that says which digit it is; needs no download.",
        source="This project, `cae_core/datasets/strokes_colour.py`",
        class_names=MNIST.class_names,
        num_train=NUM_COLOURED,
        image_shape=(strokes_colour.SIZE, strokes_colour.SIZE, 3),
        load=_draw_coloured,
        hues=strokes_colour.HUES,
    ),
    "cifar10": DatasetEntry(
        label=cifar10.LABEL,
        summary="17,000 photographs of animals and vehicles in colour, 32 by 32 pixels made 48 by 48.",
        source="A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009",
        class_names=cifar10.CLASSES,
        num_train=cifar10.NUM["train"],
        image_shape=(cifar10.SIZE, cifar10.SIZE, 3),
        load=lambda split: Split(*cifar10.read(split)),
        on_machine=lambda: cifar10.find() is not None,
        download=cifar10.download,
        download_bytes=cifar10.DOWNLOAD_BYTES,
    ),
}

GREY = tuple(name for name, entry in DATASETS.items() if entry.image_shape[2] == 1)
COLOUR = tuple(name for name in DATASETS if name not in GREY)
"""Names of the data sets in grey, which most networks take, and of those in colour."""
DIGITS = tuple(name for name in GREY if DATASETS[name].class_names == MNIST.class_names)
"""Names of those in grey that are digits, of which most texts of the app are true."""

MOST_BYTES = 330_000_000
"""Images kept in memory at most, of the splits asked for last; the last one is kept however large it is."""
_kept: collections.OrderedDict[tuple[str, str], Split] = collections.OrderedDict()
_keeping = threading.Lock()
_loading: dict[tuple[str, str], threading.Lock] = collections.defaultdict(threading.Lock)


def load(name: str, split: str) -> Split:
    """The images and labels of one split; the last few are kept in memory.

    Args:
        name: a name in `DATASETS`.
        split: "train" or "test".

    Raises:
        DatasetMissing: the data is not on this machine; the message says how to get it. Nothing is downloaded here.
        DataError: a file is damaged; the message names it.
        ValueError: there is no such data set or split. The errors above are ValueErrors too.
    """
    lookup(DATASETS, "dataset", name)
    lookup(SPLITS, "split", split)
    with _loading[name, split]:  # two visitors asking at once wait for one load instead of doing it twice
        with _keeping:
            if (name, split) in _kept:
                _kept.move_to_end((name, split))
                return _kept[name, split]
        loaded = DATASETS[name].load(split)  # an error is not kept, so data that arrives later is found
        with _keeping:
            _kept[name, split] = loaded
            while len(_kept) > 1 and sum(images.x.nbytes for images in _kept.values()) > MOST_BYTES:
                _kept.popitem(last=False)
        return loaded


def clear_cache() -> None:
    """Forgets what was loaded, so that the next `load` looks at the files again."""
    with _keeping:
        _kept.clear()


def default() -> str:
    """The data set to start with: MNIST where it is on the machine, else the one that needs no download."""
    return "mnist" if DATASETS["mnist"].on_machine() else "strokes"


def as_float(x: np.ndarray) -> np.ndarray:
    """Images as the networks take them.

    Args:
        x: uint8 of any shape.

    Returns:
        float32 in [0, 1] of the same shape.

    Raises:
        ValueError: x is not uint8; floats would be scaled twice.
    """
    if x.dtype != np.uint8:
        raise ValueError(f"as_float takes uint8 images in [0, 255] and was given {x.dtype}; pass them as loaded.")
    return np.divide(x, np.float32(255), dtype=np.float32)


def choose(labels: np.ndarray, seed: int) -> np.ndarray:
    """Indices of one image a class, in the order of the classes; equal seeds choose equal images.

    Args:
        labels: `(n,)` integers.
        seed: which ones.
    """
    rng = np.random.default_rng(seed)
    return np.array([rng.choice(np.flatnonzero(labels == label)) for label in np.unique(labels)])
