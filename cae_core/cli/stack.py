"""`python -m cae_core stack`: trains one stack and both classifiers, or makes the label curve again."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from cae_core.cli import options
from cae_core.config import lookup
from cae_core.stacking.config import ARMS, KERNEL, MAPS, MOST_LAYERS, STACK_BOUNDS, StackConfig
from cae_core.stacking.label_curve import PLAN, SEEDS

Bar = Callable[[float, str], None]
EVERY = 50
"""Steps between two lines about the classifiers."""


def add(commands: Any) -> argparse.ArgumentParser:
    """The command's arguments."""
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
    stack.add_argument("--name", help="what to call the stack; default: made of its settings")
    stack.add_argument("--curve", action="store_true", help="test error against labels, with and without pretraining")
    stack.add_argument(
        "--seeds", type=int, metavar="N", help=f"with --curve: {options.allowed(SEEDS)}; default: {PLAN.seeds}"
    )
    stack.add_argument(
        "--ship", action="store_true", help="with --curve: keep the result in pretrained/, for the app to show"
    )
    return stack


def config_of(args: argparse.Namespace) -> StackConfig:
    """The stack that the arguments ask for.

    Raises:
        ValueError: an argument is out of range or not what it should be.
    """
    from cae_core import datasets

    given = options.given(args, StackConfig)
    given.setdefault("dataset", datasets.default())
    if "pooling" in given:
        given["pooling"] = lookup({"on": True, "off": False}, "pooling", given["pooling"])
    numbers = {
        name: [part for part in str(given[name]).split(",") if part] for name in ("maps", "kernels") if name in given
    }
    layers = args.layers or max([len(values) for values in numbers.values()] + [1])
    layers = layers if args.layers or any(len(values) > 1 for values in numbers.values()) else StackConfig().layers
    for name in ("maps", "kernels"):
        values = numbers.get(name) or list(getattr(StackConfig(), name)[:1])
        if len(values) not in (1, layers):
            raise ValueError(f"{name} has {len(values)} numbers for {layers} layers: give one, or one for each layer.")
        given[name] = tuple(values * (layers if len(values) == 1 else 1))
    return StackConfig(**given)


def run(args: argparse.Namespace, say: Callable[[str], None], bar: Any, fetch: Callable[[str], None]) -> dict[str, Any]:
    """Does it; returns what `--json` prints.

    Args:
        args: as `add` has them.
        say: shows a line.
        bar: shows how far it is, and has a `clear`.
        fetch: gets a data set, if that is wanted.
    """
    if args.curve:
        return _curve(args, say, bar, fetch)
    for name in ("seeds", "ship"):
        if getattr(args, name):
            raise ValueError(f"--{name} is about the label curve: add --curve, or leave it out.")
    return _stack(args, say, bar, fetch)


def _stack(args, say, bar, fetch) -> dict[str, Any]:
    from cae_core import runtime
    from cae_core.stacking.trainer import StackRecording

    config = config_of(args)
    fetch(config.dataset)
    recording = StackRecording.begin(config, args.name or "")
    try:
        runtime.ready(300.0)
        for event in recording.events():
            done = event.step - event.stage.first_step
            bar(event.step / event.num_steps, f"{event.stage.label}, step {done:,} of {event.stage.steps:,}")
            is_line = event.ends_stage or (event.stage.layer is None and done % EVERY == 0)
            if is_line or (event.stage.layer is not None and done % event.stage.steps_per_epoch == 0):
                bar.clear()
                losses = ", ".join(f"{loss:.4f}" for loss in event.losses)
                say(f"{event.stage.label}, step {done} of {event.stage.steps}: loss {losses}, {event.seconds:.1f} s")
    except FloatingPointError as error:
        recording.fail(str(error))
        raise
    except ValueError:
        if recording.networks is None:
            recording.discard()
        raise
    except KeyboardInterrupt:
        if recording.last:
            recording.write("stopped")
        raise
    finally:
        recording.close()
    for arm, label in ARMS.items():
        say(f"{label}: {100 * recording.figures[arm]:.2f} % of the test images misread, after {config.labels} labels")
    say_features(recording.figures["features"], say)
    say(f"saved {recording.path}")
    return {"stack": recording.name, "path": str(recording.path), "figures": recording.figures, "config": config.to_dict()}


def say_features(found: dict[str, Any], say: Callable[[str], None]) -> None:
    """The scores of the encoder as it is, a line a kind."""
    from cae_core.stacking.linear_probe import FEW, KINDS

    say(f"A linear classifier on the features as they are, {found['labels']} labels, test images misread:")
    for kind, label in KINDS.items():
        one = found[kind]
        few = f", {FEW} principal components of them {100 * one['few_error']:.2f} %" if "few_error" in one else ""
        if "same_error" in one:
            few += f", {found['encoder']['size']} of them {100 * one['same_error']:.2f} %"
        say(f"  {label}, {one['size']} numbers: {100 * one['error']:.2f} %{few}")


def _curve(args, say, bar, fetch) -> dict[str, Any]:
    import json

    from cae_core import runtime
    from cae_core.stacking import label_curve, results

    labels = tuple(_whole("labels", part) for part in args.labels.split(",")) if args.labels else None
    plan = label_curve.part(args.seeds, labels)
    if args.ship and (plan.seeds < 5 or set(plan.steps) != set(label_curve.PLAN.steps)):
        raise ValueError("Only the whole curve with at least 5 seeds ships: leave --labels out, and --seeds or --ship.")
    if given := [name for name in options.given(args, StackConfig) if name != "labels"]:
        raise ValueError(f"--{given[0].replace('_', '-')} is of one stack; the curve has its own: leave it or --curve out.")
    fetch(plan.config.dataset)
    runtime.ready(300.0)

    def show(piece: str, event) -> None:
        done = event.step - event.stage.first_step
        bar(done / event.stage.steps, f"{piece}, step {done:,} of {event.stage.steps:,}")
        if event.ends_stage:
            bar.clear()
            say(f"{piece}: {event.stage.steps} steps, {event.seconds:.0f} s")

    result = label_curve.curve(plan, show)
    bar.clear()
    for point in result.points:
        (a, da), (b, db) = point.mean("pretrained"), point.mean("random")
        gain = point.gain
        interval = f"{gain.mean:+.2f} percentage points ({gain.low:+.2f} to {gain.high:+.2f})"
        say(
            f"{point.labels:>6} labels: pretrained {a:.2f} ± {da:.2f} %, random {b:.2f} ± {db:.2f} %; "
            f"pretraining saves {interval}: {point.verdict}"
        )
    for count, kinds in result.features.items():
        for kind, figures in kinds.items():
            told = ", ".join(f"{k} {100 * sum(v) / len(v):.2f} %" for k, v in figures.items() if k != "size")
            say(f"{count:>6} labels, linear classifier on {kind} ({figures['size'][0]:.0f} numbers): {told}")
    if args.ship:
        results.ship(result, label_curve.pictures(plan))
        say(f"shipped {results.SHIPPED}")
    return json.loads(result.to_json())


def _whole(name: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise ValueError(f"{name} is {value!r}; give whole numbers separated by commas.") from None
