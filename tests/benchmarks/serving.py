"""The real server and headless Chromium of the browser tests, for benchmarks; CAE_DATA_DIR stays as it is."""

import base64
import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))
from live import FLAGS, PATIENCE, Server, chromium, serve  # noqa: E402
from visitor import Visitor  # noqa: E402

EMPTY = 'import streamlit as st\nst.title("Empty")\n'


@contextlib.contextmanager
def server(is_empty: bool = False) -> Iterator[Server]:
    """The app, or an empty Streamlit page, in folders of its own."""
    data = {key: os.environ[key] for key in ("CAE_DATA_DIR",) if key in os.environ}
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty.py"
        empty.write_text(EMPTY, encoding="utf-8")
        with serve(Path(folder), str(empty) if is_empty else "app.py", **data) as served:
            yield served


@contextlib.contextmanager
def browser(script: str = "") -> Iterator[Callable[[Server], Visitor]]:
    """`visit(server)`: a new visitor, whose pages all begin with a script of their own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chrome = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)

        def visit(to: Server) -> Visitor:
            context = chrome.new_context(viewport={"width": 1366, "height": 768})
            context.set_default_timeout(PATIENCE * 1000)
            context.add_init_script(script)
            return Visitor(context, to.root)

        yield visit
        chrome.close()


def received(visitor: Visitor) -> list[int]:
    """A list that gets the bytes of every websocket frame that comes to the visitor from now on."""
    sizes: list[int] = []

    def add(event: dict) -> None:
        frame = event["response"]
        data = frame["payloadData"]
        sizes.append(len(data.encode() if frame["opcode"] == 1 else base64.b64decode(data)))

    visitor.page.goto("about:blank")
    socket = visitor.context.new_cdp_session(visitor.page)
    socket.send("Network.enable")
    socket.on("Network.webSocketFrameReceived", add)
    return sizes
