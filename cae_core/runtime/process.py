"""Settings of the process that serves visitors, for one that mostly looks: little memory, one thread a small product."""

import contextlib
import ctypes
import os
import platform
from pathlib import Path

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""Of glibc's `mallopt`."""
LARGE = 2**24
"""Bytes from which an array is given back to the system when it is freed."""
FILES = 8192
"""Files that may be open at once: each run in the queue has its lock, up to twelve to an entry, and each page a socket."""


def set_up() -> None:
    """To be called before NumPy is imported, and before threads are many."""
    # Of the small matrix products that a page takes, one thread makes hundreds a second; several wait for each other, a
    # hundred times as long while a run trains.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with contextlib.suppress(ImportError, OSError, ValueError):  # Windows knows no such limit
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
        if soft != resource.RLIM_INFINITY and soft < most:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    with contextlib.suppress(AttributeError, OSError, TypeError):  # Linux alone has it
        # What one visitor's thread has freed serves the next: 80 MB less after every page was looked at.
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE)
        ctypes.CDLL(None).mallopt(M_TRIM_THRESHOLD, 2 * LARGE)


def processors() -> int:
    """How many of them this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processor_facts() -> dict[str, str]:
    """What Linux says of the first one, by name, such as "model name" and "flags"; elsewhere nothing."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    first = lines[: lines.index("")] if "" in lines else lines
    return {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in first)}


def machine() -> str:
    """The processors in a few words, such as "2 cores, AMD EPYC"."""
    name = processor_facts().get("model name") or platform.processor() or platform.machine()
    count = processors()
    return f"{count} core{'s' if count > 1 else ''}, {' '.join(name.split())}"[:80]
