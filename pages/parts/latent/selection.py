"""Details of a selection on the plane: an image and its neighbours, a decoded spot, an area's images, a path."""

from html import escape

import numpy as np
import streamlit as st

from cae_core import datasets
from cae_core.figures import pictures
from cae_core.latent import embedding, manifold, neighbours
from cae_core.latent.embedding import Codes, Plane, Scale
from pages.parts.common import show
from pages.parts.latent import hole_view, plane_view
from pages.parts.session import state

NEIGHBOURS = 5
MOST_IMAGES, MOST_STEPS = 80, 20
"""Images of an area that are shown, and of a path."""


def draw(codes: Codes, plane: Plane, scale: Scale, now: dict) -> None:
    """What is chosen on the plane."""
    kind = plane_view.chosen(now)
    with st.container(key="chosen"):
        {"image": _image, "spot": _spot, "area": _area, "path": _path}[kind](codes, plane, scale, now)


def index(codes: Codes, image: int) -> int:
    """An image of a link that may have been made with more of them."""
    return min(image, len(codes.z) - 1)


def _image(codes: Codes, plane: Plane, scale: Scale, now: dict) -> None:
    i = index(codes, now["image"])
    x = codes.images([i])
    x_hat = embedding.decode(codes.run, codes.z[[i]])
    near, far = neighbours.nearest(codes.z, codes.z[i], NEIGHBOURS, without=i)
    name = _name(codes, i)
    alike = int(np.sum(codes.labels[near] == codes.labels[i]))
    large = [
        ("Image", x[0], f"test image {i}, class {name}"),
        (f"Reconstruction, MSE {np.mean((x_hat - x) ** 2):.4f}", x_hat[0], f"reconstruction of test image {i}"),
    ]
    words = f"{alike} of its {len(near)} nearest codes are of the same class."
    _show(f"Image {i:,}: {name}", words, large, _neighbours(codes, near, far))
    with st.container(horizontal=True):
        for letter, key in (("A", "image_a"), ("B", "image_b")):
            st.button(
                f"Interpolate: use as {letter}", key=f"as_{letter}", on_click=state.change,
                kwargs={key: i, "part": "interpolate"},
            )  # fmt: skip


def _spot(codes: Codes, plane: Plane, scale: Scale, now: dict) -> None:
    spot = plane.inside(plane_view.places(now["spot"])[0])
    hole = hole_view.around(codes, plane, scale, now, spot)
    code = plane.codes_at([spot])[0]
    x_hat = embedding.decode(codes.run, code[None])
    near, far = neighbours.nearest(codes.z, code, NEIGHBOURS + 1)
    where = f"({spot[0]:.3g}, {spot[1]:.3g})".replace("-", "−")
    large = [
        ("Decoded from here", x_hat[0], f"the image decoded at {where}"),
        (f"Nearest image: {_name(codes, near[0])}", codes.images(near[:1])[0], f"test image {near[0]}, the nearest"),
    ]
    alike = "one class" if len(set(codes.labels[near])) == 1 else f"{len(set(codes.labels[near]))} classes"
    words = f"No image lies here; the decoder makes one up. The {len(near)} nearest are of {alike}."
    if hole:
        where, words = f"{where}, in a hole", hole_view.why(codes)
    _show(f"Spot {where}", words, large, _neighbours(codes, near[1:], far[1:]))
    if hole:
        hole_view.figures(codes, plane, scale, hole, spot)


