"""The plane of codes under the visitor's hand: drawn by `plane.js`, and what comes back from it checked.

The browser draws the points itself, on a canvas: ten thousand of them with hover, zoom and a handle that follows the
hand, on any machine, where Plotly would need WebGL and could select nothing but points. Its places, in the plane's units,
are what is sent and what a link holds.
"""

import base64
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from cae_core import datasets
from cae_core.config import Bounds
from cae_core.figures import pictures
from cae_core.latent import layout, manifold, posterior
from cae_core.latent.embedding import Codes, Plane, Scale
from cae_core.latent.holes import Hole
from cae_core.runtime.caching import cached
from pages.parts.common import show
from pages.parts.latent import description
from pages.parts.session import component, state
from pages.parts.session.setting import Names, Setting

MOST_CORNERS = 20
"""Of what is drawn by hand; `plane.js` thins to as many, and a link has room for them."""
FARTHEST = 1e6
BEHIND = 24
"""Images a side of the manifold grid behind the points."""

_TOOLS = {"click": "Click", "lasso": "Lasso", "path": "Path"}
_HTML = """
<div class="plane">
  <div class="plane-bar">
    <div class="plane-tools" role="group" aria-label="Tools">{tools}</div>
    <div class="plane-zoom" role="group" aria-label="Zoom">
      <button type="button" class="plane-out" aria-label="Zoom out">−</button>
      <button type="button" class="plane-in" aria-label="Zoom in on what is chosen">+</button>
      <button type="button" class="plane-whole">Reset</button>
    </div>
  </div>
  <div class="plane-box">
    <div class="plane-y"></div><div class="plane-up"></div>
    <div class="plane-sheet">
      <canvas tabindex="0" role="application" aria-describedby="plane-says"></canvas><div class="plane-tip" hidden></div>
    </div>
    <div class="plane-across"></div><div class="plane-x"></div>
  </div>
  <div class="plane-key" role="group" aria-label="Classes"></div>
  <div class="plane-hint"></div>
  <p class="unseen" id="plane-says"></p>
</div>
""".format(tools="".join(f'<button type="button" data-tool="{name}">{label}</button>' for name, label in _TOOLS.items()))
_MARK = """
function draw({ data }) {
  window.planeMark = data.mark;
  document.dispatchEvent(new CustomEvent("plane-mark", { detail: data.mark }));
}
"""


class Places(Names):
    """Places on the plane as a setting: x and y of each in turn, as the short decimals that a link has."""

    def check(self, key: str, names: Sequence[str]) -> tuple[str, ...]:
        """The numbers, or a ValueError saying what is wrong with them."""
        if len(names) % 2 or len(names) > 2 * self.most:
            raise ValueError(f"{key} has {len(names)} numbers; it must have two for each of up to {self.most} places.")
        return tuple(_decimal(key, number, 4 if self.most == 1 else 3) for number in names)


def _decimal(key: str, number: Any, digits: int) -> str:
    try:
        value = float(number)
    except (TypeError, ValueError, OverflowError):
        value = math.nan
    if isinstance(number, bool) or not abs(value) <= FARTHEST:
        raise ValueError(f"{key} has {str(number)[:40]!r}; it must be a number from {-FARTHEST:g} to {FARTHEST:g}.")
    return f"{value:.{digits}g}"


SETTINGS = {
    "image": Setting(0, Bounds(0, 9999, integer=True)),
    "spot": Setting((), Places(1)),
    "area": Setting((), Places(MOST_CORNERS)),
    "path": Setting((), Places(MOST_CORNERS)),
    "holes": Setting(True, (False, True)),
    "circles": Setting(False, (False, True)),
}
"""What is chosen on the plane: an image, unless there is a spot, a path, or an area with images in it; and the marks."""
NOTHING = {"spot": (), "area": (), "path": ()}


def places(numbers: Sequence[str]) -> np.ndarray:
    """`(m, 2)` float64 of a setting of `Places`."""
    return np.array([float(number) for number in numbers]).reshape(-1, 2)


