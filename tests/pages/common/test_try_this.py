"""Every "Try this" sets all that its text needs: whatever was pressed before it, the page ends in the same settings."""

import itertools

import pytest
import streamlit as st
from shown import FRAME, PATIENCE
from streamlit.testing.v1 import AppTest

from cae_core import runtime
from pages.parts.reproduce import card_view
from pages.parts.session import state

LAB = {"dataset", "view"}
SLIDERS = {"start", *(f"move_{place}" for place in range(1, 9))}
LEFT = {
    "denoise.py": {"dataset", "seed"},
    "train.py": {"dataset"},
    "runs.py": set(),
    "latent.py": {"dataset", "image", "even", "grid_behind", "grid_side", *SLIDERS},
    "draw.py": set(),
    "architectures.py?view=layers": {"dataset", "image"},
    "architectures.py?view=race": LAB,
    "architectures.py?view=leak": {"dataset", "seed"},
    "architectures.py?view=losses": {"view"},
    "architectures.py?view=sparsity": LAB,
    "reproduce.py": set(),
    "stacked.py": {"dataset", "point", "arm"},
    "colour.py": {"take_loss", "chain_loss", "chain_images", "chain_epochs"},
}
"""By page or view: the settings that none of its texts depends on. The other views' settings are none of a view's."""


@pytest.fixture
def press(monkeypatch):
    """Opens a page without a network; returns what pressing each of its experiments sets, by the button's key."""
    monkeypatch.setattr(runtime, "ready", lambda *_: False)
    monkeypatch.setattr(card_view, "begin", lambda *_: None)
    callbacks, button, change, set_by = {}, st.button, state.change, {}

    def record(label, **more):
        if str(more.get("key")).startswith("try_"):
            callbacks[more["key"]] = (more["on_click"], more.get("args", ()), more.get("kwargs", {}))
        return button(label, **more)

    monkeypatch.setattr(st, "button", record)
    monkeypatch.setattr(state, "change", lambda **new: pressed[-1].update(new) if pressed else change(**new))
    pressed = []

    def opened(address):
        file, _, view = address.partition("?view=")
        app = AppTest.from_file(FRAME, default_timeout=PATIENCE)
        if file != "denoise.py":
            app.switch_page(file)
        if view:
            app.query_params["view"] = view
        app.run()
        assert not app.exception
        for key, (call, args, kwargs) in callbacks.items():
            pressed.append(set_by.setdefault(key, {}))
            call(*args, **kwargs)
        return set_by, app

    return opened


@pytest.mark.parametrize("address", LEFT)
def test_in_every_order_of_two_the_second_decides_everything(press, address):
    set_by, app = press(address)
    assert len(set_by) >= 3
    page = {key for key in app.session_state["_last"] if not key.startswith("table_")}
    other = set() if "?" not in address else page - set().union(*set_by.values()) - LEFT[address]
    for first, second in itertools.permutations(set_by.values(), 2):
        anything = dict.fromkeys(page, "as it was")
        assert anything | first | second == anything | second
        assert page - set(second) - other == LEFT[address]
    settings = {frozenset((key, str(value)) for key, value in new.items()) for new in set_by.values()}
    assert len(settings) == len(set_by), "two experiments cannot be told apart"
