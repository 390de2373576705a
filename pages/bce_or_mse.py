"""BCE against MSE."""

from pages import controls

SETTINGS = {}


def sidebar(now: dict) -> None:
    controls.dataset()


def draw(now: dict) -> None:
    pass
