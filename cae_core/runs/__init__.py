"""A run on disk: a folder with `run.json`, `history.csv` and weights; reading, finding and listing them.

Nothing in it can execute code when loaded: JSON, text, and arrays without pickle. A shipped run keeps its final weights as
`weights.npz`; one recorded while it trained keeps those of its epochs as `weights/STEP.npz` (see `run_trainer.py`).
"""

import contextlib
import functools
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cae_core import runtime
from cae_core.architectures import ARCHITECTURES, Network, build, restore
from cae_core.architectures.autoencoder import Autoencoder
from cae_core.config import RunConfig
from cae_core.datasets.folders import named_folder
from cae_core.runs import schema, storage
from cae_core.runs.run import AT_WORK as AT_WORK
from cae_core.runs.run import CAN_GO_ON as CAN_GO_ON
from cae_core.runs.run import KINDS, AnyRun, Run, RunError
from cae_core.runs.run import StackRun as StackRun
from cae_core.runtime.caching import cached

PRETRAINED_DIR = Path(__file__).parents[2] / "pretrained"
STATES = schema.STATES
TITLE = 80
"""Characters of a title, which is any text its owner likes."""

MODELS_IN_MEMORY = 32
"""Networks kept loaded, up to 1 MB each, but for a wide one of dense layers."""


def runs_dir() -> Path:
    """Where users' runs are kept: `CAE_RUNS_DIR` if that names a folder, else `runs/` in the project."""
    named = os.environ.get("CAE_RUNS_DIR")
    return (named and named_folder(named)) or PRETRAINED_DIR.parent / "runs"


def check_name(name: str) -> str:
    """`name`, or a RunError when it cannot be a folder's."""
    if not schema.NAME.fullmatch(name):
        raise RunError(
            f"{schema.legible(name)!r} cannot name a run: use up to 80 of a-z, 0-9, '-', '_' and '.', the first a "
            "letter or digit."
        )
    return name


def read(path: Path) -> AnyRun:
    """The run in a folder, of whatever kind, without its weights.

    Raises:
        RunError: there is none, its name or `run.json` is damaged, or something in it is neither file nor folder.
    """
    check_name(path.name)
    try:
        run = _read_once(path)
        if run.state in AT_WORK and not storage.is_locked(path / "lock"):
            return replace(run, state="interrupted")
        return run
    except FileNotFoundError:
        raise RunError(f"There is no run in {path}.") from None
    except Exception as error:
        raise _damaged(path / "run.json", error, path) from error


SETTLED = 0.1
"""Seconds after which a second writing has another time in the file system than the first."""


def _read_once(path: Path) -> AnyRun:
    """The run as it was last written down: opened again only for a newer `run.json` or a change in its folder, in which
    every file of ours is put in place by a rename. Pages ask for all runs at every move."""
    folder, file = os.stat(path), os.lstat(path / "run.json")
    changed = max(folder.st_mtime, file.st_mtime)
    parse = _parse if changed < time.time() - SETTLED else _parse.__wrapped__
    return parse(path, folder.st_mtime_ns, file.st_mtime_ns, file.st_size)


@cached(most=4096)
def _parse(path: Path, *written: int) -> AnyRun:
    check_contents(path)
    kind, fields = schema.run_fields(storage.read(path / "run.json"))
    return KINDS[kind](path=path, title=_title(path), **fields)


def check_contents(path: Path) -> None:
    """An OddFile if anything that a folder holds is neither file nor folder, so that nothing of it is opened."""
    with os.scandir(path) as entries:
        for entry in entries:
            if not (entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False)):
                with contextlib.suppress(FileNotFoundError):  # a draft that has just taken its place
                    storage.check_plain(path / entry.name)


def _damaged(file: Path, error: Exception, path: Path) -> RunError:
    """What to say of a file of the run in `path`."""
    mend = "delete the folder or train the run again."
    if path.parent == PRETRAINED_DIR:
        mend = f"make it again with `python -m cae_core pretrain {path.name}`."
    what = "cannot be read" if isinstance(error, FileNotFoundError) else "is damaged"
    return RunError(f"{schema.legible(str(file))} {what} ({schema.reason(error)}): {mend}")


def _title(path: Path) -> str:
    try:
        content = storage.read(path / "title.txt")
    except FileNotFoundError:
        return ""
    return schema.legible(content.decode(errors="replace"))[:TITLE].strip()


def find(name: str) -> AnyRun:
    """The run of that name, of whatever kind: a user's own, else one that ships with the app.

    Example:
        >>> from cae_core import runs
        >>> run = runs.find("strokes-b32-bce-mixed")
        >>> run.state, run.code_size, run.config.loss
        ('finished', 32, 'bce')
    """
    check_name(name)
    for folder in (runs_dir(), PRETRAINED_DIR):
        if os.path.isdir(folder / name):  # Path.is_dir may raise PermissionError
            return read(folder / name)
    raise RunError(
        f"There is no run called {name!r} in {runs_dir()} or {PRETRAINED_DIR}: `python -m cae_core list` names all."
    )


