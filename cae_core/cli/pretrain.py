"""`python -m cae_core pretrain`: makes the runs and comparisons that ship with the app, and what they show together."""

import argparse
import fnmatch
from typing import Any

from cae_core import comparisons, pretrained
from cae_core.cli import options, prepare
from cae_core.cli.terminal import Bar
from cae_core.comparisons import recipes
from cae_core.config import lookup
from cae_core.sweeps import findings


def add(commands: Any) -> None:
    """Adds the command's arguments."""
    command = commands.add_parser(
        "pretrain", help="make the runs and comparisons that ship with the app; continues where it stopped"
    )
    command.add_argument("names", nargs="*", help="names or patterns such as 'mnist-*'; default: all")
    command.add_argument("--force", action="store_true", help="make them again even if they are there")
    options.add_download(command)
    command.set_defaults(carry_out=run)


def run(args: argparse.Namespace, bar: Bar) -> dict[str, Any]:
    """Trains what is missing; returns what `--json` prints."""
    everything = [*pretrained.SHIPPED, *recipes.SHIPPED, *findings.FILES]
    for name in args.names:
        if not any(c in name for c in "*?["):
            lookup(dict.fromkeys(everything), "pretrained run", name)
    names = [n for n in everything if not args.names or any(fnmatch.fnmatch(n, p) for p in args.names)]
    if not names:
        raise ValueError(f"No pretrained run matches {' '.join(args.names)}: try 'mnist-*' or 'strokes-b32-bce-clean'.")
    trained, kept = [], []
    prepare.load_tensorflow(bar)
    for number, name in enumerate(names, 1):
        maker = comparisons if name in recipes.SHIPPED else findings if name in findings.FILES else pretrained
        if not args.force and maker.is_made(name):
            kept.append(name)
            continue
        on_event = bar.on_event(f"{number}/{len(names)} {name}")
        if compared := recipes.SHIPPED.get(name):
            prepare.fetch(args, bar, compared[0].dataset)
            comparisons.make(name, on_event, args.force)
            bar.say(f"{name}: {len(compared)} runs")
        elif maker is findings:
            prepare.fetch(args, bar, findings.FILES[name])
            findings.make(name)
            bar.say(f"{name}: measured on the runs that ship")
        else:
            prepare.fetch(args, bar, pretrained.SHIPPED[name].dataset)
            bar.say(f"{name}: {options.errors(pretrained.make(name, on_event).metrics)}")
        trained.append(name)
    bar.say(f"{len(trained)} made, {len(kept)} were there already")
    return {"made": trained, "kept": kept}
