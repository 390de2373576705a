"""What takes long is made once and kept, also when thirty visitors ask for it at the same moment."""

import functools
import threading
from collections.abc import Callable
from typing import Any


def cached(most: int | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorates a function as `functools.lru_cache` does; and who asks for what another thread makes waits for it.

    `lru_cache` alone lets each of them make it: on a server that was just started a class would have everything made
    thirty times, and of what they are to share, such as a queue, each might get one of their own.

    Args:
        most: answers that are kept, the last ones asked for; without it all.

    Returns:
        The decorator. The decorated function has the `cache_clear` and the `cache_info` of `lru_cache`.

    Example:
        >>> from cae_core.runtime.caching import cached
        >>> @cached(most=8)
        ... def square(x):
        ...     print("made")
        ...     return x * x
        >>> square(3), square(3)
        made
        (9, 9)
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        answer, making = functools.lru_cache(maxsize=most)(function), {}

        @functools.wraps(function)
        def ask(*args: Any, **named: Any) -> Any:
            key = args, frozenset(named.items())
            try:
                with making.setdefault(key, threading.RLock()):
                    return answer(*args, **named)
            finally:
                making.pop(key, None)

        ask.cache_clear, ask.cache_info = answer.cache_clear, answer.cache_info
        return ask

    return decorate
