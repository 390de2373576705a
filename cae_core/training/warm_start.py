"""Warm starts: the weights of another run, which may itself have to be trained first, in place of fresh ones."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cae_core import runs
from cae_core.architectures import ARCHITECTURES
from cae_core.config import RunConfig
from cae_core.runs import Run, RunError

END = "end"


def at_end_of(name: str) -> dict[str, Any]:
    """The origin of a run that goes on from where another ends, which need not be there yet."""
    return {"run": name, "step": END}


def weights(
    config: RunConfig, origin: Mapping[str, Any], is_due: bool = False
) -> tuple[dict[str, Any], dict[str, np.ndarray] | None]:
    """What a run starts from, as far as it is there.

    Args:
        config: of the run.
        origin: `{"run": name, "step": step}`; the step is `END` for the other's, whichever that will be.
        is_due: whether the run begins now.

    Returns:
        The origin with its step, if that is known by now, and the weights; None while the other run is not finished.

    Raises:
        RunError: there is no such run, it keeps no weights of that step or cannot have any that fit, they are damaged, or
            they are due and the other run never came to its end.
    """
    parent, origin = runs.network(str(origin["run"])), dict(origin)
    _check_fit(config, parent)
    if origin["step"] == END:
        if parent.state != "finished" and is_due:
            raise RunError(
                f"It starts from the end of {parent.label!r}, which is {parent.state}: let that run finish first, then "
                "resume this one."
            )
        if parent.state != "finished":
            return origin, None
        origin["step"] = parent.step
    steps = runs.saved_steps(parent)
    if origin["step"] not in steps:
        raise RunError(
            f"The run {parent.label!r} keeps no weights of step {origin['step']!r}: choose one of "
            f"{', '.join(map(str, steps)) or 'another run'}."
        )
    return origin, runs.weights(parent, origin["step"])


def _check_fit(config: RunConfig, parent: Run) -> None:
    fixed = ARCHITECTURES[config.architecture].fixed_code  # then a bottleneck changes nothing
    for name in ("architecture",) if fixed else ("architecture", "bottleneck"):
        ours, theirs = getattr(config, name), getattr(parent.config, name)
        if ours != theirs:
            raise RunError(
                f"{name} is {ours!r}, but the weights to start from, of {parent.label!r}, have {theirs!r}: "
                f"set {name} to {theirs!r}, or start from fresh weights."
            )
