"""Progress of a stack in training: numbers, pictures and curves, as arrays that can be kept. NumPy only."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from cae_core.config import ARMS

MOST_FILTERS = 64
"""Filters of a layer that are drawn."""


@dataclass(frozen=True)
class StackProgress:
    """One look.

    Attributes:
        number: grows with every new picture.
        step, num_steps, seconds: as in `phases.StackEvent`.
        stage: of which stage the last step was, from 0; the last stage is the classifiers'.
        stage_step, stage_steps: steps of that stage, done and in all.
        steps_per_second: lately.
        seconds_left: to the end of this stage at its pace so far; None before it has one.
        x, x_noisy: `(8, H, W, C)` float32 in [0, 1], test images and the same under the stack's noise.
        x_hats: of each layer that has begun, the images back through all layers up to it, `(8, H, W, C)` float32.
        filters: of each such layer, what one map paints, as of `projections`, `(k, h, w)` float32.
        losses: of each such layer, `(k, 2)` float64: step of its stage and 1/(2n) Σ (x − y)².
        tuning: by arm, `(k, 2)` float64: step of fine-tuning and cross-entropy in nats.
        accuracy: by arm, `(k, 2)` float64: step of fine-tuning and share of 500 held-out images read right.
    """

    number: int
    step: int
    num_steps: int
    seconds: float
    stage: int
    stage_step: int
    stage_steps: int
    steps_per_second: float
    seconds_left: float | None
    x: np.ndarray = field(repr=False)
    x_noisy: np.ndarray = field(repr=False)
    x_hats: Sequence[np.ndarray] = field(repr=False)
    filters: Sequence[np.ndarray] = field(repr=False)
    losses: Sequence[np.ndarray] = field(repr=False)
    tuning: Mapping[str, np.ndarray] = field(repr=False)
    accuracy: Mapping[str, np.ndarray] = field(repr=False)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """As arrays for `storage.arrays_to_bytes`."""
        kept = ("number", "step", "num_steps", "seconds", "stage", "stage_step", "stage_steps", "steps_per_second")
        numbers = json.dumps({name: getattr(self, name) for name in (*kept, "seconds_left")})
        arrays = {"numbers": np.frombuffer(numbers.encode(), np.uint8)}
        arrays |= {name: getattr(self, name).astype("float32") for name in ("x", "x_noisy")}
        for name in ("x_hats", "filters", "losses"):
            arrays |= {f"{name}/{i}": array.astype("float32") for i, array in enumerate(getattr(self, name))}
        for name in ("tuning", "accuracy"):
            arrays |= {f"{name}/{arm}": array.astype("float32") for arm, array in getattr(self, name).items()}
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """The inverse of `to_arrays`."""

        def listed(name: str) -> list[np.ndarray]:
            own = sorted((int(key.partition("/")[2]), key) for key in arrays if key.startswith(f"{name}/"))
            return [arrays[key] for _, key in own]

        def named(name: str) -> dict[str, np.ndarray]:
            return {key.partition("/")[2]: arrays[key].astype(float) for key in arrays if key.startswith(f"{name}/")}

        return cls(
            **json.loads(arrays["numbers"].tobytes()),
            x=arrays["x"],
            x_noisy=arrays["x_noisy"],
            x_hats=listed("x_hats"),
            filters=listed("filters"),
            losses=[line.astype(float) for line in listed("losses")],
            tuning=named("tuning"),
            accuracy=named("accuracy"),
        )

    def check(self, image_shape: Sequence[int], layers: int) -> None:
        """Nothing for a look at a stack of so many layers for images `(H, W, C)`; for another, a ValueError."""
        counts = (self.number, self.step, self.num_steps, self.stage, self.stage_step, self.stage_steps)
        times = (self.seconds, self.steps_per_second, self.seconds_left or 0.0)
        batch = (len(self.x), *image_shape)
        lines = (*self.losses, *self.tuning.values(), *self.accuracy.values())
        is_whole = (
            all(isinstance(count, int) and 0 <= count <= 10**8 for count in counts)
            and all(isinstance(time, int | float) and 0 <= time < 1e9 for time in times)
            and 0 < len(self.x) <= 64
            and all(images.shape == batch for images in (self.x, self.x_noisy, *self.x_hats))
            and max(self.stage, len(self.x_hats), len(self.filters), len(self.losses)) <= layers
            and all(kernels.ndim == 3 and 0 < kernels.size <= 2**22 for kernels in self.filters)
            and all(line.ndim == 2 and line.shape[1] == 2 for line in lines)
            and {*self.tuning, *self.accuracy} <= set(ARMS)
        )
        if not is_whole:
            raise ValueError("It belongs to another stack, or is damaged.")


def projections(kernels: Sequence[np.ndarray], pooling: bool) -> np.ndarray:
    """What one number in each of the last layer's maps paints, down through all layers without squashing: its filter.

    A layer paints with the kernels it reads with. Where there is pooling, a number may stand at any of the four places of
    its window; what is drawn is the mean of the four.

    Args:
        kernels: of each layer from the image on, `(k, k, c, maps)`.
        pooling: whether the layers pool.

    Returns:
        `(maps, h, w)` float32, at most `MOST_FILTERS` maps; of the first layer its kernels. Colours are averaged.
    """
    painted = np.moveaxis(kernels[-1], 3, 0)[:MOST_FILTERS]  # (maps, k, k, c)
    for kernel in reversed(kernels[:-1]):
        if pooling:
            painted = painted.repeat(2, axis=1).repeat(2, axis=2) / 4
        side, reach = painted.shape[1], kernel.shape[0]
        wider = np.zeros((len(painted), side + reach - 1, side + reach - 1, kernel.shape[2]), "float32")
        for i in range(reach):
            for j in range(reach):
                wider[:, i : i + side, j : j + side] += painted @ kernel[i, j].T
        painted = wider
    return painted.mean(axis=3).astype("float32")
