"""The configuration of a run: every setting with its bounds and its default, stated once.

Sliders, the command line, the URL and the tests read this file. It uses the standard library only, so that a page can
import it before anything heavy is loaded.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

BOTTLENECKS = (2, 4, 8, 16, 32, 64, 128)
"""Code sizes of the models that ship with the app."""

SHIPPED_LOSSES = ("bce", "mse")
"""Losses they were trained with."""

OUTPUTS = ("sigmoid", "linear")
"""What makes the reconstruction of the decoder's last values, the logits: their sigmoid, or nothing (a linear decoder)."""


@dataclass(frozen=True)
class Entry:
    """One line of a registry.

    Attributes:
        label: name shown to people.
        summary: one plain sentence.
        source: paper or page the idea is from, or "" if it is the project's own.
        make: the function that builds, loads or computes the thing; its signature is the registry's.
    """

    label: str
    summary: str
    source: str
    make: Callable[..., Any]


def lookup(registry: Mapping[str, Any], what: str, name: object) -> Any:
    """The entry called `name`, or a ValueError that names what is allowed.

    Args:
        registry: any mapping from names to entries.
        what: the registry's name in the error, such as "architecture".
        name: what was asked for; anything but a known string is refused.
    """
    if isinstance(name, str) and name in registry:
        return registry[name]
    near = difflib.get_close_matches(str(name)[:80], registry, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"Unknown {what} {name!r}: choose one of {', '.join(registry)}.{hint}")


@dataclass(frozen=True)
class Bounds:
    """Allowed values of one number, both ends included."""

    low: float
    high: float
    integer: bool = False

    def check(self, name: str, value: object) -> float | int:
        """`value` as a plain int or float, or a ValueError naming the setting, the value and the range."""
        kind = "a whole number" if self.integer else "a number"
        sentence = f"{name} is {value!r}; it must be {kind} from {self.low:g} to {self.high:g}."
        if isinstance(value, bool):
            raise ValueError(sentence)
        try:
            number = float(value)  # accepts NumPy scalars and numeric strings; NaN fails the comparison below
        except (TypeError, ValueError, OverflowError):
            raise ValueError(sentence) from None
        if not self.low <= number <= self.high or (self.integer and number != int(number)):
            raise ValueError(sentence)
        return int(number) if self.integer else number


def _number(default: float, low: float, high: float) -> Any:
    return field(default=default, metadata={"bounds": Bounds(low, high, isinstance(default, int))})


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides a run; equal configurations give equal runs.

    The names (dataset, architecture, loss, noise_kind, optimizer, schedule) are checked against their registries by
    `training.train`; the numbers are checked here.

    Attributes:
        dataset: name in `datasets.DATASETS`.
        num_train: training images used, at most what the data set has after the held-out ones are set aside.
        architecture: name in `architectures.ARCHITECTURES`.
        bottleneck: numbers in the code; ignored by networks whose code has a fixed size.
        loss: name in `losses.LOSSES`.
        noise_kind: name in `corruptions.CORRUPTIONS`, "none" or "mixed".
        noise_factor: strength of the noise in [0, 1]; with "mixed" the most that an image gets.
        optimizer: name in `training.OPTIMIZERS`.
        learning_rate: peak learning rate.
        schedule: name in `training.SCHEDULES`.
        epochs: passes over the training images.
        batch_size: images a step.
        sparsity: weight of the mean absolute code value in the loss.
        output: what makes the reconstruction of the decoder's last values, one of `OUTPUTS`.
        pretraining: epochs that each layer is trained alone first, before `epochs` of the whole; 0 for none.
        seed: everything random in the run follows from it.
    """

    dataset: str = "strokes"
    num_train: int = _number(60_000, 100, 60_000)
    architecture: str = "fast"
    bottleneck: int = _number(32, 1, 1024)
    loss: str = "bce"
    noise_kind: str = "none"
    noise_factor: float = _number(0.5, 0.0, 1.0)
    optimizer: str = "adam"
    learning_rate: float = _number(0.003, 1e-6, 1.0)
    schedule: str = "one_cycle"
    epochs: int = _number(5, 1, 1000)
    batch_size: int = _number(128, 1, 4096)
    sparsity: float = _number(0.0, 0.0, 10.0)
    seed: int = _number(0, 0, 2**31 - 1)
    output: str = "sigmoid"
    pretraining: int = _number(0, 0, 100)

    def __post_init__(self) -> None:
        for name, bounds in BOUNDS.items():
            object.__setattr__(self, name, bounds.check(name, getattr(self, name)))

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RunConfig:
        """The inverse of `to_dict`; unknown settings are a ValueError naming the nearest known one."""
        names = {f.name: f for f in dataclasses.fields(cls)}
        for name in values:
            lookup(names, "setting", name)
        return cls(**values)


BOUNDS: dict[str, Bounds] = {f.name: f.metadata["bounds"] for f in dataclasses.fields(RunConfig) if "bounds" in f.metadata}
"""Bounds of each numeric setting of `RunConfig`."""

DEFAULTS = RunConfig()
