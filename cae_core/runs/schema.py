"""The schema of `run.json` and `history.csv`: the type and the range of every field that is read, stated once."""

import csv
import dataclasses
import io
import json
import math
import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

import numpy as np

from cae_core import validation
from cae_core.architectures import num_epochs
from cae_core.config import ARMS, BOUNDS, FEATURES, Bounds, RunConfig, StackConfig, lookup
from cae_core.metrics import ELBO, METRICS, PSNR_CAP

FORMAT = 1
"""Of `run.json`."""

STATES = {
    "waiting": "waiting for its turn",
    "running": "training",
    "finished": "finished",
    "stopped": "stopped before its end",
    "failed": "ended by a problem",
    "interrupted": "interrupted: the program ended while it trained",
}
"""Where a run stands. "interrupted" is never written: it is a waiting or running one that no process is at work on."""

NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,79}")
"""A run's name is its folder's, so it can hold nothing that would make it a path elsewhere."""

COLUMNS = ("epoch", "loss", "held_out_loss", "seconds")
"""Of `history.csv`."""

MORE_COLUMNS = ((), ("silent",), ("distortion", "rate"))
"""And after them: nothing, of a run with sparsity or k, of a variational network."""

Check = Callable[[str, Any], Any]
"""Of a field's name and its value in JSON, the value as it is used; a ValueError says what is wrong with it."""

_ILLEGIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def legible(text: str) -> str:
    """The text with a replacement character for each sign that cannot be shown, such as a byte that is no UTF-8."""
    return _ILLEGIBLE.sub("\ufffd", text)


def reason(error: BaseException) -> str:
    """What an exception says is wrong, in at most 300 characters that can all be shown."""
    sentence = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    sentence = f"no {sentence}" if isinstance(error, KeyError) else sentence or type(error).__name__
    sentence = " ".join(legible(sentence).split())
    return sentence if len(sentence) <= 300 else sentence[:299] + "…"


def _refuse(name: str, value: Any, wanted: str) -> ValueError:
    given = {dict: "a mapping", list: "a list"}.get(type(value)) or repr(value)
    return ValueError(f"{name} is {given}, not {wanted}")


def number(low: float, high: float, integer: bool = False) -> Check:
    """A number between two others; no text, no truth value."""
    bounds = Bounds(low, high, integer)

    def check(name: str, value: Any) -> float | int:
        if not isinstance(value, int | float):
            raise _refuse(name, value, "a number")
        return bounds.check(name, value)

    return check


def whole(low: int, high: int) -> Check:
    return number(low, high, integer=True)


def text(most: int) -> Check:
    """Any text; of a longer one its beginning."""

    def check(name: str, value: Any) -> str:
        if not isinstance(value, str):
            raise _refuse(name, value, "a text")
        return legible(value)[:most]

    return check


def one_of(registry: Mapping[str, Any]) -> Check:
    def check(name: str, value: Any) -> str:
        lookup(registry, name, value)
        return value

    return check


def mapping(of: Check, most: int = 20) -> Check:
    """Up to `most` names with a value each."""

    def check(name: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict) or len(value) > most:
            raise _refuse(name, value, f"a mapping of up to {most} names")
        return {text(80)(name, key): of(f"{name}, {key!r}", item) for key, item in value.items()}

    return check


