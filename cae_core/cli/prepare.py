"""Preparation of a command: data sets fetched to this machine, TensorFlow loaded into memory."""

from __future__ import annotations

import argparse

from cae_core import runtime
from cae_core.cli.progress import Bar
from cae_core.config import lookup
from cae_core.datasets import DATASETS

WAIT = 300.0
"""Seconds that loading TensorFlow may take, on the slowest disk."""


def fetch(args: argparse.Namespace, bar: Bar, dataset: str) -> None:
    """Downloads a data set with `--download`, if it is not on this machine.

    Raises:
        ValueError: there is no such data set, or it could not be fetched.
    """
    entry = lookup(DATASETS, "dataset", dataset)
    if args.download and entry.download and not entry.on_machine():
        entry.download(bar)
        bar.clear()


def load_tensorflow(bar: Bar) -> None:
    """Returns when TensorFlow is there; only the first call takes time."""
    bar(0, "loading TensorFlow")
    runtime.ready(WAIT)
    bar.clear()
