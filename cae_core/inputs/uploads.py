"""Uploaded image files as arrays, grey or in colour; whatever is wrong with a file is one clear sentence.

A file can claim any size, so that is read from its first bytes and held against the limits before anything is decoded.
What decides is what a file contains, not what it is called.
"""

import contextlib
import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image, ImageOps

FORMATS = {
    "PNG": ("png", "apng"),
    "JPEG": ("jpg", "jpeg", "jpe", "jfif", "jif", "jfi", "pjpeg", "pjp", "mpo"),
    "WEBP": ("webp",),
    "BMP": ("bmp",),
    "GIF": ("gif",),
}
"""What is read, and the endings that cameras and browsers give to the names of its files."""

MOST_BYTES = 25_000_000
MOST_PIXELS = 20_000_000
MOST_ASPECT = 20
"""How many times the longer side may be as long as the shorter one."""

ENOUGH = 560
"""Pixels of the longer side from which on a picture is made smaller while it is read."""

DEPTHS = (1, 8, 10, 12)
"""Bits of values that scanners and cameras leave as they are in a grey picture of 16 bits, where they are almost black."""

_ORIENTATION = 0x0112
_READ = "PNG, JPEG, WebP, BMP and GIF"


class UploadError(ValueError):
    """A file that cannot be used; the message says what it is, what is allowed and how to mend it."""


@dataclass(frozen=True, eq=False)
class Upload:
    """A picture from a file.

    Attributes:
        grey: `(h, w)` float32 in [0, 1], 0 black; the longer side is at most twice `ENOUGH` pixels.
        size: width and height in the file, turned as its EXIF entry says.
        note: a sentence about something odd that did not matter, else "".
    """

    grey: np.ndarray = field(repr=False)
    size: tuple[int, int]
    note: str = ""


@dataclass(frozen=True, eq=False)
class Photograph:
    """A picture from a file with its colours.

    Attributes:
        rgb: `(h, w, 3)` float32 in [0, 1]; the longer side is at most twice `ENOUGH` pixels.
        is_grey: no pixel has a colour, but for what JPEG adds.
        size, note: as of `Upload`.
    """

    rgb: np.ndarray = field(repr=False)
    is_grey: bool
    size: tuple[int, int]
    note: str = ""


COLOURLESS = 6 / 255
"""How far red, green and blue of a pixel may be apart in a grey picture: JPEG's rounding of chroma makes some of it."""


def read_photograph(data: bytes, name: str = "the file") -> Photograph:
    """The picture in a file with its colours: upright, its first frame if it moves, transparent parts on white.

    Args and errors are those of `read`.
    """
    rgb, size, note = _read(data, name, _colour)
    return Photograph(rgb, bool((rgb.max(axis=2) - rgb.min(axis=2)).max() <= COLOURLESS), size, note)


def read(data: bytes, name: str = "the file") -> Upload:
    """The picture in a file: upright, its first frame if it moves, transparent parts on paper that shows the rest.

    Args:
        data: the whole file.
        name: what it is called, for the sentences.

    Raises:
        UploadError: it is empty, too large, no image of an allowed kind, damaged, or of an absurd shape.
    """
    return Upload(*_read(data, name, _grey))


def _read(data: bytes, name: str, decode: Callable[[Image.Image], np.ndarray]) -> tuple[Any, tuple[int, int], str]:
    """What `decode` makes of the upright picture in a file, the picture's size and its note."""
    called = repr(name if len(name) <= 60 else f"{name[:40]}…{name[-15:]}")
    if not data:
        raise UploadError(f"{called} is empty, 0 bytes: save it again, or choose another file.")
    if len(data) > MOST_BYTES:
        size = f"{len(data) / 1e6:.0f} MB; at most {MOST_BYTES / 1e6:.0f} are read"
        raise UploadError(f"{called} has {size}. Save it smaller.")
    kind = ""
    try:
        if size := _webp_size(data):  # Pillow reserves the memory of a WebP when it opens it
            _check_size(called, *size)
        with Image.open(io.BytesIO(data), formats=list(FORMATS)) as image:
            kind = image.format.replace("MPO", "JPEG")  # a camera's JPEG with further pictures behind the first
            _check_size(called, *image.size)
            image, size = _upright(image)
            image, odd = _plain(image)
            notes = _ending(called, name, kind), odd and f"{called} {odd}"
            return decode(_smaller(image)), size, " ".join(filter(None, notes))
    except UploadError:
        raise
    except Image.DecompressionBombError as error:
        pixels = int(re.search(r"\d+", str(error)).group())
        raise UploadError(_too_many(called, f"{pixels / 1e6:,.0f} megapixels")) from error
    except Exception as error:  # files fail in more ways than can be listed; nothing but an UploadError leaves this module
        damaged = f"{called} is a {kind} that is damaged or was cut off: save it again, or choose another."
        raise UploadError(damaged if kind else _not_read(called, data)) from error