def check(value: Any, num_images: int) -> dict[str, Any]:
    """The settings that a message from the browser means.

    Raises:
        ValueError: it means none.
    """
    if not isinstance(value, dict) or len(value) != 1:
        raise ValueError(f"The plane sent {str(value)[:80]!r}; it must name one image, spot, area or path.")
    ((kind, given),) = value.items()
    if kind == "image":
        image = SETTINGS["image"].allowed.check("image", given)
        if image >= num_images:
            raise ValueError(f"There is no image {image} among the {num_images} shown.")
        return {**NOTHING, "image": image}
    if kind not in NOTHING:
        raise ValueError(f"The plane sent {str(kind)[:40]!r}; it must be an image, a spot, an area or a path.")
    rows = [given] if kind == "spot" else given
    if not isinstance(rows, list) or not all(isinstance(row, list) and len(row) == 2 for row in rows):
        raise ValueError(f"The plane sent a {kind} that is no list of places.")
    numbers = SETTINGS[kind].allowed.check(kind, [number for row in rows for number in row])
    least = {"spot": 1, "area": 3, "path": 2}[kind]
    if len(rows) < least:
        raise ValueError(f"{kind} has {len(rows)} places; it needs at least {least}.")
    return {**NOTHING, kind: numbers}


def chosen(now: dict[str, Any]) -> str:
    """Which kind of thing is chosen; of several in a link, the first of these."""
    least = {"path": 4, "area": 6, "spot": 2}
    return next((kind for kind, count in least.items() if len(now[kind]) >= count), "image")


def draw(codes: Codes, plane: Plane, scale: Scale, now: dict[str, Any], marked: tuple[Hole, ...]) -> None:
    """The plane with its points and the holes that are marked."""

    def picked() -> None:
        try:
            state.change(**check(state.said("plane", "picked"), len(plane.points)))
        except ValueError as error:
            st.toast(show.plain(str(error)))

    data = _data(codes, plane, scale, now["grid_behind"], marked, now["circles"] and posterior.is_variational(codes))
    ring = posterior.ring(codes, plane) if now["part"] == "generate" else ()
    says = " A dashed ring of radius {2:.3g} around ({0:.3g}, {1:.3g}) holds 95 % of N(0, I).".format(*ring) if ring else ""
    data = {**data, "prior": ring, "description": data["description"] + says}
    component.mount("plane", _script(), data, looks={"html": _HTML, "isolate_styles": False}, on_picked_change=picked)


def mark(now: dict[str, Any], pair: tuple[int, int] | None) -> None:
    """Tells the plane what is chosen; after the pictures of it, so that the next of a drag waits for them."""
    kind = chosen(now)
    value = now["image"] if kind == "image" else places(now[kind]).tolist()
    choice = {kind: value[0] if kind == "spot" else value}
    if pair:
        choice["pair"] = {"A": pair[0], "B": pair[1]}
    component.mount("plane_mark", _MARK, {"mark": choice})


@cached()
def _script() -> str:
    return Path(__file__).with_name("plane.js").read_text(encoding="utf-8")


@cached(most=8)
def _data(
    codes: Codes, plane: Plane, scale: Scale, behind: bool, marked: tuple[Hole, ...], circles: bool
) -> dict[str, Any]:
    """What `plane.js` draws: places on the picture as 16 bits over the points' extent, far finer than a pixel."""
    shares = scale.shares(plane.points)
    low, high = np.minimum(shares.min(axis=0), 0), np.maximum(shares.max(axis=0), 1)
    packed = np.rint((shares - low) / (high - low) * 65535).astype("<u2")
    entry = datasets.DATASETS[codes.dataset]
    labels = codes.labels[: len(packed)].astype(np.uint8)
    picture = ""
    if behind:
        picture = pictures.data_uri(pictures.png(manifold.lattice(codes.run, plane, scale, BEHIND)))
    return {
        "points": base64.b64encode(packed.tobytes()).decode("ascii"),
        "labels": base64.b64encode(labels.tobytes()).decode("ascii"),
        "names": list(entry.class_names),
        "colours": list(pictures.PALETTE[: len(entry.class_names)]),
        "extent": [float(low[0]), float(high[0]), float(low[1]), float(high[1])],
        "across": scale.across.tolist(),
        "up": scale.up.tolist(),
        "reach": list(plane.reach),
        "axes": list(plane.axes),
        "behind": picture,
        "clouds": np.round(posterior.ellipses(codes, plane).astype(float), 4).tolist() if circles else [],
        "holes": [[*hole.middle, hole.radius] for hole in marked],
        "alt": f"Codes of {len(packed):,} images of {entry.label} on a plane, one colour per class; arrow keys move a "
        "spot, with Shift farther, Enter chooses the image nearest to it",
        "description": description.of_plane(
            plane, scale, layout.by_class(shares, labels), entry.class_names, marked, entry.label
        ),
    }
