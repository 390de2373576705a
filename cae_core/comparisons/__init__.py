"""The comparisons that ship with the app: runs side by side as they look when they are over, without their weights.

A view of runs that learn side by side opens with one of these. For each run its file has what the view shows: `run.json`,
the history, the curves and what the network makes of the eight test images, which is a twentieth of its weights.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from cae_core import runs, training
from cae_core.architectures import ARCHITECTURES, build
from cae_core.comparisons.recipes import KINDS, SHIPPED
from cae_core.config import RunConfig, lookup
from cae_core.datasets import as_float, load
from cae_core.latent import live_plane
from cae_core.runs import Run, RunError, schema, storage, writing
from cae_core.runtime import process
from cae_core.runtime.caching import cached
from cae_core.training import run_monitor

LOOKS = 16
"""Times that the pictures of a run are made while it trains: points of its curves but those of the losses."""


@dataclass(frozen=True)
class Watched:
    """A run that was watched to its end.

    Attributes:
        run: what it is; its weights are not kept.
        machine: what it was trained on.
        progress: the last look at it, but for the codes of the sample; a variational network's are there.
    """

    run: Run
    machine: str
    progress: run_monitor.Progress


def file_of(name: str) -> Path:
    """Where the comparison of that name is kept."""
    return runs.PRETRAINED_DIR / f"{name}.npz"


def find(kind: str, configs: Sequence[RunConfig]) -> list[Watched] | None:
    """The shipped runs of these configurations, all of one data set; None unless each of them ships.

    Raises:
        RunError: the file that should have them is missing or damaged.
        datasets.DataError: their data set is not on this machine.
    """
    name = f"{kind}-{configs[0].dataset}" if configs else ""
    if any(config not in SHIPPED.get(name, ()) for config in configs) or not configs:
        return None
    of_config = _read(name)
    if any(config not in of_config for config in configs):
        raise _damaged(name, ValueError("a run is missing in it"))
    return [_watched(name, of_config[config]) for config in configs]


def runs_of(kind: str, dataset: str) -> list[Run]:
    """The runs that ship of a comparison: on this data set, else on the first; none where they cannot be read."""
    names = KINDS[kind][1]
    name = f"{kind}-{dataset if dataset in names else names[0]}"
    try:
        return [_checked(file_of(name), kept)[0] for kept in _read(name).values()]
    except RunError:
        return []


def is_made(name: str) -> bool:
    """Whether every run of a comparison is in its file."""
    try:
        return not [config for config in SHIPPED[name] if config not in _read(name)]
    except RunError:
        return False


def make(name: str, on_event: Callable[[Any], None] = lambda event: None, again: bool = False) -> None:
    """Trains the runs of a comparison that are not in its file, and writes each into it.

    Args:
        name: a name in `SHIPPED`.
        on_event: called with every `TrainingEvent`.
        again: train also those that are there.
    """
    configs = lookup(SHIPPED, "comparison", name)
    try:
        kept = {} if again else dict(_read(name))
    except RunError:
        kept = {}
    for config in configs:
        if config not in kept:
            kept[config] = _train(config, on_event)
            _write(name, [kept[config] for config in configs if config in kept])


def _write(name: str, several: Sequence["_Kept"]) -> None:
    arrays = {f"{number}/{key}": array for number, run in enumerate(several) for key, array in run.arrays.items()}
    arrays["about"] = np.frombuffer(json.dumps([run.about for run in several]).encode(), np.uint8)
    storage.write(file_of(name), storage.arrays_to_bytes(arrays))


@dataclass(frozen=True)
class _Kept:
    """A run as its file has it.

    Attributes:
        about: its `run.json`, and the machine.
        arrays: those of `_shapes`: "history", the bytes of its `history.csv`; the others as of `run_monitor.Progress`, the
            lines that are measured side by side after their epochs.
    """

    about: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]


def _train(config: RunConfig, on_event: Callable[[Any], None]) -> _Kept:
    x_train, x_held_out = training.split_held_out(load(config.dataset, "train").x, config.num_train)
    trainer = SimpleNamespace(config=config, model=build(config, x_train.shape[1:]), history=[], last=None)
    monitor, event = run_monitor.RunMonitor(trainer), None
    for event in training.train(trainer.model, config, x_train, x_held_out):
        on_event(event)
        if event.epoch_loss is not None:
            trainer.history.append(training.history_row(event))
        monitor.see(event)
        if event.step * LOOKS // event.num_steps > (event.step - 1) * LOOKS // event.num_steps:
            monitor.show()
    last = monitor.progress
    about = writing.description(
        config, **writing.network_facts(trainer.model), metrics={}, num_train=len(x_train), epochs=config.epochs,
        seconds=round(event.seconds, 2), machine=process.machine(),
    )  # fmt: skip
    lines = [last.measured["mse"][:, 0], *(line[:, 1] for line in last.measured.values())]
    arrays = {
        "history": np.frombuffer(writing.table(trainer.history).encode(), np.uint8), "curve": last.curve.astype("f4"),
        "measured": np.stack(lines, axis=1).astype("f4"), "x_hat": last.x_hat.astype("f2"),
    }  # fmt: skip
    if last.drawn is not None:
        codes = {"plane": last.plane.points.astype("f2"), "labels": last.labels.astype("u1")}
        arrays |= {"drawn": np.rint(last.drawn * 255).astype("u1"), **codes}
    return _Kept(json.loads(about), arrays)


def _read(name: str) -> Mapping[RunConfig, _Kept]:
    """What a comparison's file has, checked, by configuration."""
    file = file_of(name)
    try:
        return _read_file(file, file.stat().st_mtime_ns)
    except Exception as error:  # a damaged file fails in more ways than can be listed
        raise _damaged(name, error) from error


