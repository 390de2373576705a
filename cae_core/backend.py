"""Loads TensorFlow once, in the background, so that a page is on screen before the four to six seconds that takes."""

from __future__ import annotations

import gc
import os
import threading

_started = threading.Lock()
_ready = threading.Event()
_failure: list[str] = []


def start() -> None:
    """Begins loading, unless that was done before; returns at once."""
    if _started.acquire(blocking=False):
        threading.Thread(target=_load, name="tensorflow-loader", daemon=True).start()


def ready(timeout: float = 0.0) -> bool:
    """Whether networks can be used; waits up to `timeout` seconds for it.

    Raises:
        RuntimeError: TensorFlow cannot be loaded here; the message says why.
    """
    start()
    loaded = _ready.wait(timeout)
    if _failure:
        raise RuntimeError(_failure[0])
    return loaded


def _load() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        import keras
        import tensorflow as tf

        keep_session(keras)
        tf.function(lambda x: x + 1)(tf.constant(0.0))  # the runtime's own start, 0.3 s, is paid here too
        gc.collect()
        gc.freeze()  # the million objects of the libraries are not looked at again by every later collection
    except Exception as error:  # whatever it is, the page has to say it instead of waiting for ever
        _failure.append(
            f"TensorFlow could not be loaded ({type(error).__name__}: {error}): "
            "run `pip install -r requirements.txt` again in a fresh environment."
        )
    _ready.set()


def keep_session(keras) -> None:
    """Keeps Streamlit from resetting Keras after every script run.

    It calls `keras.backend.clear_session()` each time, 200 ms, and under a training thread that resets the names and
    seeds of a network being built. `keras.utils.clear_session` stays as it is.
    """
    keras.backend.clear_session = lambda *args, **kwargs: None
