"""Copies of the app behind one address: whether several of them answer one visitor, of whose session each knows a part.

Every copy marks what it answers with a cookie of its own. A page that meets another's, set since its own copy was started,
is not sent to one copy only; a mark from before then is that of a server that has been restarted.
"""

import hashlib
import secrets
import time
from collections.abc import Mapping
from http.cookies import SimpleCookie
from typing import Any

import streamlit as st

LASTS = 60
"""Seconds after which a browser forgets a mark."""
_COPY, _STARTED = secrets.token_hex(4), time.time()


class Marked:
    """Middleware that marks the answers to a page's first requests; files, which browsers keep, stay as they are."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope, receive, send) -> None:
        async def send_marked(message) -> None:
            if message["type"] == "http.response.start":
                mark = SimpleCookie({name(dict(scope["headers"]).get(b"host", b"").decode("latin-1"), _COPY): time.time()})
                ((_, morsel),) = mark.items()
                morsel.update({"path": "/", "max-age": LASTS, "samesite": "Lax", "httponly": True})
                message["headers"] = [*message["headers"], (b"set-cookie", morsel.OutputString().encode())]
            await send(message)

        is_first = scope["type"] == "http" and "." not in scope["path"].rpartition("/")[2]
        await self.app(scope, receive, send_marked if is_first else send)


def name(host: str, copy: str = "") -> str:
    """The name of a copy's mark, or what all have in common: cookies of one machine's ports are kept together."""
    return f"cae_copy_{hashlib.sha256(host.encode()).hexdigest()[:6]}_{copy}"


def answer_in_turn() -> bool:
    """Whether this visitor's browser was answered by another copy lately, since this one was started."""
    return are_several(st.context.cookies, name(st.context.headers.get("Host", "")), _COPY, _STARTED)


def are_several(cookies: Mapping[str, str], prefix: str, copy: str, started: float) -> bool:
    """Whether one of a browser's cookies is the mark of another copy than this, set since this one was started.

    Args:
        cookies: by name; whatever the browser likes.
        prefix: what the names of this address's marks begin with.
        copy: this one.
        started: when it was, in seconds.
    """
    others = (value for key, value in cookies.items() if key.startswith(prefix) and key != prefix + copy)
    return any(value.replace(".", "", 1).isdecimal() and float(value) > started for value in others)
