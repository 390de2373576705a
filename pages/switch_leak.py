"""How much of an image travels through the switches rather than the code."""

from pages import controls

SETTINGS = {}


def sidebar(now: dict) -> None:
    controls.dataset()


def draw(now: dict) -> None:
    pass
