"""Reproduce: do the published figures hold?"""

import streamlit as st

from cae_core import datasets
from cae_core.reproduction import results
from cae_core.reproduction.registry import CARDS
from pages.parts.common import missing, show, words
from pages.parts.lesson import strip
from pages.parts.reproduce import card_view, claims_view, questions
from pages.parts.session import address, identity
from pages.parts.session.setting import Setting

SETTINGS = {"card": Setting("", ("", *CARDS)), **strip.settings(questions.QUESTIONS)}


def _numbers(shipped: dict) -> None:
    published, own = claims_view.counts(shipped, True), claims_view.counts(shipped, False)
    show.facts([
        ("Published: held", f"{published['reproduced']} of {published.total()} figures"),
        ("Published: better", str(published["better"])),
        ("Published: missed", str(published["missed"])),
        ("Own: met", f"{own['met']} of {own.total()}"),
        ("Own: missed", str(own["missed"])),
        ("Not run yet", str(published["not run"] + own["not run"])),
    ])  # fmt: skip


def _can_run() -> bool:
    """Whether the data of all cards is here; where it is not, the way to get it."""
    needed = dict.fromkeys(config.dataset for card in CARDS.values() for config in card.runs.values())
    absent = [name for name in needed if not datasets.DATASETS[name].on_machine()]
    of_other_files = {datasets.DATASETS[name].download: name for name in reversed(absent)}
    for name in of_other_files.values():
        missing.offer_download(
            name, f"To run any of this yourself, {datasets.DATASETS[name].label} has to be on this machine."
        )
    return not absent


def _page() -> None:
    now = show.open_page("reproduce", "Do the published figures hold?", SETTINGS)
    owner = identity.visitor()
    shipped, damaged = results.shipped()
    for sentence in damaged:
        st.warning(show.plain(sentence))
    strip.draw(questions.QUESTIONS, SETTINGS, now)
    card, others = st.container(), st.container()  # what a question sets stands beside it
    with others:
        _numbers(shipped)
        claims_view.overview(shipped)
        can_run = _can_run()
    if now["card"]:
        with card:
            card_view.card(now["card"], shipped.get(now["card"]), owner, can_run, is_open=True)
    rest = [name for name in CARDS if name != now["card"]]
    left = (len(rest) + 1) // 2
    for column, names in zip(st.columns(2, gap="medium"), (rest[:left], rest[left:]), strict=True):
        with column:
            for name in names:
                card_view.card(name, shipped.get(name), owner, can_run)
    words.explain("reproduce")


_page()
address.write(SETTINGS)
