"""What every page must do for every visitor: fit narrow screens, stand out from its background, be hit by a finger."""

from __future__ import annotations

# Every piece of text that is drawn, with where it is.
_TEXTS = """
() => {
  const main = document.querySelector('[data-testid="stMain"]'), found = [];
  const walker = document.createTreeWalker(main, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const range = document.createRange(), element = walker.currentNode.parentElement;
    range.selectNodeContents(walker.currentNode);
    const box = range.getBoundingClientRect();
    if (box.width > 1 && box.height > 1 && element.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
      found.push([walker.currentNode.textContent.trim().slice(0, 40), box.left, box.right]);
  }
  return found;
}
"""

# The contrast (WCAG 2.2) of every text with what is behind it; opacity and half-transparent colours are taken into account.
# What cannot be pressed now need not stand out.
_CONTRASTS = """
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = colour => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3]));
  const luminance = colour => {
    const [r, g, b] = colour.map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, text = walker.currentNode.textContent.trim();
    if (!text || element.closest("style, script, noscript, title, :disabled")) continue;
    if (!element.checkVisibility({ visibilityProperty: true })) continue;
    const range = document.createRange();
    range.selectNodeContents(walker.currentNode);
    if (range.getBoundingClientRect().width <= 1) continue;
    const box = range.getBoundingClientRect(), x = box.left + box.width / 2, y = box.top + box.height / 2, chain = [];
    for (let e = element; e; e = e.parentElement) chain.unshift(e);
    let behind = [255, 255, 255], opacity = 1;
    for (const e of chain) {
      const style = getComputedStyle(e);
      opacity *= Number(style.opacity);
      const around = e.getBoundingClientRect();  // a slider's value stands above its thumb, not on it
      const inside = around.left <= x && x <= around.right && around.top <= y && y <= around.bottom;
      if (inside || e === document.body) behind = over(rgba(style.backgroundColor), behind);
    }
    if (opacity < 0.05) continue;
    const [r, g, b, a] = rgba(getComputedStyle(element).color);
    const [light, dark] = [luminance(over([r, g, b, a * opacity], behind)), luminance(behind)].sort((x, y) => y - x);
    found.push([text.slice(0, 40), Math.round((light + 0.05) / (dark + 0.05) * 100) / 100]);
  }
  return found;
}
"""


def texts(visitor) -> list[tuple[str, float, float]]:
    """Every piece of text that is drawn: its beginning, its left and its right end in pixels."""
    return visitor.page.evaluate(_TEXTS)


def contrasts(visitor) -> list[tuple[str, float]]:
    """Every piece of text: its beginning, and its contrast with what is behind it."""
    return visitor.page.evaluate(_CONTRASTS)


def cut_off(visitor, parts: str) -> list[str]:
    """What does not fit the width of the screen: a container that scrolls sideways, a text, or one of these parts."""
    width, found = visitor.page.viewport_size["width"], []
    for part in ("html", '[data-testid="stMain"]', '[data-testid="stMainBlockContainer"]'):
        inside, outside = visitor.page.locator(part).evaluate("e => [e.scrollWidth, e.clientWidth]")
        found += [f"{part} scrolls"] if inside > outside else []
    found += [text for text, left, right in texts(visitor) if left < 0 or right > width]
    for part in visitor.page.locator(parts).all():
        box = part.bounding_box()
        if box["x"] < 0 or box["x"] + box["width"] > width:
            found.append(part.evaluate("e => e.outerHTML.slice(0, 80)"))
    return found


def too_small_for_fingers(visitor, least: float = 40) -> list[str]:
    """The labels of buttons that are less than so many pixels high."""
    buttons = visitor.page.locator("[data-testid=stMain] button:visible").all()
    return [button.inner_text() for button in buttons if button.bounding_box()["height"] < least]
