"""What pages do without TensorFlow: those that look want none, those that train draw the rest and say what is wrong."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from shown import FRAME, PATIENCE, frame_pages, open_page

from cae_core import runtime
from cae_core.pretrained import name_of
from cae_core.runtime import host

ROOT = Path(FRAME).parents[1]
TROUBLE = "TensorFlow could not be loaded: run pip again."
TRAINING = [
    ("train.py", {}),
    ("colour.py", {}),
    ("stacked.py", {"stack_view": "mine"}),
    *(("architectures.py", {"view": view}) for view in ("layers", "race")),  # the other views train like the race
]
LOOKING = [("architectures.py", {"view": "leak"}), ("stacked.py", {})]
LOOKING += [(file, {}) for file in frame_pages() if file not in {file for file, _ in TRAINING}]


@pytest.mark.parametrize(("file", "link"), TRAINING)
def test_pages_that_train_say_that_it_cannot_be_loaded_and_once(monkeypatch, file, link):
    monkeypatch.setattr(runtime, "_failure", [TROUBLE])
    page = open_page(file, **link)
    assert page.messages("error") == [TROUBLE]
    assert "being loaded" not in page.text  # it would be for ever


@pytest.mark.parametrize(("file", "link"), TRAINING)
def test_page_is_drawn_once_and_what_needs_keras_at_its_end(monkeypatch, file, link):
    runtime.ready(PATIENCE)
    expected, answers = open_page(file, **link).text, [False] * 9
    monkeypatch.setattr(runtime, "ready", lambda timeout=0.0: not answers or answers.pop())
    assert open_page(file, **link).text == expected
    assert answers == []


STARTS = re.compile("Train this|Start( again)?$|Run it|Run again|Resume|Go on|Fork")
SHIPPED = name_of("strokes", 32, "bce", "mixed")
STARTING = [place for place in TRAINING if place[1].get("view") != "layers"]
STARTING += [("runs.py", {"runs": SHIPPED}), ("train.py", {"fork": SHIPPED}), ("reproduce.py", {})]
OTHERS = [place for place in (*TRAINING, *LOOKING) if place not in STARTING]


@pytest.mark.parametrize(("file", "link"), [*STARTING, *OTHERS])
def test_where_training_is_off_every_start_says_so_and_nothing_loads_what_it_needs(monkeypatch, file, link):
    monkeypatch.setenv("CAE_TRAINING", "off")
    if (file, link) in LOOKING:
        monkeypatch.setattr(runtime, "_failure", [TROUBLE])  # who looks needs it for nothing, and is told nothing
    loads = []
    monkeypatch.setattr(runtime, "start", lambda: loads.append(file))
    page = open_page(file, **link)
    starts = [button for button in page.app.button if STARTS.match(button.label)]
    assert [button.label for button in starts if not button.disabled] == []
    assert (host.OFF in page.text) == bool(starts) == ((file, link) in STARTING)
    assert bool(loads) == (link.get("view") == "layers")  # which looks into a network's layers
    assert TROUBLE not in page.text


PROBE = """
import sys
from streamlit.testing.v1 import AppTest
app = AppTest.from_file("pages/frame.py", default_timeout=300)
made = {"run": "strokes-vae-b2", "part": "generate", "circles": "on"}
pages = {"": {}, "latent.py": made, "draw.py": {"ready": "seven"}, "runs.py": {"runs": "strokes-b2-bce-mixed"}}
for page, link in pages.items():
    app.query_params.update(link)
    (app.switch_page(page) if page else app).run()
    assert not app.exception, app.exception
    assert not app.error, app.error
print(sorted({"tensorflow", "keras", "jax", "torch"} & set(sys.modules)))
"""


def test_pages_that_look_import_no_tensorflow():
    done = subprocess.run([sys.executable, "-c", PROBE], cwd=ROOT, capture_output=True, encoding="utf-8", timeout=300)
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr
