"""Settings of the Stacked page, and the configuration of the stack that they make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cae_core import datasets
from cae_core.config import ARMS, MOST_LAYERS, STACK_BOUNDS, Bounds, StackConfig
from cae_core.corruptions import NOISE_KINDS
from cae_core.optimizers import OPTIMIZERS
from pages.parts.session.setting import Names, Setting

VIEWS = {"curve": "The label curve", "mine": "Your stack"}
LABELS = (100, 300, 1_000, 10_000, 55_000)
FIRST = StackConfig()


def settings() -> dict[str, Setting]:
    """Every setting, by the name of its widget; made anew each time, for a data set that was downloaded opens the page."""
    return {
        "stack_view": Setting("curve", tuple(VIEWS)),
        "stack": Setting((), Names(1)),
        "dataset": Setting(datasets.default(), datasets.GREY),
        "layers": Setting(FIRST.layers, Bounds(1, MOST_LAYERS, integer=True)),
        "maps": Setting(FIRST.maps[0], Bounds(1, 64, integer=True)),
        "kernel": Setting(FIRST.kernels[0], (3, 5, 7, 9)),
        "pooling": Setting(FIRST.pooling, (True, False)),
        "stack_noise": Setting(0.0, STACK_BOUNDS["noise_factor"]),
        "stack_noise_kind": Setting("gaussian", tuple(kind for kind in NOISE_KINDS if kind != "none")),
        "labels": Setting(FIRST.labels, STACK_BOUNDS["labels"]),
        "stack_images": Setting(FIRST.num_train, STACK_BOUNDS["num_train"]),
        "stack_epochs": Setting(FIRST.epochs, STACK_BOUNDS["epochs"]),
        "stack_rate": Setting(FIRST.learning_rate, STACK_BOUNDS["learning_rate"]),
        "tuning_steps": Setting(FIRST.steps, STACK_BOUNDS["steps"]),
        "tuning_rate": Setting(FIRST.tuning_rate, STACK_BOUNDS["tuning_rate"]),
        "stack_batch": Setting(FIRST.batch_size, STACK_BOUNDS["batch_size"]),
        "stack_optimizer": Setting(FIRST.optimizer, tuple(OPTIMIZERS)),
        "hidden": Setting(FIRST.hidden, STACK_BOUNDS["hidden"]),
        "dropout": Setting(FIRST.dropout, STACK_BOUNDS["dropout"]),
        "stack_seed": Setting(FIRST.seed, STACK_BOUNDS["seed"]),
        "point": Setting(1_000, LABELS),
        "arm": Setting("pretrained", tuple(ARMS)),
    }


def config_of(now: Mapping[str, Any]) -> StackConfig:
    """The stack that the settings of now would train."""
    return StackConfig(
        dataset=now["dataset"], num_train=now["stack_images"], labels=now["labels"], maps=(now["maps"],) * now["layers"],
        kernels=(now["kernel"],) * now["layers"], pooling=now["pooling"],
        noise_kind=now["stack_noise_kind"] if now["stack_noise"] else "none", noise_factor=now["stack_noise"],
        epochs=now["stack_epochs"], batch_size=now["stack_batch"], learning_rate=now["stack_rate"],
        steps=now["tuning_steps"], tuning_rate=now["tuning_rate"], optimizer=now["stack_optimizer"], hidden=now["hidden"],
        dropout=now["dropout"], seed=now["stack_seed"],
    )  # fmt: skip
