"""The networks, by name. A new one is a file with a `build` and its `ENTRIES`, and a line in `registry.FILES`.

`build(config, image_shape)` returns an `Autoencoder`. The decoder ends in logits; the reconstruction is their sigmoid,
or the logits themselves where the run asks for a linear decoder.
"""

import dataclasses
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from cae_core.architectures.entry import Architecture
from cae_core.architectures.network import Network, NumpyNetwork
from cae_core.architectures.registry import ARCHITECTURES
from cae_core.colours import luma
from cae_core.config import DEFAULTS, RunConfig, lookup
from cae_core.datasets import DATASETS
from cae_core.losses import LOSSES
from cae_core.runtime import keras_settings

if TYPE_CHECKING:
    from cae_core.architectures.autoencoder import Autoencoder

OWN_SETTINGS = {
    "variational": (
        ("beta", "beta_warmup"),
        "the loss of {} has no KL term, for its codes are numbers and no distributions",
    ),
    "keeps_k": (("k", "k_start", "alpha"), "{} lets all numbers of its code pass"),
}
"""By a field of `Architecture`, the settings that only networks with it take, and why others do not; for these they have
their defaults."""

USUAL_K = 25
"""How many of at least as many numbers stay where nothing else is said."""

building = threading.Lock()
"""Held while a network is built: Keras builds one at a time."""


def suit(architecture: str, dataset: str) -> bool:
    """Whether a network can be trained on a data set: one that colours grey images on colour, every other on grey."""
    in_colour = lookup(DATASETS, "dataset", dataset).image_shape[2] == 3
    return in_colour == (lookup(ARCHITECTURES, "architecture", architecture).sees == "grey")


def suited(dataset: str) -> tuple[str, ...]:
    """The networks that can be trained on a data set."""
    return tuple(name for name in ARCHITECTURES if suit(name, dataset))


def seen(architecture: str, x: Any) -> Any:
    """What a network is shown of images before any noise: their luma if it colours grey ones, else the images.

    Args:
        architecture: a name in `ARCHITECTURES`.
        x: `(n, H, W, C)` floats in [0, 1], a NumPy array or a tensor; images that are grey stay as they are.
    """
    sees_grey = lookup(ARCHITECTURES, "architecture", architecture).sees == "grey"
    return luma(x) if sees_grey and x.shape[-1] == 3 else x


def check(config: RunConfig) -> None:
    """A ValueError naming a setting that the configuration's network cannot take, and what would work."""
    entry = lookup(ARCHITECTURES, "architecture", config.architecture)
    if not suit(config.architecture, config.dataset):
        able = " or ".join(repr(name) for name in DATASETS if suit(config.architecture, name))
        others = " or ".join(map(repr, suited(config.dataset)[:2]))
        kinds = ("grey", "colours grey ones") if entry.sees == "grey" else ("in colour", "takes grey ones")
        raise ValueError(
            f"dataset is {config.dataset!r}, whose images are {kinds[0]}, and {config.architecture} {kinds[1]}: "
            f"set dataset to {able}, or architecture to {others}."
        )
    for setting, values in entry.takes.items():
        given = getattr(config, setting)
        if given not in values:
            raise ValueError(
                f"{setting} is {given!r}, which {config.architecture} does not take: set it to "
                f"{' or '.join(map(repr, values))}, or choose another architecture."
            )
    _check_own_settings(config, entry)
    _check_k(config, entry)
    if config.pretraining and not entry.stages:
        able = ", ".join(name for name, other in ARCHITECTURES.items() if other.stages)
        raise ValueError(
            f"pretraining is {config.pretraining}, but {config.architecture} has no layers that can be trained alone: "
            f"set it to 0, or choose one of {able}."
        )
    if config.pretraining_kind == "rbm" and not config.pretraining:
        raise ValueError(
            "pretraining_kind is 'rbm', but pretraining is 0, so no layer would be trained alone: set pretraining to the "
            "epochs of each, such as 10, or pretraining_kind to 'autoencoder'."
        )
    if config.pretraining_kind == "rbm" and config.output != "sigmoid":
        raise ValueError(
            f"pretraining_kind is 'rbm', whose visible units are probabilities, and output is {config.output!r}: set "
            "output to 'sigmoid', or pretraining_kind to 'autoencoder'."
        )


def idle_settings(entry: Architecture) -> dict[str, Any]:
    """The settings that a network does not take, with the values that they have for it."""
    idle = [setting for kind, (settings, _) in OWN_SETTINGS.items() if not getattr(entry, kind) for setting in settings]
    return {setting: getattr(DEFAULTS, setting) for setting in idle}


def _able(kind: str) -> str:
    return ", ".join(name for name, entry in ARCHITECTURES.items() if getattr(entry, kind))