@cached(most=len(SHIPPED))
def _read_file(file: Path, changed: int) -> Mapping[RunConfig, _Kept]:
    arrays = storage.read_arrays(file)
    of_config = {}
    for number, about in enumerate(json.loads(arrays["about"].tobytes())):
        own = f"{number}/"
        kept = _Kept(about, {key.removeprefix(own): array for key, array in arrays.items() if key.startswith(own)})
        of_config[_checked(file, kept)[0].config] = kept
    return of_config


def _shapes(run: Run) -> dict[str, tuple[int, ...]]:
    """The arrays that are kept of a run, and their shapes, 0 for a length that differs."""
    images, codes = (run_monitor.NUM_PROBES, *run.image_shape), run_monitor.NUM_CODES
    shapes = {"history": (0,), "curve": (0, 2), "measured": (0, 1 + len(run_monitor.measures(run.config))), "x_hat": images}
    is_variational = ARCHITECTURES[run.config.architecture].variational
    return shapes | ({"drawn": images, "plane": (codes, 2), "labels": (codes,)} if is_variational else {})


def _checked(file: Path, kept: _Kept) -> tuple[Run, str, Mapping[str, np.ndarray]]:
    """The run, its machine and its history; an error of any kind if anything does not fit."""
    kind, fields = schema.run_fields(json.dumps(kept.about).encode())
    run = runs.KINDS[kind](path=file, **fields)
    for name, expected in _shapes(run).items():
        shape = kept.arrays[name].shape
        if len(shape) != len(expected) or not all(n and n in (m or n,) for n, m in zip(shape, expected, strict=True)):
            raise ValueError(f"{name} is of shape {shape}")
    machine = schema.text(80)("machine", kept.about["machine"])
    return run, machine, schema.columns(kept.arrays["history"].tobytes(), run.epochs)


def _watched(name: str, kept: _Kept) -> Watched:
    run, machine, columns = _checked(file_of(name), kept)
    probes, epochs, lines = run_monitor.probes(run.config), run.num_epochs, kept.arrays["measured"].astype(float)
    history = tuple(dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
    images, plane, labels = (kept.arrays.get(key) for key in ("drawn", "plane", "labels"))
    progress = run_monitor.Progress(
        number=1, step=run.num_steps, num_steps=run.num_steps, epoch=epochs, seconds=run.seconds, epochs=epochs,
        steps_per_epoch=run.num_steps // epochs, steps_per_second=run.num_steps / run.seconds, seconds_left=None,
        curve=kept.arrays["curve"].astype(float), history=history, x=probes.x, x_noisy=probes.x_noisy,
        x_hat=kept.arrays["x_hat"].astype(np.float32), drawn=None if images is None else as_float(images),
        labels=np.empty(0, int) if labels is None else labels, plane=None if plane is None else live_plane.to_plane(plane),
        measured={key: lines[:, [0, place]] for place, key in enumerate(run_monitor.measures(run.config), 1)},
    )  # fmt: skip
    return Watched(run, machine, progress)


def _damaged(name: str, error: Exception) -> RunError:
    what = "is missing" if isinstance(error, FileNotFoundError) else f"is damaged ({schema.reason(error)})"
    return RunError(f"{file_of(name).name} {what}. To make it again: python -m cae_core pretrain {name}.")
