// What is wrong with the page as it is laid out now, one line each. Evaluated in the browser by checks.flaws.
() => {
  const wide = e => e.getBoundingClientRect(), shorten = text => text.trim().replace(/\s+/g, " ").slice(0, 40);
  const seen = e => e.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true });
  // Streamlit's own: the header lies over the page; a table of runs scrolls inside; long labels end in an ellipsis there.
  const THEIRS = '[data-testid="stHeader"], [data-testid="stFileUploaderDropzone"], [data-testid="stMultiSelect"], .react-aria-ComboBox, [data-testid="stCode"], .dvn-scroller, .katex';
  const SMALL = '[data-testid="stElementToolbar"], [data-testid="stTooltipIcon"], [data-testid="stNumberInput"]';
  const roots = [...document.querySelectorAll('[data-testid="stMain"], [data-testid="stSidebar"][data-collapsed="false"], [data-collapsed="true"] .st-key-main_controls')]
    .filter(root => wide(root).right > 0);
  const every = function* (root) { for (const e of root.querySelectorAll("*")) { yield e; if (e.shadowRoot) yield* every(e.shadowRoot); } };
  const parent = e => e.assignedSlot ?? e.parentElement ?? (e.getRootNode() instanceof ShadowRoot ? e.getRootNode().host : null);
  const within = (outer, inner) => { for (let e = inner; e; e = parent(e)) if (e === outer) return true; return false; };
  const root = e => roots.find(root => within(root, e));
  const name = e => e.getAttribute?.("aria-label") || e.alt || shorten(e.innerText ?? e.textContent ?? "") || e.className || e.tagName;
  const found = new Set();

  for (const part of [document.documentElement, document.querySelector('[data-testid="stMain"]')])
    if (part.scrollWidth > part.clientWidth) found.add(`the page scrolls sideways by ${part.scrollWidth - part.clientWidth} px`);

  const boxes = []; // [what it is, element, left, top, right, bottom]
  for (const root of roots) for (const e of every(root)) {
    if (e.closest(THEIRS)) continue;
    const style = getComputedStyle(e);
    if (/auto|scroll/.test(style.overflowX) && e.scrollWidth > e.clientWidth + 1 && seen(e) && e.clientWidth)
      found.add(`scrolls sideways: ${name(e)}`);
    const kind = e.matches("button, a[href], input, select, textarea, summary") && !e.closest('[data-testid="stSlider"]') ? "control"
      : e.matches('img, canvas, progress, .js-plotly-plot, [data-testid="stDataFrameResizable"]')
        && !e.parentElement?.closest('[data-testid="stDataFrameResizable"]') ? "picture" : "";
    if (kind && seen(e)) {
      const { left, top, right, bottom } = wide(e);
      if (right - left > 2 && bottom - top > 2 && style.clipPath === "none") boxes.push([kind, e, left, top, right, bottom]);
    }
    if (kind === "control" && innerWidth < 640 && e.matches("button") && root.matches('[data-testid="stMain"]') && !e.closest(SMALL) && seen(e)) {
      const { height } = wide(e);
      if (height > 2 && height < 39.5) found.add(`a button ${Math.round(height)} px high: ${name(e)}`);
    }
    if (e.matches("input[type=range]") && wide(e).width < 80) found.add(`a slider ${Math.round(wide(e).width)} px wide: ${name(e)}`);
    for (const node of e.childNodes) {
      if (node.nodeType !== Node.TEXT_NODE || !node.textContent.trim() || e.matches("style, script, title, desc, option") || !seen(e)) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const { left, top, right, bottom } of range.getClientRects()) {
        if (right - left < 2 || bottom - top < 2) continue;
        if (left < -1 || right > innerWidth + 1) found.add(`beyond the screen: ${shorten(node.textContent)}`);
        let shown = true;
        for (let out = e; out && out !== document.body; out = parent(out)) {
          const s = getComputedStyle(out);
          if (s.clipPath !== "none") { shown = false; break; } // for screen readers only
          if (s.overflowX === "visible" && s.overflowY === "visible") continue;
          const { left: l, right: r, top: t, bottom: b } = wide(out);
          if (/hidden|clip/.test(s.overflowX) && (left < l - 1.5 || right > r + 1.5)) found.add(`cut off: ${shorten(node.textContent)}`);
          // Letters are less high than their line: a quarter of it may be outside.
          if (/hidden|clip/.test(s.overflowY) && s.webkitLineClamp === "none" && (top < t - (bottom - top) / 4 || bottom > b + (bottom - top) / 4)) found.add(`cut off below: ${shorten(node.textContent)}`);
          if (/auto|scroll/.test(s.overflowY + s.overflowX)) break;
        }
        if (shown) boxes.push(["text", e, left, top, right, bottom]);
      }
    }
  }
  boxes.sort((a, b) => a[3] - b[3]);
  boxes.forEach(([kind, e, left, top, right, bottom], i) => {
    for (let j = i + 1; j < boxes.length && boxes[j][3] < bottom - 3; j++) {
      const [other, o, l, , r] = boxes[j];
      if (root(e) !== root(o)) continue; // the page goes on behind the controls that stand at its foot
      const over = Math.min(right, r) - Math.max(left, l);
      if (over > 3 && !within(e, o) && !within(o, e)) {
        const marks = e.closest(".js-plotly-plot") && o.closest(".js-plotly-plot") === e.closest(".js-plotly-plot");
        found.add(`overlap: ${kind} ${name(e)} / ${other} ${name(o)}${marks ? " (in a chart)" : ""}`);
      }
    }
  });
  return [...found];
}
