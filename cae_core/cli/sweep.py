"""`python -m cae_core sweep`: trains every run of a grid, by several processes of this machine or by many machines."""

import argparse
import contextlib
import logging
from collections.abc import Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from cae_core import runtime, sweeps
from cae_core.cli import options, prepare
from cae_core.cli.terminal import Bar
from cae_core.config import Bounds, RunConfig
from cae_core.datasets import DATASETS
from cae_core.runs import schema
from cae_core.runtime import process
from cae_core.sweeps import grid
from cae_core.training import duration

WORKERS = Bounds(1, 256, integer=True)
PATIENCE = 15
"""Seconds that a scheduler may take to answer."""


def add(commands: Any) -> None:
    """Adds the command's arguments."""
    command = commands.add_parser("sweep", help="train every run of a grid; goes on where it stopped")
    command.add_argument("grid", help=f"a JSON file; {grid.SHAPE}")
    who = command.add_mutually_exclusive_group()
    who.add_argument("--workers", metavar="N", help=f"{options.allowed(WORKERS)}; default: one a processor")
    who.add_argument(
        "--scheduler", metavar="ADDRESS", help="of a Dask scheduler, as tcp://10.0.0.5:8786, whose workers train"
    )
    command.add_argument("--dry-run", action="store_true", help="say how many runs and how long, and train nothing")
    command.add_argument("--again", action="store_true", help="try runs that failed once more")
    options.add_download(command)
    command.set_defaults(carry_out=run)


def run(args: argparse.Namespace, bar: Bar) -> dict[str, Any]:
    """Trains what is missing; returns what `--json` prints."""
    workers = WORKERS.check("workers", args.workers or process.processors())
    plan = grid.read(Path(args.grid))
    configs = plan.configs()
    wanted, outcome = sweeps.pending(configs)
    retried = len(outcome.failed) if args.again else 0
    time = sweeps.estimate([*wanted.values()])
    bar.say(
        f"{plan.title}: {len(configs):,} runs, {len(outcome.kept):,} of them there, {len(outcome.failed):,} failed, "
        f"{len(wanted) + retried:,} to train. {_time(time, len(wanted), 0 if args.scheduler else workers)}"
    )
    planned = {"sweep": plan.title, "runs": len(configs), "seconds": round(time.seconds, 1), "unknown": time.unknown}
    if not args.dry_run:
        _fetch(args, bar, configs)
        grid.remember(plan, configs)
        outcome = _train(args, bar, configs, workers)
        bar.clear()
        bar.say(f"{len(outcome.trained):,} trained, {len(outcome.kept):,} were there already")
    for what, sentences in (("failed", outcome.failed), ("not finished", outcome.left)):
        for sentence in dict.fromkeys(sentences.values()):
            name, *others = [name for name, why in sentences.items() if why == sentence]
            bar.say(f"{name}{f' and {len(others):,} others' * bool(others)} {what}: {sentence}")
    if outcome.failed and not args.again:
        bar.say("to try those that failed once more: --again")
    return planned | {"kept": outcome.kept, "trained": outcome.trained, "failed": outcome.failed, "left": outcome.left}


def _fetch(args: argparse.Namespace, bar: Bar, configs: list[RunConfig]) -> None:
    """Downloads what is asked for; a ValueError if this machine is to train on a data set that it does not have."""
    for dataset in dict.fromkeys(config.dataset for config in configs):
        prepare.fetch(args, bar, dataset)
        if not args.scheduler and not DATASETS[dataset].on_machine():
            raise ValueError(f"The data set {dataset} is not on this machine: add --download to fetch it first.")


def _train(args: argparse.Namespace, bar: Bar, configs: list[RunConfig], workers: int) -> sweeps.Outcome:
    """Drives the sweep to its end; a pool that broke, as when the system ends a process, is replaced while it gets on."""
    trained, left = [], len(configs) + 1
    while True:
        with _dask(args.scheduler, bar) if args.scheduler else runtime.processes(workers) as executor:
            outcome = sweeps.sweep(configs, executor, bar, args.again and not trained)
        trained += outcome.trained
        if args.scheduler or not 0 < len(outcome.left) < left:
            outcome.kept = [name for name in outcome.kept if name not in trained]
            outcome.trained = trained
            return outcome
        left = len(outcome.left)


@contextlib.contextmanager
def _dask(address: str, bar: Bar) -> Iterator[Executor]:
    """The executor of a Dask scheduler, whose workers must have this project and be started in its folder.

    Raises:
        ValueError: Dask is not installed, or no scheduler answers there.
    """
    try:
        from distributed import Client
    except ImportError:
        raise ValueError("--scheduler needs Dask on every machine: pip install distributed") from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # a scheduler that is gone is said in a sentence
    start = f"start one with `python -m dask worker {address} --nthreads 1` in the project's folder of a machine."
    try:
        client = Client(address, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"No Dask scheduler answers at {address} ({schema.reason(error)}): start one with `python -m dask scheduler`, "
            f"and for each of its workers {start}"
        ) from error
    with client:
        workers = len(client.ncores())
        bar.say(f"{workers:,} workers at {address}" if workers else f"No worker has joined {address} yet: {start}")
        yield client.get_executor()


def _time(time: sweeps.Estimate, count: int, workers: int) -> str:
    """How long it will take, as far as that is known, and how."""
    if not count:
        return "Nothing to do."
    parts = []
    if time.unknown < count:
        at_once = min(workers, process.processors(), count)
        by = f", {duration.in_words(time.seconds / at_once)} by {at_once} at best" if at_once > 1 else ""
        whose = "runs of this machine" if time.is_own else "shipped runs, made on another machine"
        parts.append(f"About {duration.in_words(time.seconds)} of training one after another{by}, going by {whose}")
    if time.unknown:
        parts.append(f"The time of {time.unknown:,} is not known yet: no run like them is finished")
    return ". ".join(parts) + ". Loading TensorFlow and measuring each run come on top."
