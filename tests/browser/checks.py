"""What every page must do for every visitor: fit the screen with nothing cut off or covered, and pass axe."""

from pathlib import Path

from axe_playwright_python.base import AXE_SCRIPT

_FLAWS = Path(__file__).with_name("flaws.js").read_text(encoding="utf-8")

# What axe calls serious or critical, a line each: rule, element, reason.
_AXE = """
async theirs => {
  const { violations } = await axe.run({ exclude: theirs }, { resultTypes: ["violations"] });
  return violations.filter(({ impact }) => ["serious", "critical"].includes(impact)).flatMap(({ id, nodes }) =>
    nodes.map(({ html, any, all, none }) => `axe ${id}: ${html.slice(0, 120)} (${[...any, ...all, ...none][0]?.message})`));
}
"""

STREAMLITS_OWN = {
    '[data-testid="stSelectbox"]:has(input:disabled) label': "color-contrast: pale, for the box cannot be used now",
    '[data-testid="stCode"]': "scrollable-region-focusable: a long line of code scrolls, and its box takes no focus",
}
"""Selectors of what Streamlit draws and the app has no hand in, and what axe has against it."""


def flaws(visitor, patience: int = 3000) -> list[str]:
    """What is cut off, covered, beyond the screen, too narrow to be slid or, on a phone, too low for a finger."""
    # The sidebar slides, and charts are drawn anew, for a moment after a change of size.
    while (found := visitor.page.evaluate(_FLAWS)) and patience > 0:
        visitor.page.wait_for_timeout(50)
        patience -= 50
    return found


def axe(visitor) -> list[str]:
    """What axe-core calls serious or critical, but for `STREAMLITS_OWN`."""
    if not visitor.page.evaluate("'axe' in window"):
        visitor.page.evaluate(AXE_SCRIPT)
    return visitor.page.evaluate(_AXE, [[selector] for selector in STREAMLITS_OWN])
