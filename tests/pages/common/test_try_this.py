"""Every "Try this" sets all that its text needs: whatever was pressed before it, the page ends in the same settings."""

import itertools
import re

import pytest
import streamlit as st
from shown import ShownPage, frame_pages

from pages.parts.common import experiment
from pages.parts.reproduce import card_view
from pages.parts.session import state
from pages.parts.session.setting import text

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
ADVICE = re.compile(r"^Each of these ", re.MULTILINE)
"""Begins what stands under the buttons where none of them is on."""


@pytest.fixture
def opened(monkeypatch):
    """Opens a page or view, with what pressing each of its experiments calls, by the button's key."""
    monkeypatch.setattr(card_view, "begin", lambda *_: None)
    callbacks, button = {}, st.button

    def record(label, **more):
        if str(more.get("key")).startswith("try_"):
            callbacks[more["key"]] = (more["on_click"], more.get("args", ()), more.get("kwargs", {}))
            more["disabled"] = False  # as where every data set is here
        return button(label, **more)

    monkeypatch.setattr(st, "button", record)

    def open_page(address):
        file, _, view = address.partition("?view=")
        page = type("Shown", (ShownPage,), {"FILE": file})
        return page(**({"view": view} if view else {})), callbacks

    return open_page


@pytest.mark.parametrize("address", LEFT)
def test_in_every_order_of_two_the_second_decides_everything(opened, monkeypatch, address):
    page, callbacks = opened(address)
    set_by, change = {key: {} for key in callbacks}, state.change
    for key, (call, args, kwargs) in callbacks.items():
        monkeypatch.setattr(state, "change", lambda key=key, **new: set_by[key].update(new))
        (set_by[key].update if call is change else call)(*args, **kwargs)
    monkeypatch.setattr(state, "change", change)
    assert len(set_by) >= 3
    settings = {key for key in page.setting["_last"] if not key.startswith("table_")}
    other = set() if "?" not in address else settings - set().union(*set_by.values()) - LEFT[address]
    for first, second in itertools.permutations(set_by.values(), 2):
        anything = dict.fromkeys(settings, "as it was")
        assert anything | first | second == anything | second
        assert settings - set(second) - other == LEFT[address]
    different = {frozenset((key, str(value)) for key, value in new.items()) for new in set_by.values()}
    assert len(different) == len(set_by), "two experiments cannot be told apart"

    for key, new in set_by.items():  # one press sets what the page allows, and says what to look for
        if not page.has(key):  # the experiment before is about images that are not here
            page, _ = opened(address)
        page.press(key)
        assert {name: text(page.setting[name]) for name in new} == {name: text(value) for name, value in new.items()}
        assert {name: page.query[name] for name in new} == {name: text(value) for name, value in new.items()}
        assert not ADVICE.search(page.text)
        assert bool(page.messages("warning")) == (key == "try_outside")  # whose lesson is that it is refused


def test_an_experiment_without_words_is_refused():
    with pytest.raises(ValueError, match="there are settings of .'all_five', 'other'.: name the same"):
        experiment.experiments_of("race", all_five={}, other={})


def test_every_page_is_there():
    assert {address.partition("?")[0] for address in LEFT} == set(frame_pages())
