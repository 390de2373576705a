"""Every question of every page: what is in it, that answering sets all its outcome needs, and how far a link carries it."""

import importlib
import itertools
import re
from pathlib import Path

import pytest
from shown import ShownPage, frame_pages, open_page

from cae_core import runs
from cae_core.pretrained import name_of
from pages.parts.common import words
from pages.parts.lesson import path, strip
from pages.parts.lesson.question import SHARED, questions_of
from pages.parts.session.setting import text

LAB = {"dataset", "view"}
SLIDERS = {"start", *(f"move_{place}" for place in range(1, 9))}
LEFT = {
    "denoise.py": {"dataset", "seed"},
    "train.py": {"dataset"},
    "runs.py": set(),
    "latent.py": {
        "dataset", "image", "even", "grid_behind", "grid_side", "holes", "circles", "unit", "unit_times", *SLIDERS,
    },
    "draw.py": set(),
    "architectures.py?view=layers": {"dataset", "image"},
    "architectures.py?view=race": LAB,
    "architectures.py?view=leak": {"dataset", "seed"},
    "architectures.py?view=losses": {"view"},
    "architectures.py?view=sparsity": LAB,
    "architectures.py?view=beta": LAB,
    "reproduce.py": set(),
    "stacked.py": {"dataset"},
    "colour.py": {"take_loss", "chain_loss", "chain_images", "chain_epochs"},
}  # fmt: skip
"""By page or view: the settings that none of its questions depends on. The other views' settings are none of a view's."""


@pytest.fixture
def opened(monkeypatch):
    """Opens a page or view, with the questions it draws and what answering each would set."""
    drawn = {}

    def draw(questions, page, now, leaves=()):
        drawn.update(questions=questions, sets={key: each.changes(page, now, leaves) for key, each in questions.items()})
        return original(questions, page, now, leaves)

    original = strip.draw
    monkeypatch.setattr(strip, "draw", draw)

    def open_view(address, **link):
        file, _, view = address.partition("?view=")
        return open_page(file, **({"view": view} if view else {}), **link), drawn["questions"], drawn["sets"]

    return open_view


@pytest.mark.parametrize("address", LEFT)
def test_an_answer_sets_all_its_outcome_needs_and_stands_beside_it(opened, address):
    page, questions, sets = opened(address)
    assert len(questions) >= 3
    settings = {key for key in page.setting["_last"] if not key.startswith("table_")} - {*SHARED}
    other = set() if "?" not in address else settings - set().union(*sets.values()) - LEFT[address]
    for first, second in itertools.permutations(sets.values(), 2):
        anything = dict.fromkeys(settings, "as it was")
        assert anything | first | second == anything | second
        assert settings - set(second) - other == LEFT[address]
    different = {frozenset((key, str(value)) for key, value in new.items()) for new in sets.values()}
    assert len(different) >= len(sets) - 1, "questions that differ in nothing that can be seen"

    for key, new in sets.items():
        question = questions[key]
        assert question.title in page.widget("asked").options[[*questions].index(key)]
        page.set(asked=key)
        assert question.asks in page.text
        page.press(f"guess_{key}_{len(question.answers)}")
        assert {name: text(page.setting[name]) for name in new} == {name: text(value) for name, value in new.items()}
        assert {name: page.query.get(name, "") for name in new} == {name: text(value) for name, value in new.items()}
        assert question.why in page.text
        assert not page.has("set_again")
        assert bool(page.messages("warning")) == (key == "outside")  # whose lesson is that it is refused


def every_question():
    modules = ["denoise", "latent", "layers", "colour", "reproduce", "stacked", "train", "runs", "draw"]
    modules = [f"pages.parts.{page}.questions" for page in modules]
    modules += [f"pages.parts.architectures.{view}" for view in ("race", "switch_leak", "bce_or_mse", "sparsity", "versus")]
    for module in map(importlib.import_module, modules):
        yield from (module.QUESTIONS if hasattr(module, "QUESTIONS") else module.questions("strokes")).values()


def test_no_two_questions_have_the_same_key_and_the_path_knows_its_own():
    keys = [question.key for question in every_question()]
    assert [key for key in keys if keys.count(key) > 1] == []
    assert [lesson.question for lesson in path.PATH if lesson.question not in keys] == []
    assert len({lesson.question for lesson in path.PATH}) == len(path.PATH) == 8


def test_every_questions_right_answer_is_measured_by_a_test():
    texts = [path.read_text(encoding="utf-8") for path in Path(__file__).parents[1].rglob("test_*.py")]
    proofs = "".join(text for text in texts if "from claims import answer" in text)
    assert [each.key for each in every_question() if not re.search(rf'_{each.key}\(|"{each.key}"', proofs)] == []


def test_every_question_has_two_to_four_answers_that_fit_a_button_one_of_them_right_and_a_reason():
    marked = {
        key: re.findall(r"^- \[([ x])\] ", body, re.MULTILINE)
        for file in words.FOLDER.glob("*.md")
        for key, body in re.findall(r"^## (\w+): .*\n((?:(?!^#).*\n)+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    offenders = [
        each.key
        for each in every_question()
        if not 2 <= len(each.answers) <= 4
        or [number for number, mark in enumerate(marked[each.key], 1) if mark == "x"] != [each.right]
        or max(map(len, each.answers)) > 45
        or len(set(each.answers)) < len(each.answers)
        or not 80 < len(each.why) <= 420
        or not each.asks.endswith("?")
    ]
    assert offenders == []


def test_a_question_without_words_is_refused():
    with pytest.raises(ValueError, match="there are settings of .'all_five', 'other'.: name the same"):
        questions_of("race", all_five={}, other={})


def test_every_page_is_there():
    assert {address.partition("?")[0] for address in LEFT} == set(frame_pages()) - {"teach.py"}


def test_a_guess_stands_beside_what_was_measured_and_stays_in_the_link():
    page = ShownPage(dataset="strokes").press("try_from_the_code")  # skipped
    assert page.query["guess"] == "from_the_code.skip"
    assert ("Your guess" in page.html, "Measured" in page.html) == (False, True)
    page.set(asked="two_numbers").press("guess_two_numbers_1")
    assert page.query["guess"] == "two_numbers.1"
    assert "Your guess" in page.html
    two, many = (runs.network(name_of("strokes", size, "mse", "clean")).metrics["clean"]["mse"] for size in (2, 32))
    assert f"{two / many:.1f} times: MSE {two:.4f} and {many:.4f} over the test set" in page.html
    again = ShownPage(**page.query)  # in a private window
    assert f"{two / many:.1f} times" in again.html
    again.set(bottleneck=8)
    assert again.press("set_again").setting["bottleneck"] == 2


def test_the_path_leads_from_question_to_question_and_can_be_left():
    page = ShownPage(lesson=1)
    assert f"1 of {len(path.PATH)}" in page.text
    page.press("guess_from_the_code_2").press("path_next")
    assert (page.query["lesson"], page.query["guess"]) == ("2", "two_numbers")
    page.set(asked="too_much").press("path_back")  # a question aside costs nothing
    assert page.query["guess"] == "two_numbers"
    page.press("path_leave")
    assert "lesson" not in page.query
    assert ShownPage(lesson=3, guess="too_much.1").has("guess_two_judges_1")
    elsewhere = ShownPage(lesson=6)  # a lesson of another page
    assert elsewhere.has("guess_from_the_code_1")
    assert elsewhere.has("path_leave")
