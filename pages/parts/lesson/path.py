"""The path: eight questions over the pages, after which a newcomer can say what an autoencoder is and does."""

from collections.abc import Mapping
from typing import NamedTuple

import streamlit as st

from pages.parts.session import state


class Lesson(NamedTuple):
    """A question of the path.

    Attributes:
        question: its key.
        page: the file of the page that asks it, without the ending.
        link: the settings that lead there beside the page's address, such as its view.
        goal: what can be answered after it.
    """

    question: str
    page: str
    link: Mapping[str, str]
    goal: str


PATH = (
    Lesson("from_the_code", "denoise", {}, "What is an autoencoder?"),
    Lesson("two_numbers", "denoise", {}, "What does the bottleneck do?"),
    Lesson("two_judges", "denoise", {}, "When BCE, when MSE?"),
    Lesson("never_saw_noise", "denoise", {}, "What does training with noise buy?"),
    Lesson("nothing_known", "architectures", {"view": "leak"}, "Where does information leak past the code?"),
    Lesson("no_code", "latent", {}, "What is a latent space, and why does it have holes?"),
    Lesson("all_five", "architectures", {"view": "race"}, "Why do transposed convolutions leave a checkerboard?"),
    Lesson("few_or_many", "stacked", {}, "Does pretraining help?"),
)


def numbers() -> tuple[str, ...]:
    """The lessons as a link counts them: from 1, as text."""
    return tuple(str(number) for number in range(1, len(PATH) + 1))


def go_to(number: int, label: str, key: str) -> None:
    """A button or link to a lesson, of this page or another; `key` tells it from others."""
    lesson = PATH[number - 1]
    settings = {**lesson.link, "lesson": str(number), "guess": lesson.question}
    if lesson.page == state.page():
        st.button(label, key=key, type="tertiary", icon=":material/arrow_forward:", on_click=state.change, kwargs=settings)
    else:
        st.page_link(f"{lesson.page}.py", label=label, icon=":material/arrow_forward:", query_params=settings)
