"""Facts about one run: its settings beside those that its page opens with, its figures beside a shipped run's."""

import streamlit as st

from cae_core import datasets, runs
from cae_core.config import BOTTLENECKS, StackConfig
from cae_core.pretrained import TRAINED_ON, name_of
from cae_core.runs import AnyRun, Run, RunError, StackRun
from pages.parts.runs import settings_table
from pages.parts.train import questions


def facts(run: AnyRun) -> None:
    """Settings unlike those that its page opens with, and the figures beside those of a run that ships."""
    left, right = st.columns(2, gap="medium")
    is_stack = isinstance(run, StackRun)
    page, opening = ("Stacked", StackConfig(dataset=datasets.default())) if is_stack else ("Train", questions.opening())
    differ, same = settings_table.settings([run.config, opening])
    title = f"Other than the settings {page} opens with" if differ else f"All settings are those {page} opens with"
    with left:
        settings_table.table(["this run", page], [(title, differ)])
        with st.expander(f"{len(same)} settings are those {page} opens with"):
            settings_table.table(["both"], [("Settings", same)])
    with right:
        other = None if is_stack else _reference(run)
        compared = [run, other] if other else [run]
        heads = ["this run", *([other.label] if other else [])]
        settings_table.table(heads, [settings_table.results(compared)])


def _reference(run: Run) -> Run | None:
    """A run that ships with the app to hold the figures against: trained alike; of one that ships, its twin."""
    config = run.config
    trained_on = "clean" if config.noise_kind == "none" else "mixed"
    bottleneck = min(BOTTLENECKS, key=lambda size: abs(size - config.bottleneck))
    try:
        other = runs.read(runs.PRETRAINED_DIR / name_of(config.dataset, bottleneck, config.loss, trained_on))
        if other.path == run.path:
            (twin,) = set(TRAINED_ON) - {trained_on}
            other = runs.read(runs.PRETRAINED_DIR / name_of(config.dataset, bottleneck, config.loss, twin))
    except RunError:
        return None
    return other
