"""`python -m cae_core reproduce`: trains what published figures are about and compares."""

import argparse
import dataclasses
from typing import Any

from cae_core.cli import options, prepare
from cae_core.cli.terminal import Bar
from cae_core.config import lookup
from cae_core.reproduction import registry, results, run_card
from cae_core.reproduction.claims import ORIGINS, UNITS, verdict
from cae_core.reproduction.run_card import SEEDS


def add(commands: Any) -> None:
    """Adds the command's arguments."""
    command = commands.add_parser(
        "reproduce", help="train the runs behind a published figure and compare; continues where it stopped"
    )
    command.add_argument("cards", nargs="*", metavar="card", help=f"{options.allowed(registry.CARDS)}; default: all")
    command.add_argument(
        "--seeds", type=int, metavar="N", help=f"{options.allowed(SEEDS)}; default: as many as the card says"
    )
    command.add_argument("--ship", action="store_true", help="keep the result in pretrained/, for the app to show")
    options.add_download(command)
    command.set_defaults(carry_out=run)


def run(args: argparse.Namespace, bar: Bar) -> dict[str, Any]:
    """Trains and measures card by card; returns what `--json` prints."""
    cards = {name: lookup(registry.CARDS, "reproduction", name) for name in args.cards or registry.CARDS}
    reproduced = {}
    for name, card in cards.items():
        for config in card.runs.values():
            prepare.fetch(args, bar, config.dataset)
        prepare.load_tensorflow(bar)
        result = run_card.reproduce(name, args.seeds, lambda run, event: bar.on_event(run)(event))
        if args.ship:
            results.ship(name, result)
        for claim in card.claims:
            value = result.means[claim.label]
            target = "" if claim.figure is None else f", {ORIGINS[claim.origin]} {claim.figure:g}"
            outcome = verdict(card, claim, value, result.means)
            bar.say(f"{name}, {claim.label}: {value:.5g} {UNITS[claim.metric]}{target}: {outcome}")
        reproduced[name] = dataclasses.asdict(result)
    return reproduced
