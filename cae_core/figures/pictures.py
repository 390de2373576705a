"""Pictures from arrays: image grids, error colours, PNG bytes and the figure that people download.

Grey is on one fixed scale, 0 black and 1 white, and error on another; nothing is ever rescaled to its own range, so
equal values look equal in every picture of the app. NumPy and Pillow only.
"""

import base64
import io
import unicodedata
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

GAP_GREY = (128, 128, 128)
"""Background of `image_grid`: neither black nor white, so that it frames images in the light and the dark theme."""

PALETTE = (
    "#e76300",  # 0 orange
    "#717581",  # 1 slate
    "#a96b59",  # 2 brown
    "#3f90da",  # 3 blue
    "#b9ac70",  # 4 khaki
    "#bd1f01",  # 5 red
    "#94a4a2",  # 6 grey
    "#92dadd",  # 7 pale cyan
    "#ffa90e",  # 8 amber
    "#832db6",  # 9 purple
)
"""Colours of the classes 0 to 9, told apart under every common colour vision deficiency.

The ten colours of Petroff, "Accessible Color Sequences for Data Visualization", arXiv:2107.02270, 2021, dealt out so
that digits which networks confuse (4, 7 and 9; 3, 5 and 8) get very different ones. The palest have a contrast of 1.6
against white, so give points on a white page a thin dark outline.
"""

ERROR_TICKS = (0.0, 0.5, 1.0)
"""Values to write at the start, the middle and the end of `error_bar`."""

# Every 15th entry of "inferno" by van der Walt & Smith, matplotlib 1.5, 2015 (CC0): lightness rises evenly with the
# value, so it also reads in greyscale and with a colour vision deficiency.
_ERROR_ANCHORS = (
    (0, 0, 4), (10, 7, 34), (30, 12, 69), (56, 9, 98), (81, 14, 108), (105, 22, 110), (128, 31, 108), (152, 39, 102),
    (176, 49, 91), (198, 61, 77), (217, 77, 61), (233, 97, 43), (244, 121, 24), (250, 148, 7), (252, 176, 20),
    (248, 205, 55), (242, 234, 105), (252, 255, 164),
)  # fmt: skip
_ERROR_TABLE = np.stack(
    [np.rint(np.interp(np.arange(256), np.arange(18) * 15, channel)) for channel in zip(*_ERROR_ANCHORS, strict=True)],
    axis=1,
).astype(np.uint8)  # (256, 3)

# The font that comes with Pillow has no sign for these.
_PLAIN = str.maketrans(
    {"×": "x", "–": "-", "—": "-", "−": "-", "→": "->", "≤": "<=", "≥": ">=", "²": "^2", "½": "1/2", "σ": "sigma"}
)
_INK, _PAPER = (32, 33, 36), (255, 255, 255)


def _bytes(name: str, values: np.ndarray) -> np.ndarray:
    """Floats as uint8, 0 to 0 and 1 to 255, clipped."""
    if not np.isfinite(values).all():
        raise ValueError(f"{name} has NaN or infinite pixels; every pixel must be finite.")
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)


def _rgb(name: str, row: np.ndarray) -> np.ndarray:
    """One row of images in any allowed form as `(n, H, W, 3)` uint8."""
    row = np.asarray(row)
    if row.ndim == 3:
        row = row[..., None]
    if row.ndim != 4 or row.shape[3] not in (1, 3) or row.size == 0:
        raise ValueError(f"{name} has shape {row.shape}; it must be (n, H, W), (n, H, W, 1) or (n, H, W, 3), none 0.")
    if np.issubdtype(row.dtype, np.floating):
        row = _bytes(name, row)
    elif row.dtype != np.uint8:
        raise ValueError(f"{name} is {row.dtype}; it must be float in [0, 1], or uint8 for finished colours.")
    return np.broadcast_to(row, (*row.shape[:3], 3))


