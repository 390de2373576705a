"""Damaged runs and stacks, as every page shows them: a sentence at most, and the page is there."""

import damages
import numpy as np
import pytest
from shown import frame_pages, open_page

from cae_core import runs

LINKS = [
    ("runs.py", "runs", 4), ("denoise.py", "run", 1), ("latent.py", "run", 1), ("draw.py", "models", 3),
    ("colour.py", "colour_run", 1), ("train.py", "fork", 1), ("stacked.py", "stack", 1),
]  # fmt: skip
"""Where a link can name runs, the setting that does, and how many."""
MINE = {"stacked.py": {"stack_view": "mine"}}


@pytest.fixture(scope="module")
def sound(few_strokes, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAE_RUNS_DIR", str(tmp_path_factory.mktemp("sound")))
        return damages.sound()


def draw(file, **link):
    page = open_page(file, **link)
    assert str(runs.runs_dir()) not in page.text, (file, link)
    return page


@pytest.mark.parametrize(
    ("flips", "share", "rounds"), [(3, 0.03, 1), pytest.param(20, 0.2, 8, marks=pytest.mark.slow)], ids=["some", "much"]
)
def test_no_damage_loses_a_page(sound, runs_folder, flips, share, rounds):
    rng = np.random.default_rng(2)
    damaged = [name for source in sound.values() for name in damages.folders(source, flips, share, runs_folder, rng)]
    for page in set(frame_pages()) - {page for page, _, _ in LINKS}:
        draw(page)
    table = draw("runs.py", whose="mine").app.dataframe[0].value
    assert {"finished", "The stopped", "whole", "The half"} <= set(table["Title"])
    readable = [run.name for run in runs.every(runs_folder)[0]]
    for _ in range(rounds):
        for page, key, most in LINKS:
            draw(page, **{key: ",".join(rng.choice(readable, most, replace=False)), **MINE.get(page, {})})
        draw("runs.py", runs=str(rng.choice(damaged)))
        draw("stacked.py", stack=str(rng.choice(damaged)), **MINE["stacked.py"])
