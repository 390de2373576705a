"""Damaged runs and stacks, as every page shows them: a sentence at most, and the page is there."""

import shutil

import damages
import numpy as np
import pytest
from shown import FRAME, PATIENCE, unescaped
from streamlit.testing.v1 import AppTest

from cae_core import runs

PAGES = (
    "denoise.py",
    "train.py",
    "runs.py",
    "latent.py",
    "draw.py",
    "colour.py",
    "architectures.py",
    "reproduce.py",
    "stacked.py",
)
LINKS = [("runs.py", "runs", 4), ("runs.py", "runs", 1), ("denoise.py", "run", 1), ("latent.py", "run", 1),
         ("draw.py", "models", 3), ("colour.py", "colour_run", 1), ("train.py", "fork", 1),
         ("stacked.py", "stack", 1)]  # fmt: skip
"""Where a link can name runs, the setting that does, and how many."""
MINE = {"stacked.py": {"stack_view": "mine"}}


@pytest.fixture(scope="module")
def sound(few_strokes, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAE_RUNS_DIR", str(tmp_path_factory.mktemp("sound")))
        return damages.sound()


def draw(page, **link):
    """A visitor's page, as it is when nothing takes long any more."""
    app = AppTest.from_file(FRAME, default_timeout=PATIENCE)
    app.session_state["_token"] = "someone"
    app.switch_page(page)
    for key, value in link.items():
        app.query_params[key] = value
    app.run()
    app.run()
    assert not app.exception, (page, link, [error.value for error in app.exception])
    assert len(app.title) == 1, (page, link)
    shown = "".join(str(one.value) for kind in ("markdown", "caption", "error", "warning") for one in getattr(app, kind))
    assert str(runs.runs_dir()) not in unescaped(shown)
    return app


def check_pages(sound, target, flips, share, rounds):
    rng, made = np.random.default_rng(2), {}
    for name in sound:
        chosen = [one for one in damages.of_folder(sound[name], flips) if rng.random() < share]
        made |= damages.folders(sound[name], chosen, target)
        shutil.copytree(sound[name], target / name)
    for page in PAGES:
        draw(page)
    table = draw("runs.py", whose="mine").dataframe[0].value
    assert {"A title", "finished", "whole", "half"} <= set(table["Title"])
    readable = [run.name for run in runs.every(target)[0]]
    for _ in range(rounds):
        for page, key, most in LINKS:
            draw(page, **{key: ",".join(rng.choice(readable, most, replace=False)), **MINE.get(page, {})})
        draw("runs.py", runs=str(rng.choice(list(made))))
        draw("stacked.py", stack=str(rng.choice([name for name in made if name[:4] in sound])), **MINE["stacked.py"])


def test_no_damage_loses_a_page(sound, runs_folder):
    check_pages(sound, runs_folder, flips=3, share=0.04, rounds=1)


@pytest.mark.slow
def test_no_damage_that_is_known_loses_a_page(sound, runs_folder):
    check_pages(sound, runs_folder, flips=20, share=0.2, rounds=8)
