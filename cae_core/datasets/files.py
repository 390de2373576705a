"""Data sets that are files: the one place that searches for them, reads, checks and downloads them.

Two layouts are read, as Keras stores them: one `<name>.npz` with `x_train, y_train, x_test, y_test`, or a folder `<name>/`
with four IDX files, gzipped or not.
"""

import contextlib
import hashlib
import http.client
import os
import struct
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np

from cae_core.datasets.arrays import read_idx, read_npz
from cae_core.datasets.folders import places, roots

KERAS_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
"""Where Keras downloads its data sets from."""

SPLITS = {"train": ("x_train", "y_train"), "test": ("x_test", "y_test")}
"""The images and the labels of each split, by the names they have in an npz file."""

IDX_NAMES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}

Progress = Callable[[float, str], None]
"""Called with the fraction done in [0, 1] and a short text such as "MNIST: 5.2 of 11.5 MB"."""

_TIMEOUT = 30.0  # seconds without a byte before it is given up
_CHUNK = 1 << 18  # bytes between two reports of progress
_downloading = threading.Lock()


class DataError(ValueError):
    """Data that cannot be used; the message names the file, what is wrong with it and how to mend it."""


class DatasetMissing(DataError):
    """A data set that is not on this machine; the message says where it was looked for and how to get it."""


class DownloadError(DataError):
    """A download that failed; no incomplete file is left on the disk."""


def unusable(path: Path, error: Exception, label: str) -> DataError:
    """The error to raise for a damaged file on the disk."""
    return DataError(f"{path} cannot be used: {_reason(error)}. Take it out of that folder and download {label} again.")


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def writable_root(label: str) -> Path:
    """The first root in which a file can be made; found by trying, as permission bits do not tell."""
    for root in roots():
        with contextlib.suppress(OSError):
            root.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=root).close()
            return root
    raise DownloadError(
        f"{label} was not downloaded: no file can be written to {places()}; set CAE_DATA_DIR to a folder that you may "
        "write to, and start the program again."
    )


def download(
    label: str,
    urls: Sequence[str],
    num_bytes: int,
    targets: Callable[[Path], list[Path]],
    check: Callable[[Path], None],
    progress: Progress | None = None,
) -> None:
    """Downloads files, checks them and only then puts them in place, in the first writable one of the `roots()`.

    One download runs at a time in this process; processes do not meet, each having a temporary folder of its own.

    Args:
        label: what they are, for people.
        urls: of the files.
        num_bytes: about how large they are together.
        targets: where each of them goes under a root, all in one folder.
        check: raises a ValueError or OSError unless all are under a root, as published.
        progress: called with a fraction that never falls and ends at 1.0 once the files are in place.

    Raises:
        DownloadError: anything failed; neither a temporary nor a half-written file is left.
    """
    report = progress or (lambda fraction, text: None)
    if _downloading.locked():
        report(0.0, f"{label}: waiting for another download")
    with _downloading:
        root = writable_root(label)
        with contextlib.suppress(OSError, ValueError):
            check(root)
            report(1.0, f"{label}: ready")  # while this visitor waited, the one before got it
            return
        try:
            # In the same folder as the targets, so that os.replace is atomic; removed however the block ends.
            with tempfile.TemporaryDirectory(prefix=".download-", dir=root) as folder:
                parts, count = targets(Path(folder)), _counter(label, num_bytes, report)
                for url, part in zip(urls, parts, strict=True):
                    part.parent.mkdir(exist_ok=True)
                    _fetch(url, part, count)
                check(Path(folder))
                for part, target in zip(parts, targets(root), strict=True):
                    target.parent.mkdir(exist_ok=True)
                    os.replace(part, target)
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = error.reason if type(error) is urllib.error.URLError else error  # not "<urlopen error ...>"
            raise DownloadError(
                f"{label} could not be downloaded ({reason}), no broken file was left: check the connection and try "
                f"again, or get {', '.join(urls)} by hand, to be put into {targets(root)[0].parent}."
            ) from error
        report(1.0, f"{label}: ready")


