"""A run on disk: a folder with `run.json`, `history.csv` and `weights.npz`, written whole or not at all.

Runs that ship with the app (`pretrained/`) and runs made by its users (`runs/`, or `CAE_RUNS_DIR`) are the same format.
Nothing in it can execute code when loaded: JSON, text, and arrays without pickle.
"""

from __future__ import annotations

import csv
import functools
import io
import json
import os
import platform
import re
import secrets
import shutil
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np

from cae_core.architectures import Autoencoder, build
from cae_core.config import RunConfig

FORMAT = 1
PRETRAINED_DIR = Path(__file__).parent.parent / "pretrained"
NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,79}")
"""A run's name is its folder's, so it can hold nothing that would make it a path elsewhere."""

MODELS_IN_MEMORY = 32
"""Networks kept loaded, about 1 MB each with their compiled functions."""


def round_to_bfloat16(w: np.ndarray) -> np.ndarray:
    """float32 values rounded to 8 significant bits (the upper half of the 32), as float32."""
    bits = np.ascontiguousarray(w, dtype="<f4").view("<u4")
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype("<u4").view("<f4")  # to nearest, ties to even


def _pack(w: np.ndarray) -> np.ndarray:
    # The two bytes of a bfloat16 in planes of their own, (2, *shape) uint8: the upper ones are much alike and compress.
    return np.stack([(round_to_bfloat16(w).view("<u4") >> shift).astype("u1") for shift in (24, 16)])


def _unpack(stored: np.ndarray) -> np.ndarray:
    if stored.dtype != np.uint8:
        return stored
    high, low = stored.astype("<u4")
    return ((high << 24) | (low << 16)).view("<f4")


PRECISIONS = {"float32": lambda w: w.astype("float32"), "bfloat16": _pack}
"""How weights are stored: exactly, or rounded to a third of the size for models that ship."""


class RunError(ValueError):
    """A run that cannot be found, read or saved; the message names it and says what to do."""


@dataclass(frozen=True)
class Run:
    """What `run.json` says.

    Attributes:
        path: the run's folder.
        config: what was trained.
        image_shape: `(H, W, C)`.
        code_size: numbers in one image's code.
        parameters: trainable weights.
        metrics: by condition, such as "clean" or "gaussian 0.5", the figures of `training.evaluate` on the test split.
        num_train: images it was trained on.
        epochs: epochs finished.
        seconds: spent training.
        created: UTC time of the end, ISO 8601.
        versions: of Python and the libraries.
    """

    path: Path
    config: RunConfig
    image_shape: tuple[int, int, int]
    code_size: int
    parameters: int
    metrics: Mapping[str, Mapping[str, float]]
    num_train: int
    epochs: int
    seconds: float
    created: str
    versions: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.path.name


def runs_dir() -> Path:
    """Where users' runs are kept: `CAE_RUNS_DIR`, else `runs/` in the project."""
    return Path(os.environ.get("CAE_RUNS_DIR") or PRETRAINED_DIR.parent / "runs")


def check_name(name: str) -> str:
    """`name`, or a RunError when it cannot be a folder's."""
    if not NAME.fullmatch(name):
        raise RunError(
            f"{name!r} cannot name a run: use up to 80 of a-z, 0-9, '-', '_' and '.', the first a letter or digit."
        )
    return name


