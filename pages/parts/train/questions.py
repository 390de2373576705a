"""Questions of the Train page: runs to try, each a lesson."""

import dataclasses

from cae_core import datasets
from cae_core.config import RunConfig
from pages.parts.lesson.question import questions_of

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


QUESTIONS = questions_of(
    "train",
    first_steps=_settings(),
    cloud_unfolds=_settings(bottleneck=2, noise_kind="none", epochs=4),
    clouds=_settings(architecture="vae", loss="elbo", bottleneck=2, noise_kind="none", epochs=4),
    by_heart=_settings(num_train=100, bottleneck=64, noise_kind="none", epochs=40, batch_size=10, learning_rate=0.003),
    no_bottleneck=_settings(architecture="conv_denoise", noise_kind="none", epochs=1, learning_rate=0.02),
    too_large_steps=_settings(optimizer="adam", learning_rate=0.3, schedule="constant"),
)
