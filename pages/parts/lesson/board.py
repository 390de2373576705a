"""The class board: how many of a class have guessed what, while it lasts; no names, and nothing that outlives a day."""

import hashlib
import secrets
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

LIFETIME = 24 * 3600.0
"""Seconds that a class is kept after its last guess."""
MOST_CLASSES = 200
"""Of more, the one that has been quiet longest is forgotten."""
MOST_GUESSES = 2_000
"""Of one class at one question."""


@dataclass
class _Class:
    """Guesses of a class by question, each under a mark that tells a visitor's second guess from another visitor's."""

    latest: float
    salt: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    guesses: dict[str, dict[bytes, str]] = field(default_factory=dict)


class Board:
    """Counts of guesses, by class and question, in this process's memory; safe to use from several threads.

    Args:
        clock: seconds that only ever grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._classes: OrderedDict[str, _Class] = OrderedDict()
        self._lock = threading.Lock()

    def guess(self, name: str, question: str, answer: str, visitor: str) -> None:
        """Counts a visitor's guess; a later one at the same question takes the place of theirs from before.

        Args:
            name: of the class.
            question: its key.
            answer: its number, as text.
            visitor: whose; only a salted hash of it is kept, and of no use once the class is forgotten.
        """
        with self._lock:
            self._forget_old()
            if name not in self._classes:
                self._classes[name] = _Class(0.0)
            of_class = self._classes[name]
            of_class.latest = self._clock()
            self._classes.move_to_end(name)
            while len(self._classes) > MOST_CLASSES:
                self._classes.popitem(last=False)
            mark = hashlib.blake2b(visitor.encode(), key=of_class.salt, digest_size=8).digest()
            guesses = of_class.guesses.setdefault(question, {})
            if mark in guesses or len(guesses) < MOST_GUESSES:
                guesses[mark] = answer

    def counts(self, name: str, question: str) -> Counter[str]:
        """How often each answer of a question was given in a class; empty for a class that there is not."""
        with self._lock:
            self._forget_old()
            of_class = self._classes.get(name)
            return Counter(of_class.guesses.get(question, {}).values() if of_class else ())

    def _forget_old(self) -> None:
        while self._classes and self._clock() - next(iter(self._classes.values())).latest > LIFETIME:
            self._classes.popitem(last=False)


BOARD = Board()
"""The one of this server."""