def image_grid(
    rows: Sequence[np.ndarray], gap: int = 2, background: tuple[int, int, int] = GAP_GREY, column_gap: int = 0
) -> np.ndarray:
    """Rows of equally many images as one picture, one of its pixels for one of theirs.

    Image j of row i has its top left corner at pixel `(i * (H + gap), j * (W + column_gap))`; there is no outer border.

    Args:
        rows: each `(n, H, W)`, `(n, H, W, 1)` or `(n, H, W, 3)`, float in [0, 1] (clipped, never rescaled) or uint8
            shown as it is, such as `error_colours` gives; n, H and W the same in all.
        gap: pixels between rows.
        background: colour of the gaps, three values from 0 to 255.
        column_gap: pixels between columns.

    Returns:
        `(h, w, 3)` uint8, h = rows * H + (rows - 1) * gap and w = n * W + (n - 1) * column_gap.

    Raises:
        ValueError: no rows, rows of different or impossible shapes, or pixels that are not finite.
    """
    if len(rows) == 0:
        raise ValueError("rows is empty; give at least one row of images.")
    pictures = [_rgb(f"row {i}", row) for i, row in enumerate(rows)]
    shapes = [picture.shape[:3] for picture in pictures]
    if len(set(shapes)) > 1:
        raise ValueError(f"rows have the shapes (n, H, W) {shapes}; all must be the same, or columns would not align.")
    n, height, width = shapes[0]
    down, across = height + gap, width + column_gap
    canvas = np.empty((len(rows) * down, n * across, 3), dtype=np.uint8)
    canvas[:] = np.asarray(background, dtype=np.uint8)
    for i, picture in enumerate(pictures):
        cells = canvas[i * down : i * down + height].reshape(height, n, across, 3)  # a view: writes reach the canvas
        cells[:, :, :width] = picture.transpose(1, 0, 2, 3)
    return canvas[: len(rows) * down - gap, : n * across - column_gap]


def error_colours(err: np.ndarray) -> np.ndarray:
    """Absolute errors on the app's one error scale: black is 0, through purple and orange, pale yellow is 1 or more.

    Args:
        err: `(n, H, W)` or `(n, H, W, 1)` float, 0 or more, in units of the pixels' [0, 1]; for colour images take the
            mean over channels first.

    Returns:
        `(n, H, W, 3)` uint8.

    Raises:
        ValueError: another shape or dtype, a value that is negative (a signed difference?) or not finite.
    """
    err = np.asarray(err)
    if err.ndim == 4 and err.shape[3] == 1:
        err = err[..., 0]
    if err.ndim != 3 or not np.issubdtype(err.dtype, np.floating):
        raise ValueError(f"err is {err.dtype} of shape {err.shape}; it must be float, (n, H, W) or (n, H, W, 1).")
    if (err < 0).any():
        raise ValueError(f"err goes down to {err.min():g}; it must be 0 or more. Use np.abs(x - x_hat).")
    return _ERROR_TABLE[_bytes("err", err)]


def error_bar(length: int = 256, thickness: int = 8) -> np.ndarray:
    """The error scale from 0 at the left to 1 at the right, `(thickness, length, 3)` uint8; see `ERROR_TICKS`."""
    return np.repeat(error_colours(np.linspace(0, 1, length)[None, None])[0], thickness, axis=0)


def error_bar_png(length: int = 256, thickness: int = 8) -> bytes:
    """`error_bar` as a PNG; the page writes the numbers beside it as text."""
    return png(error_bar(length, thickness))


def png(array: np.ndarray, scale: int = 1) -> bytes:
    """A picture as PNG bytes; equal pictures give equal bytes.

    Args:
        array: `(h, w)` or `(h, w, 3)` uint8.
        scale: each pixel becomes a square of so many pixels a side, without smoothing.
    """
    array = np.asarray(array)
    if array.dtype != np.uint8 or array.size == 0 or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3)):
        raise ValueError(f"array is {array.dtype} of shape {array.shape}; it must be uint8, (h, w) or (h, w, 3).")
    buffer = io.BytesIO()
    Image.fromarray(_enlarge(array, scale)).save(buffer, format="PNG")
    return buffer.getvalue()


