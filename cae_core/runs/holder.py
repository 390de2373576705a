"""The holder of a run's lock: which program trains it, for those who meet the run in another."""

import json
import os
import platform
import secrets
from pathlib import Path

THIS = "this program"
_TOKEN = secrets.token_hex(8)  # the number of a process comes again, and in each container
_program = "the command line"


def introduce(program: str) -> None:
    """Says what this process is, such as "the app at port 8502"; without, it is the command line."""
    global _program
    _program = program


def mark() -> bytes:
    """What this process writes into a lock that it has."""
    who = {"program": _program, "process": os.getpid(), "computer": platform.node(), "token": _TOKEN}
    return json.dumps(who).encode()


def of(folder: Path) -> str:
    """The program that has the lock of a run's folder, in words, such as "the app at port 8502 of this computer"."""
    try:
        who = json.loads((folder / "lock").read_bytes())
        if who["token"] == _TOKEN:
            return THIS
        here = who["computer"] == platform.node()
        where = "this computer" if here else f"the computer {str(who['computer'])[:60]}"
        return f"{str(who['program'])[:60]} of {where} (process {int(who['process'])})"
    except (OSError, ValueError, KeyError, TypeError):  # written by nobody, or by an older version
        return "another program"


def sentence(label: str, folder: Path, advice: str = "stop it there, or wait for its end") -> str:
    """Who trains a run, or has it in a queue, and what to do."""
    return f"{label} is trained by {of(folder)}: {advice}."
