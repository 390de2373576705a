// The plane of codes: thousands of points on a canvas, the picture behind them, and what a hand does on it.
// Python says what to draw (`data`) and, through the event "plane-mark", what is chosen; everything chosen here goes back
// as a trigger. A second component carries the mark, so that a click sends a few bytes and not the points again.
const planes = new WeakMap();
const HIT = { mouse: 5, pen: 8, touch: 12 }; // pixels around a point that are still its own
const MOST = 20; // corners of what is drawn by hand

function draw({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".plane");
  if (!planes.has(root)) planes.set(root, create(root));
  planes.get(root)(data, value => setTriggerValue("picked", value));
}

function create(root) {
  const find = selector => root.querySelector(selector);
  const canvas = find("canvas"), context = canvas.getContext("2d"), base = document.createElement("canvas");
  const tip = find(".plane-tip"), hint = find(".plane-hint");
  const HINTS = {
    click: "Click a point for its image, any other spot for the image it decodes to, or drag.",
    lasso: "Draw around points.",
    path: "Draw a path; it is decoded from end to end.",
  };
  let data, say, x = [], y = [], labels = [], sx = [], sy = [];
  let view = [0, 1, 0, 1], tool = "click", mark = {}, hidden = new Set(), behind = null;
  let drawing = null, waiting = null, waitingSince = 0, next = null, frame = 0, size = 0;

  // From the plane's numbers to shares of the picture, which go evenly from knot to knot, and from shares to pixels.
  function share(v, knots) {
    let low = 0, high = knots.length - 2;
    while (low < high) { const half = (low + high + 1) >> 1; knots[half] <= v ? low = half : high = half - 1; }
    return (low + (v - knots[low]) / (knots[low + 1] - knots[low])) / (knots.length - 1);
  }
  function number(s, knots) {
    const at = s * (knots.length - 1), low = Math.min(Math.max(Math.floor(at), 0), knots.length - 2);
    return knots[low] + (at - low) * (knots[low + 1] - knots[low]);
  }
  const pixelX = s => (s - view[0]) / (view[1] - view[0]) * size, pixelY = s => (view[3] - s) / (view[3] - view[2]) * size;
  const shareX = p => view[0] + p / size * (view[1] - view[0]), shareY = p => view[3] - p / size * (view[3] - view[2]);
  const toX = v => pixelX(share(v, data.across)), toY = v => pixelY(share(v, data.up));
  const fromX = p => number(shareX(p), data.across), fromY = p => number(shareY(p), data.up);
  const round = (v, digits) => Number(v.toPrecision(digits));
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

  function bytes(text) { return Uint8Array.from(atob(text), sign => sign.charCodeAt(0)); }

  function read() {
    const packed = new Uint16Array(bytes(data.points).buffer), [left, right, bottom, top] = data.extent;
    const n = packed.length / 2;
    x = new Float64Array(n); y = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      x[i] = left + packed[2 * i] / 65535 * (right - left);
      y[i] = bottom + packed[2 * i + 1] / 65535 * (top - bottom);
    }
    labels = bytes(data.labels);
    sx = new Float32Array(n); sy = new Float32Array(n);
  }

  function dots() { // one drawn dot a class, copied for each of its points
    const ratio = devicePixelRatio || 1, radius = x.length > 4000 ? 2.3 : x.length > 1500 ? 2.9 : 3.6;
    return data.colours.map(colour => {
      const dot = document.createElement("canvas"), pen = dot.getContext("2d"), half = radius + 1;
      dot.width = dot.height = Math.ceil(2 * half * ratio);
      pen.scale(ratio, ratio);
      pen.beginPath(); pen.arc(half, half, radius, 0, 7);
      pen.fillStyle = colour; pen.fill();
      pen.lineWidth = 0.6; pen.strokeStyle = "#202124"; pen.stroke();
      return { dot, half };
    });
  }

  function drawBase() {
    const ratio = devicePixelRatio || 1, pen = base.getContext("2d");
    base.width = base.height = Math.round(size * ratio);
    pen.scale(ratio, ratio);
    if (behind) {
      pen.imageSmoothingEnabled = false;
      pen.drawImage(behind, pixelX(0), pixelY(1), pixelX(1) - pixelX(0), pixelY(0) - pixelY(1));
    }
    for (const [cx, cy, radius] of data.holes) hole(pen, pixelX(cx), pixelY(cy), radius * size / (view[1] - view[0]));
    const sprites = dots();
    pen.globalAlpha = data.clouds.length ? 0.3 : behind ? 0.75 : 0.9;
    for (let i = 0; i < x.length; i++) {
      sx[i] = pixelX(x[i]); sy[i] = pixelY(y[i]);
      const sprite = sprites[labels[i]];
      if (!hidden.has(labels[i]) && sprite && sx[i] > -5 && sx[i] < size + 5 && sy[i] > -5 && sy[i] < size + 5)
        pen.drawImage(sprite.dot, sx[i] - sprite.half, sy[i] - sprite.half, 2 * sprite.half, 2 * sprite.half);
    }
    data.clouds.forEach((cloud, i) => {
      if (i >= x.length || hidden.has(labels[i])) return;
      ellipse(pen, number(x[i], data.across), number(y[i], data.up), cloud);
      pen.fillStyle = pen.strokeStyle = data.colours[labels[i]];
      pen.globalAlpha = 0.15; pen.fill(); pen.globalAlpha = 0.9; pen.lineWidth = 1.2; pen.stroke();
    });
    pen.globalAlpha = 1;
    if (data.prior.length) {
      const [cx, cy, radius] = data.prior;
      ellipse(pen, cx, cy, [radius, 0, radius]); pen.setLineDash([7, 4]);
      strokes(getComputedStyle(root).getPropertyValue("--st-primary-color") || "#0b6e66", 2, pen);
    }
    ticks(".plane-across", "left", fromX, toX);
    ticks(".plane-up", "top", fromY, toY);
    draw();
  }

  function ticks(where, edge, from, to) { // round numbers some 80 pixels apart, as round as what lies between them allows
    const spans = [], steps = Math.max(2, Math.round(size / 80));
    let last = -99;
    for (let i = 0; i <= steps * 2; i++) {
      const place = i * size / steps / 2, room = Math.abs(from(place + size / steps / 2) - from(place - size / steps / 2));
      const power = 10 ** Math.floor(Math.log10(room)), step = power * (room / power >= 5 ? 5 : room / power >= 2 ? 2 : 1);
      const value = Math.round(from(place) / step) * step, at = to(value);
      if (at < 12 || at > size - 12 || at - last < 45) continue;
      last = at;
      const span = document.createElement("span");
      span.textContent = String(Number(value.toPrecision(3))).replace("-", "−");
      span.style[edge] = at + "px";
      spans.push(span);
    }
    find(where).replaceChildren(...spans);
  }

  function draw() {
    if (frame) return;
    frame = requestAnimationFrame(() => {
      frame = 0;
      const ratio = devicePixelRatio || 1, accent = getComputedStyle(root).getPropertyValue("--st-primary-color") || "#0b6e66";
      canvas.width = canvas.height = Math.round(size * ratio);
      context.drawImage(base, 0, 0);
      context.scale(ratio, ratio);
      const shape = drawing?.corners ?? mark.area ?? mark.path;
      if (shape?.length > 1) outline(shape, !drawing ? Boolean(mark.area) : tool !== "path", accent);
      for (const [letter, i] of Object.entries(mark.pair ?? {})) if (i < x.length) ring(sx[i], sy[i], 8, accent, letter);
      if (mark.pair && mark.pair.A < x.length && mark.pair.B < x.length) way(mark.pair.A, mark.pair.B, accent);
      if (mark.spot) handle(toX(mark.spot[0]), toY(mark.spot[1]), accent);
      else if (mark.image != null && mark.image < x.length) ring(sx[mark.image], sy[mark.image], 9, accent);
    });
  }

  function hole(pen, px, py, radius) { // hatched, in a broken line, in two colours: to be seen on any ground
    pen.save();
    pen.beginPath(); pen.arc(px, py, radius, 0, 7); pen.clip();
    for (const [colour, shift] of behind ? [["#101514", 1], ["#ffffff", 0]] : [["#7f8886", 0]]) {
      pen.beginPath();
      for (let at = -radius; at < 3 * radius; at += 9) {
        pen.moveTo(px - radius + at + shift, py - radius); pen.lineTo(px - radius + at - 2 * radius + shift, py + radius);
      }
      pen.lineWidth = 1; pen.strokeStyle = colour; pen.stroke();
    }
    pen.restore();
    pen.beginPath(); pen.arc(px, py, radius, 0, 7);
    if (behind) { pen.lineWidth = 3.5; pen.strokeStyle = "#101514"; pen.stroke(); }
    pen.setLineDash([6, 4]);
    pen.lineWidth = 1.8; pen.strokeStyle = behind ? "#ffffff" : "#7f8886"; pen.stroke();
    pen.setLineDash([]);
  }

  function ellipse(pen, cx, cy, [a, b, c]) { // round in the plane's numbers, so on an uneven picture bent
    pen.beginPath();
    for (let t = 0; t < 6.28; t += Math.PI / 16) pen.lineTo(toX(cx + a * Math.cos(t)), toY(cy + b * Math.cos(t) + c * Math.sin(t)));
    pen.closePath();
  }

  function strokes(accent, width, pen = context) { // on any ground: dark, then light, then the accent
    for (const [colour, more] of [["#101514", 3], ["#ffffff", 1.6], [accent, 0]]) {
      pen.strokeStyle = colour; pen.lineWidth = width + more; pen.stroke();
    }
  }

  function ring(px, py, radius, accent, letter) {
    context.beginPath(); context.arc(px, py, radius, 0, 7); strokes(accent, 2);
    if (!letter) return;
    context.font = "600 15px sans-serif"; context.lineWidth = 4; context.strokeStyle = "#101514"; context.fillStyle = "#fff";
    context.strokeText(letter, px + 11, py - 7); context.fillText(letter, px + 11, py - 7);
  }

  function handle(px, py, accent) {
    context.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      context.moveTo(px + 5 * dx, py + 5 * dy); context.lineTo(px + 15 * dx, py + 15 * dy);
    }
    strokes(accent, 2);
    context.beginPath(); context.arc(px, py, 8, 0, 7); strokes(accent, 2);
  }

  function outline(corners, closed, accent) {
    context.beginPath();
    corners.forEach(([cx, cy], i) => context[i ? "lineTo" : "moveTo"](toX(cx), toY(cy)));
    if (closed) context.closePath();
    strokes(accent, 2);
  }

  function way(a, b, accent) { // straight in the plane's numbers, so on an uneven picture a curve
    const [ax, bx] = [a, b].map(i => number(x[i], data.across)), [ay, by] = [a, b].map(i => number(y[i], data.up));
    outline(Array.from({ length: 33 }, (_, i) => [ax + (bx - ax) * i / 32, ay + (by - ay) * i / 32]), false, accent);
  }

  function nearest(px, py, reach) {
    let best = -1, least = reach * reach;
    for (let i = 0; i < x.length; i++) {
      const d = (sx[i] - px) ** 2 + (sy[i] - py) ** 2;
      if (d < least && !hidden.has(labels[i])) { least = d; best = i; }
    }
    return best;
  }

  // The next spot of a drag goes out when the picture of the last one is on the page, or it takes too long.
  function send(value) {
    const { pair, ...now } = mark;
    if (same(now, value)) { draw(); return; }
    mark = { ...value, pair: mark.pair };
    draw();
    if (waiting && performance.now() - waitingSince < 700) next = value; else tell(value);
  }

  function tell(value) {
    next = null; waiting = value; waitingSince = performance.now();
    say(value);
  }

  function onMark(event) {
    if (!root.isConnected) { document.removeEventListener("plane-mark", onMark); return; }
    const { pair, ...said } = event.detail;
    const answered = waiting && same(waiting, said);
    if (waiting && !answered && performance.now() - waitingSince < 3000) { mark.pair = pair; draw(); return; }
    waiting = null;
    if (next) { mark.pair = pair; tell(next); draw(); return; }  // drawn before, but not yet said
    if (!drawing) mark = { ...said, pair };
    draw();
  }
  document.addEventListener("plane-mark", onMark);
  if (window.planeMark) onMark({ detail: window.planeMark });

  const at = event => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  const clamp = (v, low, high) => Math.min(Math.max(v, low), high);
  function spot(px, py) {
    const [left, right, bottom, top] = data.reach;
    send({ spot: [round(clamp(fromX(px), left, right), 4), round(clamp(fromY(py), bottom, top), 4)] });
  }

  canvas.onpointerdown = event => {
    if (event.button || !x.length) return;
    const [px, py] = at(event);
    canvas.setPointerCapture(event.pointerId);
    tip.hidden = true;
    drawing = { px, py, moved: false, corners: tool === "click" ? null : [[fromX(px), fromY(py)]] };
    if (tool !== "click") return;
    drawing.point = nearest(px, py, HIT[event.pointerType] ?? 8);
    if (drawing.point < 0) spot(px, py);
  };
  canvas.onpointermove = event => {
    const [px, py] = at(event);
    if (!drawing) { hover(px, py); return; }
    if (Math.hypot(px - drawing.px, py - drawing.py) > 4) drawing.moved = true;
    if (!drawing.moved) return;
    const here = [fromX(clamp(px, 0, size)), fromY(clamp(py, 0, size))];
    if (tool === "click") spot(clamp(px, 0, size), clamp(py, 0, size));
    else drawing.corners.push(here);
    draw();
  };
  canvas.onpointerup = () => {
    const done = drawing;
    drawing = null;
    if (!done) return;
    if (tool === "click") { if (!done.moved && done.point >= 0) send({ image: done.point }); return; }
    if (!done.moved) { draw(); return; }
    const step = Math.max(1, (done.corners.length - 1) / (MOST - 1)), kept = [];
    for (let i = 0; i < done.corners.length - 0.5; i += step) kept.push(done.corners[Math.round(i)]);
    kept[kept.length - 1] = done.corners.at(-1);
    const corners = kept.map(corner => corner.map(v => round(v, 3)));
    if (tool === "path" ? corners.length > 1 : corners.length > 2) send(tool === "path" ? { path: corners } : { area: corners });
    else draw();
  };
  canvas.onpointercancel = () => { drawing = null; draw(); };
  canvas.onpointerleave = () => { tip.hidden = true; };

  function hover(px, py) {
    const i = nearest(px, py, 6);
    tip.hidden = i < 0;
    if (i < 0) return;
    tip.textContent = `${data.names[labels[i]]}, image ${i}`;
    tip.style.left = clamp(sx[i], 50, size - 50) + "px";
    tip.style.top = sy[i] + (sy[i] < 40 ? 14 : -34) + "px";
  }

  canvas.onkeydown = event => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!(way || event.key === "Enter") || !x.length) return;
    event.preventDefault();
    const from = middle();
    if (!way) {
      const image = nearest(...from, Infinity);
      if (image >= 0) send({ image });
      return;
    }
    const far = event.shiftKey ? size / 8 : size / 50;
    spot(from[0] + far * way[0], from[1] + far * way[1]);
  };

  function zoom(by, px = size / 2, py = size / 2) {
    const [cx, cy] = [shareX(px), shareY(py)], [left, right, bottom, top] = data.extent;
    const side = clamp((view[1] - view[0]) / by, 0.005, Math.max(1, 1.05 * (right - left), 1.05 * (top - bottom)));
    const west = cx - px / size * side, north = cy + py / size * side;
    view = [west, west + side, north - side, north];
    drawBase();
  }
  canvas.addEventListener("wheel", event => {
    if (!event.ctrlKey && !event.metaKey) return; // a plain wheel scrolls the page
    event.preventDefault();
    zoom(event.deltaY < 0 ? 1.25 : 0.8, ...at(event));
  }, { passive: false });
  const middle = () => mark.spot ? [toX(mark.spot[0]), toY(mark.spot[1])] : mark.image < x.length ? [sx[mark.image], sy[mark.image]] : [size / 2, size / 2];
  find(".plane-in").onclick = () => { const [px, py] = middle(); zoom(1.6, clamp(px, 0, size), clamp(py, 0, size)); };
  find(".plane-out").onclick = () => zoom(0.625);
  find(".plane-whole").onclick = () => { view = [0, 1, 0, 1]; drawBase(); };

  const tools = [...root.querySelectorAll("[data-tool]")];
  function choose(name) {
    tool = name;
    tools.forEach(button => button.setAttribute("aria-pressed", button.dataset.tool === name));
    canvas.style.touchAction = name === "click" ? "pan-y" : "none";
    hint.textContent = HINTS[name];
  }
  tools.forEach(button => button.onclick = () => choose(button.dataset.tool));
  choose(tool);

  function key() {
    find(".plane-key").replaceChildren(...data.names.map((name, i) => {
      const button = document.createElement("button"), swatch = document.createElement("i");
      swatch.style.background = data.colours[i];
      button.type = "button"; button.append(swatch, name);
      button.setAttribute("aria-pressed", !hidden.has(i));
      button.title = "Show or hide this class";
      button.onclick = () => { hidden.has(i) ? hidden.delete(i) : hidden.add(i); key(); drawBase(); };
      return button;
    }));
    const holes = data.holes.length > 1 ? "holes" : data.holes.length ? "hole" : "";
    for (const [name, text] of [["hole", holes], ["prior", data.prior.length ? "95 % of N(0, I)" : ""]]) {
      if (!text) continue;
      const entry = document.createElement("span"), swatch = document.createElement("i");
      entry.className = `plane-${name}`; entry.append(swatch, text);
      find(".plane-key").append(entry);
    }
  }

  new ResizeObserver(() => {
    if (!canvas.clientWidth || canvas.clientWidth === size) return;
    size = canvas.clientWidth;
    if (data) drawBase();
  }).observe(canvas);

  return (fresh, report) => {
    say = report;
    if (data && same(data, fresh)) return;
    const before = data;
    data = fresh;
    size = canvas.clientWidth || size;
    if (before?.points !== data.points || before?.labels !== data.labels) read();
    if (before && !(same(before.across, data.across) && same(before.up, data.up))) view = [0, 1, 0, 1];
    if (!before || !same(before.names, data.names)) hidden = new Set();
    if (!before || !same(before.names, data.names) || !same([before.holes, before.prior], [data.holes, data.prior])) key();
    find(".plane-x").textContent = data.axes[0];
    find(".plane-y").textContent = data.axes[1];
    canvas.setAttribute("aria-label", data.alt);
    find("#plane-says").textContent = data.description;
    if (!data.behind) behind = null;
    else if (before?.behind !== data.behind || !behind) {
      const picture = new Image();
      picture.onload = () => { if (data.behind === picture.src) { behind = picture; drawBase(); } };
      picture.src = data.behind;
    }
    drawBase();
  };
}
