"""Damage to the files of a run or a stack, always the same: every field by every wrong value, flipped bits, odd files."""

from __future__ import annotations

import io
import itertools
import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

WRONG = [
    "null", "true", "-1", "0", "3", "0.5", "1e999", "-1e999", "NaN", "1" + 30 * "0", 5000 * "9", '""', '"x"', '"end"',
    '"5"', '"\\ud800"', '"\\u0000\\u202e"', '"0001-01-01T00:00:00+23:59"', '"9999-12-31T23:59:59-23:59"', '"../../etc"',
    json.dumps(200_000 * "a"), "[]", "[[[3]]]", "[5, 5]", '["bce"]', "{}", '{"a": {"b": null}}', 1100 * "[" + 1100 * "]",
    '{"mre": 0.1, "num_images": 5}',
]  # fmt: skip
"""In the place of a value, as JSON."""

CELLS = ["", "nan", "1e999", "x", "-1", "1,2", 200_000 * "1", '"', "\0", "²"]
"""In the place of a cell of a table."""

Damage = tuple[str, Callable[[Path], None]]
"""What it is, and what does it to a folder."""


def _written(file: str, content: bytes) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / file).unlink()  # it may be a link to the sound one's
        (folder / file).write_bytes(content)

    return damage


def of_fields(file: str, content: bytes) -> Iterator[Damage]:
    """Of a JSON file."""
    paths = list(_paths(json.loads(content)))
    for path, wrong in itertools.product(paths, [None, *WRONG]):
        values = json.loads(content)
        *above, last = path
        place = values
        for key in above:
            place = place[key]
        if wrong is None:
            del place[last]
        else:
            place[last] = "@here@"
        text = json.dumps(values).replace('"@here@"', wrong or "")
        yield f"{file} {path}: {(wrong or 'gone')[:30]}", _written(file, text.encode())
    for wrong in WRONG:
        yield f"{file}: {wrong[:30]}", _written(file, wrong.encode())


def _paths(values, path=()) -> Iterator[tuple]:
    for key, value in values.items() if isinstance(values, dict) else enumerate(values):
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from _paths(value, (*path, key))


def of_cells(file: str, content: bytes) -> Iterator[Damage]:
    """Of a table."""
    rows = [line.split(",") for line in content.decode().splitlines()]
    for i, row in enumerate(rows):
        for j in range(len(row)):
            for cell in CELLS:
                changed = [[cell if (i, j) == (a, b) else old for b, old in enumerate(line)] for a, line in enumerate(rows)]
                text = "\n".join(map(",".join, changed)) + "\n"
                yield f"{file} line {i}, {row[j]}: {cell[:10]!r}", _written(file, text.encode())
        yield f"{file} without line {i}", _written(file, "\n".join(map(",".join, rows[:i] + rows[i + 1 :])).encode())


def of_arrays(file: str, content: bytes) -> Iterator[Damage]:
    """Of an archive."""
    arrays = dict(np.load(io.BytesIO(content)))
    changes = {
        "gone": None, "text": np.array(["a", "b"]), "empty": np.zeros(0), "a number": np.float32(3),
        "more": np.zeros((2, 3, 4)), "an object": np.array([{}], object), "huge": np.full(3, 10**18),
        "a date": np.array(["2026"], "M8[D]"),
    }  # fmt: skip
    for name, (what, array) in itertools.product(arrays, [*changes.items(), ("nan", None), ("negative", None)]):
        changed = {**arrays, name: array}
        if what == "gone":
            del changed[name]
        elif what == "nan":
            changed[name] = np.full(arrays[name].shape, np.nan, "float32")
        elif what == "negative":
            changed[name] = np.negative(arrays[name])
        packed = io.BytesIO()
        np.savez(packed, **changed)
        yield f"{file} {name}: {what}", _written(file, packed.getvalue())


