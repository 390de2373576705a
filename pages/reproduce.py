"""Reproduce: do the published figures hold?"""

from pages import show, state

SETTINGS = {}


def _page() -> None:
    problems = state.open_page("reproduce", SETTINGS)
    show.question("Do the published figures hold?")
    if problems:
        show.link_problems(problems)


_page()
state.keep_visitor()
state.write_address(SETTINGS)
