"""Links, without drawing a page: every wrong part is named with what is allowed, and the rest is used."""

from types import SimpleNamespace

import pytest
from shown import frame_pages, settings_of

from cae_core.config import Bounds
from pages.parts.latent.plane_view import Places
from pages.parts.session import state
from pages.parts.session.setting import Guess, Names, Setting, Some, Words

CHOICE = Setting("fast", ("fast", "dense"))
NUMBER, WHOLE = Setting(0.5, Bounds(0.0, 1.0)), Setting(7, Bounds(0, 9999, integer=True))
GUESS = Setting("", Guess(("two_numbers",)))
WRONG = [
    (CHOICE, "fats", "Did you mean 'fast'?"),
    (CHOICE, "FAST", "choose one of fast, dense"),
    (CHOICE, "<script>alert(1)</script>", "<script>alert(1)</script>"),
    (Setting(32, (2, 32)), "3", "choose one of 2, 32"),
    (Setting(False, (False, True)), "yes", "choose one of off, on"),
    *((NUMBER, given, "from 0 to 1") for given in ("7", "-0.01", "nan", "1e999", "", "a")),
    *((WHOLE, given, "a whole number from 0 to 9999") for given in ("10000", "-1", "0.5", "1e999")),
    (Setting((), Names(2)), "../../etc/passwd", "cannot name a run"),
    (Setting((), Names(2)), "a,b,c", "names 3 runs; it may name at most 2"),
    (Setting((), Some(("a", "b"))), "a,c", "choose one of a, b"),
    (GUESS, "nonsense", "'nonsense'"),
    (GUESS, "two_numbers.5", "two_numbers with '5'; an answer is a number from 1 to 4, or skip"),
    (GUESS, "two_numbers.", "two_numbers with ''"),
    (GUESS, ".1", "two_numbers"),
    (Setting("", Words(40)), 41 * "x", "at most 40 characters"),
    (Setting("", Words(40)), "\x1b[31m", "characters that can be printed"),
    (Setting((), Places(1)), "1", "two for each"),
    (Setting((), Places(1)), "1,2,3,4", "two for each"),
    (Setting((), Places(20)), "inf,0", "must be a number"),
    (Setting((), Places(20)), "1e9,0", "must be a number"),
    (Setting((), Places(20)), "a,b", "must be a number"),
]
"""A setting, what a link has for it, and a part of the sentence."""


@pytest.mark.parametrize(("setting", "given", "words"), WRONG)
def test_a_wrong_value_is_named_with_what_is_allowed(setting, given, words):
    with pytest.raises(ValueError, match="key|cannot name a run") as problem:
        setting.parse("key", given)
    assert words in str(problem.value)


def test_some_of_several_choices_come_in_their_order_and_once():
    setting = Setting(("a", "b"), Some(("a", "b", "c")))
    assert setting.parse("key", "c,a,c") == ("a", "c")
    assert setting.parse("key", "") == ()
    assert setting.allows(["c", "a"])
    assert not setting.allows(["d"])


@pytest.mark.parametrize("page", [file.removesuffix(".py") for file in frame_pages()])
def test_one_wrong_part_of_a_link_is_named_and_the_rest_is_used(page, monkeypatch):
    settings, wrong = settings_of(page), "../\x1b"
    assert len(settings) >= 3
    for key in settings | {"_page": "", "title": ""}:
        good = {name: state.text(setting.default) for name, setting in settings.items() if name != key}
        link = {name: given for name, given in good.items() if given}
        monkeypatch.setattr(state, "st", SimpleNamespace(session_state={}, query_params={key: wrong, **link}))
        (problem,) = state.open_page(page, settings)
        assert key in problem or "cannot name a run" in problem
        assert state.values(settings) == {name: setting.default for name, setting in settings.items()}
