"""Measurement of claims on whole test splits; of a finished run in the background, and kept with it.

Measuring 10,000 images takes a second or more, so a page asks `known`, and where something is missing, `request`s it.
"""

import contextlib
import functools
import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cae_core import metrics, runs, runtime
from cae_core.architectures import ARCHITECTURES
from cae_core.architectures.variational import VariationalAutoencoder
from cae_core.corruptions import binarised, corrupt
from cae_core.datasets import as_float, load
from cae_core.inspection import evaluation
from cae_core.reproduction.claims import Claim
from cae_core.runs import Run, RunError, storage
from cae_core.runtime.caching import cached
from cae_core.stacking import linear_probe

FILE = "measured.json"
MANY, FEW, SOME = 5_000, 50, 1_000
"""Codes that are drawn for an image to bound its likelihood; of the first `SOME` images many, of the others few."""
FORGOTTEN = 60.0
"""Seconds after which a request that was not answered is made again: the background forgets its oldest tasks."""


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
    if claim.metric.startswith("misread"):
        encode = runs.model(run, step).encode if claim.metric == "misread" else np.asarray
        return 100 * linear_probe.error_of(encode, run.config.dataset)
    if claim.metric == "running":
        return float(runs.history(run)["loss"][-1])
    images = load(run.config.dataset, "test").x
    if ARCHITECTURES[run.config.architecture].binarises:
        images = binarised(images, seed=0)
    x = as_float(images)
    if claim.metric == "bound":
        return -_bound(runs.keras_model(run, step), x)
    if claim.metric in metrics.ELBO:
        return abs(evaluation.evaluate(runs.model(run, step), images, *claim.noise)[claim.metric])
    x_hat = runs.model(run, step).reconstruct(corrupt(x, *claim.noise, 0))
    if claim.metric == "squared_error":
        return float(metrics.squared_error_per_image(x, x_hat).mean())
    return float(metrics.per_image(x, x_hat, [claim.metric])[claim.metric].mean())


def _bound(model: VariationalAutoencoder, x: np.ndarray) -> float:
    """The mean bound with `MANY` codes: that with `FEW` on all images, and what the others add on the first `SOME`.

    What they add is 0.9 nats in the mean of 300 images, with a standard deviation of 1.2: of `SOME` it is known to 0.04.
    """
    few = evaluation.importance_bound(model, x, FEW)
    more = evaluation.importance_bound(model, x[:SOME], MANY, seed=1) - few[:SOME]
    return float(few.mean() + more.mean())


@dataclass
class _Known:
    """What is known of a run.

    Attributes:
        figures: by `key`.
        trouble: why it could not be measured, or "".
        asked: when it was asked for what is being measured, in seconds of `time.monotonic`.
    """

    figures: dict[str, float]
    trouble: str = ""
    asked: float = -math.inf


@cached(most=256)
def _of(path: Path, created: str) -> _Known:
    """What is on disk of the run that was made then; of a damaged file, or one of another run of that name, nothing."""
    try:
        figures = json.loads(storage.read(path / FILE))
        is_ours = figures.pop("run", created) == created
        return _Known({key: float(value) for key, value in figures.items() if is_ours and math.isfinite(value)})
    except Exception:  # a damaged file fails in more ways than can be listed
        return _Known({})


def known(run: Run, claims: Sequence[Claim]) -> dict[str, float]:
    """By label, the figures of a finished run that are known without waiting."""
    figures = _of(run.path, run.created).figures
    return {claim.label: figures[key(claim)] for claim in claims if key(claim) in figures}


def trouble(run: Run) -> str:
    """Why the run could not be measured, or ""."""
    return _of(run.path, run.created).trouble


def request(run: Run, claims: Sequence[Claim]) -> None:
    """Has the claims' figures of a finished run measured in the background; returns at once."""
    of_run, now = _of(run.path, run.created), time.monotonic()
    if not of_run.trouble and now - of_run.asked >= FORGOTTEN:
        of_run.asked = now
        runtime.soon(functools.partial(_measure, of_run, run, tuple(claims)))


def forget() -> None:
    """Drops what is in memory; what is on disk stays, and of what is being measured now nothing is kept."""
    _of.cache_clear()


def _measure(of_run: _Known, run: Run, claims: tuple[Claim, ...]) -> None:
    try:
        missing = [claim for claim in claims if key(claim) not in of_run.figures]
        figures = of_run.figures | {key(claim): round(measure(claim, run), 6) for claim in missing}
        if _of(run.path, run.created) is of_run:  # else all was forgotten meanwhile
            with contextlib.suppress(OSError):  # they are in memory, until the program ends
                storage.write(run.path / FILE, (json.dumps({**figures, "run": run.created}, indent=1) + "\n").encode())
        of_run.figures = figures
    except Exception as error:  # damaged weights and data fail in many ways, and asking again would, too
        of_run.trouble = str(error).partition("\n")[0]
    finally:
        of_run.asked = -math.inf


def key(claim: Claim) -> str:
    """What is measured, in words: claims of a run with the same are measured once."""
    kind, factor = claim.noise
    return f"{claim.metric}, {kind} {factor:g}, {f'epoch {claim.epoch}' if claim.epoch else 'end'}"