def network(name: str | Path) -> Run:
    """The network's run of that name or in that folder, for those who want its network."""
    run = find(name) if isinstance(name, str) else read(name)
    if not isinstance(run, Run):
        raise RunError(f"The run {run.label!r} is a {run.kind}, which has a page of its own: choose a network instead.")
    return run


def networks(folder: Path) -> list[Run]:
    """The networks' runs in a folder by name; damaged ones are passed over."""
    return [run for run in every(folder)[0] if isinstance(run, Run)]


def every(folder: Path) -> tuple[list[AnyRun], list[str]]:
    """The runs in a folder by name, of all kinds, and for each damaged one a sentence; nothing is raised."""
    readable, damaged = [], []
    try:
        for path in folders(folder):
            try:
                readable.append(read(path))
            except RunError as error:
                damaged.append(str(error))
    except FileNotFoundError:  # there are no runs yet
        pass
    except OSError as error:
        damaged.append(f"{schema.legible(str(folder))} cannot be listed ({schema.reason(error)}).")
    return readable, damaged


def at_work() -> list[AnyRun]:
    """Users' runs that a process, not always this one, trains or has in its queue."""
    return [run for run in every(runs_dir())[0] if run.state in AT_WORK]


def latest(owner: str) -> AnyRun | None:
    """The run of an owner that was written down last."""
    return max((run for run in every(runs_dir())[0] if run.owner == owner), key=lambda run: run.created, default=None)


def folders(folder: Path) -> list[Path]:
    """What may be a run each: folders, and links in their place, by name, but those whose names begin with a dot."""
    with os.scandir(folder) as entries:
        named = [entry for entry in entries if not entry.name.startswith(".")]
        return sorted(folder / entry.name for entry in named if entry.is_symlink() or entry.is_dir())


def history(run: Run) -> dict[str, np.ndarray]:
    """The columns of `history.csv`, each `(epochs,)` float64; a line of an epoch that was never completed is left out.

    Raises:
        RunError: it is missing or damaged.
    """
    file = run.path / "history.csv"
    try:
        return schema.columns(storage.read(file), run.epochs)
    except Exception as error:
        raise _damaged(file, error, run.path) from error


def saved_steps(run: Run) -> list[int]:
    """The steps whose weights are kept, ascending; 0 is the untrained network. A shipped run has only its last."""
    if not (run.path / "weights").is_dir():
        return [run.step]
    names = [file.stem for file in (run.path / "weights").glob("*.npz")]
    return sorted(int(name) for name in names if name.isascii() and name.isdecimal() and int(name) <= run.step)


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
    except Exception as error:
        raise _damaged(file, error, run.path) from error


def kept(most: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorates what takes long to make of a run and of more that can be hashed: the last `most` answers stay in memory.

    Runs are told apart by their folder, their steps and when they were written; for an answer the run is read anew.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @cached(most=most)
        def answer(path: Path, step: int, created: str, *more: Any) -> Any:
            return function(read(path), *more)

        @functools.wraps(function)
        def ask(run: Run, *more: Any) -> Any:
            return answer(run.path, run.step, run.created, *more)

        ask.cache_clear = answer.cache_clear
        return ask

    return decorate


def model(run: Run, step: int | None = None) -> Network:
    """The trained network of a run, to look at what it makes of images; kept in memory while among the last few used.

    Of a network that is written in NumPy, too, it needs no TensorFlow.

    Args:
        run: the run.
        step: one of `saved_steps`; without one, the last.

    Raises:
        RunError: the weights are missing, damaged, or not those of the run's network.
        RuntimeError: the network is only written in Keras, and TensorFlow cannot be loaded.
    """
    return _restored(run, step, restore)


def keras_model(run: Run, step: int | None = None) -> Autoencoder:
    """The same as Keras layers, for what looks into them; loads TensorFlow."""
    return _restored(run, step, _in_keras)


def _restored(run: Run, step: int | None, how: Callable[..., Network]) -> Any:
    if how is _in_keras or not ARCHITECTURES[run.config.architecture].forward:
        runtime.ready(runtime.LOADING)
    if not run.step:
        raise RunError(f"The run {run.label!r} has not been trained yet: wait for its first epoch.")
    file = weights_file(run, step)
    try:
        changed = file.stat().st_mtime_ns
    except OSError as error:
        raise _damaged(file, error, run.path) from error
    return _model(run.path, run.step if step is None else step, changed, how)


@cached(most=MODELS_IN_MEMORY)
def _model(path: Path, step: int, changed: int, how: Callable[..., Network]) -> Network:
    run = read(path)
    values = weights(run, step)
    try:
        network = how(run.config, run.image_shape, values)
        if network.code_size != run.code_size:
            raise ValueError(f"they give codes of {network.code_size} numbers, and run.json says {run.code_size}")
    except Exception as error:
        raise _damaged(weights_file(run, step), error, path) from error
    return network


def _in_keras(config: RunConfig, image_shape: tuple[int, int, int], values: dict[str, np.ndarray]) -> Autoencoder:
    network = build(config, image_shape)
    network.set_weights(values)
    return network
