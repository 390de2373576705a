// The drawing pad. A drawing is a picture to start from or none (`base`), and strokes; what the page gets is the canvas.
const SIDE = 280;
const EVERY = 150; // milliseconds between two pictures sent while the pen is down
const PATIENCE = 4000; // milliseconds after which an answer is no longer waited for
const NEAR = 1.5; // pixels of the canvas that a point must be away from the last one
const MOST = 4000; // numbers in all strokes up to which they are sent along, for undoing after a return to the page
const STEP = 10, FAR = 40; // pixels of the canvas that an arrow key moves the pen, and with Shift
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const pads = new WeakMap();

function draw({ data, parentElement, setStateValue }) {
  let pad = pads.get(parentElement);
  if (!pad) pads.set(parentElement, (pad = new Pad(parentElement)));
  pad.send = drawn => setStateValue("drawn", drawn);
  pad.data = data;
  pad.load();
  return () => document.removeEventListener("pad-answered", pad.answer);
}

class Pad {
  constructor(root) {
    this.canvas = root.querySelector("canvas");
    this.ink = this.canvas.getContext("2d");
    this.width = root.querySelector("input");
    this.undoButton = root.querySelector(".undo");
    this.clearButton = root.querySelector(".clear");
    this.now = { base: null, strokes: [] };
    this.past = [];
    this.stroke = null; // the one being drawn
    this.pointer = null; // whose stroke it is: a pointer's number, or "keys"
    this.pen = root.querySelector(".pen");
    this.place = [SIDE / 2, SIDE / 2]; // of the pen that keys move
    this.says = root.querySelector("#says");
    this.edition = null;
    this.sent = this.answered = Date.now(); // numbers only grow, also over a return to the page
    this.sentAt = 0;
    const on = (element, event, act) => element.addEventListener(event, act);
    on(this.canvas, "pointerdown", event => this.down(event));
    on(this.canvas, "pointermove", event => this.move(event));
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) on(this.canvas, end, event => this.up(event));
    on(this.canvas, "keydown", event => this.key(event));
    on(this.canvas, "blur", () => this.end("keys"));
    on(this.undoButton, "click", () => this.undo());
    on(this.clearButton, "click", () => this.become({ base: null, strokes: [] }));
    this.answer = event => {
      this.answered = Math.max(this.answered, event.detail);
      this.load();
    };
    document.addEventListener("pad-answered", this.answer);
    this.draw();
  }

  // What the page says is on the pad: taken over at the start, and whenever it was not drawn here.
  load() {
    const { edition, picture, strokes, says } = this.data;
    if (this.says.textContent !== says) this.says.textContent = says;
    const waits = this.stroke || (this.sent > this.answered && performance.now() - this.sentAt < PATIENCE);
    const here = name => name !== null && name.startsWith("pad:");
    if (waits || edition === this.edition || (here(edition) && here(this.edition))) return;
    this.edition = edition;
    if (strokes.length || !picture) return this.put({ base: null, strokes });
    const base = new Image();
    base.onload = () => this.edition === edition && !this.stroke && this.put({ base, strokes: [] });
    base.src = picture;
  }

  put(now) {
    this.past = now.strokes.map((_, i) => ({ base: null, strokes: now.strokes.slice(0, i) }));
    this.now = now;
    this.draw();
  }

  become(now) {
    this.past.push(this.now);
    this.now = now;
    this.draw();
    this.tell();
  }

  undo() {
    if (!this.past.length) return;
    this.now = this.past.pop();
    this.draw();
    this.tell();
  }

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return [((event.clientX - box.left) * SIDE) / box.width, ((event.clientY - box.top) * SIDE) / box.height];
  }

  down(event) {
    this.end("keys");
    if (this.stroke || event.button !== 0) return;
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    this.begin(event.pointerId, this.at(event));
  }

  begin(pointer, place) {
    this.pointer = pointer;
    this.stroke = { width: Number(this.width.value), points: place.map(Math.round) };
    this.past.push(this.now);
    // The first stroke on a picture begins a drawing of one's own; undo brings the picture back.
    this.now = { base: null, strokes: this.now.base ? [this.stroke] : [...this.now.strokes, this.stroke] };
    this.draw();
  }

  move(event) {
    if (!this.stroke || event.pointerId !== this.pointer) return;
    this.reach((event.getCoalescedEvents?.() ?? [event]).map(part => this.at(part)));
  }

  reach(places) {
    const points = this.stroke.points;
    for (const [x, y] of places)
      if (Math.hypot(x - points.at(-2), y - points.at(-1)) >= NEAR) points.push(Math.round(x), Math.round(y));
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
    const now = performance.now();
    if (now - this.sentAt >= (this.answered < this.sent ? PATIENCE : EVERY)) {
      this.draw();
      this.tell();
    }
  }

  up(event) {
    this.end(event.pointerId);
  }

  end(pointer) {
    if (pointer === "keys") this.pen.hidden = true;
    if (!this.stroke || pointer !== this.pointer) return;
    this.stroke = this.pointer = null;
    this.draw();
    this.tell();
  }

  key(event) {
    const way = WAYS[event.key], drawing = this.pointer === "keys";
    if (event.ctrlKey || event.metaKey || event.altKey || !(way || event.key === " ") || (this.stroke && !drawing)) return;
    event.preventDefault();
    if (way) {
      this.place = this.place.map((value, i) => Math.min(Math.max(value + (event.shiftKey ? FAR : STEP) * way[i], 0), SIDE));
      if (drawing) this.reach([this.place]);
    } else if (drawing) this.end("keys");
    else this.begin("keys", this.place);
    [this.pen.style.left, this.pen.style.top] = this.place.map(value => `${(100 * value) / SIDE}%`);
    this.pen.classList.toggle("down", this.pointer === "keys");
    this.pen.hidden = false;
  }

  tell() {
    this.sent += 1;
    this.sentAt = performance.now();
    this.edition = `pad:${this.sent}`;
    const { base, strokes } = this.now;
    const numbers = strokes.reduce((sum, stroke) => sum + stroke.points.length, 0);
    const kept = base || numbers > MOST ? [] : strokes;
    this.send({ number: this.sent, picture: this.canvas.toDataURL("image/png"), strokes: kept });
  }

  draw() {
    const { ink, now } = this;
    ink.fillStyle = "#000";
    ink.fillRect(0, 0, SIDE, SIDE);
    if (now.base) ink.drawImage(now.base, 0, 0, SIDE, SIDE);
    ink.strokeStyle = "#fff";
    ink.lineCap = ink.lineJoin = "round";
    for (const { width, points } of now.strokes) {
      ink.lineWidth = width;
      ink.beginPath();
      ink.moveTo(points[0], points[1]);
      // Curves through the middles between points, which are their corners: a quick hand leaves few points.
      for (let i = 2; i < points.length - 2; i += 2) {
        ink.quadraticCurveTo(points[i], points[i + 1], (points[i] + points[i + 2]) / 2, (points[i + 1] + points[i + 3]) / 2);
      }
      ink.lineTo(points.at(-2), points.at(-1));
      ink.stroke();
    }
    this.undoButton.disabled = !this.past.length;
    this.clearButton.disabled = !now.base && !now.strokes.length;
  }
}
