"""What every page does while TensorFlow is loading, and where it cannot be loaded at all."""

import pytest
from shown import FRAME, PATIENCE, frame_pages
from streamlit.testing.v1 import AppTest

VIEWS = [*((file, {}) for file in frame_pages())] + [
    ("architectures.py", {"view": view}) for view in ("race", "leak", "losses", "sparsity")
]
EVERY_VIEW = pytest.mark.parametrize(("file", "link"), VIEWS)


def open_page(file, link):
    app = AppTest.from_file(FRAME, default_timeout=PATIENCE)
    if file != "denoise.py":
        app.switch_page(file)
    app.query_params.update(link)
    app.run()
    assert not app.exception, [error.value for error in app.exception]
    assert len(app.title) == 1
    return app


@EVERY_VIEW
def test_no_page_dies_or_reports_anything_while_it_is_loading(monkeypatch, file, link):
    monkeypatch.setattr("cae_core.runtime.ready", lambda timeout=0.0: False)
    assert list(open_page(file, link).error) == []


@EVERY_VIEW
def test_every_page_says_once_that_it_cannot_be_loaded(monkeypatch, file, link):
    monkeypatch.setattr("cae_core.runtime._failure", ["TensorFlow could not be loaded: run pip again."])
    app = open_page(file, link)
    assert [error.value.replace("\\", "") for error in app.error] == ["TensorFlow could not be loaded: run pip again."]
    shown = "".join(element.value for kind in ("html", "caption", "markdown") for element in getattr(app, kind))
    assert "being loaded" not in shown  # it would be for ever
