"""Questions of the Reproduce page: each shows a card first, which can then be run."""

from collections.abc import Callable, Mapping
from typing import Any

from cae_core.reproduction import results
from cae_core.reproduction.registry import CARDS
from pages.parts.lesson.question import questions_of


def _say_of(card: str, sentence: Callable[[Mapping[str, float]], str]) -> Callable[[Mapping[str, Any]], str]:
    """A sentence of the means that ship for a card; "" where they do not, which the card says itself."""

    def measured(now: Mapping[str, Any]) -> str:
        try:
            return sentence(results.shipped()[0][card].means)
        except KeyError:
            return ""

    return measured


def _beside(card: str, label: str) -> Callable[[Mapping[str, Any]], str]:
    (claim,) = (claim for claim in CARDS[card].claims if claim.label == label)
    return _say_of(card, lambda means: f"squared error per image {means[label]:.2f}; published {claim.figure:.2f}")


QUESTIONS = questions_of(
    "reproduce",
    {
        "eight_at_once": _beside("pca", "30 components"),
        "figure_of_2006": _beside("hinton", "whole network at once"),
        "machines_first": _beside("hinton_rbm", "Boltzmann machines first"),
        "layer_by_layer": _say_of(
            "dense_linear_2d",
            lambda means: (
                f"squared error per image, mean of 3 seeds: {means['layer by layer first']:.1f} layer by layer, "
                f"{means['as published']:.1f} at once, {means['PCA, 2 components']:.1f} from PCA"
            ),
        ),
        "many_codes": _say_of(
            "vae_binary",
            lambda means: (
                f"{means['trained with 1, measured with 1']:.2f} nats per image with one code, "
                f"{means['trained with 1 code']:.2f} with 5,000"
            ),
        ),
        "no_training": _say_of(
            "dense",
            lambda means: (
                f"{means['as published'] / means['PCA, 128 components']:.1f} times: squared error per image "
                f"{means['as published']:.1f} and {means['PCA, 128 components']:.1f}"
            ),
        ),
    },
    eight_at_once={"card": "pca"},
    figure_of_2006={"card": "hinton"},
    machines_first={"card": "hinton_rbm"},
    layer_by_layer={"card": "dense_linear_2d"},
    no_training={"card": "dense"},
    many_codes={"card": "vae_binary"},
)
