"""Files of every allowed kind give the same picture; everything else is one clear sentence and little memory."""

import contextlib
import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from cae_core.inference import colourise
from cae_core.inputs import drawing, uploads
from cae_core.inputs.uploads import UploadError, read


def encode(image, kind, **more):
    buffer = io.BytesIO()
    image.save(buffer, kind, **more)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def grey():
    """A picture with no symmetry: dark ink on light paper, `(40, 60)` uint8."""
    picture = np.full((40, 60), 230, np.uint8)
    picture[5:30, 10:16] = 20
    picture[24:30, 10:40] = 90
    return picture


@contextlib.contextmanager
def peak_below(num_bytes):
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < num_bytes
    finally:
        tracemalloc.stop()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header(width, height):
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100)))


@pytest.mark.parametrize(
    ("kind", "mode", "more", "off"),
    [
        *(("PNG", mode, {}, 0) for mode in ("L", "RGB", "RGBA", "LA")),
        *(("BMP", mode, {}, 0) for mode in ("L", "RGB")),
        *(("WEBP", mode, {"lossless": True}, 1) for mode in ("RGB", "RGBA")),
        *(("JPEG", mode, {"quality": 95, "progressive": mode == "RGB"}, 12) for mode in ("L", "RGB", "CMYK")),
        ("PNG", "P", {}, 1),
        ("GIF", "L", {}, 1),
        ("WEBP", "RGB", {"quality": 90}, 12),
    ],
)
def test_every_kind_gives_the_same_picture(grey, kind, mode, more, off):
    data = encode(Image.fromarray(grey).convert(mode), kind, **more)
    upload = read(data, f"drawing.{uploads.FORMATS[kind][0]}")
    assert (upload.grey.dtype, upload.size, upload.note) == (np.float32, (60, 40), "")
    np.testing.assert_allclose(upload.grey * 255, grey, atol=off + 0.01)


@pytest.mark.parametrize("bits", [1, 10, 16])
@pytest.mark.parametrize("reader", [read, uploads.read_photograph])
def test_sixteen_bits_with_fewer_in_them(grey, bits, reader):
    """Scanners leave the values of 8, 10 or 12 bits in 16, where they are almost black."""
    values = np.rint(grey / 255 * (2**bits - 1)).astype(np.uint16)
    values[0, 0] = 2**bits - 1
    given = reader(encode(Image.fromarray(values), "PNG"), "scan.png")
    picture = given.grey if reader is read else given.rgb[..., 0]
    np.testing.assert_allclose(picture, values / (2**bits - 1), atol=1e-6)
    said = f"'scan.png' has 16 bits per pixel but no value over {2**bits - 1:,}, and was read as a {bits}-bit picture."
    assert given.note == ("" if bits == 16 else said)


def bmp_of_32_bits(pixels):
    """A BMP with a place for alpha, as `(h, w, 4)` uint8 red, green, blue, alpha; Pillow writes no such header."""
    height, width = pixels.shape[:2]
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + b"sRGB" + bytes(48)
    header = struct.pack("<IiiHHIIiiII", 108, width, height, 1, 32, 3, 4 * width * height, 2835, 2835, 0, 0) + masks
    body = pixels[::-1, :, [2, 1, 0, 3]].tobytes()
    return b"BM" + struct.pack("<IHHI", 14 + len(header) + len(body), 0, 0, 14 + len(header)) + header + body


ENCODERS = {
    "BMP": bmp_of_32_bits,
    "PNG": lambda pixels: encode(Image.fromarray(pixels), "PNG"),
    "WEBP": lambda pixels: encode(Image.fromarray(pixels), "WEBP", lossless=True, exact=True),
    "LA": lambda pixels: encode(Image.fromarray(pixels).convert("LA"), "PNG"),
}


@pytest.mark.parametrize("encoded", ENCODERS.values(), ids=ENCODERS)
def test_alpha_that_is_nothing_everywhere_means_nothing(grey, encoded):
    pixels = np.dstack([grey, grey, grey, np.zeros_like(grey)])
    upload = read(encoded(pixels), "paint.x")
    np.testing.assert_allclose(upload.grey * 255, grey, atol=1.01)
    assert upload.note.endswith("'paint.x' is transparent everywhere, and was read as if it were not.")
    np.testing.assert_allclose(uploads.read_photograph(encoded(pixels)).rgb[..., 1] * 255, grey, atol=1.01)
    pixels[20:, :, 3] = 255
    assert np.ptp(read(encoded(pixels)).grey[:20]) == 0  # one that means something still counts


