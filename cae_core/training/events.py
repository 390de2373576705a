"""Training events: the numbers of a step, and the checkpoint after it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from cae_core.optimizers import calmer


@dataclass(frozen=True)
class Checkpoint:
    """Where a run stands: going on from it gives the same losses as never having stopped.

    Attributes:
        step: steps done.
        seconds: spent on them.
        weights: every weight, by name.
        optimizer: the optimizer's own variables in this phase, in its order.
        losses: of every step of the epoch that is not finished, `(k,)` float64; of a stack's arms `(k, arms)`.
        first_loss: of the phase's first step; divergence is judged by it.
    """

    step: int
    seconds: float
    weights: Mapping[str, np.ndarray]
    optimizer: Sequence[np.ndarray]
    losses: np.ndarray
    first_loss: float

    def to_arrays(self) -> dict[str, np.ndarray]:
        """As arrays for `storage.arrays_to_bytes`."""
        numbers = np.array([self.step, self.seconds, self.first_loss])
        weights = {f"weights/{name}": array for name, array in self.weights.items()}
        optimizer = {f"optimizer/{i:04d}": array for i, array in enumerate(self.optimizer)}
        return {"numbers": numbers, "losses": self.losses, **weights, **optimizer}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], at_step: int) -> Self:
        """The inverse of `to_arrays`; a ValueError or KeyError if it is not of that step."""

        def named(kind: str) -> dict[str, np.ndarray]:
            return {name.removeprefix(kind): arrays[name] for name in sorted(arrays) if name.startswith(kind)}

        step, seconds, *first_loss = arrays["numbers"].tolist()  # of a stack there may be no third
        if step != at_step:
            raise ValueError(f"it belongs to step {step:g}")
        losses, optimizer = arrays.get("losses", np.empty(0)), list(named("optimizer/").values())
        return cls(at_step, seconds, named("weights/"), optimizer, losses, *(first_loss or [0.0]))


@dataclass(frozen=True)
class TrainingEvent:
    """What happened in one step.

    Attributes:
        step: steps done, from 1.
        num_steps: steps of the whole run.
        epoch: epochs finished after this step.
        seconds: since the first step was asked for, without the time between events.
        loss: training loss of this batch.
        epoch_loss: at the end of an epoch, the mean training loss over it; else None.
        held_out_loss: at the end of an epoch, the loss on held-out images under the run's noise; else None.
        silent: at the end of an epoch of a run with sparsity, the `metrics.silent_share` of its code; else None.
        distortion, rate: at the end of an epoch of a variational network's, the parts of `held_out_loss` in nats per image:
            the reconstruction's, and the KL divergence before beta weighs it; else None.
        checkpoint: takes the `Checkpoint` after this step; only before the next event is asked for.
    """

    step: int
    num_steps: int
    epoch: int
    seconds: float
    loss: float
    epoch_loss: float | None = None
    held_out_loss: float | None = None
    silent: float | None = None
    distortion: float | None = None
    rate: float | None = None
    checkpoint: Callable[[], Checkpoint] | None = field(default=None, repr=False, compare=False)


class Diverged(FloatingPointError):
    """Training has gone out of hand: a sentence that says in which step, and what to try.

    Attributes:
        step: steps done, the last of which is in no event.
        stage: of a stack, which stage that step is in; else None.
    """

    def __init__(
        self,
        what: str,
        where: str,
        step: int,
        optimizer: str,
        rate: float,
        rate_name: str = "learning rate",
        stage: Any = None,
        advice: str = "",
    ) -> None:
        """Args: `what` happened to the loss and `where`, in words; `rate` with which `optimizer` did it; `advice` where
        another rate is none."""
        advised, why = calmer(optimizer, rate)
        advice = advice or f"Instead of a {rate_name} of {rate:g}, try {advised:g}, {why}."
        super().__init__(f"{what} in {where}: the steps are too large. {advice}")
        self.step, self.stage = step, stage
