"""The registry of published figures: what every card promises, and each figure typed again by hand."""

import pytest

from cae_core import datasets, validation
from cae_core.architectures import ARCHITECTURES
from cae_core.corruptions import CORRUPTIONS
from cae_core.jobs import MOST
from cae_core.reproduction.claims import UNITS
from cae_core.reproduction.registry import CARDS
from cae_core.reproduction.run_card import name_of
from cae_core.runs.schema import NAME

EVERY = pytest.mark.parametrize("card", CARDS.values(), ids=CARDS)

FIGURES = {
    "hinton": {"whole network at once": 3.00, "shown noisy images": 3.00},
    "thirty": {"fast, 30 numbers": 2.3},
    "pca": {
        "2 components": 43.64, "4 components": 37.56, "8 components": 29.35, "16 components": 21.06,
        "30 components": 13.87, "32 components": 13.19, "64 components": 7.09, "128 components": 3.30,
    },
    "keras_clean": {"after 1 epoch": 0.0723, "after 50 epochs": 0.0622},
    "keras_noise": {"after 1 epoch": 0.0922, "after 100 epochs": 0.0839},
    "conv_denoise": {
        "MSE after epoch 1": 0.0170, "MSE after epoch 2": 0.0146, "MSE after epoch 3": 0.0135, "MSE after epoch 5": 0.0124,
        "MSE after epoch 10": 0.0114, "BCE after epoch 1": 0.1146, "BCE after epoch 5": 0.1002,
        "BCE after epoch 10": 0.0973,
    },
    "dense": {"as published": None, "PCA, 128 components": 3.30},
    "dense_linear_2d": {"as published": None, "layer by layer first": None, "PCA, 2 components": 43.64},
    "conv_unpool": {"as published": None},
    "conv_resize": {"conv_resize": None, "dense_denoise": None},
    "keras_blog": {"after 50 epochs": 0.09, "the same with Muon": 0.09},
}  # fmt: skip


def test_figures_are_the_published_ones():
    assert {name: {claim.label: claim.figure for claim in card.claims} for name, card in CARDS.items()} == FIGURES


def test_only_what_somebody_else_published_is_called_so():
    """By hand, from where each figure was read."""
    published = {(name, claim.label) for name, card in CARDS.items() for claim in card.claims if claim.is_published}
    assert published == {
        ("hinton", "whole network at once"), ("pca", "30 components"), ("keras_blog", "after 50 epochs"),
        ("keras_clean", "after 1 epoch"), ("keras_clean", "after 50 epochs"),
        ("keras_noise", "after 1 epoch"), ("keras_noise", "after 100 epochs"),
    }  # fmt: skip
    bars = {(name, claim.label) for name, card in CARDS.items() for claim in card.claims if claim.origin == "bar"}
    assert bars == {("hinton", "shown noisy images"), ("thirty", "fast, 30 numbers"), ("keras_blog", "the same with Muon")}


def test_every_run_of_a_card_can_be_trained():
    for card in CARDS.values():
        for config in card.runs.values():
            validation.check(config)
            assert config.dataset in datasets.DATASETS
            assert config.seed == 0
        assert len(card.runs) <= MOST["in order"]  # they are entered in the queue at once


@EVERY
def test_every_claim_can_be_measured(card):
    assert {claim.run for claim in card.claims} | set(card.starts.values()) == set(card.runs)
    labels = [claim.label for claim in card.claims]
    assert len(set(labels)) == len(labels)
    for claim in card.claims:
        assert claim.metric in UNITS
        assert claim.noise[0] in (*CORRUPTIONS, "none")
        assert claim.epoch is None or 1 <= claim.epoch <= card.runs[claim.run].epochs
        assert not claim.epoch or not card.runs[claim.run].pretraining  # epochs are counted from the first layer's
        assert claim.noise == card.claims[0].noise  # the page says it once for all
        if claim.below:
            assert claim.below in labels
            assert claim.below != claim.label
            assert claim.figure is None


@EVERY
def test_a_run_stands_after_the_one_it_starts_from_and_fits_it(card):
    order = list(card.runs)
    for run, parent in card.starts.items():
        assert order.index(parent) < order.index(run)
        ours, theirs = card.runs[run], card.runs[parent]
        assert ours.architecture == theirs.architecture
        assert ours.bottleneck == theirs.bottleneck or ARCHITECTURES[ours.architecture].fixed_code


def test_every_card_says_what_it_is():
    for name, card in CARDS.items():
        assert card.label, name
        assert card.source, name
        assert card.differs.endswith("."), name
        assert card.seeds >= 1, name
        assert 0 <= card.tolerance < 1, name


def test_runs_of_one_name_are_one_run():
    found = {}
    for card in CARDS.values():
        for run, config in card.runs.items():
            assert found.setdefault(run, config) == config


@EVERY
def test_every_run_has_a_name_of_its_own_for_each_visitor(card):
    for run in card.runs:
        name = name_of(run, 0, "0123456789abcdef")
        assert NAME.fullmatch(name)
        assert name == f"{name_of(run, 0)}-0123456789abcdef"


def test_names_of_runs_made_before():
    assert name_of("dense_linear_2d", 2) == "reproduce-dense_linear_2d-2"


@EVERY
def test_every_claim_is_of_an_epoch_that_its_run_has(card):
    assert all((claim.epoch or 0) <= card.runs[claim.run].epochs for claim in card.claims)
