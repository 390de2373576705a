"""What takes long is made once and kept, also when thirty visitors ask for it at the same moment."""

import contextlib
import functools
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Any


def cached(most: int | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorates a function as `functools.lru_cache` does; and who asks for what another thread makes waits for it.

    `lru_cache` alone lets each of them make it: on a server that was just started a class would have everything made
    thirty times, and of what they are to share, such as a queue, each might get one of their own.

    Args:
        most: answers that are kept, the last ones asked for; without it all.

    Returns:
        The decorator. The decorated function has the `cache_clear` of `lru_cache`.

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
        kept: OrderedDict[Any, Any] = OrderedDict()
        making: dict[Any, Future] = {}
        guard = threading.Lock()

        @functools.wraps(function)
        def ask(*args: Any, **named: Any) -> Any:
            key = args, frozenset(named.items())
            while True:
                with guard:
                    if key in kept:
                        kept.move_to_end(key)
                        return kept[key]
                    is_first = key not in making
                    answer = making.setdefault(key, Future())
                if is_first:
                    return make(answer, key)
                with contextlib.suppress(CancelledError):  # who made it met an error: the next one tries
                    return answer.result()

        def make(answer: Future, key: Any) -> Any:
            args, named = key
            try:
                value = function(*args, **dict(named))
                with guard:
                    kept[key] = value
                    if most is not None and len(kept) > most:
                        kept.popitem(last=False)
                answer.set_result(value)
                return value
            finally:  # however it ended, also when Streamlit ends a page in the middle: nobody may wait for ever
                with guard:
                    del making[key]
                answer.cancel()  # which does nothing once there is a result

        ask.cache_clear = kept.clear
        return ask

    return decorate
