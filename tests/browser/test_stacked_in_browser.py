"""The Stacked page as people use it: the curve and its points, and a stack that is trained before one's eyes."""

import pytest

from cae_core.stacking import results

pytestmark = pytest.mark.browser

SIZES = {"wide": {"width": 1366, "height": 768}, "phone": {"width": 390, "height": 844}}
SMALL = "stacked?stack_view=mine&dataset=strokes&maps=4&kernel=3&stack_images=500&stack_epochs=1&labels=50&tuning_steps=20"


@pytest.mark.parametrize("size", SIZES)
def test_the_curve_answers_without_scrolling(visit, server, size):
    visitor = visit(server, "stacked", viewport=SIZES[size])
    chart = visitor.page.locator(".st-key-label_curve, [data-testid=stPlotlyChart]").first
    chart.wait_for()
    visitor.idle()
    box = chart.bounding_box()
    assert box["y"] + box["height"] < SIZES[size]["height"]
    visitor.wait_for_link(stack_view="curve")
    if results.SHIPPED.exists():
        visitor.page.locator(".facts").first.wait_for()
        assert visitor.page.locator(".facts").first.bounding_box()["y"] < SIZES[size]["height"]


def test_a_stack_learns_before_ones_eyes(visit, server, expect):
    visitor = visit(server, SMALL)
    page = visitor.page
    page.get_by_role("button", name="Train this stack").click()
    expect(page.locator(".facts").first).to_contain_text("Finished")
    expect(page.locator(".grid .waiting")).to_have_count(0)
    expect(page.locator(".confusion")).to_be_visible()
    expect(page.locator(".misread img").first).to_be_visible()
    visitor.idle()
    page.reload()
    expect(page.locator(".facts").first).to_contain_text("Finished")  # it is theirs, also in another tab
    expect(page.locator(".confusion")).to_be_visible()
