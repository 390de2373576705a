"""Drawings become what networks take: held against bounding boxes, centres of mass and means computed another way."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from cae_core import metrics, runs
from cae_core.datasets import as_float, load
from cae_core.inputs import drawing
from cae_core.inputs.drawing import DrawingError
from cae_core.pretrained import name_of


def data_url(image, kind="PNG"):
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


@pytest.fixture
def blot():
    """A lopsided drawing: an ellipse with a tail, `(280, 280)` float32."""
    y, x = np.mgrid[:280, :280]
    ink = ((y - 90) / 40) ** 2 + ((x - 180) / 25) ** 2 <= 1
    ink |= (np.abs(x - y / 2 - 110) < 9) & (y > 90) & (y < 230)
    return ink.astype(np.float32)


def test_pad_sends_the_picture_it_shows():
    grey = np.random.default_rng(0).integers(0, 256, (280, 280), dtype=np.uint8)
    expected = grey / np.float32(255)
    for mode in ("L", "RGB", "RGBA"):
        np.testing.assert_array_equal(drawing.from_pad(data_url(Image.fromarray(grey).convert(mode))), expected)
    np.testing.assert_array_equal(drawing.from_pad(drawing.to_pad(expected)), expected)


BOMB = bytearray(base64.b64decode(data_url(Image.new("L", (280, 280))).partition(",")[2]))
BOMB[16:24] = (50_000).to_bytes(4, "big") * 2


PNG = "data:image/png;base64,"


@pytest.mark.parametrize(
    "sent",
    [
        *(None, 7, [PNG], {"picture": "x"}, "", "data:text/html;base64,PGI+", "javascript:alert(1)"),
        *(PNG, f"{PNG}!!!!", f"{PNG}AAAA", PNG + "A" * 500_000),
        data_url(Image.new("L", (280, 279))),
        data_url(Image.new("L", (2800, 2800))),
        data_url(Image.new("L", (280, 280)), "JPEG"),
        data_url(Image.effect_noise((280, 280), 80))[:-300],
        PNG + base64.b64encode(BOMB).decode(),
    ],
    ids=str,
)
def test_anything_else_from_the_browser_is_a_sentence(sent):
    with pytest.raises(DrawingError, match=r"^The pad.*(again|reload the page|clear it)\.$"):
        drawing.from_pad(sent)


def test_shrinking_is_the_mean_of_what_is_covered(blot):
    np.testing.assert_allclose(drawing.shrink(blot), blot.reshape(28, 10, 28, 10).mean(axis=(1, 3)), atol=1e-6)
    tall = np.random.default_rng(0).random((40, 30)).astype(np.float32)
    padded = np.pad(tall, ((0, 0), (5, 5)))
    expected = padded.repeat(7, 0).repeat(7, 1).reshape(28, 10, 28, 10).mean(axis=(1, 3))  # 40 * 7 = 280
    np.testing.assert_allclose(drawing.shrink(tall), expected, atol=1e-6)
    np.testing.assert_array_equal(drawing.shrink(expected.astype(np.float32)), expected.astype(np.float32))


def test_fit_keeps_the_proportions_and_the_mean():
    picture = np.random.default_rng(0).random((700, 350)).astype(np.float32)
    fitted = drawing.fit(picture)
    assert fitted.shape == (280, 140)
    np.testing.assert_allclose(fitted.mean(), picture.mean(), atol=1e-6)
    assert drawing.fit(picture[:3, :50]).shape == (3, 50)
    assert drawing.fit(np.zeros((2000, 100), np.float32)).shape == (280, 14)


@pytest.mark.parametrize("shape", [(160, 60), (60, 160), (33, 33), (250, 11), (17, 140)])
@pytest.mark.parametrize("at", [(0, 0), (15, 90), (30, 120)])
def test_centring_scales_the_box_to_twenty_and_its_mass_to_the_middle(shape, at):
    rng = np.random.default_rng(0)
    picture = np.zeros((280, 280), np.float32)
    picture[at[0] : at[0] + shape[0], at[1] : at[1] + shape[1]] = 0.3 + 0.7 * rng.random((shape[0], 1))
    centred = drawing.centre(picture)
    assert centred.shape == (28, 28)
    rows, columns = np.flatnonzero(centred.max(axis=1) > 0), np.flatnonzero(centred.max(axis=0) > 0)
    height, width = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
    assert max(height, width) == 20
    assert min(height, width) == pytest.approx(20 * min(shape) / max(shape), abs=1)
    total = centred.sum(dtype=float)
    y = (centred.sum(axis=1) * np.arange(28)).sum() / total
    x = (centred.sum(axis=0) * np.arange(28)).sum() / total
    assert abs(y - 14) <= 0.51
    assert abs(x - 14) <= 0.51
    # Ink is neither lost nor made: as much as before, times the change of area.
    assert total == pytest.approx(picture.sum(dtype=float) * (20 / max(shape)) ** 2, rel=1e-4)


def test_lopsided_ink_stops_at_the_border_and_faint_specks_do_not_count():
    picture = np.zeros((280, 280), np.float32)
    picture[40:240, 40:60] = 1
    picture[220:240, 40:240] = 1
    picture[5, 5] = 0.04
    centred = drawing.centre(picture)
    assert centred.sum() == pytest.approx(picture[10:].sum() / 100, rel=1e-4)


@pytest.mark.parametrize(("grey", "says"), [(0, "empty"), (0.03, "empty"), (1, "full"), (0.5, "full")])
@pytest.mark.parametrize("centred", [True, False])
def test_empty_and_full_pads(grey, says, centred):
    with pytest.raises(DrawingError, match=says):
        drawing.to_network(np.full((280, 280), grey, np.float32), centred)


@pytest.mark.parametrize("paper", [0.0, 0.1, 0.5, 0.85, 1.0])
@pytest.mark.parametrize("ink", [0.0, 0.5, 0.7, 1.0])
def test_ink_is_found_whatever_it_and_the_paper_are(blot, paper, ink):
    if paper == ink:
        with pytest.raises(DrawingError, match="all of one colour"):
            drawing.to_ink(np.full((50, 40), paper, np.float32))
        return
    grey = paper + (ink - paper) * blot
    assert drawing.is_dark_on_light(grey) == (ink < paper)
    np.testing.assert_allclose(drawing.to_ink(grey), blot, atol=1e-5)
    own, other = ("dark", "light") if ink < paper else ("light", "dark")
    np.testing.assert_allclose(drawing.to_ink(grey, own), blot, atol=1e-5)
    np.testing.assert_allclose(drawing.to_ink(grey, other), 1 - blot, atol=1e-5)


def test_shadow_and_noise_of_a_photograph_do_not_count(blot):
    rng = np.random.default_rng(0)
    light = np.linspace(0.95, 0.75, 280)[:, None] * np.linspace(1, 0.9, 280)[None, :]
    photo = (light * (1 - 0.8 * blot) + rng.normal(0, 0.01, (280, 280))).clip(0, 1).astype(np.float32)
    ink = drawing.to_ink(photo)
    assert np.abs(np.subtract(drawing.bounding_box(ink), drawing.bounding_box(blot))).max() <= 12
    assert ((ink > 0.5) == (blot > 0.5)).mean() > 0.99


def enlarged(x):
    """Digits `(n, 28, 28)` as a pad has them, `(n, 280, 280)`, through the pad's own text."""
    return [drawing.from_pad(drawing.to_pad(image.repeat(10, 0).repeat(10, 1))) for image in x]