def of_bytes(file: str, content: bytes, rng: np.random.Generator, count: int) -> Iterator[Damage]:
    """Flipped bits and lost ends of any file."""
    for number in range(count if content else 0):
        changed = bytearray(content)
        if number % 3:
            for place in rng.integers(0, len(content), 1 + number % 4):
                changed[place] ^= 1 << int(rng.integers(8))
        else:
            del changed[int(rng.integers(len(content))) :]
        yield f"{file} changed, {number}", _written(file, bytes(changed))


def odd(file: str) -> Iterator[Damage]:
    """Something else in a file's place."""

    def put(make: Callable[[Path], None]) -> Callable[[Path], None]:
        def damage(folder: Path) -> None:
            if (folder / file).is_dir():
                shutil.rmtree(folder / file)
            (folder / file).unlink(missing_ok=True)
            make(folder / file)

        return damage

    def enlarge(path: Path) -> None:
        with path.open("wb") as made:
            made.truncate(80_000_000)

    makes = {
        "nothing": lambda path: None, "a pipe": os.mkfifo, "a socket": lambda path: os.mknod(path, stat.S_IFSOCK | 0o600),
        "a folder": Path.mkdir, "a link to a device": lambda path: path.symlink_to("/dev/zero"), "80 MB": enlarge,
        "a link to itself": lambda path: path.symlink_to(path),
        "a link to nowhere": lambda path: path.symlink_to("nowhere"),
    }  # fmt: skip
    for what, make in makes.items():
        yield f"{what} as {file}", put(make)


def of_folder(folder: Path, flips: int, seed: int = 0) -> list[Damage]:
    """All damage to the files of a folder, with so many of flipped bits each."""
    rng = np.random.default_rng(seed)
    every: list[Damage] = []
    kinds = {".json": of_fields, ".csv": of_cells, ".npz": of_arrays}
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "lock"):
        file, content = str(path.relative_to(folder)), path.read_bytes()
        every += kinds[path.suffix](file, content) if path.suffix in kinds else ()
        every += of_bytes(file, content, rng, flips)
        every += odd(file)
    return [*every, *odd("lock"), *odd("title.txt"), *odd("weights")]


def _link(source: str, target: str) -> None:
    """No copy: nothing writes into a file that is there, but for the lock, which would be held in all folders at once."""
    (shutil.copyfile if source.endswith("lock") else os.link)(source, target)


def folders(source: Path, damages: list[Damage], target: Path) -> dict[str, str]:
    """A damaged copy of a run for each, in `target`; what is damaged, by the copies' names."""
    made = {}
    for number, (what, damage) in enumerate(damages):
        name = f"{source.name}-{number:05d}"
        shutil.copytree(source, target / name, copy_function=_link)
        damage(target / name)
        made[name] = what
    return made


def drive(one, until: int) -> Path:
    """Trains to a step, which is written down as where it was stopped; at 0 to the end."""
    one.prepare()
    monitor = one.monitor()
    for event in one.events():
        monitor.see(event)
        if event.step == until:
            one.write("stopped")
            break
    one.close()
    return one.path


def sound() -> dict[str, Path]:
    """A finished and a stopped run, and a stack of each kind, in the runs' folder of now; takes seconds with few images."""
    from cae_core.config import RunConfig, StackConfig
    from cae_core.stacking.trainer import StackTrainer
    from cae_core.training.run_trainer import RunTrainer

    run = RunConfig(num_train=100, batch_size=25, epochs=2, bottleneck=2, sparsity=0.1)
    stack = StackConfig(num_train=100, labels=30, maps=(3,), kernels=(3,), epochs=1, batch_size=50, steps=4, hidden=0)
    return {
        "finished": drive(RunTrainer.begin(run, "finished"), 0),
        "stopped": drive(RunTrainer.begin(run, "stopped", "A title"), 6),
        "whole": drive(StackTrainer.begin(stack, "whole"), 0),
        "half": drive(StackTrainer.begin(stack, "half"), 4),
    }