def record(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """Fields by name, in the order in which they are given; others are passed over."""

    def check(name: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _refuse(name or "it", value, "a mapping")
        if missing := [key for key in required if key not in value]:
            raise ValueError(f"{name or 'it'} has no {missing[0]}")
        fields = {**required, **(optional or {})}
        return {key: fields[key](f"{name} {key}".strip(), value[key]) for key in value if key in fields}

    return check


def time(name: str, value: Any) -> str:
    """A time as ISO 8601 has it, in this century, which is what calendars of other formats know."""
    try:
        if 2000 <= datetime.fromisoformat(value).year < 2100:
            return value
    except (TypeError, ValueError):
        pass
    raise _refuse(name, value, "a time such as 2026-11-22T09:30:01+00:00, from 2000 to 2099")


def settings(kind: type, check: Callable[[Any], None], later: Collection[str] = ()) -> Check:
    """A configuration.

    Args:
        kind: a dataclass with a `from_dict` that checks its numbers' bounds.
        check: refuses what cannot work together, and unknown names.
        later: settings that older files lack; there they have their defaults.
    """

    def read(name: str, values: Any) -> Any:
        if not isinstance(values, dict):
            raise _refuse(name, values, "a mapping of settings")
        for field in dataclasses.fields(kind):
            if field.name not in values and field.name not in later:
                raise ValueError(f"{name} has no {field.name}")
            value, default = values.get(field.name, field.default), field.default
            types = {str: str, bool: bool, tuple: list | tuple}.get(type(default), int | float)
            if not isinstance(value, types):
                raise _refuse(field.name, value, f"of the kind of {default!r}")
        config = kind.from_dict(values)
        check(config)
        return config

    return read


def _shape(name: str, value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or len(value) != 3:
        raise _refuse(name, value, "height, width and channels")
    return tuple(whole(0, most)(name, size) for size, most in zip(value, (256, 256, 3), strict=True))


def _origin(name: str, value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    origin = record({"run": text(80), "step": lambda name, step: step if step == "end" else _STEP(name, step)})(name, value)
    if not NAME.fullmatch(origin["run"]):
        raise _refuse(f"{name} run", origin["run"], "a run's name")
    return origin


_STEP = whole(0, 10**9)
_ERROR, _DECIBEL = number(0, 1e30), number(-400, PSNR_CAP)
_FIGURES = dict.fromkeys([*METRICS, "luma", "chroma", "chroma_grey", "chroma_mean"], _ERROR) | {
    "psnr": _DECIBEL, "psnr_grey": _DECIBEL, "psnr_mean": _DECIBEL, "ssim": number(-1, 1), "hue_near": number(0, 1),
    "hue_error": number(0, 180), **dict.fromkeys(ELBO, number(-1e30, 1e30)), "num_images": whole(1, 10**7),
}  # fmt: skip

SECONDS = number(0, 1e9)

_COMMON = {
    "state": one_of(STATES), "message": text(2000), "step": _STEP, "num_steps": _STEP, "owner": text(80),
}  # fmt: skip

LATER = ("output", "pretraining", "beta", "beta_warmup", "k", "k_start", "alpha", "pretraining_kind")
"""Settings that older runs do not have; they are what their defaults say."""

RUN = record(
    {
        "config": settings(RunConfig, validation.check, later=LATER),
        "image_shape": _shape,
        "code_size": whole(0, 10**7),
        "parameters": whole(0, 10**9),
        "metrics": mapping(record({"mse": _ERROR}, _FIGURES)),
        "num_train": whole(1, int(BOUNDS["num_train"].high)),
        "epochs": whole(0, 10**6),
        "seconds": SECONDS,
        "created": time,
        "versions": mapping(text(80)),
    },
    {**_COMMON, "origin": _origin},
)
"""Every field of a network's `run.json`; `runs.Run` says what each is."""

_SHARE = number(0, 1)
_SCORES = record({"size": whole(1, 10**7), "error": _SHARE}, {"few_error": _SHARE, "same_error": _SHARE})
_MISREAD = {
    **dict.fromkeys(ARMS, _SHARE),
    "features": record({"labels": whole(1, 60_000), **dict.fromkeys(FEATURES, _SCORES)}),
}

_CONFIG = settings(StackConfig, validation.check_stack)
STACK = record({"config": _CONFIG, **_COMMON, "seconds": SECONDS, "created": time, "figures": record({}, _MISREAD)})
"""Every field of a stack's `run.json`; `runs.StackRun` says what each is."""


def run_fields(content: bytes) -> tuple[str, dict[str, Any]]:
    """A run's kind and the fields of its `run.json`, all of them checked, and against one another.

    Raises:
        Exception: of any kind, for damage comes in more kinds than can be listed; `reason` has its words.
    """
    values = json.loads(content)
    if not isinstance(values, dict):
        raise _refuse("it", values, "a mapping")
    if values["format"] != FORMAT:
        raise ValueError(f"it has format {values['format']!r}, and this program reads format {FORMAT}")
    kind = values.get("kind", "network")
    fields = lookup({"network": _network, "stack": _stack}, "kind of run", kind)(values)
    whole(1, 10**9)("num_steps", fields["num_steps"])
    whole(0, fields["num_steps"])("step", fields["step"])
    return kind, fields


def _stack(values: dict[str, Any]) -> dict[str, Any]:
    fields = STACK("", values)
    if fields["state"] == "finished":
        record(_MISREAD)("figures", fields["figures"])
    return fields


def _network(values: dict[str, Any]) -> dict[str, Any]:
    """Those of a network's run; those that came later, and that have no defaults in `Run`, have theirs."""
    fields = RUN("", values)
    epochs, images = num_epochs(fields["config"]), fields["num_train"]
    steps = epochs * (images // min(fields["config"].batch_size, images))
    fields = {"state": "finished", "step": steps, "num_steps": steps, **fields}
    whole(0, epochs)("epochs", fields["epochs"])
    if fields["step"] and not all([*fields["image_shape"], fields["code_size"]]):
        raise ValueError("it is trained, but its images or its code have no size")
    if fields["step"] and fields["image_shape"][2] == 2:
        raise ValueError("its images have 2 channels, and images have 1 or 3")
    return fields


def columns(content: bytes, epochs: int) -> dict[str, np.ndarray]:
    """The columns of a `history.csv`, each `(epochs,)` float64, {} before the first epoch; later lines are left out.

    Raises:
        Exception: of any kind, as `run_fields`.
    """
    head, *lines = list(csv.reader(io.StringIO(content.decode()))) or [[]]
    if not epochs:
        return {}
    if len(lines) < epochs:
        raise ValueError(f"it has {len(lines)} epochs, and the run {epochs}")
    if tuple(head) not in [(*COLUMNS, *more) for more in MORE_COLUMNS]:
        raise ValueError(f"its first line is {','.join(head)!r}, not {','.join(COLUMNS)!r}")
    table = {key: np.empty(epochs) for key in head}
    for row, line in enumerate(lines[:epochs]):
        for key, cell in zip(head, line, strict=True):
            table[key][row] = float(cell)
            if not math.isfinite(table[key][row]):
                raise ValueError(f"{key} of line {row + 1} is {cell}")
    if not np.array_equal(table["epoch"], np.arange(1, epochs + 1)):
        raise ValueError(f"its epochs are not 1 to {epochs}")
    return table
