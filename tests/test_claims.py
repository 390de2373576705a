"""What a value says of a claim: at the edges of the tolerance, of a comparison, of a part of the epochs."""

import dataclasses
import math

import pytest

from cae_core.config import RunConfig
from cae_core.reproduction.claims import (
    Card,
    Claim,
    check_fraction,
    is_full_length,
    is_measurable,
    shorter,
    target,
    verdict,
)

CLAIM = Claim("end", "one", 2.0, "published")
EARLY = Claim("early", "one", 3.0, "published", epoch=2)
CONSTANT = RunConfig(epochs=20, schedule="constant")
CARD = Card("A card", "a paper", (CLAIM, EARLY), {"one": CONSTANT}, tolerance=0.1)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (2.0, "reproduced"),
        (2.2, "reproduced"),
        (2.2001, "missed"),
        (1.8, "reproduced"),
        (1.7999, "better"),
        (0.0, "better"),
    ],
)
def test_verdict_at_the_edges_of_the_tolerance(value, said):
    assert verdict(CARD, CLAIM, value, {}) == said


@pytest.mark.parametrize("origin", ["measured", "bar"])
@pytest.mark.parametrize(("value", "said"), [(0.1, "met"), (1.8, "met"), (2.2, "met"), (2.2001, "missed")])
def test_what_is_this_projects_own_is_never_said_to_be_reproduced(origin, value, said):
    assert verdict(CARD, dataclasses.replace(CLAIM, origin=origin), value, {}) == said


@pytest.mark.parametrize(("figure", "origin"), [(2.0, ""), (2.0, "somewhere"), (None, "published")])
def test_a_figure_always_says_whose_it_is(figure, origin):
    with pytest.raises(ValueError, match=r"The figure (2\.0|None) of 'end' is of '.*': say published, measured, bar"):
        Claim("end", "one", figure, origin)


def test_without_tolerance_the_figure_itself_is_reproduced():
    bar = dataclasses.replace(CARD, tolerance=0.0, at_most=True)
    said = [verdict(bar, CLAIM, value, {}) for value in (math.nextafter(2.0, 0) - 1e-6, 2.0, 2.0001)]
    assert said == ["better", "reproduced", "missed"]


def test_a_value_that_is_no_number_is_missed():
    assert verdict(CARD, CLAIM, math.nan, {}) == "missed"


def test_a_claim_without_a_figure_is_measured_or_compared():
    claim = Claim("this", "one", below="that")
    assert verdict(CARD, Claim("this", "one"), 1.0, {}) == "measured"
    assert verdict(CARD, claim, 1.0, {"that": 1.1}) == "met"
    assert verdict(CARD, claim, 1.1, {"that": 1.1}) == "missed"
    assert verdict(CARD, claim, 1.1, {}) == "measured"  # the other was not
    assert target(claim, {"that": 1.1}) == 1.1
    assert target(CLAIM, {}) == 2.0
    assert [claim.is_judged, CLAIM.is_judged, Claim("this", "one").is_judged] == [True, True, False]


def test_a_part_of_the_epochs_has_no_verdict():
    assert verdict(CARD, CLAIM, 2.0, {}, is_full=False) == "short"
    assert verdict(CARD, Claim("this", "one", below="that"), 1.0, {"that": 2.0}, is_full=False) == "short"
    assert verdict(CARD, Claim("this", "one"), 1.0, {}, is_full=False) == "measured"


@pytest.mark.parametrize(("fraction", "epochs", "pretraining"), [(1, 20, 5), (0.2, 4, 1), (0.05, 1, 1), (0.001, 1, 1)])
def test_a_shorter_run_has_at_least_an_epoch_of_each_kind(fraction, epochs, pretraining):
    config = RunConfig(epochs=20, pretraining=5, seed=3)
    assert shorter(config, fraction) == dataclasses.replace(config, epochs=epochs, pretraining=pretraining)
    assert shorter(CONSTANT, fraction).pretraining == 0


def test_an_early_claim_is_whole_where_later_epochs_cannot_change_it():
    assert is_full_length(CARD, CLAIM, 1)
    assert is_full_length(CARD, CLAIM, 0.99)  # rounded, it is the same run
    assert not is_full_length(CARD, CLAIM, 0.9)
    assert is_full_length(CARD, EARLY, 0.1)
    assert not is_full_length(CARD, EARLY, 0.05)
    assert not is_measurable(CARD, EARLY, 0.05)
    assert is_measurable(CARD, CLAIM, 0.05)
    scheduled = dataclasses.replace(CARD, runs={"one": dataclasses.replace(CONSTANT, schedule="cosine")})
    assert not is_full_length(scheduled, EARLY, 0.1)
    assert is_measurable(scheduled, EARLY, 0.1)
    layers = dataclasses.replace(CARD, runs={"one": dataclasses.replace(CONSTANT, pretraining=5)})
    assert not is_full_length(layers, EARLY, 0.1)


def test_what_starts_from_a_shorter_run_is_not_whole():
    runs = {"zero": CONSTANT, "one": CONSTANT}
    card = dataclasses.replace(CARD, runs=runs, starts={"one": "zero"})
    assert not is_full_length(card, EARLY, 0.1)
    assert is_full_length(card, EARLY, 1)


def test_a_comparison_is_whole_if_both_are():
    short = dataclasses.replace(CONSTANT, epochs=1)
    claims = (Claim("quick", "quick", below="slow"), Claim("slow", "slow"))
    card = Card("", "", claims, {"quick": short, "slow": CONSTANT})
    assert not is_full_length(card, claims[0], 0.1)
    assert is_full_length(dataclasses.replace(card, runs={"quick": short, "slow": short}), claims[0], 0.1)


@pytest.mark.parametrize("given", [0, -1, 1.01, float("nan"), float("inf"), "half", None])
def test_a_fraction_that_is_none_is_refused(given):
    with pytest.raises(ValueError, match=f"fraction is {given}; it must be a number above 0 and at most 1"):
        check_fraction(given)


def test_a_fraction_may_be_text():
    assert check_fraction("0.05") == 0.05
