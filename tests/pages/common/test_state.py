"""What the program changes reaches the browser's controls, and undoes nothing that a hand has moved since."""

from types import SimpleNamespace

import pytest

from cae_core.config import Bounds
from pages.parts.session import state
from pages.parts.session.setting import Setting

SETTINGS = {"noise": Setting(0.5, Bounds(0.0, 1.0)), "size": Setting(32, (2, 8, 32))}


@pytest.fixture
def streamlit(monkeypatch):
    """A session whose browser stands at noise 0.5 and size 32."""
    stand_in = SimpleNamespace(session_state={}, query_params={})
    monkeypatch.setattr(state, "st", stand_in)
    run(stand_in)
    stand_in.query_params = {"noise": "0.5", "size": "32"}
    return stand_in


def run(streamlit, address=None, **in_browser):
    """A run of the page for which the browser sent its address and what its controls show."""
    streamlit.session_state.update(in_browser)
    if address:
        streamlit.query_params = {**streamlit.query_params, **address}
    state.open_page("page", SETTINGS)
    return state.values(SETTINGS)["noise"]


def test_change_stays_until_the_browser_has_drawn_it(streamlit):
    state.change(noise=0.8)
    assert run(streamlit) == 0.8
    assert run(streamlit, noise=0.5) == 0.8  # asked for before the browser had drawn it
    assert run(streamlit, noise=0.5, size=8) == 0.8
    assert run(streamlit, noise=0.8, address={"noise": "0.8"}) == 0.8


def test_hand_that_moves_a_changed_control_is_obeyed(streamlit):
    state.change(noise=0.8)
    run(streamlit)
    assert run(streamlit, noise=0.9) == 0.9  # on from what was drawn, or never drawn: it is neither value
    assert run(streamlit, noise=0.5) == 0.5


def test_hand_that_moves_back_is_obeyed_once_the_change_was_drawn(streamlit):
    state.change(noise=0.8)
    run(streamlit)
    assert run(streamlit, noise=0.5, address={"noise": "0.8"}) == 0.5
    assert run(streamlit, noise=0.5) == 0.5


def test_two_changes_before_the_browser_draws_end_at_the_second(streamlit):
    state.change(noise=0.8)
    run(streamlit)
    state.change(noise=0.2)
    assert run(streamlit) == 0.2
    assert run(streamlit, noise=0.8) == 0.2  # the browser has drawn the first by now
    assert run(streamlit, noise=0.5) == 0.2
    assert run(streamlit, noise=0.8, address={"noise": "0.2"}) == 0.8  # a hand


def test_changes_for_the_next_run_and_of_other_pages(streamlit):
    state.change_next_run(noise=0.8)
    assert run(streamlit, noise=0.5) == 0.8
    assert run(streamlit, noise=0.5) == 0.8
    state.change(elsewhere=3)
    assert run(streamlit, noise=0.8, address={"noise": "0.8"}) == 0.8
    assert streamlit.session_state["_changes"] == {}


def test_link_with_a_thousand_wrong_parts_names_three(monkeypatch):
    for count in (1, 3, 4, 5_000):
        unknown = {f"noize{i}" if i % 2 else f"q{i}": "1" for i in range(count)}
        monkeypatch.setattr(state, "st", SimpleNamespace(session_state={}, query_params={"noise": "7", **unknown}))
        problems = state.open_page("page", SETTINGS)
        assert "noise is '7'" in problems[0]
        assert sum("There is no setting" in problem for problem in problems) == min(count, 3)
        assert (f"names {count - 3:,} more" in problems[-1] or "one more" in problems[-1]) == (count > 3)
