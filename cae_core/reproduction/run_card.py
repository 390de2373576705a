"""Reproduction of a card: trains the runs that it takes, and measures its claims."""

import dataclasses
import functools
from collections.abc import Callable
from datetime import UTC, datetime

from cae_core import runs
from cae_core.config import Bounds, RunConfig, lookup
from cae_core.jobs.requests import Entry
from cae_core.reproduction.claims import Card
from cae_core.reproduction.measure import key, measure
from cae_core.reproduction.registry import CARDS
from cae_core.reproduction.results import Result
from cae_core.runs import Run
from cae_core.runtime import packages
from cae_core.training import TrainingEvent

SEEDS = Bounds(1, 100, integer=True)
"""How many times a card may be carried out."""


def settings(card: Card, run: str, seed: int) -> RunConfig:
    """What is trained for a card: one of its runs, with a seed."""
    return dataclasses.replace(card.runs[run], seed=seed)


def name_of(run: str, seed: int, owner: str = "") -> str:
    """What a card's run is called in `runs.runs_dir()`; every visitor's has a name of its own.

    So a run is found again by whoever wants the same, on another card, from the command line or after a restart.
    """
    return f"reproduce-{run}-{seed}" + (f"-{owner}" if owner else "")


def reproduce(
    name: str, seeds: int | None = None, on_event: Callable[[str, TrainingEvent], None] = lambda *_: None
) -> Result:
    """Trains what a card takes, unless that was done before, and measures it; goes on with what was interrupted.

    Args:
        name: a card's.
        seeds: how many; None for as many as the card says.
        on_event: called with a run's name and every event of its training.

    Raises:
        ValueError: there is no such card, no data set, or a number is out of range.
        FloatingPointError: a run diverged.
    """
    card = lookup(CARDS, "reproduction", name)
    count = card.seeds if seeds is None else SEEDS.check("seeds", seeds)
    values: dict[str, list[float]] = {claim.label: [] for claim in card.claims}
    seconds = 0.0
    for seed in range(count):
        finished = {run: _trained(card, run, seed, on_event) for run in card.runs}
        seconds += sum(run.seconds for run in finished.values())
        figures: dict[tuple[str, str], float] = {}  # each is measured once: some take minutes
        for claim in card.claims:
            what = (claim.run, key(claim))
            figures[what] = figures[what] if what in figures else measure(claim, finished[claim.run])
            values[claim.label].append(figures[what])
    return Result(
        values={label: tuple(round(v, 5) for v in of_seeds) for label, of_seeds in values.items()},
        seconds=round(seconds, 1),
        made=datetime.now(UTC).date().isoformat(),
        versions=packages.versions(),
        command=command(name, count),
    )


def command(name: str, seeds: int | None = None) -> str:
    """What makes a card's result on the command line; `seeds` is None for as many as the card says."""
    count = "" if seeds in (None, CARDS[name].seeds) else f" --seeds {seeds}"
    return f"python -m cae_core reproduce {name}{count}"


def _trained(card: Card, run: str, seed: int, on_event) -> Run:
    """The finished run, trained now, taken up again, or there already."""
    config, name = settings(card, run, seed), name_of(run, seed)
    path = runs.runs_dir() / name
    origin = None
    if path.exists():
        kept = runs.read(path)
        if kept.config == config and kept.state == "finished":
            return kept
    elif card.starts.get(run):
        parent = _trained(card, card.starts[run], seed, on_event)
        origin = {"run": parent.name, "step": parent.step}
    trainer = Entry(name, config, origin=origin).begin(owner="")
    return trainer.run(functools.partial(on_event, name))
