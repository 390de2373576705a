"""Carrying a card of `reproductions` out: training what it takes, measuring it, keeping the result."""

from __future__ import annotations

import dataclasses
import json
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from cae_core import metrics, runs, storage
from cae_core.config import lookup
from cae_core.corruptions import corrupt
from cae_core.datasets import as_float, load
from cae_core.recording import Recording
from cae_core.reproductions import CARDS, Card, Claim, run_name, shorter
from cae_core.runs import Run, RunError
from cae_core.training import TrainingEvent

SHIPPED = runs.PRETRAINED_DIR / "reproductions.json"
"""Results that ship with the app, made by `python -m cae_core reproduce CARD --ship`."""


@dataclass(frozen=True)
class Result:
    """What came out.

    Attributes:
        values: by claim's label, one value a seed.
        seconds: spent training, all runs together.
        fraction: of the epochs; 1 for the full length.
        made: UTC date.
        versions: of Python and the libraries.
        command: what makes it again.
    """

    values: Mapping[str, tuple[float, ...]]
    seconds: float
    fraction: float
    made: str
    versions: Mapping[str, str]
    command: str


def measure(claim: Claim, run: Run) -> float:
    """The claim's figure of a run, on the whole test split.

    Raises:
        RunError: the run keeps no weights of that epoch, or they are damaged.
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


def reproduce(
    name: str,
    fraction: float = 1.0,
    seeds: int | None = None,
    on_event: Callable[[str, TrainingEvent], None] = lambda *_: None,
) -> Result:
    """Trains what a card takes, unless that was done before, and measures it; goes on with what was interrupted.

    Args:
        name: a card's.
        fraction: of each run's epochs, in (0, 1].
        seeds: how many; None for as many as the card says.
        on_event: called with a run's name and every event of its training.

    Raises:
        ValueError: there is no such card, no data set, or the fraction is not one.
    """
    card = lookup(CARDS, "reproduction", name)
    if not 0 < fraction <= 1:
        raise ValueError(f"fraction is {fraction:g}; it must be above 0 and at most 1, which is the full length.")
    count = card.seeds if seeds is None else seeds
    values: dict[str, list[float]] = {claim.label: [] for claim in card.claims}
    seconds = 0.0
    for seed in range(count):
        made = {run: _trained(card, run, seed, fraction, on_event) for run in card.runs}
        seconds += sum(run.seconds for run in made.values())
        for claim in card.claims:
            if fraction == 1 or not claim.epoch or claim.epoch <= made[claim.run].epochs:
                values[claim.label].append(measure(claim, made[claim.run]))
    return Result(
        values={label: tuple(round(v, 5) for v in found) for label, found in values.items() if found},
        seconds=round(seconds, 1),
        fraction=fraction,
        made=datetime.now(UTC).date().isoformat(),
        versions={"python": platform.python_version(), **{p: version(p) for p in ("tensorflow", "keras", "numpy")}},
        command=f"python -m cae_core reproduce {name}" + ("" if fraction == 1 else f" --fraction {fraction:g}"),
    )


def _trained(card: Card, run: str, seed: int, fraction: float, on_event) -> Run:
    """The finished run, trained now, taken up again, or there already."""
    config = shorter(dataclasses.replace(card.runs[run], seed=seed), fraction)
    name = run_name(run, seed) if fraction == 1 else f"{run_name(run, seed)}-{config.epochs}"
    path = runs.runs_dir() / name
    if path.exists():
        found = runs.read(path)
        if found.config != config:
            raise RunError(f"The run {name!r} was made with other settings: rename or delete it, and try again.")
        if found.state == "finished":
            return found
        recording = Recording.resume(found)
    else:
        origin = None
        if card.starts.get(run):
            parent = _trained(card, card.starts[run], seed, fraction, on_event)
            origin = {"run": parent.name, "step": parent.step}
        recording = Recording.begin(config, name, origin=origin)
    try:
        for event in recording.events():
            on_event(name, event)
    finally:
        recording.close()
    return runs.read(path)


def shipped() -> dict[str, Result]:
    """The results that ship with the app, by card; a damaged file is none."""
    return _read(SHIPPED)


def ship(name: str, result: Result) -> None:
    """Puts a result among those that ship."""
    kept = _read(SHIPPED) | {name: result}
    ordered = {card: dataclasses.asdict(kept[card]) for card in CARDS if card in kept}
    storage.write(SHIPPED, (json.dumps(ordered, indent=1) + "\n").encode())


def _read(file: Path) -> dict[str, Result]:
    try:
        found: Mapping[str, Any] = json.loads(file.read_text())
        return {
            name: Result(**{**kept, "values": {label: tuple(v) for label, v in kept["values"].items()}})
            for name, kept in found.items()
        }
    except FileNotFoundError:
        return {}


def mean_and_spread(values: tuple[float, ...]) -> tuple[float, float]:
    """Mean and standard deviation over seeds (of the sample; 0 for one)."""
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
