"""The configuration of a run, a network's or a stack's: every setting with its bounds and its default, stated once.

Sliders, the command line, the URL and the tests read this file. It uses the standard library only, so that a page can
import it before anything heavy is loaded.
"""

import dataclasses
import difflib
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

BOTTLENECKS = (2, 4, 8, 16, 32, 64, 128)
"""Code sizes of the models that ship with the app."""

SHIPPED_LOSSES = ("bce", "mse")
"""Losses they were trained with."""

OUTPUTS = ("sigmoid", "linear")
"""What makes the reconstruction of the decoder's last values, the logits: their sigmoid, or nothing (a linear decoder)."""


PRETRAINING_KINDS = {"autoencoder": "Autoencoders", "rbm": "Boltzmann machines"}
"""What each layer is while it is trained alone, with its label: a shallow autoencoder of what the layers below give, or a
restricted Boltzmann machine of it."""


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


class Settings:
    """What every configuration can do; its numbers are checked against the bounds in its fields."""

    def __post_init__(self) -> None:
        for name, bounds in bounds_of(type(self)).items():
            object.__setattr__(self, name, bounds.check(name, getattr(self, name)))

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain JSON values."""
        values = dataclasses.asdict(self)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`; unknown settings are a ValueError naming the nearest known one."""
        names = {f.name: f for f in dataclasses.fields(cls)}
        for name in values:
            lookup(names, "setting", name)
        return cls(**values)


@functools.cache
def bounds_of(config: type) -> dict[str, Bounds]:
    """Bounds of each numeric setting of a configuration."""
    return {f.name: f.metadata["bounds"] for f in dataclasses.fields(config) if "bounds" in f.metadata}


@dataclass(frozen=True)
class RunConfig(Settings):
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
        batch_size: images per step.
        sparsity: weight of the mean absolute code value in the loss.
        output: what makes the reconstruction of the decoder's last values, one of `OUTPUTS`.
        pretraining: epochs that each layer is trained alone first, before `epochs` of the whole; 0 for none.
        pretraining_kind: what each layer is while it is trained alone, a key of `PRETRAINING_KINDS`.
        beta: weight of the KL term in a variational network's loss; 1 makes the loss a bound on the images' likelihood.
        beta_warmup: share of the steps during which it grows from 0 to that, in a straight line.
        k: how many numbers of a code stay, the largest, in a network that keeps only these; 0 for any other.
        k_start: how many stay at first; k falls from there in a straight line during the first half of the steps. 0 for k.
        alpha: once trained, α k numbers stay.
        seed: every random choice of the run is drawn from it.
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
    beta: float = _number(1.0, 0.0, 20.0)
    beta_warmup: float = _number(0.0, 0.0, 1.0)
    k: int = _number(0, 0, 1024)
    k_start: int = _number(0, 0, 1024)
    alpha: float = _number(1.0, 1.0, 10.0)
    pretraining_kind: str = "autoencoder"


BOUNDS = bounds_of(RunConfig)
"""Bounds of each numeric setting of `RunConfig`."""

DEFAULTS = RunConfig()

ARMS = {"pretrained": "From the stack", "random": "From random weights"}
"""The two classifiers, and how they are called."""

FEATURES = {"encoder": "The stack's encoder", "untrained": "The same encoder, untrained", "pixels": "Pixels"}
"""What a linear classifier reads, and how that is called."""

MOST_LAYERS = 4
MAPS, KERNEL = Bounds(1, 128, integer=True), Bounds(1, 15, integer=True)
"""Of every layer: how many maps it gives, and the side of its kernels in pixels."""


@dataclass(frozen=True)
class StackConfig(Settings):
    """Everything that decides a stack and its two classifiers; equal configurations give equal ones.

    Attributes:
        dataset: name in `datasets.DATASETS`.
        num_train: training images that the layers learn from, without labels; at most what the data set has after the
            held-out ones are set aside.
        labels: labelled images among them that both classifiers are fine-tuned on, as many of each class as there are.
        maps: of each layer, from the image on; one number for each of 1 to `MOST_LAYERS` layers.
        kernels: side of each layer's kernels, in pixels of what it reads; odd, so that a kernel has a middle.
        pooling: whether 2 × 2 max pooling follows each layer.
        noise_kind: of what each layer sees of its own input while it is trained: a name in `corruptions.NOISE_KINDS`.
        noise_factor: strength of the noise in [0, 1].
        epochs: passes over the images for each layer.
        batch_size: images per step, at most; there are no more than labels.
        learning_rate: peak, of each layer's training.
        steps: of fine-tuning, the same for both classifiers.
        tuning_rate: peak learning rate of fine-tuning, the same for both.
        optimizer: name in `optimizers.OPTIMIZERS`.
        hidden: units of the fully connected layer between maps and classes; 0 for none.
        dropout: share of the last layer's numbers that fine-tuning leaves out of each image of a step, the same ones in
            both classifiers; on held-out images both read better for it.
        seed: every random choice is drawn from it.
    """

    architecture: ClassVar[str] = "masci"  # whose layers these are: the images go in as they are

    dataset: str = "strokes"
    num_train: int = _number(10_000, 100, 60_000)
    labels: int = _number(300, 2, 60_000)
    maps: tuple[int, ...] = (20, 20)
    kernels: tuple[int, ...] = (5, 5)
    pooling: bool = True
    noise_kind: str = "none"
    noise_factor: float = _number(0.3, 0.0, 1.0)
    epochs: int = _number(2, 1, 100)
    batch_size: int = _number(100, 1, 1024)
    learning_rate: float = _number(0.003, 1e-6, 1.0)
    steps: int = _number(300, 1, 100_000)
    tuning_rate: float = _number(0.002, 1e-6, 1.0)
    optimizer: str = "adam"
    hidden: int = _number(100, 0, 1024)
    dropout: float = _number(0.5, 0.0, 0.9)
    seed: int = _number(0, 0, 2**31 - 1)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, bounds in (("maps", MAPS), ("kernels", KERNEL)):
            values = tuple(bounds.check(name, value) for value in getattr(self, name))
            object.__setattr__(self, name, values)

    @property
    def layers(self) -> int:
        """How many there are."""
        return len(self.maps)


STACK_BOUNDS = bounds_of(StackConfig)
"""Bounds of each numeric setting of `StackConfig`; those that a run has too mean the same there."""
