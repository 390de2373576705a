"""Protocols of what the queue trains, such as runs and stacks: training that is written down and monitored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from cae_core.training.events import Diverged


class Watching(Protocol):
    """What is seen of something in training, such as `watching.Watch`.

    Attributes:
        seen: the last look at it, of which a job needs nothing but whether there is one.
        is_at_end: whether every step is done.
    """

    seen: Any
    is_at_end: bool

    def look(self) -> None:
        """Somebody is looking."""

    def see(self, event: Any) -> None:
        """Takes note of a step."""

    def show(self) -> None:
        """Makes new pictures now."""

    def catch_up(self) -> None:
        """Makes pictures of the last step done."""

    def learn(self) -> None:
        """Everything went well: what later estimates can go by is kept."""

    def rest(self) -> None:
        """Lets go of the network until the training goes on."""

    def end_at(self, end: Diverged) -> None:
        """Counts the step in which training went out of hand, of which there are no pictures."""

    def forget_model(self) -> None:
        """Keeps the last pictures and lets go of the network."""


class Trainable(Protocol):
    """What a job can train, such as `recording.Recording`, whose methods say what each of these does and raises.

    Attributes:
        name: of the folder that it is written to.
        config: what is trained, of a kind of its own.
        last: the last step that was done since it was prepared; None before there is any.
    """

    name: str
    config: Any
    last: Any

    def prepare(self) -> None: ...
    def watch(self) -> Watching: ...
    def events(self, on_end: Callable[[], None] = ...) -> Iterator[Any]: ...
    def write(self, state: str, message: str = "") -> None: ...
    def rest(self) -> None: ...
    def fail(self, message: str) -> None: ...
    def discard(self) -> None: ...
    def close(self) -> None: ...
