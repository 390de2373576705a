"""A machine as a new user has it: TensorFlow loaded, no data set downloaded, no network, no runs but those that ship."""

import contextlib
import os
import socket
import threading
from dataclasses import replace

import numpy as np
import pytest

from cae_core import datasets, jobs, runtime, training
from cae_core.datasets import DATASETS, Split, strokes
from pages.parts.common import waiting

DATA_DIR = os.environ.get("CAE_DATA_DIR")


@pytest.fixture(autouse=True, scope="session")
def tensorflow():
    assert runtime.ready(600), "TensorFlow did not load in ten minutes"
    yield
    done = threading.Event()
    runtime.soon(done.set)  # what pages asked for is done before this; TensorFlow aborts a process that ends in the middle
    assert done.wait(600)


@pytest.fixture(autouse=True)
def background(monkeypatch):
    """Lets the pages have done in the background what saves time later; until then, that is not done."""
    soon = runtime.soon
    monkeypatch.setattr(runtime, "soon", lambda task: None)
    return lambda: monkeypatch.setattr(runtime, "soon", soon)


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


@pytest.fixture(autouse=True)
def queue(monkeypatch):
    """A queue of the test's own."""
    own = jobs.Jobs()
    monkeypatch.setattr(jobs, "default", lambda: own)
    yield own
    own.end()


@pytest.fixture
def held(queue, monkeypatch):
    """The same; nothing in it is ever trained."""
    with monkeypatch.context() as patch:
        patch.setattr(queue, "_threads", [threading.Thread()])
        yield queue


@pytest.fixture
def loading(monkeypatch):
    """TensorFlow is being loaded."""
    monkeypatch.setattr(runtime, "ready", lambda timeout=0.0: False)
    monkeypatch.setattr(waiting, "end", lambda: None)  # nobody waits for it


@pytest.fixture
def real_data(monkeypatch):
    """Gives CAE_DATA_DIR back, which `fresh_machine` has taken away: claims about MNIST need it."""
    if DATA_DIR:
        monkeypatch.setenv("CAE_DATA_DIR", DATA_DIR)


@pytest.fixture(params=["strokes", pytest.param("mnist", marks=[pytest.mark.real_data, pytest.mark.slow])])
def dataset(request, real_data):
    """What a claim is held on: the drawn digits by default, and MNIST among the slow tests."""
    return request.param


@contextlib.contextmanager
def few(name, train=800, held_out=50):
    """A data set of so many drawn digits, that is there and measured in a moment."""

    def load(split):
        x, y = strokes.draw(train if split == "train" else 60, seed=1 if split == "train" else 2)
        return Split(x[..., np.newaxis], y)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(DATASETS, name, replace(DATASETS[name], load=load, on_machine=lambda: True))
        patch.setattr(training, "HELD_OUT", held_out)
        datasets.clear_cache()
        yield
    datasets.clear_cache()


@pytest.fixture
def few_images():
    with few("strokes"):
        yield


@pytest.fixture(scope="module")
def few_images_everywhere():
    with few("strokes"):
        yield


@pytest.fixture(scope="session")
def few_of():
    return few


@pytest.fixture
def forget_data():
    """No data set is in memory before or after the test."""
    datasets.clear_cache()
    yield
    datasets.clear_cache()
