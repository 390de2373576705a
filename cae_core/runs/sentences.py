"""Error messages about files for visitors: with names, and without where on the server those are."""

from __future__ import annotations

import functools
import logging
import os
import re
import sys
import tempfile
from pathlib import Path

from cae_core import runs
from cae_core.datasets import files

_log = logging.getLogger(__name__)
_REST = r"(?:[/\\][^\s'\"`,;:()\[\]<>]*)?"


def for_visitors(text: str) -> str:
    """The sentence with names in the place of paths; the log gets it as it was, once.

    A file of a run or a data set is named from its folder on, such as "mine/run.json"; any other by its name alone.
    """
    if os.sep not in text:
        return text
    own, elsewhere = _places(runs.runs_dir(), runs.PRETRAINED_DIR, (*files.roots(),), Path.cwd(), (*sys.path,))
    sentence = own.sub(lambda match: "" if match["inside"] else os.path.basename(match[0]), text)
    sentence = elsewhere.sub(lambda match: re.split(r"[/\\]", match[0].rstrip("/\\."))[-1], sentence)
    if sentence != text:
        _remember(text)
    return sentence


@functools.lru_cache(maxsize=16)  # it asks the disk of every folder whether it is a link
def _places(
    runs_dir: Path, shipped: Path, data: tuple[Path, ...], here: Path, imported: tuple[str, ...]
) -> tuple[re.Pattern, ...]:
    """What finds folders of runs and data, which give way to what is in them, and all of other folders."""
    own = _each_and_real([runs_dir, shipped, *data])
    others = [Path.home(), here, Path(tempfile.gettempdir()), Path(sys.prefix), Path(sys.base_prefix), shipped.parent]
    elsewhere = _each_and_real([*others, *map(Path, imported)])
    return (
        re.compile(f"(?:{'|'.join(map(re.escape, own))})(?P<inside>{re.escape(os.sep)})?"),
        re.compile(f"(?:{'|'.join(map(re.escape, elsewhere))}){_REST}"),
    )


def _each_and_real(folders: list[Path]) -> list[str]:
    """Those that are no relative path and not the root of all, and what they are links to; the longest first."""
    both = {str(path) for folder in folders for path in (folder, Path(os.path.realpath(folder)))}
    return sorted((path for path in both if os.path.isabs(path) and os.path.dirname(path) != path), key=len, reverse=True)


@functools.lru_cache(maxsize=256)  # pages say the same again and again
def _remember(text: str) -> None:
    _log.warning(text)