def _check_own_settings(config: RunConfig, entry: Architecture) -> None:
    """A ValueError if a network is given a setting that is about another kind."""
    for setting, value in idle_settings(entry).items():
        if getattr(config, setting) != value:
            kind, why = next((kind, why) for kind, (settings, why) in OWN_SETTINGS.items() if setting in settings)
            raise ValueError(
                f"{setting} is {getattr(config, setting):g}, but {why.format(config.architecture)}: "
                f"set it to {value:g}, or choose one of {_able(kind)}."
            )
    if LOSSES[config.loss].has_kl and not entry.variational:
        raise ValueError(
            f"loss is {config.loss!r}, whose KL term needs a code that is a distribution, and {config.architecture}'s are "
            f"numbers: set loss to 'bce', or choose one of {_able('variational')}."
        )


def _check_k(config: RunConfig, entry: Architecture) -> None:
    """A ValueError if the code of a network that keeps its k largest numbers is narrower than that, or k is not known."""
    if not entry.keeps_k:
        return
    size, k, k_start = config.bottleneck, config.k, config.k_start
    if not 1 <= k <= size:
        raise ValueError(
            f"k is {k}, and the code has {size} numbers (bottleneck), of which the k largest stay: set k to a whole number "
            f"from 1 to {size}" + (f", or bottleneck to at least {k}." if k else ".")
        )
    if k_start and not k <= k_start <= size:
        raise ValueError(
            f"k_start is {k_start}, from where k falls to {k} in a code of {size} numbers: set it to a whole number from "
            f"{k} to {size}, or to 0 for the same k from the first step on."
        )


def fitting(config: RunConfig) -> RunConfig:
    """The configuration, with what its network does not take replaced by something that it does."""
    entry = lookup(ARCHITECTURES, "architecture", config.architecture)
    config = dataclasses.replace(config, **idle_settings(entry))
    if not entry.variational and config.loss in LOSSES and LOSSES[config.loss].has_kl:
        config = dataclasses.replace(config, loss=DEFAULTS.loss)
    if entry.keeps_k:
        k = min(config.k or USUAL_K, config.bottleneck)
        config = dataclasses.replace(config, k=k, k_start=config.k_start and min(max(k, config.k_start), config.bottleneck))
    changes = {setting: values[0] for setting, values in entry.takes.items() if getattr(config, setting) not in values}
    if not suit(config.architecture, config.dataset):
        always_there = [name for name, entry in DATASETS.items() if not entry.download]
        changes["dataset"] = next(name for name in always_there if suit(config.architecture, name))
    config = dataclasses.replace(config, **changes, **({} if entry.stages else {"pretraining": 0}))
    as_machines = config.pretraining and config.output == "sigmoid"
    return config if as_machines else dataclasses.replace(config, pretraining_kind=DEFAULTS.pretraining_kind)


def published(name: str) -> RunConfig:
    """A run as the network was published, on MNIST unless it needs colour; what its source leaves open is chosen here."""
    return RunConfig(architecture=name, **{"dataset": "mnist", **lookup(ARCHITECTURES, "architecture", name).published})


def build(config: RunConfig, image_shape: tuple[int, int, int] | None = None) -> "Autoencoder":
    """The untrained network of a configuration.

    Args:
        config: what to build.
        image_shape: `(H, W, C)` of the images it gives; without, those of the configuration's data set.

    Raises:
        ValueError: the architecture is unknown, or cannot take this image size or one of the settings.

    Example:
        >>> from cae_core.architectures import build
        >>> from cae_core.config import RunConfig
        >>> network = build(RunConfig(architecture="dense", bottleneck=2), (28, 28, 1))
        >>> network.image_shape, network.code_shape
        ((28, 28, 1), (2,))
    """
    check(config)
    image_shape = image_shape or DATASETS[config.dataset].image_shape
    with building:
        keras_settings.load()  # nobody gets at a network without
        return lookup(ARCHITECTURES, "architecture", config.architecture).make(config, image_shape)


def restore(config: RunConfig, image_shape: tuple[int, int, int], weights: Mapping[str, np.ndarray]) -> Network:
    """A trained network to look at: in NumPy where its file says how, which needs no TensorFlow, else in Keras.

    Args:
        config: what was trained.
        image_shape: `(H, W, C)` of the images it gives.
        weights: every weight by its name.

    Raises:
        ValueError: the weights are not this network's, or it cannot take this image size.
    """
    entry = lookup(ARCHITECTURES, "architecture", config.architecture)
    if entry.forward:
        input_shape = (*image_shape[:2], 1) if entry.sees == "grey" else image_shape
        return NumpyNetwork(entry.forward, image_shape, input_shape, weights, config, entry.variational)
    network = build(config, image_shape)
    network.set_weights(weights)
    return network


def num_epochs(config: RunConfig) -> int:
    """Epochs of the whole run: those in which one layer is trained alone, and those of the whole network."""
    return config.pretraining * ARCHITECTURES[config.architecture].stages + config.epochs


def layer_alone(config: RunConfig, epoch: int) -> int | None:
    """Which pair of layers is trained alone in an epoch, both counted from 0; None where the whole network is."""
    number = epoch // config.pretraining if config.pretraining else None
    return number if number is not None and number < ARCHITECTURES[config.architecture].stages else None
