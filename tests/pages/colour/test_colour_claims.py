"""What the questions of the Colour page claim, measured on the networks that ship."""

import numpy as np
import pytest
from claims import answer, asked

from cae_core import architectures, datasets, pretrained, runs
from cae_core.colours import chroma
from cae_core.config import SHIPPED_LOSSES
from cae_core.inference import colourise
from pages.parts.colour.questions import QUESTIONS

BOTH = pytest.mark.parametrize("loss", SHIPPED_LOSSES)


def figures(loss, dataset, chain):
    return runs.network(pretrained.colour_name(dataset, chain, loss)).metrics["clean"]


def of(name, loss, **other):
    """Figures of a question's network over the whole test set."""
    on = {**QUESTIONS[name].settings, **other}
    return figures(loss, on["dataset"], on["chain"])


@BOTH
def test_read_to_colour(loss):
    near = of("read_to_colour", loss)["hue_near"]
    answer(asked(QUESTIONS["read_to_colour"], "within 15 degrees"), near < 0.2, 0.4 < near < 0.6, near > 0.9)


@BOTH
def test_as_listed(loss):
    as_listed, as_meant = (of("as_listed", loss, chain=chain)["hue_near"] for chain in ("colorize_listing", "colorize"))
    model = architectures.build(pretrained.COLOURING[pretrained.colour_name("strokes_colour", "colorize_listing", loss)])
    fits = model.reconstruct(np.zeros((1, 48, 48, 1), "float32")).shape == (1, 48, 48, 3)
    answer(QUESTIONS["as_listed"], not fits, as_listed > as_meant - 0.02, fits and as_listed < as_meant - 0.1)


@pytest.mark.real_data
@pytest.mark.usefixtures("real_data")
@BOTH
def test_pale_photographs(loss):
    run = runs.network(pretrained.colour_name("cifar10", "colorize", loss))
    x = datasets.as_float(datasets.load("cifar10", "test").x[:500])
    size, true = (float(np.abs(chroma(images)).mean()) for images in (colourise.colour(run, x).x_hat, x))
    question = asked(QUESTIONS["pale_photographs"], "most of it is left")
    answer(question, size > 0.9 * true, 0.2 * true < size < 0.7 * true, size < 0.1 * true)
    measured = of("pale_photographs", loss)
    assert measured["chroma_mean"] / 2 < measured["chroma"] < measured["chroma_mean"]


@BOTH
def test_listed_photographs(loss):
    digits, photographs = (
        of("listed_photographs", loss, dataset=name)["chroma"] / figures(loss, name, "colorize")["chroma"]
        for name in ("strokes_colour", "cifar10")
    )
    assert digits > 2
    answer(QUESTIONS["listed_photographs"], photographs < 1.1, 2 < photographs < 3, photographs > 4)


def test_figures_are_there():
    assert all(any(sign.isdigit() for sign in question.measured({})) for question in QUESTIONS.values())
