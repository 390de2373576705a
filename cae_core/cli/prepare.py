"""What commands share: data sets fetched to this machine, TensorFlow loaded into memory, a run driven to its end."""

import argparse
from collections.abc import Callable
from typing import Any

from cae_core import runtime
from cae_core.cli.terminal import Bar
from cae_core.config import lookup
from cae_core.datasets import DATASETS
from cae_core.runs import AnyRun
from cae_core.training.trainer import Trainer


def fetch(args: argparse.Namespace, bar: Bar, dataset: str) -> None:
    """Downloads a data set with `--download`, if it is not on this machine.

    Raises:
        ValueError: there is no such data set, or it could not be fetched.
    """
    entry = lookup(DATASETS, "dataset", dataset)
    if args.download and entry.download and not entry.on_machine():
        entry.download(bar)
        bar.clear()


def train(trainer: Trainer, bar: Bar, on_event: Callable[[Any], None]) -> AnyRun:
    """Drives a run of any kind to its end; what stops it early leaves one that can be resumed."""
    try:
        load_tensorflow(bar)
        return trainer.run(on_event)
    except KeyboardInterrupt:
        bar.clear()
        bar.say(f"to continue it: python -m cae_core resume {trainer.name}")
        raise
    finally:
        trainer.close()


def load_tensorflow(bar: Bar) -> None:
    """Returns when TensorFlow is there; only the first call takes time."""
    bar(0, "loading TensorFlow")
    runtime.ready(runtime.LOADING)
    bar.clear()
