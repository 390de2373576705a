"""All benchmarks, one after another, each in a process of its own.

    python -m tests.benchmarks [NAME ...] [--quick] [--json]

Each can also be run alone, with options of its own: `python -m tests.benchmarks.NAME --help`. With --json, one JSON object:
what each found by name, and the machine.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

from tests.benchmarks import machine

BENCHMARKS: dict[str, tuple[str, list[str], list[str]]] = {
    "quality": ("time until a denoiser is as good as the published recipe", [], ["--rounds", "1"]),
    "deadlines": ("how good runs are after so many seconds", [], ["--rounds", "1"]),
    "overhead": ("the app's trainer beside a bare loop and Keras's fit", [], ["--rounds", "2"]),
    "looking": ("first picture beside an empty Streamlit page, and the server's memory", [], ["--rounds", "2"]),
    "slider": ("first paint, and from a hand's move to new pixels", ["--while-training"], ["--moves", "12"]),
    "hand": ("from a stroke's end to its picture, and from page to page", [], ["--strokes", "6", "--rounds", "2"]),
    "visitors": ("twenty visitors at once, and what one more costs", [], ["--seconds", "10"]),
    "memory": ("what many runs leave in memory", [], ["--runs", "10"]),
    "hour": ("what an hour of mixed use leaves in the server's memory", [], ["--visitors", "15"]),
    "growth": ("how cost grows with size", [], ["--steps", "10"]),
    "strokes_to_mnist": ("how near drawn digits are to real ones", [], []),
}
"""What each measures, the options it is run with here, and those with --quick."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="fewer repetitions of each")
    parser.add_argument("--json", action="store_true", help="print only JSON")
    options = parser.parse_args()
    if odd := [name for name in options.names if name not in BENCHMARKS]:
        parser.error(f"no benchmark {odd[0]!r}: choose of {', '.join(BENCHMARKS)}")
    found, failed = {}, []
    for name in options.names or BENCHMARKS:
        what, arguments, fewer = BENCHMARKS[name]
        command = [sys.executable, "-m", f"tests.benchmarks.{name}", *arguments]
        command += (fewer if options.quick else []) + ["--json"] * options.json
        if not options.json:
            print(f"\n## {name}: {what}", flush=True)
        done = subprocess.run(command, stdout=subprocess.PIPE if options.json else None, encoding="utf-8")
        if options.json and done.stdout:
            found[name] = json.loads(done.stdout.strip().splitlines()[-1])
        if done.returncode:
            failed.append(name)
    here = machine.here()
    print(json.dumps({"found": found, "missed": failed, "machine": here}) if options.json else f"\n{here}")
    if failed and not options.json:
        print(f"Missed a bar, or could not be run: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
