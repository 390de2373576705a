"""Keras with the app's own settings, whatever its user has configured for other programs.

A user's `keras.json` and environment choose number type, order of axes and backend, for which the networks here are not
made, and one that Keras cannot read stops its import. So Keras is shown neither.
"""

import os
import sys
import threading
from types import ModuleType

NOWHERE = os.path.join(os.path.abspath(__file__), "none")
"""No folder can be here, so Keras finds no `keras.json`, and leaves none behind."""

DROPPED = ("KERAS_NNX_ENABLED", "KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH", "TF_XLA_FLAGS")
"""Variables that change how Keras trains; with some values Keras does not start, or TensorFlow ends the process."""

_users_home: str | None = None
_importing = threading.RLock()  # imported by two threads at once, TensorFlow is left half imported for good


class OtherBackend(RuntimeError):
    """Keras runs already, with a backend that it cannot change any more; the message says what to do."""


def users_home() -> str:
    """Where the user has Keras keep its files; may begin with `~`."""
    folder = os.environ.get("KERAS_HOME")
    return (_users_home if folder == NOWHERE else folder) or os.path.join("~", ".keras")


def set_environment() -> None:
    """Has the environment say what Keras and TensorFlow are started with; `keras.json` is for `load`."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    for name in DROPPED:
        os.environ.pop(name, None)


def load() -> ModuleType:
    """Keras, imported if it was not before, set as the app's networks need it.

    Raises:
        OtherBackend: it was imported before, with one that is not TensorFlow.
    """
    global _users_home
    with _importing:
        if "keras" not in sys.modules:
            set_environment()
            given = os.environ.get("KERAS_HOME")
            _users_home, os.environ["KERAS_HOME"] = users_home(), NOWHERE
            try:
                import keras
            finally:
                del os.environ["KERAS_HOME"]
                if given is not None:
                    os.environ["KERAS_HOME"] = given
        import keras

    if keras.config.backend() != "tensorflow":
        raise OtherBackend(
            f"Keras was started with the backend {keras.config.backend()} before this program was, which needs TensorFlow: "
            "use `streamlit run app.py` or `python -m cae_core`, each a process of its own."
        )
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")
    return keras
