"""Which stack the Stacked page shows, and what there is to see of it: in this process, else on disk."""

from dataclasses import dataclass

from cae_core import jobs, runs
from cae_core.config import StackConfig
from cae_core.jobs.job import Snapshot
from cae_core.runs import RunError, StackRun
from cae_core.stacking import stacks
from cae_core.stacking.progress import StackProgress


@dataclass(frozen=True)
class Shown:
    """What there is to see of a visitor's last stack.

    Attributes:
        config: what is or was trained.
        state: a key of `queue_words.STATES`, "" before there is any.
        message: why it failed, else "".
        progress: its last pictures; None before the first.
        job: where it is in the queue; None if this process does not know it.
        stack: as it is on disk; None where it is not.
    """

    config: StackConfig
    state: str = ""
    message: str = ""
    progress: StackProgress | None = None
    job: Snapshot | None = None
    stack: StackRun | None = None

    @property
    def owner(self) -> str:
        """Whose it is; "" for everybody's."""
        return (self.job or self.stack).owner if self.job or self.stack else ""

    @property
    def title(self) -> str:
        """What people see."""
        return self.stack.label if self.stack else self.job.title if self.job else ""


def last(config: StackConfig, owner: str) -> Shown:
    """The visitor's stack at work, else the one that ended last; without any, what the settings of now would train."""
    mine = [job for job in jobs.default().of(owner) if isinstance(job.config, StackConfig)]
    live_ = sorted((job for job in mine if job.is_live), key=lambda job: job.place)
    on_disk = None if live_ else stacks.latest(owner)  # looked for only when nothing trains, not with every look
    job = live_[0] if live_ else mine[-1] if mine else None
    if job and not job.is_live and on_disk and on_disk.name != job.name:
        job = None  # another process trained since
    return _shown(job, on_disk) or Shown(config)


def named(name: str) -> Shown:
    """The stack of that name, whoever trained it.

    Raises:
        RunError: there is none, it is damaged, or it is no stack.
    """
    job = jobs.default().snapshot(name)
    on_disk = None if job and job.is_live else runs.find(name)
    current = _shown(job, on_disk)
    if not isinstance(current.config, StackConfig):
        raise RunError(f"The run {name!r} is no stack: see it on the Runs page.")
    return current


def _shown(job: Snapshot | None, on_disk: StackRun | None) -> Shown | None:
    if job:
        job = jobs.default().snapshot(job.name) or job
        own = on_disk if on_disk and on_disk.name == job.name else None
        return Shown(job.config, job.state, job.message, job.progress, job, own)
    if on_disk:
        return Shown(on_disk.config, on_disk.state, on_disk.message, stacks.progress(on_disk), None, on_disk)
    return None
