"""The figures of networks whose answer is known: whoever gives the truth, and whoever gives grey."""

import numpy as np
import pytest

from cae_core.colours import luma
from cae_core.datasets import Split, strokes_colour
from cae_core.inspection import evaluation


class Truth:
    is_variational = False
    seen = staticmethod(lambda x: x)
    reconstruct = staticmethod(lambda x: x)


class Grey:
    is_variational = False
    seen = staticmethod(luma)
    reconstruct = staticmethod(lambda x: np.repeat(x, 3, axis=3))


def test_figures_of_the_truth_are_perfect_and_those_of_its_luma_are_those_of_grey(monkeypatch):
    monkeypatch.setattr(evaluation, "load", lambda dataset, split: Split(*strokes_colour.draw(60, seed=len(split))))
    truth, grey = (evaluation.measure(model, "strokes_colour")["clean"] for model in (Truth, Grey))
    assert (truth["chroma"], truth["mse"], truth["hue_near"], truth["hue_error"]) == (0, 0, 1, 0)
    assert grey["chroma"] == pytest.approx(grey["chroma_grey"], abs=1e-6)
    assert grey["luma"] == pytest.approx(0, abs=1e-9)
    assert (grey["hue_near"], grey["hue_error"]) == (0, 180)
