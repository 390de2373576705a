"""A training request: a run of any kind that is entered in the queue, and which trainer it is for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cae_core import runs
from cae_core.config import RunConfig, StackConfig
from cae_core.runs import AnyRun, RunError
from cae_core.stacking.trainer import StackTrainer
from cae_core.training.run_trainer import RunTrainer
from cae_core.training.trainer import Trainer

TRAINERS: dict[type, type[Trainer]] = {RunConfig: RunTrainer, StackConfig: StackTrainer}
"""What trains a run, by what its configuration is of."""


@dataclass(frozen=True)
class Entry:
    """What to train.

    Attributes:
        name: of a new run, or of one that was interrupted or stopped and shall go on; "" for a new one's that no run has.
        config: the run's, a network's or a stack's.
        title: any text.
        origin: as the trainer's `begin` takes it.
    """

    name: str
    config: RunConfig | StackConfig
    title: str = ""
    origin: Mapping[str, Any] | None = None

    def begin(self, owner: str) -> Trainer:
        """The new run, or the rest of the one there is; a ValueError as the trainer's, or if that is another."""
        path = runs.runs_dir() / runs.check_name(self.name) if self.name else None
        if path is None or not path.exists():
            return TRAINERS[type(self.config)].begin(self.config, self.name, self.title, owner, self.origin)
        run = runs.read(path)
        if run.config != self.config or run.owner not in ("", owner):
            raise RunError(f"The run {self.name!r} was made with other settings: delete it, and try again.")
        if run.state == "failed":
            raise RunError(f"The run {run.label!r} failed ({run.message}): delete it, and try again.")
        return resume(run)


def resume(run: AnyRun) -> Trainer:
    """Takes up a run of any kind that was interrupted or stopped; what its trainer's `resume` raises is raised."""
    return TRAINERS[type(run.config)].resume(run)
