"""What a value says of a claim: at the edges of the tolerance, and of a comparison."""

import dataclasses
import math

import pytest

from cae_core.config import RunConfig
from cae_core.reproduction.claims import Card, Claim, target, verdict

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
