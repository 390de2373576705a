"""A penalty on the code, and the units that fall silent."""

from pages import controls

SETTINGS = {}


def sidebar(now: dict) -> None:
    controls.dataset()


def draw(now: dict) -> None:
    pass
