"""What many runs show, measured on those that ship: error against the size of a code, and noise met against noise learned.

Each code is counted in bytes, to be held against picture files: a number is rounded to one of 256 steps of its range on
training images, which is a byte, and the error is that of what the decoder makes of the rounded code. A code that a
variational network draws costs its rate, the KL divergence: of it the error of a drawn code is taken. Of a k-sparse code
each number that stays costs its byte, and all together the logarithm of how many ways there are to choose their places. A
decoder is not counted, and neither is the head of a picture file, for `SHEET` images share one.
"""

import io
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from math import comb, log, log2
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cae_core import metrics, pca, runs
from cae_core.architectures import ARCHITECTURES, Network, restore
from cae_core.config import BOTTLENECKS
from cae_core.datasets import as_float, load
from cae_core.inspection import evaluation
from cae_core.pretrained import NETWORK, SHIPPED
from cae_core.runs import RunError, schema, storage
from cae_core.runtime.caching import cached

DATASETS = ("strokes", "mnist")
FILES = {f"findings-{dataset}": dataset for dataset in DATASETS}
"""What is measured of which data set, by its file's name."""
IMAGES, KNOWN, FITTED = 2_000, 2_000, 20_000
"""Test images that errors are measured on, training images that ranges are taken from, and those that PCA is fitted to."""
LARGEST_CODE = 128
KEPT = (5, 10, 15, 25, 40, 60, 100)
"""Numbers that stay of a k-sparse code, from fewer to more than its network learned with."""
STEPS = 255
SHEET = 100
QUALITIES = (1, 5, 10, 20, 35, 50, 70, 85, 95)
MET = (("none", 0.0), *(("gaussian", factor) for factor in (0.25, 0.5, 0.75, 1.0)), ("salt_and_pepper", 0.25),
       ("salt_and_pepper", 0.5), ("masking", 0.25), ("masking", 0.5), ("masking", 0.75))  # fmt: skip
"""Noises that networks meet."""
_EVERYWHERE = ("b32-mse-clean", "b32-mse-mixed", "vae-b32")
_ON_MNIST = ("fast_denoise", "conv_denoise", "dense_denoise", "dense_deep")
MAPPED = {
    dataset: tuple(f"{dataset}-{name}" for name in (*_EVERYWHERE, *_ON_MNIST * (dataset == "mnist")))
    for dataset in DATASETS
}
"""Runs of the robustness map."""


@dataclass(frozen=True)
class Point:
    """One code, or one kind of picture file.

    Attributes:
        curve: which curve it is on: a network's name, "pca", "png" or "jpeg".
        size: numbers in the code, or that stay of it; 0 for a picture file.
        bytes: that an image takes.
        mse: mean squared error per pixel.
        run: the name of the run it was measured on; "" where there is none.
    """

    curve: str
    size: int
    bytes: float
    mse: float
    run: str = ""


@dataclass(frozen=True)
class Cell:
    """What a run makes of one noise: the `mse` of its reconstructions of images with it."""

    run: str
    kind: str
    factor: float
    mse: float


@dataclass(frozen=True)
class Findings:
    """All of one data set's; `cells` row by row, a run after the other, each with all of `MET`."""

    points: tuple[Point, ...]
    cells: tuple[Cell, ...]


def find(dataset: str) -> Findings:
    """What ships of a data set in `DATASETS`.

    Raises:
        RunError: its file is missing or damaged.
    """
    file = file_of(dataset)
    try:
        return _read(file, file.stat().st_mtime_ns)
    except Exception as error:  # a damaged file fails in more ways than can be listed
        what = "is missing" if isinstance(error, FileNotFoundError) else f"is damaged ({schema.reason(error)})"
        raise RunError(f"{file.name} {what}. To make it again: python -m cae_core pretrain {file.stem}") from error


def file_of(dataset: str) -> Path:
    """Where they ship."""
    return runs.PRETRAINED_DIR / f"findings-{dataset}.json"


@cached(most=len(DATASETS))
def _read(file: Path, changed: int) -> Findings:
    values = json.loads(storage.read(file))
    error = {"mse": schema.number(0, 1e3), "run": schema.text(80)}
    point = schema.record(
        {"curve": schema.text(40), "size": schema.whole(0, 10**6), "bytes": schema.number(0, 1e6), **error}
    )
    cell = schema.record({"kind": schema.text(40), "factor": schema.number(0, 1), **error})
    return Findings(
        tuple(Point(**point("points", each)) for each in values["points"]),
        tuple(Cell(**cell("cells", each)) for each in values["cells"]),
    )


def is_made(name: str) -> bool:
    """Whether the file of that name in `FILES` is there, and whole."""
    try:
        return bool(find(FILES[name]).cells)
    except RunError:
        return False


def make(name: str) -> None:
    """Measures what a file in `FILES` has on the runs that ship, and writes it down."""
    dataset = FILES[name]
    findings = asdict(Findings(tuple(sizes(dataset)), tuple(robustness(dataset))))
    lines = {name: ",\n".join(json.dumps(each) for each in several) for name, several in findings.items()}
    text = ",\n".join(f'"{name}": [\n{several}\n]' for name, several in lines.items())
    storage.write(file_of(dataset), f"{{\n{text}\n}}\n".encode())