def _counter(label: str, num_bytes: int, report: Progress) -> Callable[[int], None]:
    """Reports the progress of a download when it is told the size of a piece; stops one that does not end."""
    done = 0

    def count(piece: int) -> None:
        nonlocal done
        done += piece
        if done > 3 * num_bytes:
            raise ValueError(f"more than {done / 1e6:.1f} MB came, about {num_bytes / 1e6:.1f} expected")
        total = max(done, num_bytes)
        report(min(done / total, 0.99), f"{label}: {done / 1e6:.1f} of {total / 1e6:.1f} MB")  # 1.0: in place

    return count


def _fetch(url: str, path: Path, count: Callable[[int], None]) -> None:
    """Streams `url` to `path` and tells `count` the size of every piece in bytes."""
    with urllib.request.urlopen(url, timeout=_TIMEOUT) as response, open(path, "wb") as file:
        while piece := response.read(_CHUNK):
            count(len(piece))
            file.write(piece)
        promised = response.headers.get("Content-Length")  # urllib takes a cut connection for the end of the file
        if promised is not None and file.tell() != int(promised):
            raise OSError(f"the connection broke after {file.tell()} of {promised} bytes of {url}")


@dataclass(frozen=True)
class FileSet:
    """A labelled set of square grey images in files.

    Attributes:
        name: its name in the registry; files and folders are called so, with underscores or dashes.
        label: its name for people.
        urls: one `.npz` named like the set, or the four `.gz` IDX files.
        download_bytes: size of the download.
        md5: MD5 of each array as an uncompressed IDX file, by npz name; of the array, since the same images are in
            circulation packed in different ways. Checked after a download.
        num_train, num_test, image_size: images of each split; their width and height in pixels.
    """

    name: str
    label: str
    urls: tuple[str, ...]
    download_bytes: int
    md5: Mapping[str, str] = field(default_factory=dict)
    num_train: int = 60_000
    num_test: int = 10_000
    image_size: int = 28

    def on_machine(self) -> bool:
        """Whether all files of the set are there; they are not opened."""
        return (place := self._find()) is not None and not _missing(place)

    def read(self, split: str, others: Collection["FileSet"] = ()) -> tuple[np.ndarray, np.ndarray]:
        """The images and labels of one split, "train" or "test", from the first root that has the set.

        Args:
            split: "train" or "test".
            others: sets whose files are named alike, for which these must not be taken.

        Returns:
            x (n, image_size, image_size, 1) uint8 and y (n,) uint8, both read-only.

        Raises:
            DatasetMissing: the set is in none of the `roots()`.
            DataError: a file is damaged, or one of another set. No other root is tried then, or nobody would learn of it.
        """
        if (place := self._find()) is None:
            raise DatasetMissing(
                f"{self.label} was not found in {places()}: run "
                f"`python -m cae_core train --dataset {self.name} --download`, or set CAE_DATA_DIR to a folder with it."
            )
        for path in _missing(place):
            raise DataError(f"{path} is missing though other files are there. Download {self.label} again.")
        arrays = []
        for member in SPLITS[split]:
            try:
                arrays.append(_read(place[member], member, self._shape(member)))
            except Exception as error:  # damaged archives raise anything: BadZipFile, zlib.error, EOFError, RuntimeError
                raise unusable(place[member], error, self.label) from error
        for member, array in zip(SPLITS[split], arrays, strict=True):
            self._refuse_others(place[member], member, array, others)
        return arrays[0][..., np.newaxis], arrays[1]

    def download(self, progress: Progress | None = None) -> None:
        """Downloads the set; arguments and errors are those of `download`."""
        download(self.label, self.urls, self.download_bytes, self._targets, self._check_published, progress)

    def _refuse_others(self, path: Path, member: str, array: np.ndarray, others: Collection["FileSet"]) -> None:
        """Raises a DataError if an array is another set's: four IDX files of any set have the same names."""
        digest = _md5(array) if others else ""
        for other in others:
            if other is not self and other.md5.get(member) == digest:
                what = "images" if member.startswith("x") else "labels"
                folder = f"put it in a folder called {other.name.replace('_', '-')}"
                right = f"call it {other.name}.npz" if path.suffix == ".npz" else folder
                raise DataError(
                    f"{path} holds {what} of {other.label}, not of {self.label}: {right}, and download {self.label} again."
                )

    def _shape(self, member: str) -> tuple[int, ...]:
        num_images = self.num_train if member.endswith("train") else self.num_test
        return (num_images, self.image_size, self.image_size) if member.startswith("x") else (num_images,)

    def _places(self, root: Path) -> Iterator[dict[str, Path]]:
        """Every place under `root` where the set may be, as the path of each array; a download goes to the first."""
        names = dict.fromkeys((self.name.replace("_", "-"), self.name))  # dict: keeps the order, drops the double
        archives = (dict.fromkeys(IDX_NAMES, root / f"{name}.npz") for name in names)
        folders = ({member: _idx_path(root / name / stem) for member, stem in IDX_NAMES.items()} for name in names)
        return chain(archives, folders) if self.urls[0].endswith(".npz") else chain(folders, archives)

    def _find(self) -> dict[str, Path] | None:
        """The path of each array: the first complete place of the first root that has any file of the set."""
        for root in roots():
            incomplete = []
            for place in self._places(root):
                if not (missing := len(_missing(place))):
                    return place
                incomplete.append((missing, len(incomplete), place))
            if incomplete and min(incomplete)[0] < len(IDX_NAMES):
                return min(incomplete)[-1]
        return None

    def _targets(self, root: Path) -> list[Path]:
        """Where each of `urls` goes under `root`."""
        folder = root if len(self.urls) == 1 else root / self.name.replace("_", "-")
        return [folder / url.rpartition("/")[2] for url in self.urls]

    def _check_published(self, root: Path) -> None:
        """Raises a ValueError unless the four arrays under `root` are as published."""
        for member, path in next(self._places(root)).items():
            try:
                md5 = _md5(_read(path, member, self._shape(member)))
            except Exception as error:  # as in `read`
                raise ValueError(f"{path.name}: {_reason(error)}") from error
            if md5 != self.md5.get(member, md5):
                raise ValueError(f"{path.name}: {member} is not the published one (MD5 {md5}, expected {self.md5[member]})")


