"""The registry of published figures: what every card promises, and each published figure typed again by hand."""

from cae_core import datasets, validation
from cae_core.architectures import ARCHITECTURES
from cae_core.corruptions import CORRUPTIONS
from cae_core.jobs import MOST
from cae_core.reproduction.claims import UNITS
from cae_core.reproduction.registry import CARDS
from cae_core.reproduction.run_card import name_of
from cae_core.runs.schema import NAME
from pages.parts.reproduce import card_view

PUBLISHED = {
    "hinton_rbm": {"Boltzmann machines first": 3.00},
    "pca": {"30 components": 13.87},
    "keras_clean": {"after 1 epoch": 0.0723, "after 50 epochs": 0.0622},
    "keras_noise": {"after 1 epoch": 0.0922, "after 100 epochs": 0.0839},
    "k_sparse": {"k = 10": 2.10, "k = 25": 1.35, "k = 40": 1.54, "the pixels themselves": 7.20},
    "keras_blog": {"after 50 epochs": 0.09},
    "vae_conv": {
        "as published, running mean": 146.95, "reconstruction, at the end": 140.15, "KL term, at the end": 6.80,
    },
    "vae_dense": {"after 10 epochs": 105.6},
    "vae_binary": {"trained with 1 code": 86.76, "trained with 5 codes": 85.54, "trained with 50 codes": 84.78},
}  # fmt: skip
BARS = {
    "hinton": {"whole network at once": 3.00, "shown noisy images": 3.00},
    "hinton_unaided": {"whole network, Adam": 3.00},
    "thirty": {"fast, 30 numbers": 2.3},
    "keras_blog": {"the same with Muon": 0.09},
    "vae_conv": {"test images kept apart": 146.95},
}


def figures(origin):
    by_card = {
        name: {claim.label: claim.figure for claim in card.claims if claim.origin == origin} for name, card in CARDS.items()
    }
    return {name: of_card for name, of_card in by_card.items() if of_card}


def test_figures_are_those_that_somebody_else_published_and_no_other_is_called_so():
    assert figures("published") == PUBLISHED
    assert figures("bar") == BARS


def test_every_run_can_be_trained_under_a_name_of_its_own_for_each_visitor_after_the_one_it_starts_from():
    configs = {}
    for card in CARDS.values():
        for run, config in card.runs.items():
            validation.check(config)
            assert config.dataset in datasets.DATASETS
            assert config.seed == 0
            assert configs.setdefault(run, config) == config  # runs of one name are one run
            name = name_of(run, 0, "0123456789abcdef")
            assert NAME.fullmatch(name)
            assert name == f"{name_of(run, 0)}-0123456789abcdef"
        assert len(card.runs) <= MOST["in order"]  # they are entered in the queue at once
        order = list(card.runs)
        for run, parent in card.starts.items():
            assert order.index(parent) < order.index(run)
            ours, theirs = card.runs[run], card.runs[parent]
            assert ours.architecture == theirs.architecture
            assert ours.bottleneck == theirs.bottleneck or ARCHITECTURES[ours.architecture].fixed_code
    assert name_of("dense_linear_2d", 2) == "reproduce-dense_linear_2d-2"  # as runs made before are called


def test_what_differs_is_said_of_cards_that_there_are():
    assert {"every card"} < set(card_view.differences()) <= {"every card", *CARDS}


def test_every_card_says_what_it_is_and_every_claim_can_be_measured():
    for name, card in CARDS.items():
        assert card.label, name
        assert card.source, name
        assert card.seeds >= 1, name
        assert 0 <= card.tolerance < 1, name
        assert {claim.run for claim in card.claims} | set(card.starts.values()) == set(card.runs), name
        labels = [claim.label for claim in card.claims]
        assert len(set(labels)) == len(labels), name
        for claim in card.claims:
            assert claim.metric in UNITS
            assert claim.noise[0] in (*CORRUPTIONS, "none")
            assert claim.noise == card.claims[0].noise  # the page says it once for all
            if claim.epoch:
                assert claim.epoch <= card.runs[claim.run].epochs
                assert not card.runs[claim.run].pretraining  # epochs are counted from the first layer's
            if claim.below:
                assert claim.below in set(labels) - {claim.label}
                assert claim.figure is None
