"""Which runs are compared: the recipe of each, and of what ships."""

from collections.abc import Callable, Mapping
from typing import Any

from cae_core.architectures import ARCHITECTURES
from cae_core.config import SHIPPED_LOSSES, RunConfig
from cae_core.pretrained import COLOUR_NETWORKS, colour_config

RACERS = ("conv_denoise", "conv_unpool", "conv_transpose", "conv_transpose_even", "conv_resize")
"""Networks whose decoders make the image larger in five ways. All take any loss and have a code of a fixed size."""
BETAS = (0.0, 0.1, 1.0, 4.0, 10.0)
"""Weights of the KL term that are compared; with none nothing presses the clouds into one shape, or keeps them wide."""
SIZES = {
    "race": {"num_train": 2_000, "epochs": 3},
    "losses": {"num_train": 2_000, "epochs": 3},
    "sparsity": {"num_train": 5_000, "epochs": 6},
    "colouring": {"num_train": 2_000, "epochs": 4},
    "beta": {"num_train": 10_000, "epochs": 6},
}
"""Images and epochs of the runs that each comparison opens with."""
WIDE, FIRST_K, PENALTY = 1000, 100, 0.1
"""Units of a k-sparse code, how many stay at first where k falls, and the L1 penalty on all of them beside it."""
_Recipe = tuple[list[RunConfig], list[RunConfig]]


def race_config(architecture: str, **settings: Any) -> RunConfig:
    """A run of the decoder race. With MSE three of the five get stuck in black, which is another comparison's lesson."""
    recipe = {"loss": "bce", "optimizer": "adam", "learning_rate": 0.003, "schedule": "one_cycle", "batch_size": 50}
    return RunConfig(architecture=architecture, **{**SIZES["race"], **recipe, **settings})


def loss_config(loss: str, **settings: Any) -> RunConfig:
    """A run that is held against the same one with the other loss."""
    recipe = {"architecture": "conv_denoise", "learning_rate": 0.003, "batch_size": 50}
    return RunConfig(loss=loss, **{**SIZES["losses"], **recipe, **settings})


def sparse_config(sparsity: float, output: str = "sigmoid", **settings: Any) -> RunConfig:
    """A run whose code costs something."""
    recipe = {
        "architecture": "dense", "loss": "mse", "bottleneck": 64, "optimizer": "adam", "learning_rate": 0.003,
        "schedule": "one_cycle", "batch_size": 50,
    }  # fmt: skip
    return RunConfig(sparsity=sparsity, output=output, **{**SIZES["sparsity"], **recipe, **settings})


def k_config(k: int, k_start: int, **settings: Any) -> RunConfig:
    """A run of a wide code of which k numbers stay; of `WIDE`, all of them."""
    wide = {"architecture": "k_sparse", "bottleneck": WIDE, "k": k, "k_start": k_start, "learning_rate": 0.001}
    return sparse_config(**{"sparsity": 0.0, "output": "linear", **wide, **settings})


def beta_config(beta: float, architecture: str = "vae", **settings: Any) -> RunConfig:
    """A variational network with a KL term of this weight, of two numbers, so that its codes are a plane."""
    recipe = {**ARCHITECTURES[architecture].published, "bottleneck": 2, **SIZES["beta"]}
    return RunConfig(architecture=architecture, beta=beta, **{**recipe, **settings})


def _race(dataset: str) -> _Recipe:
    noise = {"noise_kind": "gaussian", "noise_factor": 0.5}
    longer = [race_config(name, dataset=dataset, epochs=8) for name in ("conv_transpose", "conv_resize")]
    noisy = [race_config(name, dataset=dataset, **noise) for name in ("conv_denoise", "conv_unpool")]
    return [race_config(name, dataset=dataset) for name in RACERS], [*longer, *noisy]


def _losses(dataset: str) -> _Recipe:
    others = [{"architecture": "fast"}, {"architecture": "fast", "learning_rate": 0.01}]
    pairs = [[loss_config(loss, dataset=dataset, **other) for loss in SHIPPED_LOSSES] for other in ({}, *others)]
    return pairs[0], sum(pairs[1:], [])


def _sparsity(dataset: str) -> _Recipe:
    weights = [sparse_config(weight, dataset=dataset) for weight in (0.0, 0.001, 0.005)]
    bce = [sparse_config(weight, dataset=dataset, loss="bce") for weight in (0.0, 0.001, 0.005)]
    fast = [sparse_config(weight, dataset=dataset, architecture="fast", epochs=2) for weight in (0.0, 0.003, 0.03)]
    largest = [k_config(*ks, dataset=dataset) for ks in ((10, FIRST_K), (40, FIRST_K), (10, 0))]
    largest.append(k_config(WIDE, 0, sparsity=PENALTY, dataset=dataset))
    return [*weights, sparse_config(0.005, "linear", dataset=dataset), *largest], [
        sparse_config(0.1, dataset=dataset), *bce, *fast
    ]  # fmt: skip


def _colouring(dataset: str) -> _Recipe:
    return [colour_config(dataset, name, "mse", **SIZES["colouring"]) for name in COLOUR_NETWORKS], []


KINDS: Mapping[str, tuple[Callable[[str], _Recipe], tuple[str, ...]]] = {
    "race": (_race, ("strokes", "mnist")),
    "losses": (_losses, ("strokes", "mnist")),
    "sparsity": (_sparsity, ("strokes", "mnist")),
    "colouring": (_colouring, ("strokes_colour", "cifar10")),
    "beta": (lambda dataset: ([beta_config(beta, dataset=dataset) for beta in BETAS], []), ("strokes", "mnist")),
}
"""What is compared: on a data set the runs that it opens with, and those of the page's questions; and the data sets that it
ships for, the first of which is on every machine, with the questions' runs."""


def _shipped(kind: str) -> dict[str, list[RunConfig]]:
    recipe, datasets = KINDS[kind]
    opening = {f"{kind}-{dataset}": recipe(dataset)[0] for dataset in datasets}
    opening[f"{kind}-{datasets[0]}"] += recipe(datasets[0])[1]
    return opening


SHIPPED = {name: configs for kind in KINDS for name, configs in _shipped(kind).items()}
"""The runs of each file in `pretrained/`, such as "race-strokes"."""
