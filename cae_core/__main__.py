"""The command line: `python -m cae_core train | resume | evaluate | pretrain | reproduce | stack | list`, with `--json`."""

from __future__ import annotations

import argparse
import dataclasses
import fnmatch
import json
import sys
from collections.abc import Sequence

from cae_core.cli import options, terminal
from cae_core.cli import stack as stack_command
from cae_core.cli.progress import Bar
from cae_core.config import BOUNDS, RunConfig, lookup
from cae_core.corruptions import CORRUPTIONS
from cae_core.datasets import DATASETS
from cae_core.reproduction.registry import CARDS
from cae_core.reproduction.run_card import SEEDS

WAIT = 300.0
"""Seconds that loading TensorFlow may take, on the slowest disk."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cae_core", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    train = commands.add_parser("train", help="train a network and keep the run")
    options.add(train, RunConfig, {})
    train.add_argument("--name", help="what to call the run; default: made of its settings")

    resume = commands.add_parser("resume", help="go on with a run that was stopped or interrupted")
    resume.add_argument("run", help="the run's name, as `list` shows it")

    evaluate = commands.add_parser("evaluate", help="measure a run on a whole test split")
    evaluate.add_argument("run", help="a run's name, as `list` shows it, or its folder")
    evaluate.add_argument("--dataset", metavar="X", help=f"{options.allowed(DATASETS)}; default: the run's own")
    for name, values, default in (
        ("noise_factor", BOUNDS["noise_factor"], "0"),
        ("noise_kind", CORRUPTIONS, "gaussian"),
        ("seed", BOUNDS["seed"], "0"),
    ):
        about = f"{options.allowed(values)}; default: {default}"
        evaluate.add_argument(f"--{name.replace('_', '-')}", default=default, metavar="X", help=about)

    pretrain = commands.add_parser("pretrain", help="make the runs that ship with the app; goes on where it stopped")
    pretrain.add_argument("names", nargs="*", help="names or patterns such as 'mnist-*'; default: all")
    pretrain.add_argument("--force", action="store_true", help="make them again even if they are there")

    reproduce = commands.add_parser(
        "reproduce", help="train what a published figure is about and compare; goes on where it was"
    )
    reproduce.add_argument("cards", nargs="*", metavar="card", help=f"{options.allowed(CARDS)}; default: all")
    reproduce.add_argument(
        "--fraction", default="1", metavar="X", help="of the epochs, above 0 and at most 1; default: 1, the full length"
    )
    reproduce.add_argument(
        "--seeds", type=int, metavar="N", help=f"{options.allowed(SEEDS)}; default: as many as the card says"
    )
    reproduce.add_argument("--ship", action="store_true", help="keep the result in pretrained/, for the app to show")

    stack = stack_command.add(commands)

    commands.add_parser("list", help="data sets, networks, losses, noises and runs")
    for command in (train, evaluate, pretrain, reproduce, stack):
        command.add_argument("--download", action="store_true", help="fetch the data set if it is not on this machine")
    for command in commands.choices.values():
        command.add_argument("--json", action="store_true", help="one JSON value on standard output")
    return parser


def _fetch(dataset: str, wanted: bool, bar: Bar) -> None:
    entry = lookup(DATASETS, "dataset", dataset)
    if wanted and entry.download and not entry.on_machine():
        entry.download(bar)
        bar.clear()


def _train(args: argparse.Namespace, say) -> dict:
    from cae_core import datasets
    from cae_core.training.run_trainer import Recording, new_name

    config = RunConfig(**{"dataset": datasets.default()} | options.given(args, RunConfig))
    bar = Bar()
    _fetch(config.dataset, args.download, bar)
    return _record(Recording.begin(config, args.name or new_name(config)), bar, say)


def _resume(args: argparse.Namespace, say) -> dict:
    from cae_core import runs
    from cae_core.training.run_trainer import Recording

    return _record(Recording.resume(runs.find(args.run)), Bar(), say)


def _record(recording, bar: Bar, say) -> dict:
    """Drives a recording to its end; what stops it early leaves a run that can be resumed."""
    from cae_core import runtime
    from cae_core.training import driver

    try:
        bar(0, "loading TensorFlow")
        runtime.ready(WAIT)
        run = driver.drive(recording, bar.on_event(recording.name, say))
    except KeyboardInterrupt:
        bar.clear()
        say(f"to go on with it: python -m cae_core resume {recording.name}")
        raise
    finally:
        recording.close()
    say(f"saved {run.path}")
    return {"run": run.name, "path": str(run.path), "epochs": recording.history, "metrics": run.metrics}


def _evaluate(args: argparse.Namespace, say) -> dict:
    from pathlib import Path

    from cae_core import runs, runtime
    from cae_core.corruptions import CORRUPTIONS
    from cae_core.datasets import load
    from cae_core.inspection import evaluation

    folder = Path(args.run).resolve()
    run = runs.read(folder) if (folder / "run.json").is_file() else runs.find(args.run)
    dataset = args.dataset or run.config.dataset
    lookup(CORRUPTIONS, "noise kind", args.noise_kind)
    factor = BOUNDS["noise_factor"].check("noise_factor", args.noise_factor)
    seed = BOUNDS["seed"].check("seed", args.seed)
    bar = Bar()
    _fetch(dataset, args.download, bar)
    bar(0, "loading TensorFlow")
    runtime.ready(WAIT)
    bar(0, f"measuring on the test images of {dataset}")
    figures = evaluation.evaluate(runs.model(run), load(dataset, "test").x, args.noise_kind, factor, seed)
    bar.clear()
    say(
        f"{run.name} on {figures['num_images']} test images of {dataset}, {args.noise_kind} {factor:g}: "
        f"MSE {figures['mse']:.5f}, PSNR {figures['psnr']:.2f} dB, SSIM {figures['ssim']:.3f}, BCE {figures['bce']:.4f}"
    )
    asked = {"run": run.name, "dataset": dataset, "noise_kind": args.noise_kind, "noise_factor": factor, "seed": seed}
    return {**asked, **figures}


def _pretrain(args: argparse.Namespace, say) -> dict:
    from cae_core import pretrained, runtime

    for name in args.names:
        if not any(c in name for c in "*?["):
            lookup(pretrained.SHIPPED, "pretrained run", name)
    wanted = [n for n in pretrained.SHIPPED if not args.names or any(fnmatch.fnmatch(n, p) for p in args.names)]
    if not wanted:
        raise ValueError(f"No pretrained run matches {' '.join(args.names)}: try 'mnist-*' or 'strokes-b32-bce-clean'.")
    bar, made, kept = Bar(), [], []
    runtime.ready(WAIT)
    for number, name in enumerate(wanted, 1):
        if not args.force and pretrained.is_made(name):
            kept.append(name)
            continue
        _fetch(pretrained.SHIPPED[name].dataset, args.download, bar)
        run = pretrained.make(name, bar.on_event(f"{number}/{len(wanted)} {name}", say))
        say(f"{name}: " + ", ".join(f"{label} MSE {m['mse']:.5f}" for label, m in run.metrics.items()))
        made.append(name)
    say(f"{len(made)} made, {len(kept)} were there already")
    return {"made": made, "kept": kept}


def _reproduce(args: argparse.Namespace, say) -> dict:
    from cae_core import runtime
    from cae_core.reproduction import results, run_card
    from cae_core.reproduction.claims import ORIGINS, UNITS, check_fraction, is_full_length, verdict

    cards = {name: lookup(CARDS, "reproduction", name) for name in args.cards or CARDS}
    fraction, bar, made = check_fraction(args.fraction), Bar(), {}
    if args.ship and fraction != 1:  # said before hours of training rather than after
        raise ValueError(f"Only the full length ships, and --fraction is {args.fraction}: leave one of the two out.")
    for name, card in cards.items():
        for config in card.runs.values():
            _fetch(config.dataset, args.download, bar)
        runtime.ready(WAIT)
        shown: dict = {}

        def show(run: str, event, shown=shown) -> None:
            shown.setdefault(run, bar.on_event(run, say))(event)

        result = run_card.reproduce(name, fraction, args.seeds, show)
        if args.ship:
            results.ship(name, result)
        for claim in card.claims:
            if claim.label in result.values:
                value = result.means[claim.label]
                target = "" if claim.figure is None else f", {ORIGINS[claim.origin]} {claim.figure:g}"
                said = verdict(card, claim, value, result.means, is_full_length(card, claim, fraction))
                said = "not the full length, so no verdict" if said == "short" else said
                say(f"{name}, {claim.label}: {value:.5g} {UNITS[claim.metric]}{target}: {said}")
        made[name] = dataclasses.asdict(result)
    return made


def _stack(args: argparse.Namespace, say) -> dict:
    bar = Bar()
    return stack_command.run(args, say, bar, lambda dataset: _fetch(dataset, args.download, bar))


def _list(args: argparse.Namespace, say) -> dict:
    from cae_core import runs
    from cae_core.architectures import ARCHITECTURES
    from cae_core.corruptions import NOISE_KINDS
    from cae_core.losses import LOSSES
    from cae_core.optimizers import OPTIMIZERS, SCHEDULES
    from cae_core.runs import holder

    registries = {
        "datasets": DATASETS, "architectures": ARCHITECTURES, "losses": LOSSES, "noise kinds": NOISE_KINDS,
        "optimizers": OPTIMIZERS, "schedules": SCHEDULES,
    }  # fmt: skip
    listed: dict = {what: {n: e.summary for n, e in registry.items()} for what, registry in registries.items()}
    for what, folder in (("runs", runs.runs_dir()), ("pretrained", runs.PRETRAINED_DIR)):
        found, damaged = runs.every(folder)
        listed[what] = {
            run.name: {
                "config": run.config.to_dict() | {"num_train": run.num_train}, "metrics": run.metrics, "state": run.state
            }
            | ({"by": holder.of(run.path)} if run.state in runs.AT_WORK else {})
            for run in found
        }  # fmt: skip
        if damaged:
            listed[f"damaged {what}"] = damaged
    for what, entries in listed.items():
        say(f"{what}:")
        for name in entries:
            text = entries[name] if isinstance(entries, dict) else ""
            if isinstance(text, dict):
                by = f", trained by {text['by']}" if "by" in text else ""
                unfinished = [] if text["state"] == "finished" else [text["state"] + by]
                text = ", ".join(unfinished + [f"{label} MSE {m['mse']:.5f}" for label, m in text["metrics"].items()])
            say(f"  {name}" + (f" - {text}" if text else ""))
    return listed


COMMANDS = {
    "train": _train,
    "resume": _resume,
    "evaluate": _evaluate,
    "pretrain": _pretrain,
    "reproduce": _reproduce,
    "stack": _stack,
    "list": _list,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit status: 0, 1 for a problem said in one sentence, 130 when interrupted."""
    terminal.write_everything(sys.stdout, sys.stderr)
    args = _parser().parse_args(arguments)
    say = (lambda line: print(line, file=sys.stderr, flush=True)) if args.json else (lambda line: print(line, flush=True))
    try:
        result = COMMANDS[args.command](args, say)
    except (ValueError, FloatingPointError, OSError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    if args.json:
        print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
