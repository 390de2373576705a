"""The data sets by name, and the one way to load them.

`load("mnist", "train").x` is all a caller needs. A new data set is a file beside this one with its `ENTRY`, and its name in
`FILES`.
"""

import collections
import threading
from importlib import import_module

import numpy as np

from cae_core.config import lookup
from cae_core.datasets.entry import DatasetEntry, Split
from cae_core.datasets.files import SPLITS
from cae_core.datasets.files import DataError as DataError
from cae_core.datasets.files import DatasetMissing as DatasetMissing
from cae_core.datasets.files import DownloadError as DownloadError

FILES = (
    "mnist",
    "mnist_with_test",
    "fashion_mnist",
    "strokes",
    "strokes_colour",
    "cifar10",
)
"""A file each beside this one, and the name of the data set; in the order in which people see them."""

DATASETS: dict[str, DatasetEntry] = {name: import_module(f"{__package__}.{name}").ENTRY for name in FILES}

GREY = tuple(name for name, entry in DATASETS.items() if entry.image_shape[2] == 1 and not entry.knows_test)
COLOUR = tuple(name for name, entry in DATASETS.items() if entry.image_shape[2] == 3)
"""Names of the data sets in grey, which most networks take, and of those in colour."""
DIGITS = tuple(name for name in GREY if DATASETS[name].class_names == tuple("0123456789"))
"""Names of those in grey that are digits, of which most texts of the app are true."""

MOST_BYTES = 330_000_000
"""Images kept in memory at most, of the splits asked for last; the last one is kept however large it is."""
_kept: collections.OrderedDict[tuple[str, str], Split] = collections.OrderedDict()
_keeping = threading.Lock()
_loading: dict[tuple[str, str], threading.Lock] = collections.defaultdict(threading.Lock)


def load(name: str, split: str, keep: bool = True) -> Split:
    """The images and labels of one split; the last few are kept in memory.

    Args:
        name: a name in `DATASETS`.
        split: "train" or "test".
        keep: in memory; not for a look at a few of many images.

    Raises:
        DatasetMissing: the data is not on this machine; the message says how to get it. Nothing is downloaded here.
        DataError: a file is damaged; the message names it.
        ValueError: there is no such data set or split. The errors above are ValueErrors too.

    Example:
        >>> from cae_core import datasets
        >>> digits = datasets.load("strokes", "test")
        >>> digits.x.shape, digits.x.dtype, digits.y[:3].tolist()
        ((5000, 28, 28, 1), dtype('uint8'), [2, 9, 9])
    """
    lookup(DATASETS, "dataset", name)
    lookup(SPLITS, "split", split)
    with _loading[name, split]:  # two visitors asking at once wait for one load instead of doing it twice
        with _keeping:
            if (name, split) in _kept:
                _kept.move_to_end((name, split))
                return _kept[name, split]
        loaded = DATASETS[name].load(split)  # an error is not kept, so data that arrives later is found
        if not keep:
            return loaded
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
    stand_in = next(name for name, entry in DATASETS.items() if entry.stands_in_for)
    real = DATASETS[stand_in].stands_in_for
    return real if DATASETS[real].on_machine() else stand_in


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
    """Indices of one image per class, in the order of the classes; equal seeds choose equal images.

    Args:
        labels: `(n,)` integers.
        seed: which ones.
    """
    rng = np.random.default_rng(seed)
    return np.array([rng.choice(np.flatnonzero(labels == label)) for label in np.unique(labels)])
