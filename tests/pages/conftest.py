"""A machine as a new user has it: TensorFlow loaded, no data set downloaded, no network, no runs but those that ship."""

import socket
import threading

import pytest

from cae_core import datasets, runtime


@pytest.fixture(autouse=True, scope="session")
def tensorflow():
    assert runtime.ready(600), "TensorFlow did not load in ten minutes"
    yield
    done = threading.Event()
    runtime.soon(done.set)  # what pages asked for is done before this; TensorFlow aborts a process that ends in the middle
    assert done.wait(600)


@pytest.fixture(autouse=True)
def fresh_machine(tmp_path, monkeypatch):
    """No CAE_DATA_DIR, and a Keras cache that does not exist yet: the default data set is strokes."""
    monkeypatch.delenv("CAE_DATA_DIR", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))


@pytest.fixture(autouse=True)
def asked_hosts(monkeypatch):
    """The hosts that anything here tried to reach; none of them can be."""
    asked = []

    def refuse(host, *args, **kwargs):
        asked.append(host)
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.delenv("https_proxy", raising=False)
    monkeypatch.delenv("HTTPS_PROXY", raising=False)
    return asked


@pytest.fixture
def forget_data():
    """No data set is in memory before or after the test."""
    datasets.clear_cache()
    yield
    datasets.clear_cache()
