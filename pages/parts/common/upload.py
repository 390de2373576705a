"""An upload field for a picture, read as soon as it is there: what is kept is the picture, not the file."""

from collections.abc import Callable

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from cae_core.inputs import uploads
from pages.parts.common import show
from pages.parts.session import state

TYPES = ("image/*", *(f".{ending}" for endings in uploads.FORMATS.values() for ending in endings))
"""What a browser offers: with a kind of media among them Streamlit refuses no file by its name, and `uploads` says of each
what it is; the endings are for browsers that do not know the kind of all of them."""


def place(label: str, key: str, take: Callable[[bytes, str], None], drop: Callable[[], None] = lambda: None) -> None:
    """Where a visitor puts a file, and below it why the last one could not be used.

    Args:
        label: shown above.
        key: the widget's.
        take: keeps what is in a file, given its bytes and its name, or raises a ValueError that says why it cannot.
        drop: called when the visitor takes the file away.
    """
    st.file_uploader(label, TYPES, key=key, on_change=_take_file, args=(key, take, drop))
    if problem := state.kept(f"{key}_problem"):
        st.error(show.plain(problem))


def _take_file(key: str, take: Callable[[bytes, str], None], drop: Callable[[], None]) -> None:
    file = state.values({key: None})[key]
    if file is None:
        state.keep(f"{key}_problem", "")
        drop()
    elif isinstance(file, UploadedFile):  # else it is one that was let go, which each later run mentions again
        try:
            take(file.getvalue(), file.name)
            state.keep(f"{key}_problem", "")
        except ValueError as error:
            state.keep(f"{key}_problem", str(error))
        finally:
            _let_go(file)


def _let_go(file: UploadedFile) -> None:
    """Frees a file's bytes, which the server would keep until the visitor closes the page."""
    context = get_script_run_ctx()
    if context and hasattr(context.uploaded_file_mgr, "remove_file"):
        context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)
    file.seek(0)
    file.truncate()
