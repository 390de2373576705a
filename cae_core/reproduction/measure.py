"""Measurement of claims on whole test splits; of a finished run in the background, and kept with it.

Measuring 10,000 images takes a second or more, so a page asks `known`, and where something is missing, `request`s it.
"""

from __future__ import annotations

import contextlib
import functools
import json
import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cae_core import metrics, runs, runtime
from cae_core.corruptions import corrupt
from cae_core.datasets import as_float, load
from cae_core.reproduction.claims import Claim
from cae_core.runs import Run, RunError, storage

FILE = "measured.json"
FORGOTTEN = 60.0
"""Seconds after which a request that was not answered is made again: the background forgets its oldest tasks."""
MOST = 256
"""Runs whose figures are in memory, and whose troubles."""

_lock = threading.Lock()


@dataclass(frozen=True)
class _Memory:
    """What is known of the last `MOST` runs, by `_which`: their figures, what went wrong, and when somebody asked."""

    figures: dict[tuple[Path, str], dict[str, float]] = field(default_factory=dict)
    trouble: dict[tuple[Path, str], str] = field(default_factory=dict)
    asked: dict[tuple[Path, str], float] = field(default_factory=dict)


_memory = _Memory()


def measure(claim: Claim, run: Run) -> float:
    """The claim's figure of a run, on the whole test split of its data set.

    Raises:
        RunError: the run keeps no weights of that epoch, or they are damaged.
        datasets.DataError: the data set is not there.
    """
    step = None
    if claim.epoch:
        step = claim.epoch * run.num_steps // run.num_epochs
        if step not in runs.saved_steps(run):
            raise RunError(f"The run {run.label!r} keeps no weights of epoch {claim.epoch}: train it for that long.")
    x = as_float(load(run.config.dataset, "test").x)
    x_hat = runs.model(run, step).reconstruct(corrupt(x, *claim.noise, 0))
    if claim.metric == "squared_error":
        return float(metrics.squared_error_per_image(x, x_hat).mean())
    return float(metrics.per_image(x, x_hat, [claim.metric])[claim.metric].mean())


def known(run: Run, claims: Sequence[Claim]) -> dict[str, float]:
    """By label, the figures of a finished run that are known without waiting."""
    figures = _figures(run)
    return {claim.label: figures[_key(claim)] for claim in claims if _key(claim) in figures}


def trouble(run: Run) -> str:
    """Why the run could not be measured, or ""."""
    return _memory.trouble.get(_which(run), "")


def request(run: Run, claims: Sequence[Claim]) -> None:
    """Has the claims' figures of a finished run measured in the background; returns at once."""
    which, now = _which(run), time.monotonic()
    with _lock:
        memory = _memory
        if which in memory.trouble or now - memory.asked.get(which, -FORGOTTEN) < FORGOTTEN:
            return
        _keep(memory.asked, which, now)
    runtime.soon(functools.partial(_measure, memory, run, tuple(claims)))


def forget() -> None:
    """Drops what is in memory; what is on disk stays, and of what is being measured now nothing is kept."""
    global _memory
    _memory = _Memory()


def _measure(memory: _Memory, run: Run, claims: tuple[Claim, ...]) -> None:
    which = _which(run)
    try:
        figures = dict(_figures(run))
        figures |= {_key(claim): round(measure(claim, run), 6) for claim in claims if _key(claim) not in figures}
        if memory is _memory:
            with contextlib.suppress(OSError):  # it will be in memory, until the program ends
                storage.write(run.path / FILE, (json.dumps({**figures, "run": run.created}, indent=1) + "\n").encode())
        with _lock:
            _keep(memory.figures, which, figures)
    except Exception as error:  # damaged weights and data fail in many ways, and asking again would, too
        with _lock:
            _keep(memory.trouble, which, str(error).partition("\n")[0])
    finally:
        with _lock:
            memory.asked.pop(which, None)


def _figures(run: Run) -> dict[str, float]:
    """What is known of a run, by `_key`: from memory, else from disk; of a damaged file or another run's nothing."""
    which, memory = _which(run), _memory
    with _lock:
        if which in memory.figures:
            return memory.figures[which]
    try:
        read = json.loads(storage.read(run.path / FILE))
        if read.pop("run", run.created) != run.created:
            return {}
        figures = {key: float(value) for key, value in read.items() if math.isfinite(value)}
    except Exception:  # a damaged file fails in more ways than can be listed
        return {}
    with _lock:
        _keep(memory.figures, which, figures)
    return figures


def _keep(kept: dict, which: tuple[Path, str], value) -> None:
    kept.pop(which, None)
    kept[which] = value
    while len(kept) > MOST:
        del kept[next(iter(kept))]  # the oldest


def _which(run: Run) -> tuple[Path, str]:
    return run.path, run.created  # one that was deleted and made again is another


def _key(claim: Claim) -> str:
    kind, factor = claim.noise
    return f"{claim.metric}, {kind} {factor:g}, {f'epoch {claim.epoch}' if claim.epoch else 'end'}"
