"""Validation of a configuration, of a network or a stack: the choices of each setting, and which work together."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from cae_core import architectures
from cae_core.architectures import ARCHITECTURES
from cae_core.config import MOST_LAYERS, OUTPUTS, PRETRAINING_KINDS, RunConfig, StackConfig, lookup
from cae_core.corruptions import NOISE_KINDS
from cae_core.datasets import DATASETS
from cae_core.losses import LOSSES, loss_of
from cae_core.optimizers import OPTIMIZERS, SCHEDULES

CHOICES: dict[str, Mapping[str, Any]] = {
    "dataset": DATASETS,
    "architecture": ARCHITECTURES,
    "loss": LOSSES,
    "output": dict.fromkeys(OUTPUTS),
    "pretraining_kind": PRETRAINING_KINDS,
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


def check_stack(config: StackConfig) -> None:
    """The same of a stack's, with what would work; whether there are as many images is not asked."""
    entry = lookup(DATASETS, "dataset", config.dataset)
    lookup(OPTIMIZERS, "optimizer", config.optimizer)
    lookup(NOISE_KINDS, "noise kind", config.noise_kind)
    if not 1 <= config.layers <= MOST_LAYERS:
        raise ValueError(f"There are {config.layers} layers; a stack has 1 to {MOST_LAYERS}.")
    if len(config.kernels) != config.layers:
        raise ValueError(
            f"maps has {config.layers} numbers and kernels {len(config.kernels)}: give one of each for every layer."
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
