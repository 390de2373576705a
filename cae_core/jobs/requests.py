"""A training request: a run that is entered in the queue with others, under a name that was settled before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cae_core import runs
from cae_core.config import RunConfig
from cae_core.runs import RunError
from cae_core.training.run_trainer import Recording


@dataclass(frozen=True)
class Entry:
    """What to train.

    Attributes:
        name: of a new run, or of one that was interrupted or stopped and shall go on.
        config: the run's.
        title: any text.
        origin: as `Recording.begin` takes it.
    """

    name: str
    config: RunConfig
    title: str = ""
    origin: Mapping[str, Any] | None = None

    def begin(self, owner: str) -> Recording:
        """The new run, or the rest of the one there is.

        Raises:
            ValueError: as `Recording.begin` and `Recording.resume`; or the run there is, is another.
        """
        path = runs.runs_dir() / runs.check_name(self.name)
        if not path.exists():
            return Recording.begin(self.config, self.name, self.title, owner, self.origin)
        run = runs.read(path)
        if run.config != self.config or run.owner not in ("", owner):
            raise RunError(f"The run {self.name!r} was made with other settings: delete it, and try again.")
        if run.state == "failed":
            raise RunError(f"The run {run.label!r} failed ({run.message}): delete it, and try again.")
        return Recording.resume(run)
