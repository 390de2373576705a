"""A limit on what the server keeps of files that arrive before, or without, a page that reads them."""

from typing import Any


def keep_newest(manager: Any) -> None:
    """Has the server keep one file a session: each that arrives frees the one before.

    Streamlit limits the size of a file and not their number. No page here takes more than one at a time.

    Args:
        manager: Streamlit's `MemoryUploadedFileManager`.
    """
    add = manager.add_file

    def add_file(session_id: str, file: Any) -> None:
        for earlier in list(manager.file_storage.get(session_id, ())):
            manager.remove_file(session_id, earlier)
        add(session_id, file._replace(name=file.name.replace("\0", "")))  # which Streamlit answers with an exception

    manager.add_file = add_file
