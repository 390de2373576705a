"""Pictures, looked at pixel by pixel."""

import io

import numpy as np
import pytest
from PIL import Image, ImageFont

from cae_core.figures import pictures, plotting

RED = (255, 0, 0)


def images(n=3, height=4, width=5, seed=0):
    return np.random.default_rng(seed).random((n, height, width), dtype=np.float32)


def decode(png_bytes):
    with Image.open(io.BytesIO(png_bytes)) as image:
        assert image.format == "PNG"
        return np.asarray(image)


def test_grid_puts_every_image_at_its_place():
    rows = [images(seed=0), images(seed=1)[..., None], np.repeat(images(seed=2)[..., None], 3, axis=3)]
    rows[2][..., 1] = 0  # a colour row: red and blue only
    grid = pictures.image_grid(rows, gap=2, background=RED, column_gap=1)
    assert grid.shape == (3 * 4 + 2 * 2, 3 * 5 + 2 * 1, 3)
    assert grid.dtype == np.uint8
    covered = np.zeros(grid.shape[:2], dtype=bool)
    for i, row in enumerate(rows):
        for j in range(3):
            place = np.s_[i * 6 : i * 6 + 4, j * 6 : j * 6 + 5]
            expected = np.rint(row[j] * 255)
            expected = expected if expected.shape[-1] == 3 else np.stack([expected.reshape(4, 5)] * 3, axis=-1)
            np.testing.assert_array_equal(grid[place], expected)
            covered[place] = True
    assert (grid[~covered] == RED).all()
    assert (~covered).sum() == 4 * 17 + 2 * 12


def test_grey_is_never_rescaled():
    row = np.full((1, 1, 6), 0.5, dtype=np.float32)
    row[0, 0] = [-1, 0, 0.2, 0.4, 1, 7]
    assert pictures.image_grid([row])[0, :, 0].tolist() == [0, 0, 51, 102, 255, 255]
    assert pictures.image_grid([row[..., 2:4]])[0].tolist() == [[51] * 3, [102] * 3]  # dim images stay dim


def test_finished_colours_are_shown_as_they_are():
    row = np.random.default_rng(0).integers(0, 256, (2, 3, 4, 3), dtype=np.uint8)
    np.testing.assert_array_equal(pictures.image_grid([row])[:, 4:], row[1])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "rows is empty"),
        ([images(), images(n=2)], r"\(3, 4, 5\), \(2, 4, 5\).*must be the same"),
        ([images()[0]], r"row 0 has shape \(4, 5\)"),
        ([images(), np.zeros((3, 4, 5, 2))], r"row 1 has shape \(3, 4, 5, 2\)"),
        ([images().astype(int)], "row 0 is int64; it must be float"),
        ([images() * np.nan], "row 0 has NaN"),
    ],
)
def test_rows_that_make_no_grid_are_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        pictures.image_grid(rows)


def test_error_scale_is_fixed_and_dark_at_zero():
    err = np.array([[[0, 0.5, 1, 3]]], dtype=np.float32)
    colours = pictures.error_colours(err)
    # Entries 0, 128 and 255 of matplotlib's inferno are (0, 0, 4), (188, 55, 84) and (252, 255, 164).
    assert colours[0, 0, [0, 2, 3]].tolist() == [[0, 0, 4], [252, 255, 164], [252, 255, 164]]
    assert np.abs(colours[0, 0, 1].astype(int) - (188, 55, 84)).max() <= 2
    np.testing.assert_array_equal(pictures.error_colours(err[..., None]), colours)
    np.testing.assert_array_equal(pictures.error_colours(err[..., :2]), colours[:, :, :2])


def linear(rgb):
    """sRGB in [0, 255] to linear light in [0, 1], IEC 61966-2-1."""
    rgb = np.asarray(rgb) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(light):
    """Linear sRGB to CIELAB under D65."""
    to_xyz = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    ratio = np.clip(light, 0, 1) @ np.transpose(to_xyz) / (0.95047, 1, 1.08883)
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


def test_lightness_of_the_error_scale_rises_evenly():
    lightness = lab(linear(pictures.error_bar(256, 1)[0]))[:, 0]
    assert (np.diff(lightness[::5]) > 0).all()
    straight = np.linspace(lightness[0], lightness[-1], 256)
    assert np.abs(lightness - straight).max() < 10


def test_error_bar_is_the_scale_that_pictures_use():
    bar = pictures.error_bar(101, 3)
    assert bar.shape == (3, 101, 3)
    assert (bar == bar[0]).all()
    for tick, place in zip(pictures.ERROR_TICKS, (0, 50, 100), strict=True):
        np.testing.assert_array_equal(bar[0, place], pictures.error_colours(np.full((1, 1, 1), tick))[0, 0, 0])
    np.testing.assert_array_equal(decode(pictures.error_bar_png(101, 3)), bar)


