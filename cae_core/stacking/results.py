"""Results of the label curve, shipped with the app as one readable file and one of predictions."""

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cae_core import runs
from cae_core.config import StackConfig
from cae_core.metrics import mean_and_spread
from cae_core.runs import storage
from cae_core.runs.schema import SECONDS, number, reason, whole

SHIPPED = runs.PRETRAINED_DIR / "stack.json"
PICTURES = runs.PRETRAINED_DIR / "stack.npz"
"""Both made by `python -m cae_core stack --curve --ship`."""

PUBLISHED = {
    1_000: {"pretrained": 7.65, "random": 8.02},
    10_000: {"pretrained": 2.20, "random": 2.59},
    60_000: {"pretrained": 1.23, "random": 1.55},
}
"""Test error in per cent on MNIST with so many labels, from stacked CAEs and from random weights; mean of 10
runs of gangchill/nip-convnet."""


@dataclass(frozen=True)
class Paired:
    """How much more one share of the test images is than another, in percentage points, of pairs with the same seed.

    Attributes:
        mean: over the seeds.
        low: lower end of the mean's 95 % confidence interval (Student's t); minus infinity with one seed.
        high: upper end.
    """

    mean: float
    low: float
    high: float

    @property
    def sign(self) -> int:
        """1 or -1 where the whole interval is on that side of 0, else 0."""
        return (self.low > 0) - (self.high < 0)


def paired(more: Sequence[float], less: Sequence[float]) -> Paired:
    """The difference of two shares in [0, 1] that are given for the same seeds in the same order."""
    differences = [100 * (a - b) for a, b in zip(more, less, strict=True)]
    mean, spread = mean_and_spread(tuple(differences))
    reach = math.inf
    if len(differences) > 1:
        reach = _t_quantile(len(differences) - 1) * spread / math.sqrt(len(differences))
    return Paired(mean, mean - reach, mean + reach)


def _t_quantile(freedom: int) -> float:
    """What a variable with Student's t distribution exceeds in size in 5 % of cases; with t = sqrt(freedom) tan(a)."""
    angles = np.linspace(0, math.pi / 2, 100_001)
    density = np.cos(angles) ** (freedom - 1)
    share = np.cumsum(density[1:] + density[:-1])
    return math.sqrt(freedom) * math.tan(np.interp(0.95, share / share[-1], angles[1:]))


@dataclass(frozen=True)
class Point:
    """One number of labels.

    Attributes:
        labels: how many.
        steps: of fine-tuning.
        errors: by arm, "pretrained" and "random", the share of test images misread, one value a seed.
    """

    labels: int
    steps: int
    errors: Mapping[str, tuple[float, ...]]

    def mean(self, arm: str) -> tuple[float, float]:
        """Mean and standard deviation over seeds, in per cent."""
        mean, spread = mean_and_spread(self.errors[arm])
        return 100 * mean, 100 * spread

    @property
    def gain(self) -> Paired:
        """What pretraining saves: both arms share all but their start, so they are compared seed by seed."""
        return paired(self.errors["random"], self.errors["pretrained"])

    @property
    def verdict(self) -> str:
        """ "helps", "hurts" or "no difference": on which side of 0 the interval of the gain lies, if it does not hold 0."""
        return {1: "helps", -1: "hurts", 0: "no difference"}[self.gain.sign]


@dataclass(frozen=True)
class CurveResult:
    """What came out.

    Attributes:
        config: of the first seed's stack; labels and steps are each point's own.
        points: by number of labels, ascending.
        features: by number of labels, by kind and figure as of `linear_probe.scores`, one value a seed.
        seconds: spent on all of it.
        made: UTC date.
        versions: of Python and the libraries.
        command: what makes it again.
    """

    config: StackConfig
    points: tuple[Point, ...]
    features: Mapping[int, Mapping[str, Mapping[str, tuple[float, ...]]]]
    seconds: float
    made: str
    versions: Mapping[str, str]
    command: str

    def to_json(self) -> str:
        values = dataclasses.asdict(self) | {"config": self.config.to_dict()}
        return json.dumps(values, indent=1) + "\n"


def from_json(text: str) -> CurveResult:
    """The inverse of `CurveResult.to_json`; whatever is wrong is a ValueError."""
    try:
        fields = json.loads(text)
        points = [
            Point(
                whole(1, 60_000)("labels", entry["labels"]),
                whole(0, 10**8)("steps", entry["steps"]),
                {arm: _numbers(values, 1.0) for arm, values in entry["errors"].items()},
            )
            for entry in fields["points"]
        ]
        features = {
            whole(1, 60_000)("labels", int(labels)): {
                kind: {name: _numbers(values) for name, values in figures.items()} for kind, figures in kinds.items()
            }
            for labels, kinds in fields["features"].items()
        }
        if not points or any(set(point.errors) != {"pretrained", "random"} for point in points):
            raise ValueError("a point has not both arms")
        if len({len(values) for point in points for values in point.errors.values()}) > 1:
            raise ValueError("its points have different numbers of seeds")
        config, seconds = StackConfig.from_dict(fields["config"]), SECONDS("seconds", fields["seconds"])
        versions = {str(what): str(version) for what, version in fields["versions"].items()}
        day, command = str(fields["made"]), str(fields["command"])
        return CurveResult(config, tuple(points), features, seconds, day, versions, command)
    except Exception as error:  # a damaged file fails in more ways than can be listed
        raise ValueError(reason(error)) from error


def _numbers(values: Sequence[Any], most: float = 1e7) -> tuple[float, ...]:
    if not values:
        raise ValueError("there is no value")
    return tuple(float(number(0, most)("a value", value)) for value in values)


def shipped() -> tuple[CurveResult | None, str]:
    """The result that ships with the app, and a sentence if it cannot be read; None and "" where there is none."""
    try:
        return from_json(storage.read(SHIPPED).decode()), ""
    except FileNotFoundError:
        return None, ""
    except (OSError, ValueError) as error:
        return None, (
            f"{SHIPPED.name} is damaged ({reason(error)}): its result is left out. To make it again: "
            "python -m cae_core stack --curve --ship."
        )


def shipped_pictures() -> dict[str, np.ndarray]:
    """Arrays that ship with the result; {} where they are missing or damaged.

    "predictions/LABELS/ARM" are the classes `(n,)` uint8 read in every test image, with the first seed; "x" and "x_hats/i"
    eight test images and what comes back through i + 1 layers, `(8, H, W, C)` uint8; "filters/i" their `projections`.
    """
    try:
        return storage.read_arrays(PICTURES)
    except Exception:  # a damaged archive fails in more ways than can be listed
        return {}


def ship(result: CurveResult, pictures: Mapping[str, np.ndarray]) -> None:
    """Puts the result in the place of the one that ships."""
    storage.write(PICTURES, storage.arrays_to_bytes(pictures))
    storage.write(SHIPPED, result.to_json().encode())


def confusion(truth: np.ndarray, read: np.ndarray, classes: int) -> np.ndarray:
    """How often each class, a row, was read as which, a column: `(classes, classes)` int."""
    return np.bincount(truth.astype(int) * classes + read, minlength=classes**2).reshape(classes, classes)
