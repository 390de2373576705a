"""Memory that this process may still use, asked before TensorFlow is loaded: without enough the system would end it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

NEEDED = 600
"""Megabytes that loading TensorFlow and training a small network take."""
NEEDED_ADDRESSES = 2_500
"""Megabytes of addresses, most of them never used, that TensorFlow reserves; a limit on them counts these too."""

PROC, CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")
FILES = {"": ("memory.max", "memory.current"), "memory": ("memory.limit_in_bytes", "memory.usage_in_bytes")}
"""Controller, as `/proc/self/cgroup` names it in version 2 and 1, to the files of a group's limit and of its use."""


class TooLittle(RuntimeError):
    """TensorFlow would not fit; the message says what to do."""


def check() -> None:
    """A TooLittle if loading TensorFlow would take more memory than there is; where nobody can tell, nothing."""
    if sentence := shortage(available(), available_addresses()):
        raise TooLittle(sentence)


def shortage(free: float | None, reserved: float | None) -> str:
    """What is short, of megabytes that are free and of addresses, each None where nobody can tell; "" for enough."""
    needs = ((free, NEEDED), (reserved, NEEDED_ADDRESSES))
    much, needed = next(((left, need) for left, need in needs if left is not None and left < need), (0, 0))
    return (
        needed
        and (
            f"Training needs about {needed:,} MB of memory for TensorFlow, and {max(0, much):,.0f} MB are left for this "
            "program: trained networks can still be looked at. To train, close other programs or use a machine with more, "
            "and start the app again."
        )
        or ""
    )


def available() -> float | None:
    """Megabytes of memory that are free for this process: the machine's, or its container's where these are fewer."""
    free = []
    with contextlib.suppress(OSError, KeyError, ValueError):
        lines = (line.partition(":") for line in (PROC / "meminfo").read_text(encoding="utf-8").splitlines())
        kilobytes = {name: int(rest.split()[0]) for name, _, rest in lines}
        free.append((kilobytes["MemAvailable"] + kilobytes.get("SwapFree", 0)) / 1e3)
    free += [room for group in _groups() if (room := _room(*group)) is not None]
    return min(free, default=None)


def available_addresses() -> float | None:
    """Megabytes of addresses that this process may still reserve; None without a limit."""
    with contextlib.suppress(ImportError, OSError, ValueError):  # there is no `resource` on Windows
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit != resource.RLIM_INFINITY:
            pages = int((PROC / "self/statm").read_text(encoding="utf-8").split()[0])
            return (limit - pages * resource.getpagesize()) / 1e6
    return None


def _groups() -> Iterator[tuple[Path, str, str]]:
    """The control groups that limit this process's memory: a container's, or that of a service."""
    with contextlib.suppress(OSError, ValueError):
        for line in (PROC / "self/cgroup").read_text(encoding="utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers in FILES:
                root = CGROUPS / controllers
                for folder in {root, root / path.strip("/")}:  # a container sees its own group as the root
                    yield folder, *FILES[controllers]


def _room(group: Path, limit: str, used: str) -> float | None:
    """Megabytes that a group has left, counting what is only there to save reading files again; None without a limit."""
    with contextlib.suppress(OSError, ValueError):  # "max" is no number: there is no limit
        most, now = (int((group / name).read_text(encoding="utf-8")) for name in (limit, used))
        stat = dict(line.split() for line in (group / "memory.stat").read_text(encoding="utf-8").splitlines())
        return (most - now + int(stat.get("total_inactive_file", stat.get("inactive_file", 0)))) / 1e6
    return None
