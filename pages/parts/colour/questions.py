"""Questions of the Colour page."""

from collections.abc import Mapping
from typing import Any

from cae_core import runs
from cae_core.config import SHIPPED_LOSSES
from cae_core.losses import LOSSES
from cae_core.pretrained import colour_name
from pages.parts.common import show
from pages.parts.lesson.question import questions_of

_SHIPPED = {"colour_run": (), "seed": 0}


def _figures(name: str, loss: str, dataset: str, chain: str = "colorize") -> float:
    """A figure of the shipped network, over the test set as it was measured when the network was trained."""
    return runs.network(colour_name(dataset, chain, loss)).metrics["clean"][name]


def _read_to_colour(now: Mapping[str, Any]) -> str:
    shares = [(_figures("hue_near", loss, "strokes_colour"), LOSSES[loss].label) for loss in SHIPPED_LOSSES]
    return " and ".join(f"{show.percent(share, 1)} with {label}" for share, label in shares)


def _as_listed(now: Mapping[str, Any]) -> str:
    chains = ("colorize_listing", "colorize")
    listed, meant = (show.percent(_figures("hue_near", "mse", "strokes_colour", chain), 1) for chain in chains)
    return f"{listed} of the hues are right with MSE; as meant {meant}"


def _pale_photographs(now: Mapping[str, Any]) -> str:
    network, mean, grey = (_figures(name, "mse", "cifar10") for name in ("chroma", "chroma_mean", "chroma_grey"))
    return f"chroma error {network:.5f}; of the mean colours {mean:.5f}, of grey {grey:.5f}"


def _listed_photographs(now: Mapping[str, Any]) -> str:
    listed, meant = (_figures("chroma", "mse", "cifar10", chain) for chain in ("colorize_listing", "colorize"))
    return f"{listed / meant:.2f} times: chroma error {listed:.5f} and {meant:.5f} over the test set, with MSE"


QUESTIONS = questions_of(
    "colour",
    {
        "read_to_colour": _read_to_colour,
        "as_listed": _as_listed,
        "pale_photographs": _pale_photographs,
        "listed_photographs": _listed_photographs,
    },
    read_to_colour={"dataset": "strokes_colour", "chain": "colorize", **_SHIPPED},
    as_listed={"dataset": "strokes_colour", "chain": "colorize_listing", **_SHIPPED},
    pale_photographs={"dataset": "cifar10", "chain": "colorize", **_SHIPPED},
    listed_photographs={"dataset": "cifar10", "chain": "colorize_listing", **_SHIPPED},
)
