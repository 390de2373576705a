"""All benchmarks, one after another, each in a process of its own.

    python -m tests.benchmarks [NAME ...] [--quick] [--json] [--rounds 5 and so on]

Each says its figures, and which bars it misses: what has one may at most reach it. With --json, one JSON object: what each
measured by name, and the machine.
"""

import argparse
import importlib
import json
import subprocess
import sys

from tests.benchmarks import machine

BENCHMARKS: dict[str, tuple[str, dict, dict]] = {
    "quality": ("time until a denoiser is as good as the published recipe", {"rounds": 3}, {"rounds": 1}),
    "deadlines": ("how good runs are after so many seconds", {"rounds": 3}, {"rounds": 1}),
    "overhead": ("the app's trainer beside a bare loop and Keras's fit", {"rounds": 5}, {"rounds": 2}),
    "looking": ("first picture beside an empty Streamlit page, and the server's memory", {"rounds": 5}, {"rounds": 2}),
    "hand": (
        "from a hand's move to new pixels: sliders, strokes, and from page to page",
        {"moves": 40, "strokes": 20, "rounds": 5},
        {"moves": 12, "strokes": 6, "rounds": 2},
    ),
    "visitors": (
        "twenty visitors at once, and what one more costs", {"visitors": 20, "seconds": 60.0}, {"seconds": 10.0}
    ),
    "classroom": (
        "a class on a cold server: link, sliders, pages, Train, and a restart with all of them there",
        {"visitors": 30, "seconds": 20.0}, {"visitors": 6, "seconds": 6.0},
    ),
    "hour": ("what an hour of mixed use leaves in the server's memory", {"visitors": 60}, {"visitors": 15}),
    "growth": ("how cost grows with size", {"steps": 60, "picture": ""}, {"steps": 10}),
    "sweeping": ("a grid by two workers beside one, and what an engine costs a run", {"size": 8}, {"size": 4}),
    "strokes_to_mnist": ("how near drawn digits are to real ones", {"seed": 0, "validation": False}, {}),
}  # fmt: skip
"""What each measures, its options with their defaults, and those that are others with --quick."""
MODULES = {"deadlines": "quality"}
"""Where a benchmark is that has no module of its own."""


def show(values: dict, indent: str = "  ") -> None:
    """Prints figures, a line each; those within others farther in."""
    for name, value in values.items():
        if isinstance(value, dict) and any(isinstance(inner, dict) for inner in value.values()):
            print(f"{indent}{name}:")
            show(value, indent + "  ")
        else:
            row = ", ".join(f"{key} {of}" for key, of in value.items()) if isinstance(value, dict) else value
            print(f"{indent}{name}: {row}", flush=True)


def run(name: str, options: dict) -> dict:
    """What one benchmark measures in this process: its figures, and the bars that it misses."""
    values, bars = getattr(importlib.import_module(f"tests.benchmarks.{MODULES.get(name, name)}"), name)(**options)
    missed = {what: f"{value:.5g}, at most {bar:.5g} wanted" for what, (value, bar) in bars.items() if not value <= bar}
    return {"figures": values, "missed": missed}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="fewer repetitions of each")
    parser.add_argument("--json", action="store_true", help="print only JSON")
    for option, default in {key: value for _, more, _ in BENCHMARKS.values() for key, value in more.items()}.items():
        how = {"action": "store_true", "default": None} if default is False else {"type": type(default)}
        parser.add_argument(f"--{option}", **how)
    chosen = parser.parse_args()
    if odd := [name for name in chosen.names if name not in BENCHMARKS]:
        parser.error(f"no benchmark {odd[0]!r}: choose of {', '.join(BENCHMARKS)}")
    results, names = {}, chosen.names or list(BENCHMARKS)
    for name in names:
        what, defaults, quick = BENCHMARKS[name]
        given = {key: value for key in defaults if (value := getattr(chosen, key)) is not None}
        if len(names) == 1:
            results[name] = run(name, defaults | (quick if chosen.quick else {}) | given)
        else:
            words = [word for key, value in given.items() for word in (f"--{key}", str(value)) if value is not True]
            words += [f"--{key}" for key, value in given.items() if value is True] + ["--quick"] * chosen.quick
            command = [sys.executable, "-m", "tests.benchmarks", name, "--json", *words]
            done = subprocess.run(command, stdout=subprocess.PIPE, encoding="utf-8")
            failed = {"figures": {}, "missed": {"the whole": f"exit status {done.returncode}"}}
            results |= json.loads(done.stdout)["measured"] if done.stdout else {name: failed}
        if not chosen.json:
            print(f"\n## {name}: {what}")
            show(results[name])
    if chosen.json:
        print(json.dumps({"measured": results, "machine": machine.here()}))
    else:
        show({"machine": machine.here()}, "")
    return 1 if any(result["missed"] for result in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
