"""`python -m cae_core doctor`: whether the app will work on this machine, and what to do where it will not."""

import argparse
import dataclasses
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cae_core import runs, runtime
from cae_core.cli.terminal import Bar
from cae_core.config import Bounds
from cae_core.datasets import DATASETS, DataError, folders, load
from cae_core.runs import storage
from cae_core.runtime import host, keras_settings, memory, packages

PORTS = Bounds(1, 65_535, integer=True)
ROOM = 200
"""Megabytes of disk that a few runs take."""
KERAS = {"backend": "tensorflow", "floatx": "float32", "image_data_format": "channels_last", "policy": "float32"}
"""Settings that every network here is made for."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """What was looked at, whether the app will work with it as it is, how it is, and what to do, or could be done."""

    about: str
    works: bool
    text: str
    advice: str = ""


def add(commands: Any) -> None:
    """Adds the command's arguments."""
    command = commands.add_parser("doctor", help="whether the app will work on this machine, and what to do")
    default = os.environ.get("STREAMLIT_SERVER_PORT", "8501")
    command.add_argument("--port", default=default, metavar="X", help=f"where the app is to listen; default: {default}")
    command.set_defaults(carry_out=run)


def run(args: argparse.Namespace, bar: Bar) -> dict[str, Any]:
    """Looks at everything; returns what `--json` prints, whose "works" says whether all of it will work."""
    port = PORTS.check("port", args.port)
    required = packages.required(packages.REQUIREMENTS.read_text(encoding="utf-8"))
    findings = [of_python(platform.python_version())]
    findings += [of_package(name, bounds, packages.version(name)) for name, bounds in required.items()]
    findings.append(of_memory(memory.available(), memory.available_addresses()))
    findings.append(of_training(*_asked_of_host(), memory.available()))
    findings.append(of_runs(runs.runs_dir(), *_try(runs.runs_dir())))
    sets = [of_data_set(name, *_look_for(name)) for name in DATASETS]
    tried = {folder: _try(folder)[0] for folder in folders.roots()}
    findings += [*sets, of_downloads(tried, [name for name, entry in DATASETS.items() if not entry.on_machine()])]
    if all(finding.works for finding in findings if finding.about in ("tensorflow", "memory")):
        bar(0, "loading TensorFlow")
        findings.append(of_keras(*_load_keras(), _wishes()))
        bar.clear()
    findings.append(of_port(port, *_listen(port)))
    for finding in findings:
        bar.say(f"{'ok   ' if finding.works else 'FAULT'} {finding.about}: {finding.text}")
        if finding.advice:
            bar.say(f"      → {finding.advice}")
    faults = [finding.about for finding in findings if not finding.works]
    bar.say(f"Will not work as it is: {', '.join(faults)}." if faults else "Everything will work.")
    return {"works": not faults, "findings": [dataclasses.asdict(finding) for finding in findings]}


def of_python(version: str) -> Finding:
    """Of Python's version."""
    works = packages.allows(packages.PYTHON, version)
    return Finding("python", works, version, "" if works else "use Python 3.11, 3.12 or 3.13")


def of_package(name: str, bounds: str, version: str | None) -> Finding:
    """Of a package, the versions that `requirements.txt` allows, and the one that is installed, if any."""
    works = version is not None and packages.allows(bounds, version)
    return Finding(name, works, f"{version or 'not installed'}, wanted {bounds}", "" if works else packages.MENDED)


def of_memory(free: float | None, reserved: float | None) -> Finding:
    """Of the megabytes and addresses that are free, None where nobody can tell."""
    short = memory.shortage(free, reserved)
    text, _, advice = short.partition(": trained networks can still be looked at. ")
    if short:
        return Finding("memory", False, f"{text}; trained networks can still be looked at", advice)
    return Finding("memory", True, "nobody can tell how much" if free is None else f"{free:,.0f} MB are free")


def of_training(problem: str, workers: int, free: float | None) -> Finding:
    """Of what the environment asks of this host, why that cannot be, how much is trained at once, the megabytes free."""
    if problem:
        text, _, advice = problem.partition(": ")
        return Finding("training", False, text, advice)
    text, needed = f"{workers} run{'s' * (workers > 1)} at a time", workers * memory.NEEDED
    if workers == 1 or free is None or free >= needed:  # of one, "memory" says it
        return Finding("training", True, text)
    return Finding("training", False, f"{text} need about {needed:,} MB, and {free:,.0f} MB are free", "lower CAE_WORKERS")


def of_runs(folder: Path, error: OSError | None, free: float) -> Finding:
    """Of the runs' folder, the disk's answer to a file there, and the megabytes that are free."""
    if error is not None:
        return Finding("runs", False, f"{folder} takes no file ({error.strerror or error})", storage.advice(error))
    works = free >= ROOM
    advice = "" if works else "free some space, or set CAE_RUNS_DIR to a folder on another disk"
    return Finding("runs", works, f"{folder} can be written to, {free:,.0f} MB are free", advice)


def of_data_set(name: str, on_machine: bool, problem: str) -> Finding:
    """Of a data set, whether its files are there, and why they cannot be read."""
    if problem:
        text, _, advice = problem.partition(". ")
        return Finding(f"data set {name}", False, text, advice)
    if on_machine:
        return Finding(f"data set {name}", True, "can be read")
    fetch = f"to get it: `python -m cae_core train --dataset {name} --download`"
    return Finding(f"data set {name}", True, f"not in {folders.places()}; what needs none of it works", fetch)


