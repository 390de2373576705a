"""What is kept is made once, whoever asks and when."""

import threading
import time

import pytest

from cae_core.runtime.caching import cached


def ask_at_once(function, arguments):
    """What each of as many threads gets that ask at the same moment: an answer or an error."""
    answers, together = [None] * len(arguments), threading.Barrier(len(arguments))

    def ask(number):
        together.wait()
        try:
            answers[number] = function(arguments[number])
        except ValueError as error:
            answers[number] = error

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(arguments))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


def test_who_asks_for_what_is_being_made_gets_the_same_and_others_do_not_wait():
    calls, other_is_made = [], threading.Event()

    @cached(most=2)
    def answer(x):
        calls.append(x)
        assert other_is_made.wait(60) if x == "slow" else not other_is_made.set()
        return [x]

    answers = ask_at_once(answer, ["slow"] * 8 + ["quick"])
    assert sorted(calls) == ["quick", "slow"]
    assert answers == [["slow"]] * 8 + [["quick"]]
    assert len({id(answer) for answer in answers}) == 2
    answer("slow"), answer("third"), answer("slow"), answer("quick")
    assert sorted(calls) == ["quick", "quick", "slow", "third"]  # only the last two are kept


def test_an_error_is_not_kept():
    tries = []

    @cached()
    def answer(x):
        tries.append(x)
        time.sleep(0.01)
        if len(tries) < 3:
            raise ValueError(str(len(tries)))
        return x

    answers = ask_at_once(answer, [7] * 5)
    assert sorted(str(answer) for answer in answers) == ["1", "2", "7", "7", "7"]
    assert len(tries) == 3


def test_nobody_waits_for_what_was_ended_in_the_middle():
    """Streamlit ends a page that has been asked for anew by an exception that is no `Exception`."""
    begun, calls = threading.Event(), []

    @cached()
    def answer(x):
        calls.append(x)
        if len(calls) == 1:
            begun.set()
            time.sleep(0.1)
            raise SystemExit
        return x

    def end():
        with pytest.raises(SystemExit):
            answer(1)

    threading.Thread(target=end).start()
    assert begun.wait(60)
    assert ask_at_once(answer, [1] * 3) == [1] * 3
    assert len(calls) == 2


def test_the_answer_is_that_of_all_arguments():
    @cached()
    def answer(x, *, y=0):
        return x - y

    assert [answer(3), answer(3, y=1), answer(x=3, y=2), answer(3)] == [3, 2, 1, 3]
    with pytest.raises(TypeError):
        answer([])
