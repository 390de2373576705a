"""Packages this program stands on: what `requirements.txt` asks for, and what is installed; imports none of them."""

import platform
import re
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

REQUIREMENTS = Path(__file__).parents[2] / "requirements.txt"
MENDED = "run `pip install -r requirements.txt`, best in a fresh environment"
PYTHON = ">=3.11,<3.14"
_MODULES = {"pillow": "PIL"}
_HOLDS: dict[str, Callable[[list[int], list[int]], bool]] = {
    ">=": lambda version, bound: version >= bound,
    "<": lambda version, bound: version < bound,
}


def version(package: str) -> str | None:
    """The version that is installed, of whichever distribution brings the package's module; None without one.

    `tensorflow-cpu` brings `tensorflow`, too.
    """
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:  # every distribution's files are read, which takes a second
        module = _MODULES.get(package, package)
        others = (metadata.version(name) for name in metadata.packages_distributions().get(module, ()))
        return next(others, None)


def versions() -> dict[str, str]:
    """Of Python and what trains, to be written down with what they made."""
    return {"python": platform.python_version(), **{p: version(p) or "unknown" for p in ("tensorflow", "keras", "numpy")}}


def required(text: str) -> dict[str, str]:
    """The packages of a `requirements.txt` and the versions allowed, such as ">=2.1,<3", of plain lines of both."""
    lines = (line.partition("#")[0].partition(";")[0].strip() for line in text.splitlines())
    return {match[1].lower(): match[2].replace(" ", "") for line in lines if (match := re.match(r"([\w-]+)(.*)", line))}


def allows(bounds: str, version: str) -> bool:
    """Whether a version such as "2.21.0rc1" lies within bounds such as ">=2.21,<2.23"."""

    def parts(text: str) -> list[int]:
        return [int(part) for part in re.match(r"[\d.]*", text)[0].split(".") if part] + [0] * 3

    pairs = (re.fullmatch(r"(>=|<)(.+)", bound) for bound in bounds.split(","))
    return all(_HOLDS[match[1]](parts(version)[:3], parts(match[2])[:3]) for match in pairs)