def sizes(dataset: str) -> list[Point]:
    """Error against bytes: PCA, every network that ships trained without noise and with a small code, PNG and JPEG."""
    known = as_float(load(dataset, "train").x[:FITTED])
    images = load(dataset, "test").x[:IMAGES]
    x, fitted, points = as_float(images), pca.fit(known, max(BOTTLENECKS)), []
    for size in BOTTLENECKS:
        code = fitted.truncate(size)
        x_hat = np.clip(code.decode(_rounded(code.encode, known[:KNOWN], x)), 0, 1)
        points.append(Point("pca", size, size, _mse(x, x_hat)))
    for name, config in SHIPPED.items():
        is_shown = config.architecture != NETWORK or config.loss == "mse"
        if config.dataset != dataset or config.noise_kind != "none" or config.architecture == "pca" or not is_shown:
            continue
        run = runs.read(runs.PRETRAINED_DIR / name)
        if ARCHITECTURES[config.architecture].keeps_k:
            points += _sparse(run, known[:KNOWN], x)
        elif run.code_size <= LARGEST_CODE:
            points.append(Point(config.architecture, run.code_size, *_of(runs.model(run), known[:KNOWN], x), name))
    points.append(_file("png", images, optimize=True))
    return points + [_file("jpeg", images, quality=quality, optimize=True) for quality in QUALITIES]


def _of(network: Network, known: np.ndarray, x: np.ndarray) -> tuple[float, float]:
    """Bytes and error of a network's codes."""
    if not network.is_variational:
        return network.code_size, _mse(x, network.decode(_rounded(network.encode, known, x)))
    mean, log_variance = network.posterior(x)
    z = mean + np.exp(log_variance / 2) * np.random.default_rng(0).standard_normal(mean.shape, np.float32)
    rate = float(metrics.kl(mean, log_variance).sum(axis=1).mean())
    return round(rate / log(2) / 8, 3), _mse(x, network.decode(z))


def _sparse(run: runs.Run, known: np.ndarray, x: np.ndarray) -> list[Point]:
    """A k-sparse network's codes, from a few of their largest numbers to many; zeros stay what they are."""
    wide = restore(replace(run.config, k=KEPT[-1], alpha=1.0), run.image_shape, runs.weights(run))
    codes = wide.encode(known)
    low, high = codes.min(), codes.max()
    z, points = wide.encode(x), []
    for kept in KEPT:
        least = np.partition(np.where(z == 0, -np.inf, z), -kept, axis=1)[:, -kept, None]
        steps = np.rint(np.clip((z - low) / (high - low), 0, 1) * STEPS)
        code = np.where((z != 0) & (z >= least), steps / STEPS * (high - low) + low, 0).astype(np.float32)
        size = kept + log2(comb(wide.code_size, kept)) / 8
        points.append(Point(run.config.architecture, kept, round(size, 3), _mse(x, wide.decode(code)), run.name))
    return points


def _rounded(encode: Callable[[np.ndarray], np.ndarray], known: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The codes of x, each number at the nearest of 256 steps of its range on known images."""
    codes = encode(known)
    low, high = codes.min(axis=0), codes.max(axis=0)
    step = np.where(high > low, (high - low) / STEPS, 1)
    return (np.clip(np.rint((encode(x) - low) / step), 0, STEPS) * step + low).astype(np.float32)


def _file(kind: str, images: np.ndarray, **how: Any) -> Point:
    """Bytes and error of an image in sheets of `SHEET` as picture files."""
    total, errors, side = 0, [], round(SHEET**0.5)
    for start in range(0, len(images), SHEET):
        tiles = images[start : start + SHEET, ..., 0].reshape(side, side, *images.shape[1:3])
        sheet = tiles.swapaxes(1, 2).reshape(side * images.shape[1], side * images.shape[2])
        buffer = io.BytesIO()
        Image.fromarray(sheet).save(buffer, kind, **how)
        total += buffer.tell()
        errors.append(_mse(sheet / 255, np.asarray(Image.open(buffer)) / 255))
    return Point(kind, 0, round(total / len(images), 2), round(float(np.mean(errors)), 6))


def _mse(x: np.ndarray, x_hat: np.ndarray) -> float:
    return round(float(np.mean((x_hat - x) ** 2)), 6)


def robustness(dataset: str) -> list[Cell]:
    """What each run of the map makes of each noise."""
    x, cells = load(dataset, "test").x[:IMAGES], []
    for name in MAPPED[dataset]:
        network = runs.model(runs.read(runs.PRETRAINED_DIR / name))
        errors = [evaluation.evaluate(network, x, kind, factor)["mse"] for kind, factor in MET]
        cells += [Cell(name, *met, round(error, 6)) for met, error in zip(MET, errors, strict=True)]
    return cells
