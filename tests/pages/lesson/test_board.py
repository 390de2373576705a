"""The class board: what it counts, what it forgets, how much it holds, and that it stands beside the outcome."""

import threading
from collections import Counter

import pytest
from shown import ShownPage

from pages.parts.lesson import board, strip
from pages.parts.lesson.board import Board


@pytest.fixture
def fresh(monkeypatch):
    """The server's board, empty."""
    empty = Board()
    monkeypatch.setattr(strip, "BOARD", empty)
    return empty


def test_counts_everybody_once_and_their_last_guess():
    of = Board()
    for visitor, answer in [("a", "1"), ("b", "2"), ("a", "2"), ("c", "2")]:
        of.guess("8b", "two_numbers", answer, visitor)
    of.guess("8b", "too_much", "1", "a")
    of.guess("8c", "two_numbers", "3", "a")
    assert of.counts("8b", "two_numbers") == Counter({"2": 3})
    assert of.counts("8c", "two_numbers") == Counter({"3": 1})
    assert of.counts("8d", "two_numbers") == Counter()


def test_a_thousand_guesses_from_many_threads_are_all_counted():
    of = Board()

    def hundred(first):
        for visitor in range(first, first + 100):
            of.guess("8b", "two_numbers", str(visitor % 3 + 1), str(visitor))

    threads = [threading.Thread(target=hundred, args=(100 * first,)) for first in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert of.counts("8b", "two_numbers") == Counter({"1": 334, "2": 333, "3": 333})


def test_holds_no_more_than_it_may_and_nothing_of_whoever_guessed():
    of = Board()
    for visitor in range(board.MOST_GUESSES + 5):
        of.guess("8b", "two_numbers", "1", f"visitor {visitor}")
    assert of.counts("8b", "two_numbers").total() == board.MOST_GUESSES
    of.guess("8b", "two_numbers", "2", "visitor 0")  # who has guessed may still change their mind
    assert of.counts("8b", "two_numbers")["2"] == 1
    assert "visitor 1" not in repr(of.__dict__)
    for number in range(board.MOST_CLASSES):
        of.guess(f"class {number}", "two_numbers", "1", "a")
    assert of.counts("8b", "two_numbers") == Counter()  # quiet longest
    assert of.counts("class 0", "two_numbers").total() == 1


def test_a_class_is_forgotten_a_day_after_its_last_guess():
    now = [0.0]
    of = Board(lambda: now[0])
    of.guess("early", "two_numbers", "1", "a")
    now[0] = board.LIFETIME - 1
    of.guess("late", "two_numbers", "1", "a")
    of.guess("early", "too_much", "1", "a")
    now[0] = 2 * board.LIFETIME - 2
    assert of.counts("early", "two_numbers").total() == 1
    now[0] = 2 * board.LIFETIME
    assert of.counts("early", "two_numbers") == of.counts("late", "two_numbers") == Counter()


def test_guesses_of_a_class_stand_beside_the_outcome_once_one_has_guessed_oneself(fresh):
    name = "<img src=x> **8b** [a](http://b.example)"
    students = [ShownPage(f"student {number}", **{"class": name}).set(asked="two_numbers") for number in range(3)]
    for student, answer in zip(students, (1, 3, 3), strict=True):
        student.press(f"guess_two_numbers_{answer}")
    other = ShownPage("student", **{"class": " an  other "}).set(asked="two_numbers").press("guess_two_numbers_2")
    teacher = ShownPage("teacher", **{"class": name}).set(asked="two_numbers")
    assert "3 guesses so far" in teacher.html
    assert "<dl>" not in teacher.html
    teacher.press("try_two_numbers")  # which is no guess
    assert "3 guesses<" in teacher.html
    assert [cell.split("</span>")[0] for cell in teacher.html.split("<dd")[1:]] == [
        ' style="--share: 33%"><span>1', ' style="--share: 0%"><span>0', ' style="--share: 67%"><span>2'
    ]  # fmt: skip
    assert "1 guess<" in other.html
    assert other.query["class"] == "an other"
    assert "<img src=x" not in teacher.html
    assert teacher.query["class"] == name
