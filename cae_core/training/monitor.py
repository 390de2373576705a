"""The monitor of a run of any kind in training: its last look at it, and when it is time for the next.

The pictures are made between two steps, on the thread that trains, so they cost training time: they are made only while
somebody looks, and take at most a twentieth of the time.
"""

import time
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import replace
from typing import Any, Self

from cae_core.training.events import Diverged

INTERVAL, SHARE = 0.2, 20
"""Pictures come at most every INTERVAL seconds, and no sooner than SHARE times what the last ones took."""
ATTENTION = 3.0
"""Seconds after a look for which pictures go on being made."""


class Monitor(ABC):
    """Follows one run; `see` is the trainer's, everything else anybody's.

    Attributes:
        progress: the last look; None before the first.
    """

    def __init__(self, trainer: Any, probes: Any, sample: Any, before: Any = None) -> None:
        """Begins to follow.

        Args:
            trainer: the `trainer.Trainer`, or what has its `config`, `model` and `last`.
            probes: the images that its pictures are of.
            sample: those that its numbers are of.
            before: the last look of an earlier process, which this one goes on from.
        """
        self._trainer, self._config, self._probes, self._sample = trainer, trainer.config, probes, sample
        self._event: Any = None
        self._lately: deque[tuple[int, float]] = deque(maxlen=50)
        self._first: tuple[int, float] | None = None  # step and seconds that its pace is measured from
        self._looked, self._next = time.monotonic(), 0.0
        self._is_warm = False  # whether what the pictures take is compiled
        self.progress = before

    @property
    def is_at_end(self) -> bool:
        """Whether every step is done."""
        return bool(self._event) and self._event.step == self._event.num_steps

    def look(self) -> None:
        """Somebody is looking."""
        self._looked = time.monotonic()

    def see(self, event: Any) -> None:
        """Takes note of a step, and makes new pictures if it is time; one that was seen before is not counted twice."""
        if event is self._event:
            return
        if self._begins_part(event):
            self._first, self._is_warm = None, False
            self._lately.clear()
        self._event = event
        self._lately.append((event.step, event.seconds))
        self._first = self._first or (event.step, event.seconds)
        is_due, now = self._count(event), time.monotonic()
        if self.progress is None or is_due or (now - self._looked < ATTENTION and now >= self._next):
            self.show()

    def show(self) -> None:
        """Makes new pictures now; none while the run goes out of hand, which its next loss will say."""
        if self._event is None or self._is_shown(self._event):
            return
        started = time.monotonic()
        pictures = self._picture(self._event)
        if pictures is None:
            return
        self.progress, ended = pictures, time.monotonic()
        took = ended - started if self._is_warm else 0.0  # the first are compiled for, once
        self._next, self._is_warm = ended + max(INTERVAL, SHARE * took), True

    def catch_up(self) -> None:
        """Makes pictures of the last step done, also of one that was not handed on because the disk refused it."""
        if self._trainer.last is not None:
            self.see(self._trainer.last)
        self.show()

    def learn(self) -> None:  # noqa: B027 (no duty: not every kind is estimated)
        """Everything went well: what later estimates can go by is kept."""

    def end_at(self, end: Diverged) -> None:
        """Counts the step in which the run went out of hand; the pictures stay those before."""
        if self.progress:
            self.progress = replace(self.progress, step=end.step, seconds_left=None, **self._part_of(end))

    def let_go(self) -> None:
        """Lets go of the network until the run goes on; its pictures and curves stay."""
        self._event, self._is_warm = None, False  # an event's checkpoint has the network, too

    def forget_model(self) -> None:
        """Keeps the last pictures and lets go of the network."""
        self.let_go()
        self._trainer = self._probes = self._sample = None

    def __getstate__(self) -> dict[str, Any]:
        """What it has seen, for a monitor in another process, which has the rest of its own."""
        own = ("_trainer", "_config", "_probes", "_sample")
        return {name: value for name, value in vars(self).items() if name not in own}

    def take_over(self, other: Self) -> None:
        """Goes on from what a monitor in another process has seen."""
        vars(self).update(vars(other))

    def _numbers(self, steps_left: int) -> dict[str, Any]:
        """What every look says: where the run stands, and how long that many more steps take at its pace so far."""
        event, before, after = self._event, self._lately[0], self._lately[-1]
        done, spent = event.step - self._first[0], event.seconds - self._first[1]
        return {
            "number": self.progress.number + 1 if self.progress else 1,
            "step": event.step,
            "num_steps": event.num_steps,
            "seconds": event.seconds,
            "steps_per_second": (after[0] - before[0]) / (after[1] - before[1]) if after[1] > before[1] else 0.0,
            "seconds_left": spent / done * steps_left if done else None,
        }

    def _begins_part(self, event: Any) -> bool:
        """Whether the pace of the steps before says nothing of this one's."""
        return False

    def _part_of(self, end: Diverged) -> dict[str, Any]:
        """Fields of a look that say in which part of the run it went out of hand."""
        return {}

    def _is_shown(self, event: Any) -> bool:
        """Whether the last look was at this step."""
        return bool(self.progress) and self.progress.step == event.step

    @abstractmethod
    def _count(self, event: Any) -> bool:
        """Takes note of a step's losses; whether pictures are due, whoever looks."""

    @abstractmethod
    def _picture(self, event: Any) -> Any:
        """A look at the run; None if it gives no finite numbers."""