def _enlarge(array: np.ndarray, scale: int) -> np.ndarray:
    return array.repeat(scale, axis=0).repeat(scale, axis=1)


def data_uri(png_bytes: bytes) -> str:
    """PNG bytes as text that can stand in the `src` of an HTML image."""
    return "data:image/png;base64," + base64.b64encode(png_bytes).decode("ascii")


def _wrap(text: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    """The text in signs the font has, broken between words into lines of at most `width` pixels where it can be."""
    text = unicodedata.normalize("NFKD", text.translate(_PLAIN))
    text = "".join(sign for sign in text if not unicodedata.combining(sign))
    lines = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}".strip()
            if line and font.getlength(longer) > width:
                lines.append(line)
                longer = word
            line = longer
        lines.append(line)
    return "\n".join(lines)


def _size(text: str, font: ImageFont.FreeTypeFont) -> tuple[int, int]:
    """Width and height in pixels of wrapped text as `ImageDraw.multiline_text` draws it, from its anchor on."""
    left, top, right, bottom = ImageDraw.Draw(Image.new("L", (1, 1))).multiline_textbbox((0, 0), text, font=font)
    return (int(np.ceil(right)), int(np.ceil(bottom))) if text else (0, 0)


def labelled_png(rows: Sequence[np.ndarray], labels: Sequence[str], title: str, caption: str, scale: int = 4) -> bytes:
    """The figure to download: title, rows of images with their labels at the left, error scale and caption, on white.

    Args:
        rows: as `image_grid` takes them.
        labels: one for each row; long ones are wrapped.
        title: what the picture shows.
        caption: the settings and figures that it was made with.
        scale: side in pixels of one image pixel; text grows with it.
    """
    grid = _enlarge(image_grid(rows, background=_PAPER, column_gap=1), scale)
    em = max(10, round(5.5 * scale))
    margin = 2 * em
    font, title_font = ImageFont.load_default(em), ImageFont.load_default(round(1.4 * em))
    names = [_wrap(label, font, 8 * em) for label in labels]
    grid_left = margin + max(_size(name, font)[0] for name in [*names, "Error scale"]) + em
    text_width = max(grid_left + grid.shape[1] - margin, 24 * em)
    title, caption = _wrap(title, title_font, text_width), _wrap(caption, font, text_width)
    (title_width, title_height), (caption_width, caption_height) = _size(title, title_font), _size(caption, font)

    grid_top = margin + title_height + round(1.3 * em)
    bar_top = grid_top + grid.shape[0] + em
    caption_top = bar_top + 4 * em
    width = margin + max(text_width, title_width, caption_width) + margin
    image = Image.new("RGB", (width, caption_top + caption_height + margin), _PAPER)
    draw = ImageDraw.Draw(image)
    draw.multiline_text((margin, margin), title, fill=_INK, font=title_font)
    draw.multiline_text((margin, caption_top), caption, fill=_INK, font=font)
    image.paste(Image.fromarray(grid), (grid_left, grid_top))
    pitch = (grid.shape[0] + 2 * scale) / len(rows)  # of the rows, each with a gap of 2 below it
    for i, name in enumerate(names):
        middle = grid_top + i * pitch + (pitch - 2 * scale) / 2
        draw.multiline_text((margin, middle - _size(name, font)[1] / 2), name, fill=_INK, font=font)
    length = 10 * em
    draw.text((margin, bar_top), "Error scale", fill=_INK, font=font)
    image.paste(Image.fromarray(error_bar(length, em)), (grid_left, bar_top + em // 8))
    for tick in ERROR_TICKS:
        place = grid_left + tick * (length - 1)
        draw.text((place, bar_top + 1.3 * em), f"{tick:g}", fill=_INK, font=font, anchor="ma")
    return png(np.asarray(image))
