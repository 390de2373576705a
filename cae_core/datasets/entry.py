"""What is known of a data set before it is loaded, and what it is once it is."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cae_core.datasets.files import FileSet

_file_sets: list[FileSet] = []
"""Every set that is files: their four IDX files have the same names, so each must know the others."""


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
        download: gets the data (see `files.download`), or None when there is nothing to download.
        download_bytes: about how much that is; 0 when there is nothing to download.
        hues: where a colour says the class, the hue of each in degrees of the HSV circle; else ().
        stands_in_for: the set of real images that this one is drawn after; "" for none.
        in_keras: whether `keras.datasets` has it by the same name.
        knows_test: its test images are among its training images; pages offer it nowhere, and only a link leads to it.
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
    stands_in_for: str = ""
    in_keras: bool = False
    knows_test: bool = False


def from_files(files: FileSet, summary: str, source: str, class_names: tuple[str, ...]) -> DatasetEntry:
    """The registry line of a set that is files, which Keras has too."""
    _file_sets.append(files)
    return DatasetEntry(
        label=files.label,
        summary=summary,
        source=source,
        class_names=class_names,
        num_train=files.num_train,
        image_shape=(files.image_size, files.image_size, 1),
        load=lambda split: Split(*files.read(split, _file_sets)),
        on_machine=files.on_machine,
        download=files.download,
        download_bytes=files.download_bytes,
        in_keras=True,
    )
