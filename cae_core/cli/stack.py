"""`python -m cae_core stack`: trains one stack and both classifiers, or makes the label curve again."""

import argparse
import json
from typing import Any

from cae_core import datasets
from cae_core.cli import options, prepare
from cae_core.cli.terminal import Bar
from cae_core.config import ARMS, FEATURES, KERNEL, MAPS, MOST_LAYERS, STACK_BOUNDS, StackConfig, lookup
from cae_core.stacking import label_curve, results
from cae_core.stacking.label_curve import PLAN, SEEDS
from cae_core.stacking.linear_probe import FEW
from cae_core.stacking.phases import StackEvent
from cae_core.stacking.trainer import StackTrainer

EVERY = 50
"""Steps between two lines about the classifiers."""


def add(commands: Any) -> None:
    """Adds the command's arguments."""
    stack = commands.add_parser("stack", help="train stacked autoencoders and a classifier on them, or the label curve")
    each = "; one for all layers, or one for each, as 5,3"
    labels = f"{options.allowed(STACK_BOUNDS['labels'])}; with --curve some of its numbers, separated by commas"
    more = {"maps": options.allowed(MAPS) + each, "kernels": options.allowed(KERNEL) + each, "pooling": "on or off"}
    options.add(stack, StackConfig, {**more, "labels": labels})
    stack.add_argument(
        "--layers",
        type=int,
        metavar="N",
        help=f"1 to {MOST_LAYERS}; default: as many as numbers are given for maps or kernels, else {StackConfig().layers}",
    )
    stack.add_argument("--name", help="what to call the stack; default: made from its settings")
    stack.add_argument("--curve", action="store_true", help="test error against labels, with and without pretraining")
    stack.add_argument(
        "--seeds", type=int, metavar="N", help=f"with --curve: {options.allowed(SEEDS)}; default: {PLAN.seeds}"
    )
    stack.add_argument(
        "--ship", action="store_true", help="with --curve: keep the result in pretrained/, for the app to show"
    )
    options.add_download(stack)
    stack.set_defaults(carry_out=run)


def config_of(args: argparse.Namespace) -> StackConfig:
    """The stack that the arguments ask for.

    Raises:
        ValueError: an argument is out of range or not what it should be.
    """
    given = options.given(args, StackConfig)
    given.setdefault("dataset", datasets.default())
    if "pooling" in given:
        given["pooling"] = lookup({"on": True, "off": False}, "pooling", given["pooling"])
    numbers = {
        name: [part for part in str(given.get(name, getattr(StackConfig(), name)[0])).split(",") if part]
        for name in ("maps", "kernels")
    }
    most = max(map(len, numbers.values()))
    layers = args.layers or (most if most > 1 else StackConfig().layers)
    for name, values in numbers.items():
        if len(values) not in (1, layers):
            raise ValueError(f"{name} has {len(values)} numbers for {layers} layers: give one, or one for each layer.")
        given[name] = tuple(values * (layers if len(values) == 1 else 1))
    return StackConfig(**given)


def run(args: argparse.Namespace, bar: Bar) -> dict[str, Any]:
    """Trains one stack, or makes the label curve; returns what `--json` prints."""
    if args.curve:
        return _curve(args, bar)
    for name in ("seeds", "ship"):
        if getattr(args, name):
            raise ValueError(f"--{name} is about the label curve: add --curve, or leave it out.")
    config = config_of(args)
    prepare.fetch(args, bar, config.dataset)
    return drive(StackTrainer.begin(config, args.name or ""), bar)


def drive(trainer: StackTrainer, bar: Bar) -> dict[str, Any]:
    """Trains a stack to its end; what stops it early leaves one that can be resumed. Returns what `--json` prints."""

    def show(event: StackEvent) -> None:
        stage, done = event.stage, event.step - event.stage.first_step
        bar(event.step / event.num_steps, f"{stage.label}, step {done:,} of {stage.steps:,}")
        if event.ends_stage or done % (EVERY if stage.layer is None else stage.steps_per_epoch) == 0:
            bar.clear()
            losses = ", ".join(f"{loss:.4f}" for loss in event.losses)
            bar.say(f"{stage.label}, step {done} of {stage.steps}: loss {losses}, {event.seconds:.1f} s")

    finished, config = prepare.train(trainer, bar, show), trainer.config
    for arm, label in ARMS.items():
        bar.say(f"{label}: {100 * finished.figures[arm]:.2f} % of the test images misread, after {config.labels} labels")
    _say_features(finished.figures["features"], bar)
    bar.say(f"saved {finished.path}")
    return {"run": finished.name, "path": str(finished.path), "figures": finished.figures, "config": config.to_dict()}


def _say_features(features: dict[str, Any], bar: Bar) -> None:
    """The scores of the encoder as it is, a line a kind."""
    bar.say(f"A linear classifier on the features as they are, {features['labels']} labels, test images misread:")
    for kind, label in FEATURES.items():
        scores = features[kind]
        few = f", {FEW} principal components of them {100 * scores['few_error']:.2f} %" if "few_error" in scores else ""
        if "same_error" in scores:
            few += f", {features['encoder']['size']} of them {100 * scores['same_error']:.2f} %"
        bar.say(f"  {label}, {scores['size']} numbers: {100 * scores['error']:.2f} %{few}")


def _curve(args: argparse.Namespace, bar: Bar) -> dict[str, Any]:
    bounds = STACK_BOUNDS["labels"]
    labels = tuple(bounds.check("labels", part) for part in args.labels.split(",")) if args.labels else None
    plan = label_curve.part(args.seeds, labels)
    if args.ship and (plan.seeds < 5 or set(plan.steps) != set(label_curve.PLAN.steps)):
        raise ValueError("Only the whole curve with at least 5 seeds ships: leave --labels out, and --seeds or --ship.")
    if given := [name for name in options.given(args, StackConfig) if name != "labels"]:
        raise ValueError(f"--{given[0].replace('_', '-')} belongs to a single stack: leave it or --curve out.")
    prepare.fetch(args, bar, plan.config.dataset)
    prepare.load_tensorflow(bar)

    def show(piece: str, event) -> None:
        done = event.step - event.stage.first_step
        bar(done / event.stage.steps, f"{piece}, step {done:,} of {event.stage.steps:,}")
        if event.ends_stage:
            bar.clear()
            bar.say(f"{piece}: {event.stage.steps} steps, {event.seconds:.0f} s")

    result = label_curve.curve(plan, show)
    bar.clear()
    for point in result.points:
        (a, da), (b, db) = point.mean("pretrained"), point.mean("random")
        gain = point.gain
        interval = f"{gain.mean:+.2f} percentage points ({gain.low:+.2f} to {gain.high:+.2f})"
        bar.say(
            f"{point.labels:>6} labels: pretrained {a:.2f} ± {da:.2f} %, random {b:.2f} ± {db:.2f} %; "
            f"pretraining saves {interval}: {point.verdict}"
        )
    for count, kinds in result.features.items():
        for kind, figures in kinds.items():
            errors = ", ".join(f"{k} {100 * sum(v) / len(v):.2f} %" for k, v in figures.items() if k != "size")
            bar.say(f"{count:>6} labels, linear classifier on {kind} ({figures['size'][0]:.0f} numbers): {errors}")
    if args.ship:
        results.ship(result, label_curve.pictures(plan))
        bar.say(f"shipped {results.SHIPPED}")
    return json.loads(result.to_json())
