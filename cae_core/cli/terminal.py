"""Output on a terminal: a command's progress, and text in letters that the terminal can encode.

Progress goes to standard error, a bar where a person looks on, a line now and then in a file.
"""

import codecs
import sys
import time
import unicodedata
from collections.abc import Callable
from typing import TextIO

from cae_core.training.events import TrainingEvent

INSTEAD = {"×": "x", "−": "-", "–": "-", "—": "-", "→": "->", "±": "+/-", "≤": "<=", "≥": ">=", "·": "*"}
"""Letters that Unicode knows no simpler form of; others, such as "é", lose their accents, or become "?"."""


def write_everything(*streams: TextIO) -> None:
    """Lets streams write any text in the encoding they have, such as cp1252 or ASCII."""
    for stream in streams:
        if hasattr(stream, "reconfigure"):  # not where a notebook or a test has put something else
            stream.reconfigure(errors="cae_core.simpler")


def _simpler(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    bare = {letter: unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode() for letter in letters}
    return "".join(INSTEAD.get(letter) or bare[letter] or "?" for letter in letters), error.end


codecs.register_error("cae_core.simpler", _simpler)


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
