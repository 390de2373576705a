"""A visitor with a pen, for the browser tests and the benchmarks."""

import re

from live import decode

from cae_core.inputs import drawing


class Drawer:
    """A visitor with a pen on the Draw page."""

    def __init__(self, visitor):
        self.visitor, self.page = visitor, visitor.page
        self.canvas = visitor.page.locator(".pad canvas")

    def ready(self):
        """Waits until networks answer, and their errors are compared with the test set's."""
        self.page.locator('.drawn img[alt^="reconstructed"]').first.wait_for()
        self.page.locator(".drawn .share").first.wait_for()
        self.visitor.idle()
        return self

    def at(self, x, y):
        box = self.canvas.bounding_box()
        return box["x"] + x * box["width"] / 280, box["y"] + y * box["height"] / 280

    def draw(self, strokes, steps=4):
        """With the mouse; points in the pad's 280 pixels."""
        self.canvas.scroll_into_view_if_needed()
        for stroke in strokes:
            self.page.mouse.move(*self.at(*stroke[0]))
            self.page.mouse.down()
            for point in stroke[1:]:
                self.page.mouse.move(*self.at(*point), steps=steps)
            self.page.mouse.up()
        return self

    def changed(self, before):
        """Waits until the network's picture is another one."""
        self.page.wait_for_function(
            "old => (document.querySelector('.drawn img[alt^=\"reconstructed\"]')?.src ?? old) !== old", arg=before
        )
        self.visitor.idle()
        return self

    @property
    def answer(self):
        """The source of the first network's picture."""
        found = self.page.locator('.drawn img[alt^="reconstructed"]')
        return found.first.get_attribute("src") if found.count() else ""

    def tile(self, start):
        """A tile's pixels, `(28, 28)` in [0, 1]."""
        src = self.page.locator(f'.drawn img[alt^="{start}"]').first.get_attribute("src")
        return decode(src)[..., 0] / 255

    @property
    def pad(self):
        """What is on the canvas, `(280, 280)` in [0, 1]."""
        return drawing.from_pad(self.canvas.evaluate("canvas => canvas.toDataURL('image/png')"))

    def pill(self, label):
        self.page.get_by_role("radio", name=label, exact=True).click()
        return self

    @property
    def error(self):
        alt = self.page.locator('.drawn img[alt^="reconstructed"]').first.get_attribute("alt")
        return float(re.search(r"error ([\d.]+)", alt).group(1))