@pytest.mark.parametrize(
    ("err", "message"),
    [
        (np.full((1, 2, 2), -0.1), r"goes down to -0.1.*np\.abs"),
        (np.full((1, 2, 2), np.nan), "NaN"),
        (np.zeros((1, 2, 2, 3)), r"shape \(1, 2, 2, 3\)"),
        (np.zeros((1, 2, 2), dtype=np.uint8), "err is uint8"),
    ],
)
def test_what_is_no_absolute_error_is_refused(err, message):
    with pytest.raises(ValueError, match=message):
        pictures.error_colours(err)


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 3)])
@pytest.mark.parametrize("scale", [1, 3])
def test_png_keeps_every_pixel_and_enlarges_without_smoothing(shape, scale):
    array = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    decoded = decode(pictures.png(array, scale))
    assert decoded.shape == (3 * scale, 4 * scale, *shape[2:])
    np.testing.assert_array_equal(decoded, np.kron(array, np.ones((scale, scale, 1)[: array.ndim], np.uint8)))
    assert pictures.png(array.copy(), scale) == pictures.png(array, scale)


@pytest.mark.parametrize("array", [np.zeros((2, 2)), np.zeros((2, 2, 4), np.uint8), np.zeros((0, 2), np.uint8)])
def test_png_refuses_other_arrays(array):
    with pytest.raises(ValueError, match="must be uint8"):
        pictures.png(array)


def find(picture, part):
    """Top left corners at which `part` occurs in `picture`."""
    h, w = part.shape[:2]
    windows = np.lib.stride_tricks.sliding_window_view(picture, (h, w, 3))[:, :, 0]
    return np.argwhere((windows == part).all(axis=(2, 3, 4))).tolist()


def labelled(caption="noise 0.5", scale=2, **changes):
    arguments = {"rows": [images(10, 8, 9), images(10, 8, 9, seed=1)], "labels": ["In", "Out"], "title": "A question"}
    return pictures.labelled_png(**{**arguments, **changes}, caption=caption, scale=scale)


def test_labelled_figure_has_every_tile_unsmoothed_in_line_with_its_label():
    picture = decode(labelled())
    rows = [images(10, 8, 9), images(10, 8, 9, seed=1)]
    tiles = [
        [np.repeat(np.rint(image * 255)[..., None], 3, axis=2).repeat(2, 0).repeat(2, 1) for image in row] for row in rows
    ]
    (top, left), *others = find(picture, tiles[0][0])
    assert not others
    for i, row in enumerate(tiles):
        for j, tile in enumerate(row):
            y, x = top + i * 2 * (8 + 2), left + j * 2 * (9 + 1)
            np.testing.assert_array_equal(picture[y : y + 16, x : x + 18], tile)
        beside = (picture[top + i * 20 : top + i * 20 + 16, :left] < 128).any(axis=(1, 2)).nonzero()[0]
        assert 3 < beside.mean() < 12, "the label must stand at the middle of its row"
    assert (picture[top : top + 36, left - 2 : left] == 255).all()
    assert (picture[:4] == 255).all()
    assert (picture[:, -4:] == 255).all()
    assert len(find(picture, pictures.error_bar(110, 1))) == 11  # ten times the text size of scale 2


def test_long_captions_wrap_and_nothing_is_cut_off():
    short, long = decode(labelled()), decode(labelled(caption="settings and more " * 30))
    assert long.shape[1] == short.shape[1]
    assert long.shape[0] > short.shape[0] + 50
    unbroken = decode(labelled(caption="m" * 200, title="M" * 100, labels=["w" * 40, "Out"]))
    assert unbroken.shape[1] > short.shape[1]
    for picture in (short, long, unbroken):
        edge = np.concatenate([picture[:, -8:].ravel(), picture[-8:].ravel(), picture[:, :8].ravel()])
        assert (edge == 255).all()


def test_signs_the_font_lacks_are_spelt_out():
    font = ImageFont.load_default(20)
    assert pictures._wrap("28×28 – noise ≤ 0.5 → é", font, 1000) == "28x28 - noise <= 0.5 -> e"
    assert labelled(caption="28×28") == labelled(caption="28x28")


def rgb(colour):
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def contrast(colours, other):
    """WCAG 2.2 contrast ratio of `(n, 3)` colours with one other."""
    luminance = linear([*colours, other]) @ (0.2126, 0.7152, 0.0722) + 0.05
    return np.maximum(luminance[:-1], luminance[-1]) / np.minimum(luminance[:-1], luminance[-1])


# Machado, Oliveira & Fernandes 2009, severity 1.0, on linear RGB.
VISION = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


@pytest.mark.parametrize("vision", VISION)
def test_class_colours_can_be_told_apart(vision):
    colours = np.array([rgb(colour) for colour in pictures.PALETTE])
    assert colours.shape == (10, 3)
    seen = lab(linear(colours) @ np.transpose(VISION[vision]))
    distance = np.linalg.norm(seen[:, None] - seen[None], axis=2)
    assert distance[np.triu_indices(10, 1)].min() > 12  # CIE76; about 2.3 can just be noticed
    for one, other in [(4, 9), (7, 9), (4, 7), (3, 5), (3, 8), (5, 8)]:
        assert distance[one, other] > 25, (one, other)
    assert contrast(colours, (255, 255, 255)).min() > 1.5
    assert contrast(colours, (14, 17, 23)).min() > 2.5


@pytest.mark.parametrize("page", ["#ffffff", "#101514"])
def test_curves_are_readable_in_both_themes(page):
    colours = [rgb(colour) for colour in (*plotting.CURVE_COLOURS, plotting.GREY)]
    assert contrast(colours, rgb(page)).min() >= 3
