"""Presets of the Train page: runs to try, each a lesson."""

import dataclasses

from cae_core import datasets
from cae_core.config import RunConfig
from pages.parts.common.experiment import Experiment

FIRST = RunConfig(
    num_train=10_000, architecture="fast", bottleneck=32, loss="bce", noise_kind="gaussian", noise_factor=0.5,
    optimizer="muon", learning_rate=0.01, schedule="one_cycle", epochs=3, batch_size=64,
)  # fmt: skip
"""What the page opens with: learns something worth seeing in a few seconds on two cores."""


def opening() -> RunConfig:
    """`FIRST` on the data set that the page opens with."""
    return dataclasses.replace(FIRST, dataset=datasets.default())


def _settings(**changes) -> dict:
    """Every setting of a run but its data set, which stays as the visitor chose it."""
    settings = {**FIRST.to_dict(), **changes}
    del settings["dataset"]
    return {**settings, "fork": (), "fork_step": 0}


PRESETS: dict[str, Experiment] = {
    "first_steps": Experiment(
        "First steps",
        _settings(),
        "Press *Train this network*. Grey fog turns into digits within the first epoch: blurred ones that are much "
        "alike, then each its own. The network is never told what a digit is, only how far its answer is from the "
        "clean image.",
    ),
    "two_numbers": Experiment(
        "Two numbers",
        _settings(bottleneck=2, noise_kind="none", epochs=4),
        "Each image has to pass through two numbers, so the plane at the right is the whole code. Watch the cloud "
        "unfold: nobody tells the network which digit is which, and still digits of one kind come to lie together.",
    ),
    "by_heart": Experiment(
        "Learning by heart",
        _settings(num_train=100, bottleneck=64, noise_kind="none", epochs=40, batch_size=10, learning_rate=0.003),
        "One hundred images, seen forty times. The training loss goes on falling while the held-out loss stops and "
        "turns up: the network knows its hundred images better and better, and other images worse. That is "
        "**overfitting**.",
    ),
    "no_bottleneck": Experiment(
        "No bottleneck",
        _settings(architecture="conv_denoise", noise_kind="none", epochs=1, learning_rate=0.02),
        "The code of this network has twice as many numbers as the image, so it may simply copy: after one epoch "
        "the copy is nearly perfect, and nothing had to be learned about digits. Set the noise kind to Gaussian, "
        "and it has to.",
    ),
    "too_large_steps": Experiment(
        "Steps too large",
        _settings(optimizer="adam", learning_rate=0.3, schedule="constant"),
        "Every step overshoots, the next one from further away, until the loss explodes: the run ends by itself "
        "within seconds and says what to try. A hundredth of this learning rate works well.",
    ),
}
