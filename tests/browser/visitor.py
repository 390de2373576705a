"""What a visitor does with the app and sees of it."""

import re
from typing import Self
from urllib.parse import parse_qsl, urlsplit

import numpy as np
from live import decode

# Under a first deep link to a page, Streamlit looks for its server below that address, too, before it asks at the root.
PROBING = re.compile(r"(/[a-z]+)+/_stcore/(health|host-config)")
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'


class Visitor:
    """One person with a browser of their own.

    Attributes:
        page: the Playwright page.
        foreign: addresses asked for that are not the server's.
        errors: what was logged as an error, thrown, or shown in a dialogue box.
    """

    def __init__(self, context, root: str) -> None:
        self.context, self.root = context, root
        self.foreign: list[str] = []
        self.errors: list[str] = []
        self.page = context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.errors.append(f"dialogue: {dialog.message}"), dialog.dismiss()))
        self.page.on("request", lambda request: self._check(request.url))
        self.page.on("websocket", lambda socket: self._check(socket.url))

    def _check(self, url: str) -> None:
        here = urlsplit(self.root).netloc
        if urlsplit(url).scheme in ("http", "https", "ws", "wss") and urlsplit(url).netloc != here:
            self.foreign.append(url)

    def _hear(self, message) -> None:
        probing = "404" in message.text and PROBING.fullmatch(urlsplit(message.location["url"]).path)
        if message.type == "error" and not probing:
            self.errors.append(message.text)

    def another_tab(self, link: str = "") -> Self:
        """The same person, with the same cookies, in a new tab."""
        tab = Visitor(self.context, self.root)
        tab.foreign, tab.errors = self.foreign, self.errors
        return tab.open(link)

    def open(self, link: str = "") -> Self:
        self.page.goto(self.root + link)
        return self

    def whole(self) -> Self:
        """Waits until the page is complete: reconstructions are there, and nothing runs any more."""
        self.page.locator('.grid img[alt*="reconstructed"]').first.wait_for()
        return self.idle()

    def idle(self, rest: int = 400) -> Self:
        """Waits until the server has had nothing more to say for `rest` milliseconds."""
        self.page.locator(IDLE).wait_for()
        self.page.wait_for_function(
            """([idle, rest]) => {
              const now = performance.now(), markup = document.body.innerHTML.length + location.search;
              if (markup !== window._markup || !document.querySelector(idle)) {
                window._markup = markup;
                window._since = now;
              }
              return now - window._since > rest;
            }""",
            arg=[IDLE, rest],
            polling=50,
        )
        return self

    @property
    def facts(self) -> dict[str, str]:
        """The line of named numbers."""
        pairs = "cells => cells.map(cell => [cell.children[0].textContent, cell.children[1].textContent])"
        return dict(self.page.eval_on_selector_all(".facts > div", pairs))

    @property
    def link(self) -> dict[str, str]:
        """The settings in the address bar."""
        return dict(parse_qsl(urlsplit(self.page.evaluate("location.href")).query))

    def wait_for_link(self, **settings: str) -> Self:
        """Waits until the address bar has these settings."""
        self.page.wait_for_function(
            """wanted => {
              const query = new URLSearchParams(location.search);
              return Object.entries(wanted).every(([key, value]) => query.get(key) === value);
            }""",
            arg=settings,
        )
        return self.idle()

    @property
    def sources(self) -> dict[str, str]:
        """The rows of pictures, alternative text to src, top to bottom."""
        found = self.page.eval_on_selector_all(".grid > img", "images => images.map(image => [image.alt, image.src])")
        assert len({alt for alt, _ in found}) == len(found)
        return dict(found)

    @property
    def rows(self) -> dict[str, np.ndarray]:
        """The rows as pixels, by what they are: clean, noisy, reconstructed and so on; `(28, 280, 3)` uint8."""
        return {_kind(alt): decode(src) for alt, src in self.sources.items()}

    def row(self, words: str):
        """The picture whose alternative text has these words, as a Playwright locator."""
        return self.page.locator(f'.grid > img[alt*="{words}"]')

    def slider(self, label: str):
        return self.page.locator('[data-testid="stSlider"]', has_text=label).get_by_role("slider")

    def press(self, label: str, *keys: str) -> Self:
        """Moves a slider by the keyboard."""
        self.slider(label).focus()
        for key in keys:
            self.page.keyboard.press(key)
        return self

    def choose(self, label: str, option: str) -> Self:
        """Picks an option of a box that folds out."""
        self.page.get_by_role("combobox", name=label).click()
        self.page.get_by_role("option", name=option, exact=True).click()
        return self

    def click(self, name: str, role: str = "button") -> Self:
        self.page.get_by_role(role, name=name, exact=True).click()
        return self


def _kind(alt: str) -> str:
    name = re.sub(r"^\d+ images, |, mean squared error.*$", "", alt)
    return "noisy" if name.endswith(" noise") else name