MNIST = pytest.param("mnist", (8, "bce", "mixed"), marks=[pytest.mark.real_data, pytest.mark.slow])


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize(("dataset", "model"), [("strokes", (32, "mse", "clean")), MNIST])
def test_digits_through_the_pad_are_reconstructed_as_well_as_directly(dataset, model, centred):
    x = as_float(load(dataset, "test").x[:150])
    through = np.concatenate([drawing.to_network(picture, centred) for picture in enlarged(x[..., 0])])
    if not centred:
        np.testing.assert_allclose(through, x, atol=1e-6)
    network = runs.model(runs.read(runs.PRETRAINED_DIR / name_of(dataset, *model)))
    directly = metrics.mse(x, network.reconstruct(x))
    assert metrics.mse(through, network.reconstruct(through)) <= 1.5 * directly


@pytest.mark.real_data
def test_centring_leaves_nearly_every_digit_of_mnist_as_it_is():
    x = as_float(load("mnist", "test").x[:150])[..., 0]
    same = [np.abs(drawing.centre(picture) - image).max() < 0.01 for picture, image in zip(enlarged(x), x, strict=True)]
    assert np.mean(same) > 0.9


def test_a_pad_is_described_by_how_much_ink_there_is_and_where():
    picture = np.zeros((280, 280), np.float32)
    assert drawing.describe(picture) == "Nothing is on the pad."
    picture[28:140, 14:70] = 1
    assert drawing.describe(picture) == "Ink on 8 % of the pad, 5 to 25 % of the way across and 10 to 50 % of the way down."
