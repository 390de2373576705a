"""Settings of the Stacked page, and the configuration of the stack that they make."""

from collections.abc import Mapping
from typing import Any

from cae_core import datasets
from cae_core.config import ARMS, MOST_LAYERS, STACK_BOUNDS, Bounds, StackConfig
from cae_core.corruptions import NOISE_KINDS
from cae_core.optimizers import OPTIMIZERS
from pages.parts.session.setting import Names, Setting

VIEWS = {"curve": "The label curve", "mine": "Your stack"}
LABELS = (100, 300, 1_000, 10_000, 55_000)


FIELDS = {
    "dataset": "dataset", "pooling": "pooling", "labels": "labels", "stack_images": "num_train", "stack_epochs": "epochs",
    "stack_rate": "learning_rate", "tuning_steps": "steps", "tuning_rate": "tuning_rate", "stack_batch": "batch_size",
    "stack_optimizer": "optimizer", "hidden": "hidden", "dropout": "dropout", "stack_seed": "seed",
}  # fmt: skip
"""What a setting is called in the configuration, where it stands there as it is."""


def settings() -> dict[str, Setting]:
    """Every setting, by the name of its widget; made anew each time, for a data set that was downloaded opens the page."""
    choices = {"dataset": datasets.GREY, "pooling": (True, False), "optimizer": tuple(OPTIMIZERS)}
    first = StackConfig(dataset=datasets.default())
    return {
        "stack_view": Setting("curve", tuple(VIEWS)),
        "stack": Setting((), Names(1)),
        "layers": Setting(first.layers, Bounds(1, MOST_LAYERS, integer=True)),
        "maps": Setting(first.maps[0], Bounds(1, 64, integer=True)),
        "kernel": Setting(first.kernels[0], (3, 5, 7, 9)),
        "stack_noise": Setting(0.0, STACK_BOUNDS["noise_factor"]),
        "stack_noise_kind": Setting("gaussian", tuple(kind for kind in NOISE_KINDS if kind != "none")),
        **{key: Setting(getattr(first, name), choices.get(name) or STACK_BOUNDS[name]) for key, name in FIELDS.items()},
        "point": Setting(1_000, LABELS),
        "arm": Setting("pretrained", tuple(ARMS)),
    }


def config_of(now: Mapping[str, Any]) -> StackConfig:
    """The stack that the settings of now would train."""
    return StackConfig(
        maps=(now["maps"],) * now["layers"], kernels=(now["kernel"],) * now["layers"],
        noise_kind=now["stack_noise_kind"] if now["stack_noise"] else "none", noise_factor=now["stack_noise"],
        **{name: now[key] for key, name in FIELDS.items()},
    )  # fmt: skip