def _md5(array: np.ndarray) -> str:
    """Of an array of uint8, as an uncompressed IDX file."""
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    digest = hashlib.md5(header, usedforsecurity=False)
    digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()


def _missing(place: Mapping[str, Path]) -> list[Path]:
    is_there = {path: os.path.isfile(path) for path in {*place.values()}}  # Path.is_file may raise PermissionError
    return [path for path in place.values() if not is_there[path]]


def _idx_path(plain: Path) -> Path:
    """The first there is of an IDX file's forms, gzipped or not, with a dash or a dot in its name; else the gzipped one."""
    names = [f"{name}{ending}" for name in (plain.name, plain.name.replace("-idx", ".idx")) for ending in (".gz", "")]
    paths = [plain.with_name(name) for name in names]
    return next(filter(os.path.isfile, paths if os.path.isdir(plain.parent) else ()), paths[0])


def _read(path: Path, member: str, shape: tuple[int, ...]) -> np.ndarray:
    """One array of uint8 from an npz or IDX file; any error if its type, shape or labels are not as they must be."""
    array = read_npz(path, member, shape) if path.suffix == ".npz" else read_idx(path, shape)
    if member.startswith("y") and array.max() > 9:
        raise ValueError(f"{member} has the label {array.max()}, expected 0 to 9")
    return array
