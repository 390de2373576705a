"""MNIST with its test images among the training images: of figures that were published so, and of nothing else."""

from dataclasses import replace

import numpy as np

from cae_core import datasets
from cae_core.datasets import mnist
from cae_core.datasets.entry import Split


def _load(split: str) -> Split:
    test = datasets.DATASETS["mnist"].load("test")
    if split == "test":
        return test
    train = datasets.DATASETS["mnist"].load("train")  # last, so that the same images are held out
    return Split(np.concatenate([test.x, train.x]), np.concatenate([test.y, train.y]))


ENTRY = replace(
    mnist.ENTRY,
    label="MNIST, test images too",
    summary="MNIST with its 10,000 test images among the training images: for published figures, no test of a network.",
    num_train=70_000,
    load=_load,
    on_machine=lambda: datasets.DATASETS["mnist"].on_machine(),
    in_keras=False,
    knows_test=True,
)
