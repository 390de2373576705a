"""The configuration of a stack: settings, bounds, defaults, and what cannot work together. Loads no Keras."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from cae_core import training
from cae_core.config import Bounds, lookup
from cae_core.corruptions import NOISE_KINDS
from cae_core.datasets import DATASETS
from cae_core.optimizers import OPTIMIZERS

ARMS = {"pretrained": "From the stack", "random": "From random weights"}
"""The two classifiers, and how they are called."""

MOST_LAYERS = 4
MAPS, KERNEL = Bounds(1, 128, integer=True), Bounds(1, 15, integer=True)
"""Of every layer: how many maps it gives, and the side of its kernels in pixels."""


def _number(default: float, low: float, high: float) -> Any:
    return field(default=default, metadata={"bounds": Bounds(low, high, isinstance(default, int))})


@dataclass(frozen=True)
class StackConfig:
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
        batch_size: images a step, at most; there are no more than labels.
        learning_rate: peak, of each layer's training.
        steps: of fine-tuning, the same for both classifiers.
        tuning_rate: peak learning rate of fine-tuning, the same for both.
        optimizer: name in `optimizers.OPTIMIZERS`.
        hidden: units of the fully connected layer between maps and classes; 0 for none.
        dropout: share of the last layer's numbers that fine-tuning leaves out of each image of a step, the same ones in
            both classifiers; on held-out images both read better for it.
        seed: everything random follows from it.
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
        for name, bounds in STACK_BOUNDS.items():
            object.__setattr__(self, name, bounds.check(name, getattr(self, name)))
        for name, bounds in (("maps", MAPS), ("kernels", KERNEL)):
            values = tuple(bounds.check(name, value) for value in getattr(self, name))
            object.__setattr__(self, name, values)

    @property
    def layers(self) -> int:
        """How many there are."""
        return len(self.maps)

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain JSON values."""
        values = dataclasses.asdict(self)
        return values | {"maps": list(self.maps), "kernels": list(self.kernels)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> StackConfig:
        """The inverse of `to_dict`; unknown settings are a ValueError naming the nearest known one."""
        names = {f.name: f for f in dataclasses.fields(cls)}
        for name in values:
            lookup(names, "setting", name)
        return cls(**values)


STACK_BOUNDS: dict[str, Bounds] = {
    f.name: f.metadata["bounds"] for f in dataclasses.fields(StackConfig) if "bounds" in f.metadata
}
"""Bounds of each numeric setting of `StackConfig`; those that a run has too mean the same there."""


def sides(config: StackConfig, image_shape: tuple[int, int, int]) -> list[tuple[int, int]]:
    """Height and width of the maps after each layer, as far as the layers can be built."""
    sizes, (height, width) = [], image_shape[:2]
    for _ in range(config.layers):
        if config.pooling:
            if height % 2 or width % 2:
                break
            height, width = height // 2, width // 2
        sizes.append((height, width))
    return sizes


def code_size(config: StackConfig, image_shape: tuple[int, int, int]) -> int:
    """How many numbers the last layer's maps have together."""
    height, width = sides(config, image_shape)[-1]
    return height * width * config.maps[-1]


def check(config: StackConfig) -> None:
    """A ValueError naming what is wrong with a configuration and what would work, before anything is loaded or built."""
    entry = lookup(DATASETS, "dataset", config.dataset)
    lookup(OPTIMIZERS, "optimizer", config.optimizer)
    lookup(NOISE_KINDS, "noise kind", config.noise_kind)
    if not 1 <= config.layers <= MOST_LAYERS:
        raise ValueError(f"There are {config.layers} layers; a stack has 1 to {MOST_LAYERS}.")
    if len(config.kernels) != config.layers:
        raise ValueError(
            f"maps are of {config.layers} layers and kernels of {len(config.kernels)}: give one of each for every layer."
        )
    if even := [kernel for kernel in config.kernels if kernel % 2 == 0]:
        raise ValueError(
            f"A kernel is {even[0]} pixels wide; it must be odd, to have a middle: choose {even[0] - 1} or {even[0] + 1}."
        )
    _check_depth(config, entry.image_shape)
    classes = len(entry.class_names)
    if config.labels < classes:
        raise ValueError(
            f"labels is {config.labels}, but {entry.label} has {classes} classes: a class without a labelled image cannot "
            f"be learnt. Give at least {classes} labels, one for each class."
        )
    most = num_images(config)
    if config.labels > most:
        raise ValueError(
            f"labels is {config.labels}, but there are only {most} training images: set labels to at most {most}, or "
            "num_train higher."
        )


def _check_depth(config: StackConfig, image_shape: tuple[int, int, int]) -> None:
    height, width = image_shape[:2]
    sizes = sides(config, image_shape)
    if len(sizes) < config.layers:
        left = sizes[-1] if sizes else (height, width)
        raise ValueError(
            f"{config.layers} layers with max-pooling are too deep for images of {height} × {width} pixels: after "
            f"{len(sizes)} the maps are {left[0]} × {left[1]}, which cannot be halved. Use {len(sizes) or 'no'} "
            f"layer{'s' * (len(sizes) != 1)}, or no pooling."
        )
    reads = [(height, width), *sizes[:-1]]
    for number, (kernel, side) in enumerate(zip(config.kernels, reads, strict=True), 1):
        if kernel > min(side):
            raise ValueError(
                f"The kernels of layer {number} are {kernel} × {kernel} pixels, and the maps it reads {side[0]} × "
                f"{side[1]}: choose kernels of at most {min(side) - 1 + min(side) % 2}, or fewer layers."
            )


def fitting(config: StackConfig) -> StackConfig:
    """The configuration with layers, kernels, images and labels that can work together; its names must be known."""
    entry = DATASETS[config.dataset]
    height, width = entry.image_shape[:2]
    layers = min(max(1, len(sides(config, entry.image_shape))), len(config.kernels))
    kernels = []
    for number in range(layers):
        most = min(height, width) // (2**number if config.pooling else 1)
        kernels.append(max(1, min(config.kernels[number] - 1 + config.kernels[number] % 2, most - 1 + most % 2)))
    return dataclasses.replace(
        config,
        labels=max(len(entry.class_names), min(config.labels, num_images(config))),
        maps=config.maps[:layers],
        kernels=(min(kernels),) * layers if len(set(config.kernels)) == 1 else tuple(kernels),
        pooling=config.pooling and bool(sides(config, entry.image_shape)),
    )


def num_images(config: StackConfig) -> int:
    """Training images that the layers learn from, as far as that is known without loading them."""
    return min(config.num_train, training.most_images(config.dataset))