def _area(codes: Codes, plane: Plane, scale: Scale, now: dict) -> None:
    inside = embedding.within(scale.shares(plane.points), scale.shares(plane_view.places(now["area"])))
    if not len(inside):
        _show("No images", "No points lie inside what you drew. Draw around some.", [], [])
        return
    names = datasets.DATASETS[codes.dataset].class_names
    counts = np.bincount(codes.labels[inside], minlength=len(names))
    order = [label for label in np.argsort(-counts, kind="stable") if counts[label]]
    words = ", ".join(f"{counts[label]:,} of class {names[label]}" for label in order[:3])
    words += ", and others" if len(order) > 3 else ""
    picked = inside[np.linspace(0, len(inside) - 1, min(MOST_IMAGES, len(inside))).round().astype(int)]
    picked = picked[np.argsort(codes.labels[picked], kind="stable")]
    some = "" if len(picked) == len(inside) else f" Here are {len(picked)} of them."
    alt = f"{len(picked)} of the {len(inside)} images inside, by class: {words}"
    _sheet(f"{len(inside):,} images", f"{words}.{some}", codes.images(picked), 10, alt)


def _path(codes: Codes, plane: Plane, scale: Scale, now: dict) -> None:
    corners = scale.shares([plane.inside(place) for place in plane_view.places(now["path"])])
    spots = scale.spots(manifold.along(corners, MOST_STEPS))  # equal steps on the picture, where it was drawn
    x_hat = embedding.decode(codes.run, plane.codes_at(spots))
    words = "Decoded in equal steps from the start to the end of what you drew, row by row."
    _sheet("Along your path", words, x_hat, 5, f"{MOST_STEPS} images decoded along the path")
    with st.container(horizontal=True):
        gif_button(x_hat, "path", codes)


def gif_button(x_hat: np.ndarray, name: str, codes: Codes) -> None:
    """A button that gives images as a GIF, made only when it is pressed."""
    st.download_button(
        "Download as GIF", lambda: manifold.gif(x_hat), key=f"gif_{name}", mime="image/gif",
        file_name=f"{codes.run.name}-{name}.gif", icon=show.DOWNLOAD_ICON,
    )  # fmt: skip


def _name(codes: Codes, i: int) -> str:
    return datasets.DATASETS[codes.dataset].class_names[codes.labels[i]]


def _neighbours(codes: Codes, near: np.ndarray, far: np.ndarray) -> list[tuple[str, np.ndarray, str]]:
    images = codes.images(near)
    return [
        (f"{_name(codes, i)}<small>{distance:.3g}</small>", image, f"neighbour {place}: test image {i}, {_name(codes, i)}")
        for place, (i, distance, image) in enumerate(zip(near, far, images, strict=True), start=1)
    ]


def _show(title: str, words: str, large: list, small: list) -> None:
    """A title, two large pictures, and a row of neighbours; captions are from this program's own words."""
    rows = "".join(f'<div class="tiles {size}">{tiles(some)}</div>' for size, some in (("large", large), ("small", small)))
    between = '<div class="tiles-title">Nearest in code space, with their distance</div>' if small else ""
    rows = rows.replace('<div class="tiles small">', between + '<div class="tiles small">')
    st.html(f'<div class="chosen"><h2>{escape(title)}</h2><p>{escape(words)}</p>{rows}</div>')


def _sheet(title: str, words: str, images: np.ndarray, columns: int, alt: str) -> None:
    """A title and many images as one picture."""
    empty = -len(images) % columns
    filled = np.concatenate([images, np.zeros((empty, *images.shape[1:]), images.dtype)])
    grid = pictures.image_grid(list(filled.reshape(-1, columns, *images.shape[1:])), gap=0)
    src = pictures.data_uri(pictures.png(grid))
    picture = f'<img class="sheet" src="{src}" alt="{escape(alt, quote=True)}">'
    st.html(f'<div class="chosen"><h2>{escape(title)}</h2><p>{escape(words)}</p>{picture}</div>')


def tiles(some: list) -> str:
    """Pictures with captions as HTML: caption in HTML, `(H, W, C)`, alternative text."""
    cells = ""
    for caption, image, alt in some:
        src = pictures.data_uri(pictures.png(pictures.image_grid([image[None]])))
        cells += show.figure(src, alt, caption or "&nbsp;")
    return cells
