"""`python -m cae_core pretrain`: makes the runs that ship with the app."""

from __future__ import annotations

import argparse
import fnmatch
from typing import Any

from cae_core import pretrained
from cae_core.cli import options, prepare
from cae_core.cli.progress import Bar
from cae_core.config import lookup


def add(commands: Any) -> None:
    """Adds the command's arguments."""
    command = commands.add_parser("pretrain", help="make the runs that ship with the app; continues where it stopped")
    command.add_argument("names", nargs="*", help="names or patterns such as 'mnist-*'; default: all")
    command.add_argument("--force", action="store_true", help="make them again even if they are there")
    options.add_download(command)
    command.set_defaults(carry_out=run)


def run(args: argparse.Namespace, bar: Bar) -> dict[str, Any]:
    """Trains what is missing; returns what `--json` prints."""
    for name in args.names:
        if not any(c in name for c in "*?["):
            lookup(pretrained.SHIPPED, "pretrained run", name)
    names = [n for n in pretrained.SHIPPED if not args.names or any(fnmatch.fnmatch(n, p) for p in args.names)]
    if not names:
        raise ValueError(f"No pretrained run matches {' '.join(args.names)}: try 'mnist-*' or 'strokes-b32-bce-clean'.")
    trained, kept = [], []
    prepare.load_tensorflow(bar)
    for number, name in enumerate(names, 1):
        if not args.force and pretrained.is_made(name):
            kept.append(name)
            continue
        prepare.fetch(args, bar, pretrained.SHIPPED[name].dataset)
        finished = pretrained.make(name, bar.on_event(f"{number}/{len(names)} {name}"))
        bar.say(f"{name}: {options.errors(finished.metrics)}")
        trained.append(name)
    bar.say(f"{len(trained)} made, {len(kept)} were there already")
    return {"made": trained, "kept": kept}
