"""Every setting as an option of the command line, with what is allowed and its default."""

import argparse
import dataclasses
from collections.abc import Mapping
from typing import Any

from cae_core.config import Bounds
from cae_core.validation import CHOICES

DATASET = "mnist where it is on this machine, else strokes"
"""Which data set is taken without `--dataset`, as `datasets.default` decides."""


def add(parser: argparse.ArgumentParser, config: type, more: Mapping[str, str]) -> None:
    """An option for every field of a configuration, None where it is not given, with what is allowed and its default.

    Args:
        parser: gets them.
        config: a dataclass, such as `RunConfig`.
        more: what else is to be said of a field, or in place of what its type says.
    """
    for field in dataclasses.fields(config):
        default = DATASET if field.name == "dataset" else written(field.default)
        about = more.get(field.name) or allowed(CHOICES.get(field.name) or field.metadata["bounds"])
        names = [f"--{field.name.replace('_', '-')}"] + (["--kernel"] if field.name == "kernels" else [])
        parser.add_argument(*names, dest=field.name, metavar="X", help=f"{about}; default: {default}")


def add_download(parser: argparse.ArgumentParser) -> None:
    """The option of every command that reads a data set."""
    parser.add_argument("--download", action="store_true", help="fetch the data set if it is not on this machine")


def allowed(values: Mapping[str, Any] | Bounds) -> str:
    """The values that a setting takes, in words."""
    if isinstance(values, Bounds):
        return f"{'a whole number' if values.integer else 'a number'} from {values.low:g} to {values.high:.10g}"
    return f"one of {', '.join(values)}"


def written(value: object) -> str:
    """A value as the command line takes it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def given(args: argparse.Namespace, config: type) -> dict[str, Any]:
    """The settings of a configuration that were given, without the others."""
    values = {field.name: getattr(args, field.name) for field in dataclasses.fields(config)}
    return {name: value for name, value in values.items() if value is not None}


def errors(metrics: Mapping[str, Mapping[str, float]]) -> str:
    """A run's mean squared errors by condition, as "clean MSE 0.00512"."""
    return ", ".join(f"{label} MSE {figures['mse']:.5f}" for label, figures in metrics.items())
