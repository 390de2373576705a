"""A run on disk: a folder with `run.json`, `history.csv` and weights; reading, finding and listing them.

Runs that ship with the app (`pretrained/`) and runs made by its users (`runs/`, or `CAE_RUNS_DIR`) are the same format.
Nothing in it can execute code when loaded: JSON, text, and arrays without pickle. A shipped run keeps its final weights as
`weights.npz`; one recorded while it trained keeps those of its epochs as `weights/STEP.npz` (see `recording.py`).
"""

from __future__ import annotations

import contextlib
import csv
import functools
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cae_core import storage
from cae_core.architectures import build
from cae_core.architectures.autoencoder import Autoencoder
from cae_core.config import RunConfig, lookup
from cae_core.objectives import num_epochs

FORMAT = 1
PRETRAINED_DIR = Path(__file__).parent.parent / "pretrained"
NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,79}")
"""A run's name is its folder's, so it can hold nothing that would make it a path elsewhere."""

TITLE = 80
"""Characters of a title, which is any text its owner likes."""

STATES = {
    "waiting": "waiting for its turn",
    "running": "training",
    "finished": "finished",
    "stopped": "stopped before its end",
    "failed": "ended by a problem",
    "interrupted": "interrupted: the program ended while it trained",
}
"""Where a run stands. "interrupted" is never written: it is a waiting or running one that no process is at work on."""

CAN_GO_ON = ("interrupted", "stopped")
"""States of a run that can be taken up again."""

AT_WORK = ("waiting", "running")
"""States of a run that a process is at work on."""

MODELS_IN_MEMORY = 32
"""Networks kept loaded, about 1 MB each with their compiled functions."""


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
        metrics: by condition, such as "clean" or "gaussian 0.5", the figures of `evaluating.evaluate` on the test split;
            empty until the run is over.
        num_train: images it was trained on.
        epochs: epochs finished.
        seconds: spent training.
        created: UTC time of the end, or of the last epoch so far, ISO 8601.
        versions: of Python and the libraries.
        state: a key of `STATES`.
        message: why it failed, else "".
        step: steps done.
        num_steps: steps of the whole run.
        origin: `{"run": name, "step": step}` of the weights it started from; None for freshly drawn ones.
        owner: whose it is, an opaque mark; "" for everybody's, such as those from the command line.
        title: what its owner calls it; any text, to be shown as text.
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
    state: str = "finished"
    message: str = ""
    step: int = 0
    num_steps: int = 0
    origin: Mapping[str, Any] | None = None
    owner: str = ""
    title: str = ""

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def num_epochs(self) -> int:
        """Epochs of the whole run, with those in which a layer was trained alone."""
        return num_epochs(self.config)

    @property
    def is_trained(self) -> bool:
        """Whether there is a network to look at, and nobody is changing it."""
        return self.step > 0 and self.state not in AT_WORK

    @property
    def label(self) -> str:
        """What people see: its title, else its name."""
        return self.title or self.name


def runs_dir() -> Path:
    """Where users' runs are kept: `CAE_RUNS_DIR` if that names a folder, else `runs/` in the project."""
    named = os.environ.get("CAE_RUNS_DIR")
    return (named and storage.named_folder(named)) or PRETRAINED_DIR.parent / "runs"


def check_name(name: str) -> str:
    """`name`, or a RunError when it cannot be a folder's."""
    if not NAME.fullmatch(name):
        raise RunError(
            f"{name!r} cannot name a run: use up to 80 of a-z, 0-9, '-', '_' and '.', the first a letter or digit."
        )
    return name


def read(path: Path) -> Run:
    """The run in a folder, without its weights.

    Raises:
        RunError: there is none, or `run.json` is damaged.
    """
    file = path / "run.json"
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        if values["format"] != FORMAT:
            raise ValueError(f"it is of format {values['format']}, this program reads format {FORMAT}")
        for figures in values["metrics"].values():
            if not all(isinstance(value, int | float) for value in figures.values()):
                raise ValueError("a metric is not a number")
        config = RunConfig.from_dict(values["config"])
        steps = num_epochs(config) * (values["num_train"] // min(config.batch_size, values["num_train"] or 1))
        later = {"state": "finished", "message": "", "step": steps, "num_steps": steps, "origin": None, "owner": ""}
        later = {key: values.get(key, default) for key, default in later.items()}
        lookup(STATES, "state", later["state"])
        sizes = ("epochs", "seconds", "num_train", "parameters", "code_size")
        if not all(isinstance(values[size], int | float) for size in sizes) or not isinstance(later["step"], int):
            raise ValueError("a size is not a number")
        if later["state"] in AT_WORK and not storage.is_locked(path / "lock"):
            later["state"] = "interrupted"
        first = ("code_size", "parameters", "metrics", "num_train", "epochs", "seconds", "created", "versions")
        first = {key: values[key] for key in first}
        return Run(path=path, config=config, image_shape=tuple(values["image_shape"]), **first, **later, title=_title(path))
    except FileNotFoundError:
        raise RunError(f"There is no run in {path}.") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"{file} is damaged ({_reason(error)}): {_mend(path)}") from error


