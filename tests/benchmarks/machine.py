"""What benchmarks share: figures with their spread, a process's memory and time, and what machine all that was on."""

from __future__ import annotations

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


def resident(pid: int | str = "self") -> float:
    """Megabytes of a process that are in memory, on Linux."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def processor_seconds(pid: int | str = "self") -> float:
    """Processor time that a process has had so far, of all threads together, on Linux."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def here() -> dict[str, object]:
    """Processor, versions, date and load, to stand beside figures."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "processor": _processor(),
        "processors": process.processors(),
        "python": platform.python_version(),
        **versions,
        "date": datetime.date.today().isoformat(),
        "load_average": [round(load, 1) for load in os.getloadavg()],
    }


def _processor() -> str:
    """Its name, and which short number formats it computes with."""
    facts = process.processor_facts()
    flags = facts.get("flags", "").split()
    extra = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in flags]
    return f"{facts.get('model name', platform.machine())} ({', '.join(extra)})"
