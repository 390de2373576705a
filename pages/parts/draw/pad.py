"""The drawing pad: its component, what it sends checked like any input, and the drawing kept for the visitor's return."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cae_core.inputs import drawing
from pages.parts.session import component, state

OWN = "own"
"""Value of the setting `ready` while the pad has no ready drawing but the visitor's own."""

PEN = (8, 48, 24)
"""Narrowest, widest and first pen, in pixels of the pad's 280."""

_UNDO = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M9 14 4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3"/></svg>'
_HTML = f"""
<div class="pad">
  <div class="sheet">
    <canvas width="{drawing.PAD}" height="{drawing.PAD}" role="application" tabindex="0" aria-describedby="says"
      aria-label="Drawing pad: draw with mouse, finger or pen, or with keys: arrows move the pen, with Shift farther, Space
      puts it down and lifts it"></canvas>
    <i class="pen" hidden></i>
  </div>
  <p id="says" role="status"></p>
  <div class="tools" role="toolbar" aria-label="Pad">
    <button type="button" class="undo" aria-label="Undo the last stroke">{_UNDO}Undo</button>
    <button type="button" class="clear" aria-label="Clear the pad">Clear</button>
    <label>Pen <input type="range" min="{PEN[0]}" max="{PEN[1]}" step="2" value="{PEN[2]}" aria-label="Pen width"></label>
  </div>
</div>
"""
_LOOKS = {"html": _HTML, "css": Path(__file__).with_name("pad.css").read_text(encoding="utf-8")}
_PAD = Path(__file__).with_name("pad.js").read_text(encoding="utf-8")
_ANSWERED = """
function draw({ data }) {
  document.dispatchEvent(new CustomEvent("pad-answered", { detail: data.number }));
}
"""

MOST_NUMBERS = 4_000
"""Coordinates of all strokes together that are kept; the pad sends none of a drawing with more."""


@dataclass(frozen=True, eq=False)
class Own:
    """What the visitor put on the pad.

    Attributes:
        edition: changes with the picture; "pad:17" when the pad itself sent it.
        picture: `(280, 280)` float32 in [0, 1], white on black; None for an uploaded one.
        strokes: the pad's strokes, to go on undoing after a return to the page.
        number: of the pad's message, 0 if it was none.
        problem: why there is no picture, else "".
        upload: `(h, w)` float32 in [0, 1], a file's picture as it was; None for a drawn one.
        note: a sentence about the upload, else "".
    """

    edition: str = "nothing"
    picture: np.ndarray | None = field(default=None, repr=False)
    strokes: tuple[dict[str, Any], ...] = ()
    number: int = 0
    problem: str = ""
    upload: np.ndarray | None = field(default=None, repr=False)
    note: str = ""


def own() -> Own:
    """The visitor's drawing, as it was left."""
    return state.kept("own", Own())


def show(edition: str, picture: np.ndarray | None, strokes: tuple[dict[str, Any], ...]) -> None:
    """The pad with a picture on it, or strokes where it is made of some."""
    text = "" if picture is None or strokes else drawing.to_pad(picture)
    says = drawing.describe(np.zeros((1, 1), np.float32) if picture is None else picture)
    data = {"edition": edition, "picture": text, "strokes": list(strokes), "says": says}
    component.mount("pad", _PAD, data, looks=_LOOKS, on_drawn_change=take)


def answered() -> None:
    """Tells the pad, after everything else, that its picture has been answered: it may send the next."""
    component.mount("answered", _ANSWERED, {"number": own().number})


def take() -> None:
    """Keeps what the pad has sent; a callback, so it comes before the page."""
    state.keep("own", checked(state.said("pad", "drawn")))
    state.change(ready=OWN)


def checked(sent: Any) -> Own:
    """What a browser sent as a drawing, whatever it is."""
    sent = sent if isinstance(sent, dict) else {}
    number = sent.get("number")
    number = number if type(number) is int and 0 < number < 2**53 else 0
    more = {"edition": f"pad:{number}", "number": number}
    try:
        return Own(picture=drawing.from_pad(sent.get("picture")), strokes=_strokes(sent.get("strokes")), **more)
    except drawing.DrawingError as error:
        return Own(problem=str(error), **more)


def _strokes(sent: Any) -> tuple[dict[str, Any], ...]:
    """The strokes if they can be some, else none: they serve the pad alone, the picture is what counts."""
    strokes, numbers = [], 0
    for stroke in sent if isinstance(sent, list) and len(sent) <= MOST_NUMBERS else ():
        width, points = (stroke.get("width"), stroke.get("points")) if isinstance(stroke, dict) else (None, None)
        if not _between(width, PEN[0], PEN[1]) or not isinstance(points, list) or len(points) < 2 or len(points) % 2:
            return ()
        numbers += len(points)
        if numbers > MOST_NUMBERS or not all(_between(point, -10_000, 10_000) for point in points):
            return ()
        strokes.append({"width": width, "points": points})
    return tuple(strokes)


def _between(value: Any, low: float, high: float) -> bool:
    return type(value) in (int, float) and low <= value <= high
