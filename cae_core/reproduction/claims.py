"""Claims of a paper or page, and the verdict on a measured value."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from cae_core.config import RunConfig

UNITS = {
    "mse": "MSE per pixel", "bce": "BCE in nats per pixel", "squared_error": "squared error per image",
    **dict.fromkeys(("elbo", "distortion", "rate", "bound", "running"), "nats per image"),
    "misread": "share of images that a linear classifier of the codes misreads, %",
    "misread_pixels": "the same of the pixels, %",
}  # fmt: skip
ORIGINS = {"published": "published", "measured": "measured here", "bar": "to be met"}
"""Whose a figure is, in words: somebody else published it; or it is this project's own, measured another way, or a bar."""


@dataclass(frozen=True)
class Claim:
    """One figure.

    A published figure counts once, for the run that is nearest to its source's settings; what else is tried at it has it as
    a bar.

    Attributes:
        label: what is measured, in a few words.
        run: name in its card's `runs`.
        figure: what it is held against; None for nothing, or another claim.
        origin: whose the figure is, a key of `ORIGINS`; "" without one.
        metric: "mse", "bce" (both per pixel) or "squared_error" (per image); of variational networks, in nats per image,
            "distortion" and "rate", "elbo", their sum, or "bound", what is left of it with many codes drawn for an image;
            or "running", the loss of the last epoch's steps while it was trained, on the images it was trained on; or
            "misread" and "misread_pixels", the error of a linear classifier.
        noise: kind and factor of the noise on the test images.
        epoch: after which epoch; None for the end.
        below: label of another claim of the card that this one has to be less than, "" for none.
    """

    label: str
    run: str
    figure: float | None = None
    origin: str = ""
    metric: str = "mse"
    noise: tuple[str, float] = ("none", 0.0)
    epoch: int | None = None
    below: str = ""

    def __post_init__(self) -> None:
        if self.figure is None and self.origin or self.figure is not None and self.origin not in ORIGINS:
            raise ValueError(f"The figure {self.figure} of {self.label!r} is of {self.origin!r}: say {', '.join(ORIGINS)}.")

    @property
    def is_published(self) -> bool:
        """Whether somebody else published what it is held against."""
        return self.origin == "published"

    @property
    def is_judged(self) -> bool:
        """Whether there is anything to hold it against."""
        return bool(self.below) or self.figure is not None


@dataclass(frozen=True)
class Card:
    """One line of `reproductions.CARDS`.

    Attributes:
        label: what it is about.
        source: where the figures are from.
        claims: what is measured.
        runs: what is trained, by name, with the first seed; a run stands after the one it starts from.
        starts: by name of a run the one whose last weights it goes on from.
        seeds: how many seeds the shipped result has.
        tolerance: how far off the figure may be and still count as reproduced, as a share of it.
        at_most: the figure is a bar to stay under, rather than one to meet.
        planes: shipped runs whose first two numbers of each code are drawn beside one another.
        is_curve: its claims are of one network with codes of several sizes, and are drawn over these.
    """

    label: str
    source: str
    claims: tuple[Claim, ...]
    runs: Mapping[str, RunConfig]
    starts: Mapping[str, str] = dataclasses.field(default_factory=dict)
    seeds: int = 1
    tolerance: float = 0.03
    at_most: bool = False
    planes: tuple[str, ...] = ()
    is_curve: bool = False


def target(claim: Claim, values: Mapping[str, float]) -> float | None:
    """What the claim is held against, with its card's values by label; None for nothing, or what was not measured."""
    return values.get(claim.below) if claim.below else claim.figure


def verdict(card: Card, claim: Claim, value: float, values: Mapping[str, float]) -> str:
    """What a value, the mean over seeds, says of a card's claim; `values` are the card's others, by label.

    Returns:
        "reproduced" where a published figure holds, "better" where there is less error by more than the tolerance; "met"
        where what is this project's own holds; else "missed"; "measured" where there is nothing to hold it against.
    """
    held_against = target(claim, values)
    if held_against is None:
        return "measured"
    if claim.below:
        return "met" if value < held_against else "missed"
    # In float64 a value that is off by exactly the tolerance may seem to be over it.
    slack = 1e-9 * held_against
    if not value <= held_against * (1 + card.tolerance) + slack:
        return "missed"
    if not claim.is_published:
        return "met"
    return "better" if value < held_against * (1 - card.tolerance) - slack else "reproduced"
