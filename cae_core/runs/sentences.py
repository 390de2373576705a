"""Error messages about files for visitors: with names, and without where on the server those are."""

import logging
import os
import re
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from cae_core import runs
from cae_core.datasets import files
from cae_core.runtime.caching import cached

_log = logging.getLogger(__name__)
_REST = r"(?:[/\\][^\s'\"`,;:()\[\]<>]*)?"


def for_visitors(text: str) -> str:
    """The sentence with names in the place of paths; the log gets it as it was, once.

    A file of a run or a data set is named from its folder on, such as "mine/run.json"; any other by its name alone.
    """
    if os.sep not in text:
        return text
    own, elsewhere = _places((runs.runs_dir(), runs.PRETRAINED_DIR, *files.roots()), Path.cwd(), (*sys.path,))
    sentence = own.sub(lambda match: "" if match["inside"] else os.path.basename(match[0]), text)
    sentence = elsewhere.sub(lambda match: re.split(r"[/\\]", match[0].rstrip("/\\."))[-1], sentence)
    if sentence != text:
        _remember(text)
    return sentence


@cached(most=16)  # it asks the disk of every folder whether it is a link
def _places(own: tuple[Path, ...], here: Path, imported: tuple[str, ...]) -> tuple[re.Pattern, ...]:
    """What finds folders of runs and data, which give way to what is in them, and all of other folders."""
    others = [Path.home(), here, tempfile.gettempdir(), sys.prefix, sys.base_prefix, runs.PRETRAINED_DIR.parent, *imported]
    return (re.compile(f"{_any_of(own)}(?P<inside>{re.escape(os.sep)})?"), re.compile(f"{_any_of(others)}{_REST}"))


def _any_of(folders: Iterable[Path | str]) -> str:
    """A pattern of those that are no relative path and not the root of all, and of what they are links to."""
    both = {path for folder in folders for path in (str(folder), os.path.realpath(folder))}
    paths = sorted((path for path in both if os.path.isabs(path) and os.path.dirname(path) != path), key=len, reverse=True)
    return f"(?:{'|'.join(map(re.escape, paths))})"  # the longest first


@cached(most=256)  # pages say the same again and again
def _remember(text: str) -> None:
    _log.warning(text)
