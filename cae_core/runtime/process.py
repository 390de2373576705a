"""Settings of the process that serves visitors, for one that mostly looks: little memory, one thread a small product."""

from __future__ import annotations

import contextlib
import ctypes
import os

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""Of glibc's `mallopt`."""
LARGE = 2**24
"""Bytes from which an array is given back to the system when it is freed."""


def set_up() -> None:
    """To be called before NumPy is imported, and before threads are many."""
    # Of the small matrix products that a page takes, one thread makes hundreds a second; several wait for each other, a
    # hundred times as long while a run trains.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with contextlib.suppress(AttributeError, OSError, TypeError):  # Linux alone has it
        # What one visitor's thread has freed serves the next: 80 MB less after every page was looked at.
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE)
        ctypes.CDLL(None).mallopt(M_TRIM_THRESHOLD, 2 * LARGE)
