"""Folders for data sets that are nobody's real ones."""

import pytest


@pytest.fixture
def root(tmp_path, monkeypatch):
    """CAE_DATA_DIR; Keras's cache is `tmp_path / "keras" / "datasets"` and does not exist yet."""
    monkeypatch.setenv("CAE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture
def keras(root):
    (root.parent / "keras" / "datasets").mkdir(parents=True)
    return root.parent / "keras" / "datasets"
