"""What benchmarks share: figures with their spread, a process's memory and time, and what machine all that was on."""

import datetime
import importlib.metadata
import os
import platform
import statistics
from collections.abc import Sequence
from pathlib import Path

from cae_core.runtime import process

PACKAGES = ("streamlit", "tensorflow", "keras", "numpy", "torch")


def figures(values: Sequence[float]) -> dict[str, float]:
    """Number of values, median, 95th percentile (nearest rank) and maximum."""
    ranked = sorted(values)
    return {
        "n": len(ranked),
        "median": round(statistics.median(ranked), 1),
        "p95": round(ranked[max(0, -(-95 * len(ranked) // 100) - 1)], 1),
        "max": round(ranked[-1], 1),
    }


def medians(rounds: Sequence[dict[str, float]], digits: int = 5) -> dict[str, float]:
    """Of rounds that all have the same figures, the median of each."""
    return {name: round(statistics.median(row[name] for row in rounds), digits) for name in rounds[0]}


def resident(pid: int | str = "self") -> float:
    """Megabytes of a process that are in memory, on Linux."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


def resident_family(pid: int) -> float:
    """Megabytes of a process and of those that it has started, on Linux."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(child) for task in tasks for child in task.read_text(encoding="utf-8").split()]
    return round(resident(pid) + sum(map(resident_family, children)), 1)


def processor_seconds(pid: int | str = "self") -> float:
    """Processor time that a process has had so far, of all threads together, on Linux."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def here() -> dict[str, object]:
    """Processor, with the short number formats it computes with, versions, date and load, to stand beside figures."""
    versions = {dist.name.lower(): dist.version for dist in importlib.metadata.distributions()}
    return {
        "processor": _processor(),
        "processors": process.processors(),
        "python": platform.python_version(),
        **{name: versions[name] for name in PACKAGES if name in versions},
        "date": datetime.date.today().isoformat(),
        "load_average": [round(load, 1) for load in os.getloadavg()],
    }


def _processor() -> str:
    """Its name, and which short number formats it computes with."""
    facts = process.processor_facts()
    flags = set(facts.get("flags", "").split()) & {"avx2", "avx512f", "avx512_bf16", "amx_bf16"}
    return f"{facts.get('model name', platform.machine())} ({', '.join(sorted(flags))})"
