"""Sheets for the classroom, one a page, made from the questions that the pages ask."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from cae_core import datasets
from pages.parts.architectures import bce_or_mse, race, sparsity, switch_leak, versus
from pages.parts.colour import questions as colour
from pages.parts.common import words
from pages.parts.denoise import questions as denoise
from pages.parts.draw import questions as draw
from pages.parts.latent import questions as latent
from pages.parts.layers import questions as layers
from pages.parts.lesson.question import Question
from pages.parts.reproduce import questions as reproduce
from pages.parts.runs import questions as runs
from pages.parts.stacked import questions as stacked
from pages.parts.train import questions as train

PREDICTIONS = 3
"""Questions that a sheet asks; the others it names."""


@dataclass(frozen=True)
class Sheet:
    """What a sheet is about: a page or view, the settings that lead there, and its questions by key."""

    page: str
    link: Mapping[str, str]
    questions: Mapping[str, Question]


_SET = datasets.default()
SHEETS = {
    "denoise": Sheet("", {}, denoise.QUESTIONS),
    "train": Sheet("train", {}, train.QUESTIONS),
    "latent": Sheet("latent", {}, latent.questions(_SET)),
    "draw": Sheet("draw", {}, draw.questions(_SET)),
    "layers": Sheet("architectures", {"view": "layers"}, layers.QUESTIONS),
    "race": Sheet("architectures", {"view": "race"}, race.QUESTIONS),
    "leak": Sheet("architectures", {"view": "leak"}, switch_leak.QUESTIONS),
    "losses": Sheet("architectures", {"view": "losses"}, bce_or_mse.QUESTIONS),
    "sparsity": Sheet("architectures", {"view": "sparsity"}, sparsity.QUESTIONS),
    "beta": Sheet("architectures", {"view": "beta"}, versus.QUESTIONS),
    "runs": Sheet("runs", {}, runs.questions(_SET)),
    "reproduce": Sheet("reproduce", {}, reproduce.QUESTIONS),
    "stacked": Sheet("stacked", {}, stacked.QUESTIONS),
    "colour": Sheet("colour", {}, colour.QUESTIONS),
}
"""By name; titles and goals stand in `pages/words/teach.md`."""


def title(name: str) -> str:
    """What a sheet is called."""
    return words.questions("teach")[name][0]


def path_link(root: str, class_name: str = "") -> str:
    """Where the path begins; arguments as those of `link`."""
    return f"{root}?{urlencode({'lesson': 1, **({'class': class_name} if class_name else {})})}"


def plans() -> str:
    """What to do in 45 and in 90 minutes, as Markdown."""
    return "".join(f"#### {plan}" for plan in re.split("^# ", words.text("teach"), flags=re.MULTILINE)[1:])


def link(sheet: Sheet, question: str, root: str, class_name: str = "") -> str:
    """Where a question is asked, without anybody's guess.

    Args:
        sheet: the one it is on.
        question: its key.
        root: the app's address, with a slash at its end.
        class_name: of the class whose guesses are to be counted; "" for none.
    """
    more = {"class": class_name} if class_name else {}
    return f"{root}{sheet.page}?{urlencode({**sheet.link, 'guess': question, **more})}"


def for_students(name: str, root: str, class_name: str = "") -> str:
    """The half that is handed out, as Markdown: the goal, and what to guess before looking."""
    sheet = SHEETS[name]
    lines = [f"### {title(name)}", f"**Goal.** {words.questions('teach')[name][1]}", "**Guess first, then look.**"]
    for number, question in enumerate([*sheet.questions.values()][:PREDICTIONS], 1):
        answers = "".join(f"  \n☐ {answer}" for answer in question.answers)
        address = link(sheet, question.key, root, class_name)
        lines.append(f"**{number}.** {question.asks}{answers}  \n☐ because …  \n[{address}]({address})")
    return "\n\n".join(lines)


def for_the_teacher(name: str) -> str:
    """The half that is kept back, as Markdown: what comes out, what is often heard, and what else there is to ask."""
    questions = [*SHEETS[name].questions.values()]
    lines = [f"### {title(name)}: for the teacher"]
    for number, question in enumerate(questions[:PREDICTIONS], 1):
        figures = question.figures({"dataset": _SET})
        right = question.answers[question.right - 1]
        heard = "; ".join(f"“{answer}”" for place, answer in enumerate(question.answers, 1) if place != question.right)
        lines.append(
            f"**{number}. {right}**{f' ({datasets.DATASETS[_SET].label}: {figures})' if figures else ''}. {question.why}"
        )
        lines.append(f"*Often heard:* {heard}.")
    if further := questions[PREDICTIONS:]:
        lines.append("**To go on with:** " + "; ".join(question.title for question in further) + ".")
    return "\n\n".join(lines)