def _upright(image: Image.Image) -> tuple[Image.Image, tuple[int, int]]:
    size = image.size
    image.draft(None, (ENOUGH, ENOUGH))  # a JPEG can be decoded at a half, a quarter or an eighth of its size
    image.load()
    with contextlib.suppress(Exception):  # the picture is whole even where its EXIF data is not
        size = size[::-1] if image.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8) else size
        image = ImageOps.exif_transpose(image)
    return image, size


def _plain(image: Image.Image) -> tuple[Image.Image, str]:
    """A picture in mode F in [0, 1] where it has more than 8 bits, else in RGBA or RGB or L; and what was odd about it."""
    if image.mode.startswith("I") or image.mode == "F":  # which only grey pictures can have here
        values = np.asarray(image).astype(np.float32)
        bits = next((bits for bits in DEPTHS if values.max() < 2**bits), 16)
        odd = f"has 16 bits per pixel but no value over {2**bits - 1:,}, and was read as a {bits}-bit picture."
        return Image.fromarray(np.clip(values / np.float32(2**bits - 1), 0, 1)), "" if bits == 16 else odd
    if not image.has_transparency_data:
        return (image.convert("L") if image.mode in ("L", "1") else image.convert("RGB")), ""
    image = image.convert("RGBA")
    if image.getchannel("A").getextrema()[1] == 0:  # some programs write nothing there, and mean nothing by it
        return image.convert("RGB"), "is transparent everywhere, and was read as if it were not."
    return image, ""


def _colour(image: Image.Image) -> np.ndarray:
    """`(h, w, 3)` float32 in [0, 1]."""
    if image.mode == "F":
        return np.repeat(np.asarray(image)[..., None], 3, axis=2)
    rgb, alpha = _shares(image.convert("RGB")), _alpha(image)
    return rgb if alpha is None else rgb * alpha[..., None] + (1 - alpha[..., None])


def _grey(image: Image.Image) -> np.ndarray:
    """`(h, w)` float32 in [0, 1]."""
    if image.mode == "F":
        return np.asarray(image)
    grey, alpha = _shares(image.convert("RGB").convert("L")), _alpha(image)
    if alpha is None:
        return grey
    # Dark ink gets white paper and light ink black, or it could not be seen.
    ink = float((grey * alpha).sum() / max(float(alpha.sum()), 1e-9))
    return grey * alpha + np.float32(ink < 0.5) * (1 - alpha)


def _alpha(image: Image.Image) -> np.ndarray | None:
    return _shares(image.getchannel("A")) if image.mode == "RGBA" else None


def _shares(image: Image.Image) -> np.ndarray:
    return np.asarray(image).astype(np.float32) / np.float32(255)


def _smaller(image: Image.Image) -> Image.Image:
    """By a whole factor, each pixel the mean of those it stands for."""
    factor = max(image.size) // ENOUGH
    return image.reduce(factor) if factor > 1 else image


def _check_size(called: str, width: int, height: int) -> None:
    size = f"{width:,} × {height:,} pixels"
    if width * height > MOST_PIXELS:
        raise UploadError(_too_many(called, f"{size}, {width * height / 1e6:,.0f} megapixels"))
    if max(width, height) > MOST_ASPECT * min(width, height):
        most = f"one side may be at most {MOST_ASPECT} times the other"
        raise UploadError(f"{called} has {size}; {most}. Cut out the part with the drawing.")


def _too_many(called: str, what: str) -> str:
    return f"{called} has {what}; at most {MOST_PIXELS / 1e6:.0f} megapixels are read. Make it smaller, or cut out a part."


def _not_read(called: str, data: bytes) -> str:
    """Why a file could not be opened: it is something else, or the beginning of an image and no more."""
    starts = {b"\x89PNG": "PNG", b"\xff\xd8": "JPEG", b"GIF8": "GIF", b"BM": "BMP"}
    kind = next((kind for start, kind in starts.items() if data.startswith(start)), "WebP" if data[8:12] == b"WEBP" else "")
    if kind:
        return f"{called} begins as a {kind} but is damaged or was cut off: get or save it again, or choose another file."
    return f"{called} is not an image that can be read here: {_READ} are. Open it in another program and save it as PNG."


def _ending(called: str, name: str, kind: str) -> str:
    """What to say of a name that promises something else."""
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    if not ending or ending in FORMATS[kind]:
        return ""
    return f"{called} is a {kind} in spite of its ending, and was read as one."


def _webp_size(data: bytes) -> tuple[int, int] | None:
    """Width and height that a WebP claims (RFC 9649, sections 2.5 to 2.7), None for anything else."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or len(data) < 30:
        return None
    if data[12:16] == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if data[12:16] == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF
