"""`python -m cae_core train` and `resume`: trains a network, or goes on with a run that was stopped."""

import argparse
from typing import Any

from cae_core import datasets, runs
from cae_core.cli import options, prepare, stack
from cae_core.cli.terminal import Bar
from cae_core.config import RunConfig
from cae_core.jobs import requests
from cae_core.training.run_trainer import RunTrainer


def add(commands: Any) -> None:
    """Adds both commands' arguments."""
    train = commands.add_parser("train", help="train a network and keep the run")
    options.add(train, RunConfig, {})
    train.add_argument("--name", help="what to call the run; default: made from its settings")
    options.add_download(train)
    train.set_defaults(carry_out=run)

    again = commands.add_parser("resume", help="continue a run or a stack that was stopped or interrupted")
    again.add_argument("run", help="the run's name, as `list` shows it")
    again.set_defaults(carry_out=resume)


def run(args: argparse.Namespace, bar: Bar) -> dict[str, Any]:
    """Trains a network; returns what `--json` prints."""
    config = RunConfig(**{"dataset": datasets.default()} | options.given(args, RunConfig))
    prepare.fetch(args, bar, config.dataset)
    return _drive(RunTrainer.begin(config, args.name or ""), bar)


def resume(args: argparse.Namespace, bar: Bar) -> dict[str, Any]:
    """Trains a run of any kind to its end; returns what `--json` prints."""
    trainer = requests.resume(runs.find(args.run))
    return (_drive if isinstance(trainer, RunTrainer) else stack.drive)(trainer, bar)


def _drive(trainer: RunTrainer, bar: Bar) -> dict[str, Any]:
    finished = prepare.train(trainer, bar, bar.on_event(trainer.name))
    bar.say(f"saved {finished.path}")
    return {
        "run": finished.name, "path": str(finished.path), "epochs": trainer.history, "metrics": finished.metrics
    }  # fmt: skip
