"""What lies between codes, as closed forms; pictures and animations read back with Pillow."""

import io

import numpy as np
import pytest
from PIL import Image, ImageSequence

from cae_core import runs
from cae_core.latent import embedding, manifold


@pytest.mark.parametrize(("name", "even"), [("strokes-b2-bce-clean", True), ("strokes-b16-bce-clean", False)])
def test_each_image_of_the_lattice_is_what_its_middle_decodes_to(name, even):
    codes = embedding.encode(runs.find(name), "strokes", 300)
    plane = embedding.plane(codes)
    scale = embedding.scale(plane, even)
    picture = manifold.lattice(codes.run, plane, scale, 5)
    assert picture.shape == (140, 140, 3)
    for row, column in ((0, 0), (0, 4), (4, 0), (2, 3)):
        spot = scale.spots([[(column + 0.5) / 5, 1 - (row + 0.5) / 5]])
        x_hat = embedding.decode(codes.run, plane.codes_at(spot))[0, ..., 0]
        tile = picture[28 * row : 28 * row + 28, 28 * column : 28 * column + 28]
        np.testing.assert_allclose(tile[..., 0] / 255, x_hat, atol=0.004)
    assert manifold.lattice(codes.run, plane, scale, 5) is picture
    way = embedding.decode(codes.run, manifold.straight(codes.z[0], codes.z[1], 11))
    assert len(manifold.gif(way)) < 200_000


def test_what_is_impossible_is_refused():
    for n in (1, 41, 0):
        with pytest.raises(ValueError, match="from 2 to 40"):
            manifold.lattice(runs.network("strokes-b2-bce-clean"), None, None, n)
    with pytest.raises(ValueError, match="at least 2"):
        manifold.along([[0, 0]], 3)
    with pytest.raises(ValueError, match="8192"):
        manifold.sprite(np.zeros((82, 1000, 1, 1), np.uint8))


def test_straight_from_one_to_the_other_half_way_is_the_mean():
    a, b = np.array([0, 4.0]), np.array([10, 2.0])
    np.testing.assert_allclose(manifold.straight(a, b, 5), [[0, 4], [2.5, 3.5], [5, 3], [7.5, 2.5], [10, 2]])
    x = np.random.default_rng(0).random((2, 28, 28, 1), dtype=np.float32)
    way = manifold.straight(*x, 11)
    assert way.shape == (11, 28, 28, 1)
    np.testing.assert_allclose(way[5], x.mean(axis=0), atol=1e-6)
    np.testing.assert_array_equal(way[[0, -1]], x)


def test_along_corners_in_steps_of_equal_length():
    way = manifold.along([[0, 0], [3, 0], [3, 1]], 9)  # length 4
    np.testing.assert_allclose(way, [[0.5 * i, 0] for i in range(7)] + [[3, 0.5], [3, 1]], atol=1e-12)
    np.testing.assert_array_equal(manifold.along([[2, 2], [2, 2]], 3), [[2, 2]] * 3)


@pytest.mark.parametrize("channels", [1, 3])
def test_gif_goes_there_and_back(channels):
    levels = np.array([0, 80, 160, 255]) / 255
    images = np.broadcast_to(levels[:, None, None, None], (4, 6, 5, channels)).astype("float32").copy()
    images[:, 0, 0] = 1
    film = Image.open(io.BytesIO(manifold.gif(images, scale=3, milliseconds=90)))
    frames, times = zip(
        *((np.asarray(f.convert("RGB")), f.info["duration"]) for f in ImageSequence.Iterator(film)), strict=True
    )
    assert film.info["loop"] == 0
    assert [frame.shape for frame in frames] == [(18, 15, 3)] * 6
    np.testing.assert_allclose([frame[10, 10, 0] for frame in frames], [0, 80, 160, 255, 160, 80], atol=3)
    assert all(frame[1, 1, 0] > 250 for frame in frames)
    assert times == (360, 90, 90, 360, 90, 90)
