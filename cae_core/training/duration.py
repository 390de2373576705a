"""Training time of a run, learned from runs that are finished: of this machine, or those that ship with the app."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cae_core import runs, training
from cae_core.architectures import ARCHITECTURES, num_epochs
from cae_core.config import RunConfig
from cae_core.runtime.caching import cached

ImageShape = tuple[int, int, int]


@dataclass(frozen=True)
class Pace:
    """How fast runs of a kind are.

    Attributes:
        seconds_per_step: of one batch, with its share of an epoch's end and of the start.
        is_own: measured on this machine; else on that of the shipped runs.
    """

    seconds_per_step: float
    is_own: bool

    def seconds(self, config: RunConfig, num_images: int) -> float:
        """Of a whole run on so many training images; loading them and measuring the finished network not included."""
        return self.seconds_per_step * num_epochs(config) * training.steps_per_epoch(config, num_images)


def pace(config: RunConfig, image_shape: ImageShape, shipped: Iterable[runs.Run] = ()) -> Pace | None:
    """How fast a run will be, going by the last one like it; else, roughly, by a shipped one of its network; else None.

    Args:
        config: its data set, numbers of images and epochs, learning rate and seed change nothing.
        image_shape: `(H, W, C)`.
        shipped: more of those, of which one with the same batches and code is taken first.
    """
    own = _own().get(_key(config, image_shape))
    if own is not None:
        return Pace(own, True)
    alike = {_key(run.config, run.image_shape): seconds for run, seconds in _timed(shipped)}
    if _key(config, image_shape) in alike:
        return Pace(alike[_key(config, image_shape)], False)
    of_image = _shipped(runs.PRETRAINED_DIR).get((config.architecture, tuple(image_shape)))
    return Pace(of_image * config.batch_size, False) if of_image is not None else None


def learn(config: RunConfig, image_shape: ImageShape, seconds_per_step: float) -> None:
    """Keeps what a step took in a run of this process."""
    if seconds_per_step > 0:
        _own()[_key(config, image_shape)] = float(seconds_per_step)


@cached()
def _own() -> dict[tuple, float]:
    """Seconds a step of runs on this machine: of those on disk when first asked, then of what this process trains."""
    return {_key(run.config, run.image_shape): seconds for run, seconds in _timed(runs.networks(runs.runs_dir()))}


@cached()
def _shipped(folder: Path) -> dict[tuple, float]:
    """Seconds an image of the runs in the folder that ships, by network and size of the images."""
    timed = _timed(runs.networks(folder))
    return {(run.config.architecture, tuple(run.image_shape)): took / run.config.batch_size for run, took in timed}


def in_words(seconds: float) -> str:
    """A length of time as people say it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def forget() -> None:
    """Drops all that is known."""
    _own.cache_clear()
    _shipped.cache_clear()


def _timed(several: Iterable[runs.Run]) -> Iterator[tuple[runs.Run, float]]:
    """Those that were trained to their end and the seconds that a step of them took, the newest last."""
    for run in sorted(several, key=lambda run: run.created):
        steps = run.step or run.epochs * training.steps_per_epoch(run.config, run.num_train)
        if run.state == "finished" and run.seconds > 0 and steps > 0 and not ARCHITECTURES[run.config.architecture].solve:
            yield run, run.seconds / steps


def _key(config: RunConfig, image_shape: ImageShape) -> tuple:
    """All that decides how fast a run is."""
    bottleneck = 0 if ARCHITECTURES[config.architecture].fixed_code else config.bottleneck
    return (
        config.architecture, bottleneck, config.loss, config.noise_kind, config.optimizer, config.batch_size,
        config.sparsity > 0, config.output, tuple(image_shape),
    )  # fmt: skip
