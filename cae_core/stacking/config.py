"""Checks of a stack's configuration against the images there are, and the nearest one that works. Loads no Keras."""

import dataclasses

from cae_core import training
from cae_core.config import StackConfig
from cae_core.datasets import DATASETS
from cae_core.validation import check_stack, sides


def check(config: StackConfig) -> None:
    """A ValueError naming what is wrong with a configuration and what would work, before anything is loaded or built."""
    check_stack(config)
    most = num_images(config)
    if config.labels > most:
        raise ValueError(
            f"labels is {config.labels}, but there are only {most} training images: set labels to at most {most}, or "
            "num_train higher."
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
