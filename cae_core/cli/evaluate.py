"""`python -m cae_core evaluate`: measures a run on a whole test split."""

import argparse
from pathlib import Path
from typing import Any

from cae_core import runs
from cae_core.cli import options, prepare
from cae_core.cli.terminal import Bar
from cae_core.config import BOUNDS, lookup
from cae_core.corruptions import CORRUPTIONS
from cae_core.datasets import DATASETS, load
from cae_core.inspection import evaluation


def add(commands: Any) -> None:
    """Adds the command's arguments."""
    evaluate = commands.add_parser("evaluate", help="measure a run on a whole test split")
    evaluate.add_argument("run", help="a run's name, as `list` shows it, or its folder")
    evaluate.add_argument("--dataset", metavar="X", help=f"{options.allowed(DATASETS)}; default: the run's own")
    allowed = {"noise-factor": BOUNDS["noise_factor"], "noise-kind": CORRUPTIONS, "seed": BOUNDS["seed"]}
    for name, values in allowed.items():
        default = "gaussian" if name == "noise-kind" else "0"
        evaluate.add_argument(
            f"--{name}", default=default, metavar="X", help=f"{options.allowed(values)}; default: {default}"
        )
    options.add_download(evaluate)
    evaluate.set_defaults(carry_out=run)


def run(args: argparse.Namespace, bar: Bar) -> dict[str, Any]:
    """Measures; returns what `--json` prints."""
    folder = Path(args.run).resolve()
    trained = runs.network(folder if (folder / "run.json").is_file() else args.run)
    dataset = args.dataset or trained.config.dataset
    lookup(CORRUPTIONS, "noise kind", args.noise_kind)
    factor = BOUNDS["noise_factor"].check("noise_factor", args.noise_factor)
    seed = BOUNDS["seed"].check("seed", args.seed)
    prepare.fetch(args, bar, dataset)
    prepare.load_tensorflow(bar)
    bar(0, f"measuring on the test images of {dataset}")
    figures = evaluation.evaluate(runs.model(trained), load(dataset, "test").x, args.noise_kind, factor, seed)
    bar.clear()
    bar.say(
        f"{trained.name} on {figures['num_images']} test images of {dataset}, {args.noise_kind} {factor:g}: "
        f"MSE {figures['mse']:.5f}, PSNR {figures['psnr']:.2f} dB, SSIM {figures['ssim']:.3f}, BCE {figures['bce']:.4f}"
    )
    if "elbo" in figures:
        bar.say(
            f"evidence lower bound {figures['elbo']:.2f} nats per image, {figures['elbo_per_pixel']:.4f} per pixel: "
            f"distortion {figures['distortion']:.2f}, rate {figures['rate']:.2f}"
        )
    conditions = {"dataset": dataset, "noise_kind": args.noise_kind, "noise_factor": factor, "seed": seed}
    return {"run": trained.name, **conditions, **figures}
