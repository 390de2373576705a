"""A setting of a page: its default, what is allowed, and how a link spells it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cae_core.config import Bounds, lookup
from cae_core.runs import check_name


@dataclass(frozen=True)
class Names:
    """Names of runs as a value: up to `most` of them, in a link separated by commas."""

    most: int

    def check(self, key: str, names: Sequence[str]) -> tuple[str, ...]:
        if len(names) > self.most:
            raise ValueError(f"{key} names {len(names)} runs; it may name at most {self.most}.")
        return tuple(check_name(name) for name in names)


@dataclass(frozen=True)
class Some:
    """Some of these choices as a value, each once and in their order; in a link separated by commas."""

    choices: tuple[str, ...]

    def check(self, key: str, names: Sequence[str]) -> tuple[str, ...]:
        for name in names:
            lookup(dict.fromkeys(self.choices), key, name)
        return tuple(choice for choice in self.choices if choice in names)


@dataclass(frozen=True)
class Guess:
    """An open question and, after a dot, the answer to it if there is one, a number from 1 or `skip`, as a value."""

    questions: tuple[str, ...]

    def check(self, key: str, given: str) -> str:
        question, dot, answer = given.partition(".")
        lookup(dict.fromkeys(self.questions), key, question)
        if dot and answer != "skip" and answer not in ("1", "2", "3", "4"):
            raise ValueError(f"{key} answers {question} with {answer!r}; an answer is a number from 1 to 4, or skip.")
        return given


@dataclass(frozen=True)
class Words:
    """A few words of the visitor's own as a value, of at most so many characters, with single spaces between them."""

    most: int

    def check(self, key: str, given: str) -> str:
        value = " ".join(given.split())
        if len(value) > self.most or not value.isprintable():
            raise ValueError(
                f"{key} is {value[: self.most]!r}; it may have at most {self.most} characters that can be printed."
            )
        return value


@dataclass(frozen=True)
class Setting:
    """One thing a visitor can set.

    Attributes:
        default: its value without a link.
        allowed: `Bounds` for a number, `Names` for runs, `Some` for several of some choices, `Guess` for an answer to a
            question, `Words` for text, a tuple of the choices for anything else.
        always: whether a link has it also while it is empty.
    """

    default: Any
    allowed: Bounds | Names | Some | Guess | Words | tuple[Any, ...]
    always: bool = True

    def parse(self, key: str, given: str) -> Any:
        """The value a link means, or a ValueError saying what was given and what is allowed."""
        if isinstance(self.allowed, Names | Some):
            return self.allowed.check(key, [name for name in given.split(",") if name])
        if isinstance(self.allowed, Bounds | Guess | Words):
            return self.allowed.check(key, given)
        return lookup({text(choice): choice for choice in self.allowed}, key, given)

    def allows(self, value: Any) -> bool:
        """Whether the value may stay when a page is opened that knows the key with other choices."""
        if isinstance(self.allowed, Bounds):
            return self.allowed.low <= value <= self.allowed.high
        if isinstance(self.allowed, Some):
            return set(value) <= set(self.allowed.choices)
        if isinstance(self.allowed, Guess):
            return not value or value.partition(".")[0] in self.allowed.questions
        return isinstance(self.allowed, Names | Words) or value in self.allowed


def text(value: Any) -> str:
    """A value as the URL spells it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple | list):  # a list from a widget
        return ",".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
