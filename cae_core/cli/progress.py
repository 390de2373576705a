"""Progress of a command on standard error: a bar where a person looks on, a line now and then in a file."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from cae_core.training.events import TrainingEvent


class Bar:
    """Called with the share that is done, from 0 to 1, and what is being done; `say` prints a line that stays."""

    BAR, LINES = 0.1, 10.0
    """Seconds between two drawings of the bar, and between two lines."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.shown, self.drawn = sys.stderr.isatty(), time.monotonic()

    def __call__(self, fraction: float, text: str) -> None:
        is_due = time.monotonic() - self.drawn > (self.BAR if self.shown else self.LINES)
        if not is_due and not (self.shown and fraction in (0, 1)):
            return
        self.drawn = time.monotonic()
        line = f"{100 * fraction:3.0f} % {text}"
        if self.shown:
            done = int(30 * fraction)
            line = f"\r\033[K[{'=' * done}{' ' * (30 - done)}] {line}"
        print(line, end="" if self.shown else "\n", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self.shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def on_event(self, prefix: str) -> Callable[[TrainingEvent], None]:
        """A callback for `TrainingEvent`s: the bar at every step, a line at every epoch."""

        def show(event: TrainingEvent) -> None:
            left = event.seconds / event.step * (event.num_steps - event.step)
            steps = f"step {event.step:,} of {event.num_steps:,}"
            self(event.step / event.num_steps, f"{prefix} {steps}: loss {event.loss:.5f}, {left:.0f} s left")
            if event.epoch_loss is not None:
                self.clear()
                self.say(
                    f"{prefix} epoch {event.epoch}: loss {event.epoch_loss:.5f}, "
                    f"held-out loss {event.held_out_loss:.5f}, {event.seconds:.1f} s"
                )

        return show