def _title(path: Path) -> str:
    file = path / "title.txt"
    return file.read_text(encoding="utf-8", errors="replace")[:TITLE].strip() if file.exists() else ""


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


def at_work() -> list[Run]:
    """Users' runs that a process, not always this one, trains or has in its queue."""
    found = []
    for lock in runs_dir().glob("[!.]*/lock"):
        if storage.is_locked(lock):  # asked first: that is much quicker than reading a run
            with contextlib.suppress(RunError):
                found.append(read(lock.parent))
    return [run for run in found if run.state in AT_WORK]


def history(run: Run) -> dict[str, np.ndarray]:
    """The columns of `history.csv`, each `(epochs,)` float64; a line of an epoch that was never completed is left out."""
    try:
        with (run.path / "history.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))[: run.epochs]
        return {key: np.array([float(row[key]) for row in rows]) for key in (rows[0] if rows else ())}
    except (OSError, ValueError, TypeError) as error:
        raise RunError(f"{run.path / 'history.csv'} is damaged ({_reason(error)}): {_mend(run.path)}") from error


def saved_steps(run: Run) -> list[int]:
    """The steps whose weights are kept, ascending; 0 is the untrained network. A shipped run has only its last."""
    if not (run.path / "weights").is_dir():
        return [run.step]
    steps = [int(file.stem) for file in (run.path / "weights").glob("*.npz") if file.stem.isdecimal()]
    return sorted(step for step in steps if step <= run.step)


def weights_file(run: Run, step: int | None = None) -> Path:
    """Where the weights after a step are; without one, the last."""
    step = run.step if step is None else step
    recorded = run.path / "weights"
    return recorded / f"{step:08d}.npz" if recorded.is_dir() else run.path / "weights.npz"


def weights(run: Run, step: int | None = None) -> dict[str, np.ndarray]:
    """Every weight by name after a step that is in `saved_steps`; without one, after the last.

    Raises:
        RunError: the file is missing or damaged.
    """
    file = weights_file(run, step)
    try:
        return storage.read_weights(file)
    except FileNotFoundError as error:
        raise RunError(f"{file} cannot be read ({_reason(error)}): {_mend(run.path)}") from error
    except Exception as error:  # a damaged archive fails in more ways than can be listed
        raise RunError(f"{file} is damaged ({_reason(error)}): {_mend(run.path)}") from error


def model(run: Run, step: int | None = None) -> Autoencoder:
    """The trained network of a run, kept in memory while it is among the last few used.

    Args:
        run: the run.
        step: one of `saved_steps`; without one, the last.

    Raises:
        RunError: the weights are missing, damaged, or not those of the run's network.
    """
    if not run.step:
        raise RunError(f"The run {run.label!r} has not been trained yet: wait for its first epoch.")
    file = weights_file(run, step)
    try:
        changed = file.stat().st_mtime_ns
    except OSError as error:
        raise RunError(f"{file} cannot be read ({_reason(error)}): {_mend(run.path)}") from error
    return _model(run.path, run.step if step is None else step, changed)


@functools.lru_cache(maxsize=MODELS_IN_MEMORY)
def _model(path: Path, step: int, changed: int) -> Autoencoder:
    run = read(path)
    values = weights(run, step)
    try:
        network = build(run.config, run.image_shape)
        network.set_weights(values)
    except Exception as error:
        raise RunError(f"{weights_file(run, step)} is damaged ({_reason(error)}): {_mend(path)}") from error
    return network


def _reason(error: Exception) -> str:
    return f"no {error}" if isinstance(error, KeyError) else str(error)


def _mend(path: Path) -> str:
    if path.parent == PRETRAINED_DIR:
        return f"make it again with `python -m cae_core pretrain {path.name}`."
    return "delete the folder or train the run again."