def save(
    folder: Path,
    name: str,
    model: Autoencoder,
    config: RunConfig,
    history: Iterable[Mapping[str, float]],
    *,
    metrics: Mapping[str, Mapping[str, float]],
    num_train: int,
    seconds: float,
    precision: str = "float32",
    replace: bool = False,
) -> Run:
    """Writes a run to `folder/name`; other readers see all of it or nothing.

    Args:
        history: one mapping an epoch with the same keys, the columns of `history.csv`.
        precision: a name in `PRECISIONS`; "bfloat16" makes the file of a finished model a third as large.
        replace: put it in the place of a run of that name; otherwise that is refused.

    Raises:
        RunError: the name is taken or not allowed, or the disk refuses.
    """
    target = folder / check_name(name)
    if target.exists() and not replace:
        raise RunError(f"There is a run called {name!r} in {folder} already; choose another name or delete it.")
    history = list(history)
    described = {
        "format": FORMAT,
        "config": config.to_dict(),
        "image_shape": list(model.image_shape),
        "code_size": model.code_size,
        "parameters": int(sum(np.prod(v.shape) for v in model.trainable_variables)),
        "metrics": metrics,
        "num_train": num_train,
        "epochs": len(history),
        "seconds": round(seconds, 1),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in ("tensorflow", "keras", "numpy")},
        },
    }
    weights = io.BytesIO()
    np.savez_compressed(weights, **{path: PRECISIONS[precision](w) for path, w in model.weights().items()})
    table = io.StringIO()
    writer = csv.DictWriter(table, fieldnames=list(history[0]) if history else ["epoch"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)

    # A folder beside the target, then one rename: the only step that a reader can see.
    draft = folder / f".{name}-{secrets.token_hex(4)}"
    try:
        draft.mkdir(parents=True)
        (draft / "weights.npz").write_bytes(weights.getvalue())
        (draft / "history.csv").write_text(table.getvalue())
        (draft / "run.json").write_text(json.dumps(described, indent=1) + "\n")
        if target.exists():
            old = folder / f".{name}-{secrets.token_hex(4)}"
            target.rename(old)
            try:
                draft.rename(target)
            except OSError:
                old.rename(target)
                raise
            shutil.rmtree(old, ignore_errors=True)
        else:
            draft.rename(target)
    except OSError as error:
        raise RunError(
            f"The run {name!r} could not be written to {folder} ({error.strerror or error}): "
            "free some space or set CAE_RUNS_DIR to a folder you may write to."
        ) from error
    finally:  # also when interrupted; after the rename there is nothing left to remove
        shutil.rmtree(draft, ignore_errors=True)
    return read(target)


def read(path: Path) -> Run:
    """The run in a folder, without its weights.

    Raises:
        RunError: there is none, or `run.json` is damaged.
    """
    file = path / "run.json"
    try:
        values = json.loads(file.read_text())
        if values["format"] != FORMAT:
            raise ValueError(f"it is of format {values['format']}, this program reads format {FORMAT}")
        for figures in values["metrics"].values():
            if not all(isinstance(value, int | float) for value in figures.values()):
                raise ValueError("a metric is not a number")
        return Run(
            path=path,
            config=RunConfig.from_dict(values["config"]),
            image_shape=tuple(values["image_shape"]),
            **{k: values[k] for k in (
                "code_size", "parameters", "metrics", "num_train", "epochs", "seconds", "created", "versions"
            )},
        )  # fmt: skip
    except FileNotFoundError:
        raise RunError(f"There is no run in {path}.") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"{file} is damaged ({_reason(error)}): {_mend(path)}") from error


def find(name: str) -> Run:
    """The run of that name: a user's own, else one that ships with the app."""
    check_name(name)
    for folder in (runs_dir(), PRETRAINED_DIR):
        if (folder / name).is_dir():
            return read(folder / name)
    raise RunError(
        f"There is no run called {name!r} in {runs_dir()} or {PRETRAINED_DIR}: `python -m cae_core list` names all."
    )


def every(folder: Path) -> tuple[list[Run], list[str]]:
    """The runs in a folder by name, and for each damaged one a sentence saying so."""
    found, damaged = [], []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.is_dir() and not path.name.startswith("."):
            try:
                found.append(read(path))
            except RunError as error:
                damaged.append(str(error))
    return found, damaged


def history(run: Run) -> dict[str, np.ndarray]:
    """The columns of `history.csv`, each `(epochs,)` float64."""
    try:
        with (run.path / "history.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        return {key: np.array([float(row[key]) for row in rows]) for key in (rows[0] if rows else ())}
    except (OSError, ValueError, TypeError) as error:
        raise RunError(f"{run.path / 'history.csv'} is damaged ({_reason(error)}): {_mend(run.path)}") from error


_loading = threading.Lock()


def model(run: Run) -> Autoencoder:
    """The trained network of a run, kept in memory while it is among the last few used.

    Raises:
        RunError: the weights are missing, damaged, or not those of the run's network.
    """
    file = run.path / "weights.npz"
    try:
        changed = file.stat().st_mtime_ns
    except OSError as error:
        raise RunError(f"{file} cannot be read ({_reason(error)}): {_mend(run.path)}") from error
    with _loading:  # Keras builds one network at a time
        return _model(run.path, changed)


@functools.lru_cache(maxsize=MODELS_IN_MEMORY)
def _model(path: Path, changed: int) -> Autoencoder:
    run, file = read(path), path / "weights.npz"
    try:
        with np.load(file, allow_pickle=False) as arrays:
            weights = {name: _unpack(arrays[name]) for name in arrays.files}
        network = build(run.config, run.image_shape)
        network.set_weights(weights)
    except Exception as error:  # a damaged archive fails in more ways than can be listed
        raise RunError(f"{file} is damaged ({_reason(error)}): {_mend(path)}") from error
    return network


def _reason(error: Exception) -> str:
    return f"no {error}" if isinstance(error, KeyError) else str(error)


def _mend(path: Path) -> str:
    if path.parent == PRETRAINED_DIR:
        return f"make it again with `python -m cae_core pretrain {path.name}`."
    return "delete the folder or train the run again."
