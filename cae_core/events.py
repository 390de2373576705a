"""What training says of a step, and where a run stands after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Checkpoint:
    """Where a run stands: going on from it gives the same losses as never having stopped.

    Attributes:
        step: steps done.
        seconds: spent on them.
        weights: every weight of the network, by name.
        optimizer: the optimizer's own variables, in its order.
        losses: of every step of the epoch that is not finished, `(k,)` float64.
        first_loss: of the run's first step; divergence is judged by it.
    """

    step: int
    seconds: float
    weights: Mapping[str, np.ndarray]
    optimizer: Sequence[np.ndarray]
    losses: np.ndarray
    first_loss: float


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
    checkpoint: Callable[[], Checkpoint] | None = field(default=None, repr=False, compare=False)
