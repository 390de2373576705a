"""A visitor's own runs of a card: entered in the queue, looked up again, stopped, measured.

They are known by their names (`reproducing.name_of`), so they are there after a restart and are shared by cards that need
the same run. What the command line made is everybody's and counts as well.
"""

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cae_core import jobs, runs, training
from cae_core.architectures import ARCHITECTURES, num_epochs
from cae_core.datasets import DATASETS
from cae_core.jobs.job import Snapshot
from cae_core.jobs.requests import Entry
from cae_core.reproduction import measure
from cae_core.reproduction.claims import Card
from cae_core.reproduction.registry import CARDS
from cae_core.reproduction.run_card import name_of, settings
from cae_core.runs import Run, RunError, holder
from cae_core.training import duration, warm_start

SEED = 0
"""A visitor trains every run of a card once; how much seeds differ is said by the results that ship."""


@dataclass(frozen=True)
class Rerun:
    """A visitor's own runs of a card, as they stand.

    Attributes:
        card: its name.
        finished: the finished runs, by their names in the card.
        values: by claim's label, what was measured.
        state: "none", "moving" (in the queue), "partial" (to be gone on with), "measuring" or "done".
        trouble: why it cannot come to its end, else "".
        at_work: the first of the runs that are in the queue.
        steps: done, of all runs together.
        num_steps: of how many.
        seconds: spent training the finished ones.
        unsaved: names of runs that the disk refused.
    """

    card: str
    finished: Mapping[str, Run]
    values: Mapping[str, float]
    state: str
    trouble: str
    at_work: Snapshot | None
    steps: int
    num_steps: int
    seconds: float
    unsaved: Sequence[str] = ()


def look(name: str, owner: str) -> Rerun:
    """How far a visitor's runs of a card are; what is finished and not measured yet is measured in the background."""
    card = CARDS[name]
    finished, values, troubles, live, steps, num_steps = {}, {}, [], [], 0, 0
    begun = missing = False
    unsaved = []
    for run in card.runs:
        config = settings(card, run, SEED)
        total = num_epochs(config) * training.steps_per_epoch(config, training.num_images(config))
        num_steps += total
        job = jobs.default().snapshot(name_of(run, SEED, owner))
        if job and job.is_live:
            live.append(job)
            steps += job.progress.step if job.progress else 0
            continue
        if job and job.state in ("failed", "unsaved"):
            troubles.append(job.message)
            unsaved += [job.name] * (job.state == "unsaved")
        kept = _find(card, run, owner)
        if kept is None or kept.state != "finished":
            begun, missing = begun or kept is not None, True
            steps += min(kept.step, total) if kept else 0
            if kept and kept.state == "failed":
                troubles.append(kept.message)
            if kept and kept.state in runs.AT_WORK:
                troubles.append(holder.sentence(kept.label, kept.path, "it is measured here when it is finished"))
            continue
        finished[run], steps = kept, steps + total
        claims = [claim for claim in card.claims if claim.run == run]
        known = measure.known(kept, claims)
        values |= known
        if len(known) < len(claims):
            measure.request(kept, claims)
            troubles.append(measure.trouble(kept))
    state = "done" if len(values) == len(card.claims) else "measuring"
    if live:
        state = "moving"
    elif missing:
        state = "partial" if begun else "none"
    first = min(live, key=lambda job: job.place, default=None)
    seconds = sum(run.seconds for run in finished.values())
    trouble = next(filter(None, troubles), "")
    return Rerun(name, finished, values, state, trouble, first, steps, num_steps, seconds, unsaved)


def start(name: str, owner: str, address: str = "") -> None:
    """Enters what is missing of a card in the queue, and goes on with what was stopped or interrupted.

    Owner and address are as `jobs.Jobs.submit` takes them.

    Raises:
        ValueError: the queue is full, the disk refuses, or a run of that name has other settings or failed.
    """
    card, entries = CARDS[name], []
    for run, parent in ((run, card.starts.get(run, "")) for run in card.runs):
        job = jobs.default().snapshot(name_of(run, SEED, owner))
        kept = _find(card, run, owner)
        if (job and job.is_live) or (kept and kept.state == "finished"):
            continue
        origin = None
        if parent:
            there = _find(card, parent, owner)
            origin = warm_start.at_end_of(there.name if there else name_of(parent, SEED, owner))
        entries.append(Entry(name_of(run, SEED, owner), settings(card, run, SEED), f"{card.label}: {run}", origin))
    if entries:
        jobs.default().enter(entries, owner, address)


def stop(name: str, owner: str) -> None:
    """Ends what trains of a card, to be gone on with later, and takes what waits out of the queue."""
    card = CARDS[name]
    live = [jobs.default().snapshot(name_of(run, SEED, owner)) for run in card.runs]
    for job in sorted((job for job in live if job and job.is_live), key=lambda job: -job.place):  # the last first
        with contextlib.suppress(jobs.JobError):  # it ended a moment before
            jobs.default().stop(job.name, owner)


def estimate(name: str, finished: Mapping[str, Run]) -> float | None:
    """Seconds that the card's runs will take that are not finished, on this machine, where that is known."""
    card, seconds = CARDS[name], 0.0
    for run in card.runs:
        config = settings(card, run, SEED)
        if run not in finished and not ARCHITECTURES[config.architecture].solve:  # what is solved takes next to nothing
            pace = duration.pace(config, DATASETS[config.dataset].image_shape)
            if pace is None or not pace.is_own:
                return None
            seconds += pace.seconds(config, training.num_images(config))
    return seconds or None


def share_of_epochs(name: str, finished: Mapping[str, Run]) -> float:
    """How much of the card the runs are that are not there yet, going by their epochs; in [0, 1]."""
    card = CARDS[name]
    missing = [run for run in card.runs if run not in finished]
    left = sum(num_epochs(settings(card, run, SEED)) for run in missing)
    return left / sum(num_epochs(config) for config in card.runs.values())


def _find(card: Card, run: str, owner: str) -> Run | None:
    """The run on disk: the visitor's own, or a finished one that is everybody's; None where there is none that fits."""
    own = None
    for whose in dict.fromkeys((owner, "")):
        path = runs.runs_dir() / name_of(run, SEED, whose)
        if os.path.isdir(path):  # Path.is_dir may raise PermissionError
            with contextlib.suppress(RunError):
                kept = runs.read(path)
                if kept.config == settings(card, run, SEED) and kept.owner in ("", owner):
                    if kept.state == "finished":
                        return kept
                    own = kept if whose == owner else own
    return own