@pytest.mark.parametrize("name", ["IMG_1.jpg", "IMG_1.MPO", "IMG_1"])
def test_a_phones_jpeg_of_several_pictures_is_its_first(grey, name):
    first, exif = Image.fromarray(grey).convert("RGB"), Image.Exif()
    exif[0x0112] = 6  # held upright
    data = encode(first, "MPO", save_all=True, append_images=[first.resize((20, 10))], exif=exif, quality=95)
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.n_frames) == ("MPO", 2)
    upload = read(data, name)
    np.testing.assert_allclose(upload.grey * 255, np.rot90(grey, -1), atol=12)
    assert (upload.size, upload.note) == ((40, 60), "")


def test_colours_become_the_grey_of_their_brightness():
    colours = np.zeros((3, 3, 3), np.uint8)
    colours[0], colours[1], colours[2] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    rows = read(encode(Image.fromarray(colours), "PNG")).grey[:, 0]
    np.testing.assert_allclose(rows, [0.299, 0.587, 0.114], atol=0.003)  # ITU-R 601


@pytest.mark.parametrize(("ink", "paper"), [(0, 1), (255, 0)])
def test_transparent_paper_is_what_shows_the_ink(ink, paper):
    picture = np.zeros((20, 20, 4), np.uint8)
    picture[5:15, 8:12] = (ink, ink, ink, 255)
    picture[5:15, 12] = (ink, ink, ink, 128)
    grey = read(encode(Image.fromarray(picture), "PNG")).grey
    assert (grey[:5] == paper).all()
    assert (grey[5:15, 8:12] == 1 - paper).all()
    np.testing.assert_allclose(grey[5:15, 12], 0.5, atol=0.01)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_says_which_way_is_up(grey, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(Image.fromarray(grey), "PNG", exif=exif)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    upload = read(data)
    np.testing.assert_allclose(upload.grey * 255, expected, atol=0.01)
    assert upload.size == expected.shape[::-1] == ((60, 40) if orientation < 5 else (40, 60))


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_large_ones_are_made_smaller_with_the_same_content(kind):
    picture = np.full((3000, 4000), 255, np.uint8)
    picture[600:2400, 1000:1400] = 0
    data = encode(Image.fromarray(picture), kind)
    with peak_below(60e6):
        upload = read(data)
    assert upload.size == (4000, 3000)
    assert uploads.ENOUGH <= max(upload.grey.shape) < 2 * uploads.ENOUGH
    height, width = upload.grey.shape
    dark = upload.grey < 0.5
    rows, columns = np.flatnonzero(dark.any(axis=1)) / height, np.flatnonzero(dark.any(axis=0)) / width
    np.testing.assert_allclose([rows[0], rows[-1], columns[0], columns[-1]], [0.2, 0.8, 0.25, 0.35], atol=0.01)


@pytest.mark.parametrize("size", [(4472, 4472), (20_000, 1000), (1, 1), (20, 1)])
def test_as_large_and_as_long_as_is_allowed(size):
    assert read(encode(Image.new("L", size, 9), "PNG")).grey.min() == pytest.approx(9 / 255)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "'x.png' is empty, 0 bytes"),
        (b"this is no picture at all, but quite some text", "is not an image that can be read here: PNG, JPEG"),
        (b"\x00\x00\x00\x18ftypheic", "is not an image"),
        (b"\x89PNG\r\n\x1a\n", "begins as a PNG but is damaged"),
        (b"\xff\xd8\xff\xe0", "begins as a JPEG but is damaged"),
        (png_header(50_000, 50_000), "2,500 megapixels; at most 20 megapixels"),
        (png_header(12_000, 12_000), "12,000 × 12,000 pixels, 144 megapixels; at most 20"),
        (png_header(1, 21), "one side may be at most 20 times the other"),
        (png_header(40, 40), "is a PNG that is damaged or was cut off"),
        (bytes(25_000_001), "25 MB; at most 25 are read"),
    ],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_what_cannot_be_used_is_said_in_a_sentence(data, says):
    with peak_below(5e6), pytest.raises(UploadError) as caught:
        read(data, "x.png")
    assert says in str(caught.value)
    assert "x.png" in str(caught.value)
    assert "\n" not in str(caught.value)


