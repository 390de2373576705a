"""Two tiny cards in the place of the published ones, and what comes out of the larger."""

from types import SimpleNamespace

import pytest
import tiny_cards

from cae_core.reproduction import own_runs, registry, results, run_card


def use_tiny_cards(patch):
    cards = tiny_cards.cards()
    for module in (registry, run_card, results, own_runs):
        patch.setattr(module, "CARDS", cards)
    return cards


@pytest.fixture
def cards(monkeypatch, few_strokes):
    return use_tiny_cards(monkeypatch)


@pytest.fixture(scope="module")
def whole(few_strokes, tmp_path_factory):
    """The card "two" carried out with two seeds: its result, that of one seed, the runs and their steps."""
    folder, steps = tmp_path_factory.mktemp("whole"), {}
    with pytest.MonkeyPatch.context() as patch:
        use_tiny_cards(patch)
        patch.setenv("CAE_RUNS_DIR", str(folder))
        result = run_card.reproduce("two", on_event=lambda run, event: steps.setdefault(run, []).append(event.step))
    first_seed = {label: (pytest.approx(values[0], abs=2e-5),) for label, values in result.values.items()}
    return SimpleNamespace(result=result, first_seed=first_seed, folder=folder, steps=steps)
