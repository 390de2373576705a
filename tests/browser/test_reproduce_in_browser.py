"""The Reproduce page as people use it: every claim on one screen, a card that opens."""

import pytest

from cae_core.reproduction.registry import CARDS

pytestmark = pytest.mark.browser

JUDGED = sum(claim.is_judged for card in CARDS.values() for claim in card.claims)


def test_every_claim_is_shown(visit, server):
    visitor = visit(server, "reproduce")
    visitor.page.locator(".st-key-card_keras_blog summary").first.wait_for()
    visitor.idle()
    assert visitor.page.locator(".claim").count() == JUDGED
    box = visitor.page.locator(".facts").bounding_box()
    assert box["y"] + box["height"] < 768  # the answer needs no scrolling
    card = visitor.page.locator(".st-key-card_keras_clean")
    card.locator("summary").last.focus()
    visitor.page.keyboard.press("Enter")
    card.locator("code").wait_for()
    assert card.locator("code").inner_text().strip() == "python -m cae_core reproduce keras_clean"
