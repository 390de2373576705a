"""What a value says of a claim: at the edges of the tolerance, and of a comparison."""

import dataclasses
import math

import pytest

from cae_core.config import RunConfig
from cae_core.reproduction.claims import Card, Claim, target, verdict

CLAIM = Claim("end", "run", 2.0, "published")
CARD = Card("A card", "a paper", (CLAIM,), {"run": RunConfig()}, tolerance=0.1)
LESS = Claim("this", "run", below="that")


@pytest.mark.parametrize(
    ("changes", "verdicts"),
    [
        (
            {"origin": "published"},
            {0.0: "better", 1.7999: "better", 1.8: "reproduced", 2.2: "reproduced", 2.2001: "missed", math.nan: "missed"},
        ),
        # What is this project's own is never said to be reproduced.
        ({"origin": "measured"}, {0.1: "met", 1.8: "met", 2.2: "met", 2.2001: "missed"}),
        ({"origin": "bar"}, {0.1: "met", 1.8: "met", 2.2: "met", 2.2001: "missed"}),
        ({"figure": None, "origin": ""}, {1.0: "measured"}),
    ],
)
def test_verdict_at_the_edges_of_the_tolerance(changes, verdicts):
    claim = dataclasses.replace(CLAIM, **changes)
    assert {value: verdict(CARD, claim, value, {}) for value in verdicts} == verdicts
    assert claim.is_judged == (claim.figure is not None)


def test_without_tolerance_the_figure_itself_is_reproduced():
    bar = dataclasses.replace(CARD, tolerance=0.0, at_most=True)
    verdicts = [verdict(bar, CLAIM, value, {}) for value in (math.nextafter(2.0, 0) - 1e-6, 2.0, 2.0001)]
    assert verdicts == ["better", "reproduced", "missed"]


@pytest.mark.parametrize(("figure", "origin"), [(2.0, ""), (2.0, "somewhere"), (None, "published")])
def test_a_figure_always_says_whose_it_is(figure, origin):
    with pytest.raises(ValueError, match=r"The figure (2\.0|None) of 'end' is of '.*': say published, measured, bar"):
        Claim("end", "run", figure, origin)


def test_a_claim_that_another_is_more_is_met_where_it_is():
    assert [verdict(CARD, LESS, value, {"that": 1.1}) for value in (1.0, 1.1)] == ["met", "missed"]
    assert verdict(CARD, LESS, 1.1, {}) == "measured"  # the other was not
    assert (target(LESS, {"that": 1.1}), target(CLAIM, {}), LESS.is_judged) == (1.1, 2.0, True)