def webp(kind, body):
    chunk = kind + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


BODIES = {
    b"VP8X": bytes(4) + (15_999).to_bytes(3, "little") * 2,
    b"VP8L": b"\x2f" + (15_999 | 15_999 << 14).to_bytes(4, "little") + bytes(20),
    b"VP8 ": b"\x00\x00\x00\x9d\x01\x2a" + struct.pack("<HH", 16_000, 16_000) + bytes(20),
}


@pytest.mark.parametrize("kind", BODIES)
def test_webp_is_measured_before_memory_is_reserved_for_it(kind, monkeypatch):
    monkeypatch.setattr(Image, "open", lambda *args, **kwargs: pytest.fail("it was opened"))
    with pytest.raises(UploadError, match="256 megapixels"):
        read(webp(kind, BODIES[kind]), "x.webp")


@pytest.mark.parametrize(
    "more", [{"lossless": True}, {"quality": 80}, {"exif": b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00"}]
)
def test_sizes_of_real_webp_files_are_read_right(more):
    assert uploads._webp_size(encode(Image.new("RGB", (123, 45)), "WEBP", **more)) == (123, 45)


MODES = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV", "I", "I;16", "F")


def written(kind, grey):
    """A file of this format in every mode that Pillow writes it in, of two pictures where it can hold several."""
    for mode in MODES:
        with contextlib.suppress(Exception):
            image = Image.fromarray(grey).convert(mode)
            yield encode(image, kind, **({"save_all": True, "append_images": [image]} if kind in Image.SAVE_ALL else {}))


def damaged(data, rng):
    """Bytes changed, mostly near the beginning, where a file says what it is; a part gone or doubled; a beginning."""
    for reach in (16, 64, 64, len(data)):
        copy = bytearray(data)
        for place in rng.integers(0, min(reach, len(data)), 4):
            copy[place] = rng.choice([0, 1, 127, 128, 255, rng.integers(256)])
        yield bytes(copy)
    start, end = sorted(rng.integers(0, len(data), 2))
    yield from (data[:start] + data[end:], data[:end] + data[start:], data[:end])


Image.init()


@pytest.mark.parametrize("kind", sorted(Image.SAVE))
@pytest.mark.filterwarnings("ignore")
def test_any_file_is_a_picture_or_a_sentence(kind, grey):
    """Nothing else leaves the reader, or what pages do with what it gives; some thousands of files of all formats."""
    whole, rng = list(written(kind, grey)), np.random.default_rng(1)
    if not whole:
        pytest.skip(f"Pillow writes no {kind} here")
    ours = kind in (*uploads.FORMATS, "MPO")
    for data in [*whole, *(copy for one in whole * (6 if ours else 1) for copy in damaged(one, rng))]:
        with contextlib.suppress(UploadError, drawing.DrawingError):
            rgb = uploads.read_photograph(data, "x").rgb
            colourise.fit(rgb)
            upload = read(data, f"x.{kind}")
            for picture in (rgb, upload.grey, drawing.to_network(drawing.to_ink(drawing.fit(upload.grey)), True)):
                assert picture.dtype == np.float32
                assert 0 <= picture.min() <= picture.max() <= 1
    for data in whole if ours else ():
        assert read(data).size == (60, 40)


@pytest.mark.parametrize(
    ("kind", "name", "notes"),
    [
        ("PNG", "drawing.PNG", False),
        ("PNG", "drawing", False),
        *((kind, f"drawing.{ending}", False) for kind, endings in uploads.FORMATS.items() for ending in endings),
        *(("JPEG", f"photo.{ending}", False) for ending in ("JFIF", "jpe", "pjpeg", "pjp")),  # what browsers call one
        ("PNG", "drawing.jpg", True),
        ("PNG", "notes.txt", True),
    ],
)
def test_what_a_file_contains_counts_and_not_its_name(grey, kind, name, notes):
    note = f"{name!r} is a {kind} in spite of its ending, and was read as one."
    assert read(encode(Image.fromarray(grey), kind), name).note == (note if notes else "")


def test_long_names_are_shortened_and_broken_exif_does_not_matter(grey):
    with pytest.raises(UploadError) as caught:
        read(b"", "n" * 5000 + ".png")
    assert len(str(caught.value)) < 200
    data = encode(Image.fromarray(grey), "JPEG", exif=b"Exif\x00\x00not a tiff header at all")
    assert read(data).grey.shape == grey.shape
