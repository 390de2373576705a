"""Validation of a configuration: the choices of each setting, and which settings work together."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from cae_core import architectures
from cae_core.architectures import ARCHITECTURES
from cae_core.config import OUTPUTS, RunConfig, lookup
from cae_core.corruptions import NOISE_KINDS
from cae_core.datasets import DATASETS
from cae_core.losses import LOSSES, loss_of
from cae_core.optimizers import OPTIMIZERS, SCHEDULES

CHOICES: dict[str, Mapping[str, Any]] = {
    "dataset": DATASETS,
    "architecture": ARCHITECTURES,
    "loss": LOSSES,
    "output": dict.fromkeys(OUTPUTS),
    "noise_kind": NOISE_KINDS,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
}
"""By setting, in a run's or a stack's configuration: what it names."""


def check(config: RunConfig) -> None:
    """A ValueError naming what is wrong with a configuration, before anything is loaded or built."""
    for setting, registry in CHOICES.items():
        lookup(registry, setting.replace("_", " "), getattr(config, setting))
    architectures.check(config)
    loss_of(config.loss, config.output)


def fitting(config: RunConfig) -> RunConfig:
    """The configuration, with what cannot work together replaced by something that can; names must be known."""
    config = architectures.fitting(config)
    linear = config.output == "linear" and LOSSES[config.loss].linear is None
    able = next(name for name, entry in LOSSES.items() if entry.linear)
    return dataclasses.replace(config, loss=able) if linear else config
