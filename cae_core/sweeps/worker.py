"""One run of a sweep, trained in a process of its own, here or on another machine; it leaves a normal run folder.

A worker that sees the sweep's runs folder trains in it. Another trains in its own, and sends the finished folder as an
archive. A run that another worker has left unfinished goes on where it was.
"""

import os
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cae_core import runs, runtime
from cae_core.config import RunConfig
from cae_core.jobs import requests
from cae_core.runs import archive, holder, manage, schema
from cae_core.runtime import packages
from cae_core.sweeps import identity


@dataclass(frozen=True)
class Task:
    """What a worker is given; plain values, so that any engine can send it.

    Attributes:
        name: of the run.
        settings: its configuration.
        title: of a new run.
        code: `identity.code_version()` of who sends it.
        folder: the sweep's runs folder.
        token: the name of a file in it, by which a worker knows that it sees that very folder.
    """

    name: str
    settings: Mapping[str, Any]
    title: str
    code: str
    folder: str
    token: str


@dataclass(frozen=True)
class Result:
    """What came of it.

    Attributes:
        state: "trained", "failed", or "left": not trained, and to be tried again.
        sentence: why, else "".
        seconds: that the worker took, training and all.
        archive: the run's folder, from a worker that does not see the sweep's.
    """

    state: str
    sentence: str = ""
    seconds: float = 0.0
    archive: bytes | None = None


def work(task: Task) -> Result:
    """Trains a run to its end, or what is left of it; whatever is wrong with it is in the result, not raised."""
    started = time.perf_counter()
    if identity.code_version() != task.code:
        here = ", ".join(f"{name} {version}" for name, version in packages.versions().items())
        return Result("left", f"The worker at {platform.node()} has other code or libraries ({here}): bring it up to date.")
    os.environ.update(runtime.ONE_THREAD)
    is_shared = os.path.isfile(os.path.join(task.folder, task.token))
    if is_shared:
        os.environ["CAE_RUNS_DIR"] = task.folder
    path, state, sentence = runs.runs_dir() / runs.check_name(task.name), "trained", ""
    try:
        _train(task, path)
    except _Elsewhere as error:
        return Result("left", str(error))
    except (ValueError, FloatingPointError, OSError, RuntimeError, MemoryError) as error:
        state, sentence = "failed", schema.reason(error)
    sent = archive.pack(path) if path.exists() and not is_shared else None
    return Result(state, sentence, time.perf_counter() - started, sent)


class _Elsewhere(Exception):
    """Another process trains the run."""


def _train(task: Task, path: Path) -> None:
    if path.exists():
        run = runs.read(path)
        if run.state in runs.AT_WORK:
            raise _Elsewhere(holder.sentence(f"The run {run.label!r}", path))
        if run.state == "finished":
            return
        if run.state == "failed":  # whoever hands it in wants it tried again
            manage.delete(run, run.owner)
    runtime.ready(runtime.LOADING)
    requests.Entry(task.name, RunConfig(**task.settings), task.title).begin("").run(lambda event: None)
