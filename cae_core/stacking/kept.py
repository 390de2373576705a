"""Stacks on disk: a folder each in `.stacks` of the runs' folder, read and found.

    stack.json            what it is, where it stands, and its figures when it is finished
    checkpoint-STEP.npz   every weight, and what else it takes to go on exactly from there
    seen.npz              the last pictures and curves, so that they can be shown again without its networks
    predictions.npz       what both classifiers read in every test image, when it is finished
    lock                  held by the process at work on it

Nothing in it can execute code when loaded.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cae_core import runs, storage
from cae_core.config import lookup
from cae_core.runs import RunError
from cae_core.stacking.config import StackConfig
from cae_core.stacking.seen import StackSeen

FORMAT = 1


@dataclass(frozen=True)
class KeptStack:
    """What `stack.json` says.

    Attributes:
        path: its folder.
        config: what was trained.
        state: a key of `runs.STATES`.
        message: why it failed, else "".
        step: steps done and written down, of all stages.
        num_steps: steps of all stages.
        seconds: spent training.
        figures: when it is finished, by arm the share of test images misread, as "pretrained" and "random", and the scores
            of `features.scores` under "features".
        created: UTC time of the last writing, ISO 8601.
        owner: whose it is, an opaque mark; "" for everybody's.
        title: any text.
    """

    path: Path
    config: StackConfig
    state: str
    message: str
    step: int
    num_steps: int
    seconds: float
    figures: Mapping[str, Any]
    created: str
    owner: str
    title: str

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def can_go_on(self) -> bool:
        return self.state in runs.CAN_GO_ON


def folder() -> Path:
    """Where users' stacks are kept; no run is looked for there."""
    return runs.runs_dir() / ".stacks"


def read(path: Path) -> KeptStack:
    """The stack in a folder, without its weights.

    Raises:
        RunError: there is none, or `stack.json` is damaged.
    """
    file = path / "stack.json"
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        if values["format"] != FORMAT:
            raise ValueError(f"it is of format {values['format']}, this program reads format {FORMAT}")
        state = values["state"]
        lookup(runs.STATES, "state", state)
        if state in runs.AT_WORK and not storage.is_locked(path / "lock"):
            state = "interrupted"
        if not isinstance(values["figures"], dict):
            raise ValueError("its figures are no mapping")
        numbers = {key: type_(values[key]) for key, type_ in (("step", int), ("num_steps", int), ("seconds", float))}
        texts = {key: str(values[key]) for key in ("message", "created", "owner", "title")}
        return KeptStack(
            path, StackConfig.from_dict(values["config"]), state, figures=values["figures"], **numbers, **texts
        )
    except FileNotFoundError:
        raise RunError(f"There is no stack in {path}.") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise RunError(f"{file} is damaged ({reason}): delete the folder or train the stack again.") from error


def remove(stack: KeptStack, owner: str) -> None:
    """Removes a stack for good.

    Raises:
        RunError: it is another's or in training, or the disk refuses.
    """
    if stack.owner not in ("", owner):
        raise RunError(f"The stack {stack.name!r} is another visitor's and cannot be deleted by you.")
    if storage.is_locked(stack.path / "lock"):
        raise RunError(f"The stack {stack.name!r} is in training: stop it where it trains before deleting it.")
    try:
        (stack.path / "stack.json").unlink(missing_ok=True)  # first, so that no half of it is ever taken for a stack
        shutil.rmtree(stack.path)
    except FileNotFoundError:
        return
    except OSError as error:
        why = f"{error.strerror or error}): {storage.advice(error)}"
        raise RunError(f"The stack {stack.name!r} could not be deleted ({why}") from error


def latest(owner: str) -> KeptStack | None:
    """The visitor's stack that was written last; damaged ones are passed over."""
    found = []
    for path in folder().iterdir() if folder().is_dir() else []:
        if path.is_dir() and not path.name.startswith("."):
            with contextlib.suppress(RunError):
                found.append(read(path))
    own = [stack for stack in found if stack.owner == owner]
    return max(own, key=lambda stack: (stack.created, stack.name), default=None)


def seen(stack: KeptStack) -> StackSeen | None:
    """The last pictures of a stack; None where there are none yet, or they are damaged."""
    with contextlib.suppress(Exception):  # a damaged archive fails in more ways than can be listed
        return StackSeen.from_arrays(storage.read_arrays(stack.path / "seen.npz"))
    return None


def predictions(stack: KeptStack) -> dict[str, np.ndarray]:
    """By arm, the class `(n,)` uint8 read in every test image; {} where that is not known."""
    with contextlib.suppress(Exception):
        return storage.read_arrays(stack.path / "predictions.npz")
    return {}
