"""Writing a finished run, all at once, and what every writer of runs shares."""

import contextlib
import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from cae_core import runs
from cae_core.architectures.autoencoder import Autoencoder
from cae_core.config import RunConfig, StackConfig
from cae_core.runs import Run, RunError, schema, storage
from cae_core.runtime import packages


def description(config: RunConfig | StackConfig, **more: Any) -> str:
    """The content of `run.json`; `more` are the fields that only the writer knows."""
    created = datetime.now(UTC).isoformat(timespec="microseconds")
    described = {
        "format": schema.FORMAT,
        "config": config.to_dict(),
        **more,
        "created": created,
        "versions": packages.versions(),
    }
    return json.dumps(described, indent=1) + "\n"


def network_facts(model: Autoencoder | None) -> dict[str, Any]:
    """Fields of `Run` that its network knows; of none yet, sizes of 0."""
    return {
        "image_shape": list(model.image_shape) if model else [0, 0, 0],
        "code_size": model.code_size if model else 0,
        "parameters": int(sum(np.prod(v.shape) for v in model.trainable_variables)) if model else 0,
    }


def table(history: Iterable[Mapping[str, float]]) -> str:
    """The content of `history.csv`: one line per epoch."""
    rows, text = list(history), io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]) if rows else ["epoch"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@contextlib.contextmanager
def refusals(label: str, done: str) -> Iterator[None]:
    """Turns a disk's refusal into one sentence; `done` is what it refuses, such as "renamed"."""
    try:
        yield
    except OSError as error:
        why = error.strerror or error
        raise RunError(f"The run {label!r} could not be {done} ({why}): {storage.advice(error)}") from error


def save(
    folder: Path,
    name: str,
    model: Autoencoder,
    config: RunConfig,
    history: Iterable[Mapping[str, float]],
    *,
    metrics: Mapping[str, Mapping[str, float]],
    num_train: int,
    seconds: float,
    precision: str = "float32",
    replace: bool = False,
) -> Run:
    """Writes a finished run to `folder/name` at once; other readers see all of it or nothing.

    Args:
        history: one mapping per epoch with the same keys, the columns of `history.csv`.
        precision: a name in `storage.PRECISIONS`; "bfloat16" makes the file of a finished model a third as large.
        replace: put it in the place of a run of that name; otherwise that is refused.

    Raises:
        RunError: the name is taken or not allowed, or the disk refuses.
    """
    target = folder / runs.check_name(name)
    if target.exists() and not replace:
        raise RunError(f"There is a run called {name!r} in {folder} already; choose another name or delete it.")
    history = list(history)
    described = description(
        config, **network_facts(model), metrics=metrics, num_train=num_train, epochs=len(history), seconds=round(seconds, 1)
    )
    weights = storage.weights_to_bytes(model.weights(), precision)
    with refusals(name, f"written to {folder}"), storage.folder_in_place(target) as draft:
        (draft / "weights.npz").write_bytes(weights)
        (draft / "history.csv").write_text(table(history), encoding="utf-8")
        (draft / "run.json").write_text(described, encoding="utf-8")
    return runs.read(target)
