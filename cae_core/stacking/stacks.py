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
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cae_core import runs
from cae_core.config import ARMS, StackConfig
from cae_core.datasets import DATASETS
from cae_core.runs import RunError, schema, storage
from cae_core.runs.schema import number, record, text, whole
from cae_core.stacking.config import check
from cae_core.stacking.linear_probe import KINDS
from cae_core.stacking.progress import StackSeen
from cae_core.validation import code_size

FORMAT = 1


@dataclass(frozen=True)
class KeptStack:
    """What `stack.json` says.

    Attributes:
        path: its folder.
        config: what was trained.
        state: a key of `schema.STATES`.
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


_SHARE = number(0, 1)
_SCORES = record({"size": whole(1, 10**7), "error": _SHARE}, {"few_error": _SHARE, "same_error": _SHARE})
_FIGURES = {
    **dict.fromkeys(ARMS, _SHARE),
    "features": record({"labels": whole(1, 60_000), **dict.fromkeys(KINDS, _SCORES)}),
}
_STEPS = whole(0, 10**8)
_STACK = record({
    "config": schema.settings(StackConfig, check), "state": schema.one_of(schema.STATES), "message": text(2000),
    "step": _STEPS, "num_steps": _STEPS, "seconds": schema.SECONDS, "created": schema.time, "owner": text(80),
    "title": text(runs.TITLE), "figures": record({}, _FIGURES),
})  # fmt: skip
"""Every field of `stack.json`."""


def folder() -> Path:
    """Where users' stacks are kept; no run is looked for there."""
    return runs.runs_dir() / ".stacks"


def read(path: Path) -> KeptStack:
    """The stack in a folder, without its weights.

    Raises:
        RunError: there is none, its name or `stack.json` is damaged, or something in it is neither file nor folder.
    """
    runs.check_name(path.name)
    file = path / "stack.json"
    try:
        runs.check_contents(path)
        fields = _STACK("", schema.parse(storage.read(file), FORMAT))
        whole(0, fields["num_steps"])("step", fields["step"])
        if fields["state"] == "finished":
            record(_FIGURES)("figures", fields["figures"])
        if fields["state"] in runs.AT_WORK and not storage.is_locked(path / "lock"):
            fields["state"] = "interrupted"
        return KeptStack(path, **fields)
    except FileNotFoundError:
        raise RunError(f"There is no stack in {path}.") from None
    except Exception as error:
        why = schema.reason(error)
        raise RunError(f"{file} is damaged ({why}): delete the folder or train the stack again.") from error


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
    readable = []
    with contextlib.suppress(OSError):
        for path in runs.folders(folder()):
            with contextlib.suppress(RunError):
                readable.append(read(path))
    own = [stack for stack in readable if stack.owner == owner]
    return max(own, key=lambda stack: (stack.created, stack.name), default=None)


def most_unpacked(config: StackConfig) -> int:
    """Bytes that a stack's weights take with what its optimizer knows of each, at most."""
    entry = DATASETS[config.dataset]
    reads = (entry.image_shape[2], *config.maps)
    layers = sum(below * maps * kernel**2 for below, maps, kernel in zip(reads, config.maps, config.kernels, strict=False))
    dense = code_size(config, entry.image_shape) * max(config.hidden, len(entry.class_names))
    return storage.MOST_UNPACKED + 4 * 3 * (3 * layers + 2 * dense)


def seen(stack: KeptStack) -> StackSeen | None:
    """The last pictures of a stack; None where there are none yet, or they are damaged."""
    with contextlib.suppress(Exception):  # a damaged archive fails in more ways than can be listed
        progress = StackSeen.from_arrays(storage.read_arrays(stack.path / "seen.npz"))
        progress.check(DATASETS[stack.config.dataset].image_shape, stack.config.layers)
        return progress
    return None


def predictions(stack: KeptStack) -> dict[str, np.ndarray]:
    """By arm, the class `(n,)` uint8 read in every test image; {} where that is not known."""
    with contextlib.suppress(Exception):
        classes_read = storage.read_arrays(stack.path / "predictions.npz")
        classes = len(DATASETS[stack.config.dataset].class_names)
        if all(read.dtype == np.uint8 and read.ndim == 1 and read.max() < classes for read in classes_read.values()):
            return classes_read
    return {}
