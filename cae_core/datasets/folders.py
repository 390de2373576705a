"""Folders of this machine where data sets are looked for."""

import os
from pathlib import Path

from cae_core.runtime import keras_settings


def named_folder(text: str) -> Path | None:
    """The folder that a setting names; None where it begins with a `~` that stands for none, as without a home folder."""
    path = os.path.expanduser(text)
    return None if path.startswith("~") else Path(path)


def roots() -> list[Path]:
    """Folders that may hold data sets, in the order they are tried: `CAE_DATA_DIR` if set, then Keras's cache."""
    named = [os.environ.get("CAE_DATA_DIR"), os.path.join(keras_settings.users_home(), "datasets")]
    return [folder for name in named if name and (folder := named_folder(name))]


def places() -> str:
    """The `roots()` in words."""
    return " or ".join(map(str, roots())) or "any folder, for CAE_DATA_DIR names none and there is no home folder"
