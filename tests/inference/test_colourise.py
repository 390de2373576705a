"""Pictures of any size made ready for the networks that colour, and the guess put on the picture's own luma."""

import numpy as np
import pytest

from cae_core import colours, runs
from cae_core.inference import colourise, reconstruction
from cae_core.runs import RunError


@pytest.mark.parametrize("size", [(1, 1), (3, 60), (48, 48), (50, 49), (300, 200), (90, 1000)])
def test_a_picture_of_any_size_is_made_ready(size):
    rgb = np.random.default_rng(0).random((*size, 3), dtype="float32")
    fitted = colourise.fit(rgb)
    height, width = fitted.small.shape[1:3]
    assert min(height, width) == 48
    assert height % 8 == width % 8 == 0
    assert fitted.luma.shape == (*size, 1)
    assert abs(np.log((width / height) / (size[1] / size[0]))) < 0.1
    painted = colourise.on(fitted, fitted.small)
    assert painted.shape == (*size, 3)
    assert painted.min() >= 0
    assert painted.max() <= 1


def test_the_true_chroma_on_the_own_luma_is_the_picture():
    rgb = np.full((96, 96, 3), (0.2, 0.5, 0.7), np.float32)
    fitted = colourise.fit(rgb)
    np.testing.assert_allclose(colourise.on(fitted, fitted.small), rgb, atol=1e-2)


def test_pictures_of_another_size_go_through_the_same_weights():
    run = runs.find("strokes_colour-colorize-mse")
    x = reconstruction.sample("strokes_colour", "none", 0.0, 0).x
    padded = np.pad(x, ((0, 0), (0, 0), (0, 48), (0, 0)))
    wide, usual = colourise.colour(run, padded), colourise.colour(run, x)
    np.testing.assert_allclose(wide.x_hat[:, :, :16], usual.x_hat[:, :, :16], atol=1e-5)  # what no edge reaches
    assert usual.figures["chroma"] == pytest.approx(float(colours.error(x, usual.x_hat).mean()))
    assert colourise.colour(run, x, known=False).figures == {}


def test_a_network_that_colours_nothing_is_refused(save_run):
    with pytest.raises(RunError, match="gives back grey"):
        colourise.colour(save_run(), np.zeros((1, 48, 48, 3), np.float32))
