"""The plane in words, for whoever cannot see it: where each class lies, how well they part, and the holes."""

from collections.abc import Sequence

from cae_core.latent.embedding import Plane, Scale
from cae_core.latent.holes import Hole
from cae_core.latent.layout import ClassLayout
from pages.parts.common import show

_NINTHS = (("bottom left", "bottom", "bottom right"), ("left", "middle", "right"), ("top left", "top", "top right"))


def where(share: tuple[float, float]) -> str:
    """The ninth of the picture that a place is in, such as "top left"."""
    column, row = (min(max(int(3 * value), 0), 2) for value in share)
    return _NINTHS[row][column]


def of_plane(
    plane: Plane, scale: Scale, layout: Sequence[ClassLayout], names: Sequence[str], marked: Sequence[Hole], label: str
) -> str:
    """What is to be seen on the plane.

    Args:
        plane, scale: as drawn.
        layout: of its classes.
        names: of the classes, by label.
        marked: the holes that are marked.
        label: of the data set.
    """

    def at(share: tuple[float, float]) -> str:
        x, y = scale.spots([share])[0]
        return f"{where(share)} at ({x:.3g}, {y:.3g})".replace("-", "−")

    sentences = [f"{len(plane.points):,} codes of test images of {label}, in {len(layout)} classes."]
    for part in layout:
        sentences.append(
            f"Class {names[part.label]}: {part.count:,} codes, its centre {at(part.centre)}; "
            f"{show.percent(part.near_own)} of them are nearer to it than to another class's."
        )
    if layout:
        total = sum(part.near_own * part.count for part in layout) / sum(part.count for part in layout)
        sentences.append(f"In all, {show.percent(total)} lie nearest to the centre of their own class.")
    for place, hole in enumerate(marked, start=1):
        sentences.append(f"Hole {place}, where no code lies: {at(hole.middle)}.")
    return " ".join(sentences)
