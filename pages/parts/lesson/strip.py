"""The strip of a page's questions: guess first, then see the outcome beside the picture that the guess has set."""

from collections.abc import Collection, Iterable, Mapping
from html import escape
from typing import Any

import streamlit as st

from pages.parts.common import show, widgets
from pages.parts.lesson import path
from pages.parts.lesson.board import BOARD
from pages.parts.lesson.question import Question
from pages.parts.session import identity, state
from pages.parts.session.setting import Guess, Setting, Words

SKIPPED = "skip"
MOST_NAME = 40
"""Characters of a class's name."""
AGAIN = 2.0
"""Seconds between looks at the guesses of a class."""


def settings(*questions: Iterable[str]) -> dict[str, Setting]:
    """The settings that a page with these questions, by key, has for them."""
    keys = tuple(key for every in questions for key in every)
    return {
        "guess": Setting("", Guess(keys), always=False),
        "lesson": Setting("", ("", *path.numbers()), always=False),
        "class": Setting("", Words(MOST_NAME), always=False),
    }


def draw(
    questions: Mapping[str, Question], page: Mapping[str, Setting], now: Mapping[str, Any], leaves: Collection[str] = ()
) -> str:
    """One question, its answers, and once one is given the outcome.

    Args:
        questions: of this page or view, by key.
        page, now, leaves: as of `Question.changes`.

    Returns:
        The key of the question that is open.
    """
    question, answer = _open(questions, now)
    with st.container(border=True, key="lesson", gap="xsmall"):
        _head(questions, question, now)
        changes = question.changes(page, now, leaves)
        if answer:
            _outcome(question, answer, now)
        else:
            _ask(question, changes, now["class"])
        if now["class"]:
            _class(question, bool(answer), now["class"])
        if answer or now["lesson"]:
            with st.container(horizontal=True, gap="small", vertical_alignment="center", key="lesson_on"):
                if answer and not question.is_set(page, now, leaves):
                    again = {"icon": ":material/replay:", "on_click": state.change, "kwargs": changes}
                    st.button("Set it up again", key="set_again", **again)
                _ways_on(questions, question, answer, now)
    return question.key


def _open(questions: Mapping[str, Question], now: Mapping[str, Any]) -> tuple[Question, str]:
    """The question that is open, and the answer to it: a number from 1, `SKIPPED`, or "" while there is none."""
    key, _, answer = now["guess"].partition(".")
    on_path = path.PATH[int(now["lesson"]) - 1].question if now["lesson"] else ""
    if on_path in questions and state.first_time("lesson", now["lesson"]):
        key, answer = on_path, answer if key == on_path else _guesses().get(on_path, "")
        state.change(guess=_as_setting(key, answer))
    if key not in questions:
        key = on_path if on_path in questions else next(iter(questions))
        answer = ""
    question = questions[key]
    if answer.isdigit() and int(answer) > len(question.answers):
        answer = ""
    if answer:
        state.keep("guesses", {key: answer, **_guesses()})
    return question, answer


def _guesses() -> dict[str, str]:
    """What this visitor has answered since the page was loaded, by the question's key."""
    return state.kept("guesses", {})


def _as_setting(key: str, answer: str) -> str:
    return f"{key}.{answer}" if answer else key


def _turn_to(key: str) -> None:
    state.change(guess=_as_setting(key, _guesses().get(key, "")))


def _head(questions: Mapping[str, Question], question: Question, now: Mapping[str, Any]) -> None:
    """Which question it is, of which, and where on the path."""
    if state.value("asked") != question.key:
        state.change(asked=question.key)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("**Try this**", width="content")
        with st.container(key="asked_place", width="stretch"):
            widgets.selectbox(
                "Question", tuple(questions), format_func=lambda key: questions[key].title, key="asked",
                label_visibility="collapsed", on_change=lambda: _turn_to(state.value("asked")),
            )  # fmt: skip
        if now["lesson"]:
            st.markdown(f"{now['lesson']} of {len(path.PATH)}", width="content")
        else:
            path.go_to(1, f"The path: {len(path.PATH)} questions", "path_begin")


def _ask(question: Question, changes: Mapping[str, Any], name: str) -> None:
    def give(answer: str) -> None:
        state.keep("guesses", {**_guesses(), question.key: answer})
        state.change(**changes, guess=_as_setting(question.key, answer))
        if name and answer != SKIPPED:
            BOARD.guess(name, question.key, answer, identity.visitor())

    st.markdown(question.asks)
    with st.container(horizontal=True, gap="small"):
        for number, answer in enumerate(question.answers, 1):
            st.button(answer, key=f"guess_{question.key}_{number}", on_click=give, args=(str(number),))
        st.button("Just show me", key=f"try_{question.key}", type="tertiary", on_click=give, args=(SKIPPED,))


def _outcome(question: Question, answer: str, now: Mapping[str, Any]) -> None:
    """Guess and measured outcome side by side, and why."""
    cells = []
    if answer != SKIPPED:
        cells.append(("Your guess", question.answers[int(answer) - 1], ""))
    cells.append(("Measured", question.answers[question.right - 1], question.figures(now)))
    columns = "".join(
        f"<div><small>{escape(head)}</small><b>{escape(text)}</b><span>{escape(more)}</span></div>"
        for head, text, more in cells
    )
    st.markdown(question.asks)
    st.html(f'<div class="outcome" role="status">{columns}</div>')
    st.markdown(question.why)


@st.fragment(run_every=AGAIN)
def _class(question: Question, is_answered: bool, name: str) -> None:
    """What the class has guessed, as it comes in: how many while the visitor has not answered, then what."""
    counts = BOARD.counts(name, question.key)
    of = f"Class {escape(name)}: {counts.total()} {'guess' if counts.total() == 1 else 'guesses'}"
    if not is_answered:
        st.html(f'<div class="class-board"><small>{of} so far. Yours is counted without your name.</small></div>')
        return
    rows = []
    for number, answer in enumerate(question.answers, 1):
        count = counts[str(number)]
        share = show.percent(count / max(1, counts.total()))
        right = ' class="right"' if number == question.right else ""
        rows.append(
            f'<dt{right}>{escape(answer)}</dt><dd style="--share: {share.replace(" ", "")}"><span>{count}</span></dd>'
        )
    st.html(f'<div class="class-board"><small>{of}</small><dl>{"".join(rows)}</dl></div>')


def _ways_on(questions: Mapping[str, Question], question: Question, answer: str, now: Mapping[str, Any]) -> None:
    """The ways on: along the path where one is on it, else to another question of this page."""
    if not now["lesson"]:
        keys = [*questions]
        following = keys[(keys.index(question.key) + 1) % len(keys)]
        st.button("Another question", key="another", type="tertiary", on_click=_turn_to, args=(following,))
        return
    number = int(now["lesson"])
    if path.PATH[number - 1].question != question.key:
        path.go_to(number, f"Back to question {number}", "path_back")
    elif answer and number < len(path.PATH):
        path.go_to(number + 1, "Next question", "path_next")
    elif answer:
        with st.popover("That was the last: what you can answer now", type="tertiary"):
            st.markdown("\n".join(f"1. {lesson.goal}" for lesson in path.PATH))
    st.button("Leave the path", key="path_leave", type="tertiary", on_click=state.change, kwargs={"lesson": ""})
