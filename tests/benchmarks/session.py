"""A visitor without a browser: one websocket session with the real server, as Streamlit's own front end has.

What it costs the server is what a browser would cost it; twenty browsers on the machine that is measured would cost more
than the server does.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import Self

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

ENDS = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_WITH_COMPILE_ERROR)
"""How a page ends that does not run once more at once."""


class Session:
    """One page of the app, opened.

    Attributes:
        widgets: by label, the id of every slider and button that the page has drawn.
        html: what the page last drew as HTML, in the order it came.
        alerts: its errors and warnings.
    """

    def __init__(self, connecting: Callable[[], Awaitable[ClientConnection]], page: str, query: str) -> None:
        self._connecting, self._page, self._query, self._values = connecting, page, query, {}
        self._socket: ClientConnection | None = None
        self.widgets: dict[str, str] = {}
        self.html: list[str] = []
        self.alerts: list[str] = []

    @classmethod
    async def open(cls, root: str, query: str = "", page: str = "", shows: str = "reconstructed", token: str = "") -> Self:
        """Opens a page with the settings of a link, and waits until it shows something.

        Args:
            root: the server's address, with a slash at the end.
            query: such as "seed=3&bottleneck=8".
            page: such as "train"; the first one if empty.
            shows: words in what the page draws as HTML.
            token: what the visitor's browser keeps as cookie, by which the visitor is known again.
        """
        address = root.replace("http", "ws", 1) + "_stcore/stream"
        cookie = {"Cookie": f"cae_visitor={token}"} if token else {}
        options = {"subprotocols": ["streamlit"], "max_size": None, "proxy": None, "additional_headers": cookie}
        session = cls(lambda: connect(address, **options), page, query)
        session._socket = await session._connecting()
        await session.wait_for(shows)
        return session

    async def connect_again(self) -> float:
        """Asks a server that has been started again for the page that was open, as `run` does."""
        self._socket = await self._connecting()
        return await self.run()

    async def go(self, page: str, query: str = "") -> float:
        """Opens another page with the settings of a link, and waits as `run` does."""
        self._page, self._query, self._values, self.widgets = page, query, {}, {}
        return await self.run()

    def fact(self, name: str) -> str:
        """A number or a word of the page's line of facts, by its name; "" without it."""
        match = re.search(rf"<small>(?:<[^>]*>)*{name}(?:<[^>]*>)*</small><span>(.*?)</span>", "".join(self.html))
        return match.group(1) if match else ""

    async def wait_for(self, words: str, seconds: float = 120.0) -> None:
        """Runs the page again and again, as it does by itself in a browser, until it shows these words.

        Raises:
            RuntimeError: it does not.
        """
        end = time.monotonic() + seconds
        while True:
            await self.run()
            if any(words in html for html in self.html):
                return
            if time.monotonic() > end:
                raise RuntimeError(f"{self._page or 'The first page'} does not show {words!r}.")
            await asyncio.sleep(0.25)

    async def move(self, label: str, value: float | str) -> float:
        """Puts a slider to a number, or to an option by its name, and waits for the page that answers, as `run` does."""
        self._values[self.widgets[label]] = value
        return await self.run()

    async def press(self, label: str) -> float:
        """Presses a button, and waits as `move` does."""
        return await self.run(self.widgets[label])

    async def run(self, pressed: str = "") -> float:
        """Asks for the page and reads it to its end; returns the seconds that took.

        Raises:
            RuntimeError: the page ended with an exception.
        """
        message = BackMsg()
        message.rerun_script.query_string = self._query
        message.rerun_script.page_name = self._page
        if pressed:
            message.rerun_script.widget_states.widgets.add(id=pressed, trigger_value=True)
        for widget, value in self._values.items():
            state = message.rerun_script.widget_states.widgets.add(id=widget)
            (state.string_array_value if isinstance(value, str) else state.double_array_value).data.append(value)
        self.html, self.alerts, trouble, started = [], [], "", time.perf_counter()
        await self._socket.send(message.SerializeToString())
        while True:
            answer = ForwardMsg.FromString(await self._socket.recv())
            if answer.WhichOneof("type") == "delta":
                trouble = self._read(answer.delta.new_element) or trouble
            if answer.WhichOneof("type") == "script_finished" and answer.script_finished in ENDS:
                break
        if trouble:
            raise RuntimeError(trouble)
        return time.perf_counter() - started

    def _read(self, element) -> str:
        """Keeps what is of use; returns the message of an exception on the page."""
        kind = element.WhichOneof("type")
        if kind in ("slider", "button"):
            widget = getattr(element, kind)
            self.widgets[widget.label] = widget.id
        elif kind in ("markdown", "html"):
            self.html.append(element.markdown.body if kind == "markdown" else element.html.body)
        elif kind == "alert":
            self.alerts.append(element.alert.body)
        elif kind == "exception":
            return element.exception.message
        return ""

    async def close(self) -> None:
        await self._socket.close()
