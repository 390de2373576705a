"""Experiments of the Stacked page."""

from __future__ import annotations

from pages.parts.common.experiment import Experiment

SMALL = {
    "stack_view": "mine", "layers": 2, "maps": 12, "kernel": 5, "pooling": True, "stack_noise": 0.0, "labels": 100,
    "stack_images": 5_000, "stack_epochs": 1, "tuning_steps": 150, "stack_rate": 0.005, "tuning_rate": 0.004,
    "stack_batch": 25, "stack_optimizer": "adam", "hidden": 100, "dropout": 0.5, "stack_seed": 0,
}  # fmt: skip

EXPERIMENTS: dict[str, Experiment] = {
    "copy": Experiment(
        "A layer that only copies",
        SMALL | {"layers": 1, "pooling": False},
        "Without max-pooling a layer has twelve numbers for every pixel, and nothing forces it to find strokes: it comes "
        "to copy. Press *Train this stack*, then turn pooling on and train again: the pictures get worse, and "
        "that is the point.",
    ),
    "deep": Experiment(
        "Down through three layers",
        SMALL | {"layers": 3, "kernel": 3, "pooling": False, "maps": 8},
        "What layer 3 keeps goes down through all three ways back. Each row is a little worse than the one above it, for "
        "each layer only ever saw the one below. With pooling, three layers are one too many for 28 pixels: try it.",
    ),
    "noise": Experiment(
        "Layers that remove noise",
        SMALL | {"stack_noise": 0.5, "stack_noise_kind": "gaussian"},
        "Every layer sees what those below make of a noisy image, and aims at what they make of the clean one. The row "
        "through layer 1 is nearer to the clean images than the noisy one is.",
    ),
    "few": Experiment(
        "One label a class",
        SMALL | {"labels": 10},
        "Ten labelled images, and both classifiers misread more than three of ten others, however good the features "
        "are: with one example of each class nothing says which differences matter.",
    ),
}
