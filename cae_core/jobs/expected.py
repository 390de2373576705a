"""Time that a job takes from now on, about, so that those behind it can be told how long they wait."""

from cae_core import training
from cae_core.architectures import ARCHITECTURES
from cae_core.config import RunConfig, StackConfig
from cae_core.datasets import DATASETS
from cae_core.jobs.job import Job
from cae_core.jobs.scheduling import TURN
from cae_core.training import duration

AROUND = 4.0
"""Seconds that go before a run's first step and after its last: compiling, and measuring it on the test images."""


def seconds(job: Job) -> float:
    """Of a run at its own pace, else as of its configuration."""
    progress = job.monitor.progress if job.monitor else None
    if isinstance(job.config, RunConfig) and progress and progress.seconds_left is not None:
        return AROUND + progress.seconds_left
    return whole(job.config)


def whole(config: RunConfig | StackConfig) -> float:
    """Of a whole run, at the pace of runs like it; of one that nothing is known of, a `TURN`."""
    if not isinstance(config, RunConfig):  # a stack tells no more than how long its stage takes
        return TURN
    if ARCHITECTURES[config.architecture].solve:
        return AROUND
    pace = duration.pace(config, DATASETS[config.dataset].image_shape)
    return AROUND + pace.seconds(config, training.num_images(config)) if pace else TURN
