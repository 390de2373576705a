"""The command line: `python -m cae_core train|resume|sweep|evaluate|pretrain|reproduce|stack|list|doctor`."""

import argparse
import json
import sys
from collections.abc import Sequence

from cae_core.cli import doctor, evaluate, listing, pretrain, reproduce, stack, sweep, terminal, train
from cae_core.cli.terminal import Bar
from cae_core.runs import old_stacks


def parser() -> argparse.ArgumentParser:
    """All commands, each of which has added its arguments and the function that carries it out."""
    every = argparse.ArgumentParser(prog="python -m cae_core", description=__doc__.splitlines()[0])
    commands = every.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in (train, sweep, evaluate, pretrain, reproduce, stack, listing, doctor):
        module.add(commands)
    for command in commands.choices.values():
        command.add_argument("--json", action="store_true", help="one JSON value on standard output")
    return every


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit status: 0, 1 for a problem or runs not finished, 130 when interrupted."""
    terminal.write_everything(sys.stdout, sys.stderr)
    args = parser().parse_args(arguments)
    bar = Bar(
        (lambda line: print(line, file=sys.stderr, flush=True)) if args.json else (lambda line: print(line, flush=True))
    )
    try:
        if moved := old_stacks.move_in():
            bar.say(moved)
        result = args.carry_out(args, bar)
    except (ValueError, FloatingPointError, OSError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    if args.json:
        print(json.dumps(result))
    return int(bool(result.get("failed") or result.get("left") or not result.get("works", True)))
