"""Questions of the Reproduce page: each shows a card first, which can then be run."""

from collections.abc import Callable, Mapping
from typing import Any

from cae_core.reproduction import results
from pages.parts.lesson.question import questions_of


def _told(card: str, sentence: Callable[[Mapping[str, float]], str]) -> Callable[[Mapping[str, Any]], str]:
    """A sentence of the means that ship for a card; "" where they do not, which the card says itself."""

    def measured(now: Mapping[str, Any]) -> str:
        try:
            return sentence(results.shipped()[0][card].means)
        except KeyError:
            return ""

    return measured


QUESTIONS = questions_of(
    "reproduce",
    {
        "eight_at_once": _told("pca", lambda means: f"squared error per image {means['30 components']:.2f}"),
        "figure_of_2006": _told("hinton", lambda means: f"squared error per image {means['whole network at once']:.2f}"),
        "layer_by_layer": _told(
            "dense_linear_2d",
            lambda means: (
                f"squared error per image, mean of 3 seeds: {means['layer by layer first']:.1f} layer by layer, "
                f"{means['as published']:.1f} at once, {means['PCA, 2 components']:.1f} from PCA"
            ),
        ),
        "no_training": _told(
            "dense",
            lambda means: (
                f"{means['as published'] / means['PCA, 128 components']:.1f} times: squared error per image "
                f"{means['as published']:.1f} and {means['PCA, 128 components']:.1f}"
            ),
        ),
    },
    eight_at_once={"card": "pca"},
    figure_of_2006={"card": "hinton"},
    layer_by_layer={"card": "dense_linear_2d"},
    no_training={"card": "dense"},
)
