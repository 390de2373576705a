"""The Reproduce page as people use it: every claim on one screen, nothing cut off, a card that opens."""

import pytest
from checks import contrasts, cut_off, too_small_for_fingers

from cae_core.reproductions import CARDS

pytestmark = pytest.mark.browser

JUDGED = sum(claim.is_judged for card in CARDS.values() for claim in card.claims)
SIZES = {"wide": {"width": 1366, "height": 768}, "phone": {"width": 390, "height": 844}}


@pytest.mark.parametrize("size", SIZES)
def test_every_claim_is_shown_and_readable(visit, server, size):
    theme = "dark" if size == "wide" else "light"
    visitor = visit(server, "reproduce", viewport=SIZES[size], color_scheme=theme)
    visitor.page.locator(".st-key-card_keras_blog table").wait_for()
    visitor.idle()
    assert visitor.page.locator(".claim").count() == JUDGED
    assert cut_off(visitor, ".claim, .claim-table, .track") == []
    faint = [text for text, ratio in contrasts(visitor) if ratio < 4.5]
    assert [text for text in faint if not text.startswith("keyboard_")] == []  # Streamlit's own sign for the sidebar
    assert too_small_for_fingers(visitor) == []
    if size == "wide":  # the answer needs no scrolling
        box = visitor.page.locator(".facts").bounding_box()
        assert box["y"] + box["height"] < 768
    card = visitor.page.locator(".st-key-card_keras_clean")
    card.locator("summary").focus()
    visitor.page.keyboard.press("Enter")
    card.locator("code").wait_for()
    assert card.locator("code").inner_text().strip() == "python -m cae_core reproduce keras_clean"
    assert visitor.link["length"] == "5"
