"""Questions of a page: a setting worth a guess before it is looked at, with what was measured there."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from cae_core import datasets, runs
from pages.parts.common import words
from pages.parts.session.setting import Setting, text

SHARED = ("guess", "lesson", "class")
"""Settings of every page that no question's settings change: see `strip.settings`."""


@dataclass(frozen=True)
class Question:
    """What is asked, what may be guessed, and what the page is to show with the outcome.

    Attributes:
        key: its name in a link and for a class; no two questions of the app have the same.
        title: two to five words.
        asks: the question.
        answers: two to four, of which one is right.
        right: the number of the right one, from 1; a test measures it on the shipped models.
        why: the reason, and what to see in the picture.
        settings: in which the page with the outcome differs from the page as it opens (see `changes`).
        measured: gives the figures for the outcome as text, from the page's settings as they are; None where the right
            answer says it all.
    """

    key: str
    title: str
    asks: str
    answers: tuple[str, ...]
    right: int
    why: str
    settings: Mapping[str, Any]
    measured: Callable[[Mapping[str, Any]], str] | None = None

    def figures(self, now: Mapping[str, Any]) -> str:
        """What `measured` gives; "" where nothing was measured, or what it was measured on cannot be read."""
        try:
            return self.measured(now) if self.measured else ""
        except (KeyError, RuntimeError, runs.RunError, datasets.DataError):  # the page says what is wrong with them
            return ""

    def changes(self, page: Mapping[str, Setting], now: Mapping[str, Any], leaves: Collection[str] = ()) -> dict[str, Any]:
        """What answering sets: whatever the outcome could depend on, so that nothing from before lasts.

        Args:
            page: every setting of its page or view; those that it does not name become what the page opens with.
            now: the settings as they are. Any data set of digits stays.
            leaves: settings that none of the page's questions depends on; they stay, too.
        """
        kept = {*leaves, *SHARED, "dataset"}
        opened = {key: setting.default for key, setting in page.items() if key not in kept}
        if now.get("dataset", datasets.DIGITS[0]) not in datasets.DIGITS:
            opened["dataset"] = datasets.default()
        return opened | dict(self.settings)

    def is_set(self, page: Mapping[str, Setting], now: Mapping[str, Any], leaves: Collection[str] = ()) -> bool:
        """Whether the page shows the outcome now; arguments as those of `changes`."""
        return all(text(now[key]) == text(value) for key, value in self.changes(page, now, leaves).items())


def questions_of(
    name: str, measured: Mapping[str, Callable[[Mapping[str, Any]], str]] | None = None, **settings: Mapping[str, Any]
) -> dict[str, Question]:
    """The questions in `pages/words/<name>.md`, by key, in the order of their settings.

    Args:
        name: of the file.
        measured: by key, `Question.measured` where there is one.
        settings: by key; every question of the file has some.
    """
    texts = words.questions(name)
    if texts.keys() != settings.keys():
        raise ValueError(f"{name}.md has the questions {[*texts]}, there are settings of {[*settings]}: name the same.")
    return {key: Question(key, *texts[key], chosen, (measured or {}).get(key)) for key, chosen in settings.items()}