def of_downloads(tried: Mapping[Path, OSError | None], absent: list[str]) -> Finding:
    """Of the folders for data sets, the disk's answer to a file in each, and the data sets that are not there."""
    folder = next((folder for folder, error in tried.items() if error is None), None)
    if folder:
        return Finding("downloads", True, f"go to {folder}")
    text = f"{' or '.join(map(str, tried))} takes no file" if tried else "no folder takes a file"
    if not absent:
        return Finding("downloads", True, f"{text}, and every data set is there")
    return Finding(
        "downloads", False, f"{text}, so {', '.join(absent)} cannot be got", "set CAE_DATA_DIR to a folder you may write to"
    )


def of_keras(settings: Mapping[str, str], problem: str, wishes: Mapping[str, str]) -> Finding:
    """Of the settings that Keras has here once loaded, why it was not, and what its user has set for other programs."""
    if problem:
        text, _, advice = problem.partition(": ")
        return Finding("keras", False, text, advice)
    text = ", ".join(f"{name} {value}" for name, value in settings.items())
    others = {name: value for name, value in wishes.items() if value != KERAS.get(name, value)}
    if others:
        text += (
            f"; {', '.join(f'{name} {value}' for name, value in others.items())}, set for other programs, counts not here"
        )
    wrong = {name: value for name, value in KERAS.items() if settings.get(name) != value}
    wanted = ", ".join(f"{name} {value}" for name, value in wrong.items())
    advice = f"the networks need {wanted}: {packages.MENDED}" if wrong else ""
    return Finding("keras", not wrong, text, advice)


def of_port(port: int, error: OSError | None, is_streamlit: bool, other: int) -> Finding:
    """Of the port, what the system answers to a program that would listen there, who does, and one that is free."""
    if error is None:
        return Finding("port", True, f"{port} is free")
    use = f"`streamlit run app.py --server.port {other}`"
    if is_streamlit:
        text, advice = "is taken by a Streamlit app", f"open http://localhost:{port}, or start another: {use}"
    else:
        text, advice = f"cannot be listened at ({error.strerror or error})", f"start the app at another: {use}"
    return Finding("port", False, f"{port} {text}", advice)


def _asked_of_host() -> tuple[str, int]:
    """Why what the environment asks of this host cannot be, "" if it can, and how many runs are trained at once."""
    try:
        host.check()
        return "", host.workers()
    except ValueError as error:
        return str(error), 0


def _try(folder: Path) -> tuple[OSError | None, float]:
    """The disk's answer to a file in a folder, or where that would be made; and the megabytes that are free."""
    place = next(path for path in (folder.absolute(), *folder.absolute().parents) if os.path.lexists(path))
    try:
        tempfile.TemporaryFile(dir=place).close()
        return None, shutil.disk_usage(place).free / 1e6
    except OSError as error:
        return error, 0.0


def _look_for(name: str) -> tuple[bool, str]:
    """Whether a data set is on this machine, and why its test images cannot be read, "" if they can."""
    if not DATASETS[name].on_machine():
        return False, ""
    try:
        load(name, "test")
    except DataError as error:
        return True, str(error)
    return True, ""


def _wishes() -> dict[str, str]:
    """Settings of Keras that its user has made, in `keras.json` and in the environment, where they can be read."""
    try:
        file = Path(keras_settings.users_home()).expanduser() / "keras.json"
        fields = json.loads(storage.read(file))
        wishes = {name: str(fields[name]) for name in KERAS if name in fields}
    except (OSError, ValueError, TypeError):
        wishes = {}
    backend = os.environ.get("KERAS_BACKEND")
    return wishes | ({"backend": backend} if backend else {})


def _load_keras() -> tuple[dict[str, str], str]:
    """The settings of Keras once it is loaded, and why it could not be; by a process of its own, which may crash."""
    call = f"from {__name__} import print_settings; print_settings()"
    done = subprocess.run(
        [sys.executable, "-c", call], cwd=packages.REQUIREMENTS.parent, capture_output=True, encoding="utf-8",
        errors="replace", timeout=2 * runtime.LOADING,
    )  # fmt: skip
    try:
        settings, problem = json.loads(done.stdout.splitlines()[-1])
        return settings, problem
    except (ValueError, IndexError):
        end = f"signal {-done.returncode}" if done.returncode < 0 else (done.stderr.splitlines() or ["no word"])[-1]
        advice = "a processor without AVX, or too little memory, ends it so; trained networks can still be looked at"
        return {}, f"Loading TensorFlow ended the program ({end}): {advice}"


def print_settings() -> None:
    """Loads Keras, and prints its settings and why it could not be loaded, "" if it was, as JSON."""
    try:
        runtime.ready(runtime.LOADING)
        import keras

        values = (keras.config.backend(), keras.config.floatx(), keras.config.image_data_format())
        print(json.dumps([dict(zip(KERAS, (*values, keras.config.dtype_policy().name), strict=True)), ""]))
    except RuntimeError as error:
        print(json.dumps([{}, str(error)]))


def _listen(port: int) -> tuple[OSError | None, bool, int]:
    """What the system answers to a program that listens at a port, whether a Streamlit app does, and one that is free."""
    with socket.socket() as here, socket.socket() as elsewhere:
        if os.name == "posix":  # what was closed a moment ago is free; elsewhere this would take a port from who has it
            here.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            here.bind(("", port))
            here.listen()
            return None, False, port
        except OSError as error:
            elsewhere.bind(("", 0))
            return error, _is_streamlit(port), elsewhere.getsockname()[1]


def _is_streamlit(port: int) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"http://127.0.0.1:{port}/_stcore/health", timeout=2) as answer:
            return answer.read(9) == b"ok"
    except (OSError, ValueError):
        return False
