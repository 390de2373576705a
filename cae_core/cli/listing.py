"""`python -m cae_core list`: what there is to choose from, and the runs on this machine."""

import argparse
from collections.abc import Mapping
from typing import Any

from cae_core import runs
from cae_core.architectures import ARCHITECTURES
from cae_core.cli import options
from cae_core.cli.terminal import Bar
from cae_core.config import ARMS
from cae_core.corruptions import NOISE_KINDS
from cae_core.datasets import DATASETS
from cae_core.losses import LOSSES
from cae_core.optimizers import OPTIMIZERS, SCHEDULES
from cae_core.runs import holder


def add(commands: Any) -> None:
    """Adds the command, which has no arguments of its own."""
    command = commands.add_parser("list", help="data sets, networks, losses, noises and runs")
    command.set_defaults(carry_out=run)


def run(args: argparse.Namespace, bar: Bar) -> dict[str, Any]:
    """Lists them; returns what `--json` prints."""
    registries = {
        "datasets": DATASETS, "architectures": ARCHITECTURES, "losses": LOSSES, "noise kinds": NOISE_KINDS,
        "optimizers": OPTIMIZERS, "schedules": SCHEDULES,
    }  # fmt: skip
    listed: dict = {what: {n: e.summary for n, e in registry.items()} for what, registry in registries.items()}
    for what, folder in (("runs", runs.runs_dir()), ("pretrained", runs.PRETRAINED_DIR)):
        readable, damaged = runs.every(folder)
        listed[what] = {kept.name: _described(kept) for kept in readable}
        if damaged:
            listed[f"damaged {what}"] = damaged
    for what, entries in listed.items():
        bar.say(f"{what}:")
        for name in entries:
            text = entries[name] if isinstance(entries, dict) else ""
            if isinstance(text, dict):
                by = f", trained by {text['by']}" if "by" in text else ""
                unfinished = "" if text["state"] == "finished" else text["state"] + by
                text = ", ".join(filter(None, ["stack" * (text["kind"] == "stack"), unfinished, _errors(text["metrics"])]))
            bar.say(f"  {name}" + (f" - {text}" if text else ""))
    return listed


def _errors(figures: Mapping[str, Any]) -> str:
    """What came out, of a network or a stack, as people read it."""
    if "features" in figures:
        return ", ".join(f"{100 * figures[arm]:.2f} % misread {label.lower()}" for arm, label in ARMS.items())
    return options.errors(figures)


def _described(kept: runs.AnyRun) -> dict[str, Any]:
    figures, more = (kept.metrics, {"num_train": kept.num_train}) if isinstance(kept, runs.Run) else (kept.figures, {})
    by = {"by": holder.of(kept.path)} if kept.state in runs.AT_WORK else {}
    return {"kind": kept.kind, "config": kept.config.to_dict() | more, "metrics": figures, "state": kept.state} | by
