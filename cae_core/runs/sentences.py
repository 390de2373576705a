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
    sentence = text
    for root in _each_and_real([runs.runs_dir(), runs.PRETRAINED_DIR, *files.roots()]):
        sentence = sentence.replace(f"{root}{os.sep}", "").replace(root, os.path.basename(root))
    elsewhere = [Path.home(), Path.cwd(), Path(tempfile.gettempdir()), Path(sys.prefix), Path(sys.base_prefix)]
    for root in _each_and_real([*elsewhere, runs.PRETRAINED_DIR.parent, *map(Path, sys.path)]):
        sentence = re.sub(re.escape(root) + _REST, lambda match: re.split(r"[/\\]", match[0].rstrip("/\\."))[-1], sentence)
    if sentence != text:
        _remember(text)
    return sentence


def _each_and_real(folders: list[Path]) -> list[str]:
    """Those that are no relative path and not the root of all, and what they are links to; the longest first."""
    both = {str(path) for folder in folders for path in (folder, Path(os.path.realpath(folder)))}
    return sorted((path for path in both if os.path.isabs(path) and os.path.dirname(path) != path), key=len, reverse=True)


@functools.lru_cache(maxsize=256)  # pages say the same again and again
def _remember(text: str) -> None:
    _log.warning(text)
