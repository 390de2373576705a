"""Damage to the files of a run or a stack, always the same: every field by every wrong value, flipped bits, odd files."""

import functools
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

ARRAYS = {
    "text": np.array(["a", "b"]), "empty": np.zeros(0), "a number": np.float32(3), "more": np.zeros((2, 3, 4)),
    "an object": np.array([{}], object), "huge": np.full(3, 10**18), "a date": np.array(["2026"], "M8[D]"),
}  # fmt: skip
"""In the place of an array."""

PLACES: dict[str, Callable[[Path], object]] = {
    "nothing": lambda path: None, "a pipe": os.mkfifo, "a socket": lambda path: os.mknod(path, stat.S_IFSOCK | 0o600),
    "a folder": Path.mkdir, "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "80 MB": lambda path: (path.touch(), os.truncate(path, 80_000_000)),
    "a link to itself": lambda path: path.symlink_to(path), "a link to nowhere": lambda path: path.symlink_to("nowhere"),
}  # fmt: skip
"""In the place of a file."""

Damage = tuple[str, Callable[[Path], object]]
"""What it is, and what does it to a folder."""
Content = tuple[str, Callable[[], bytes]]
"""What it is, and what makes the content of a file with it."""


def of_fields(content: bytes) -> Iterator[Content]:
    """Of a JSON file."""

    def change(path: tuple, wrong: str | None) -> bytes:
        place = values = {"": json.loads(content)}
        *above, last = ("", *path)
        for key in above:
            place = place[key]
        if wrong is None:
            del place[last]
        else:
            place[last] = "@here@"
        return json.dumps(values.get("")).replace('"@here@"', wrong or "").encode()

    for path, wrong in itertools.product([(), *_paths(json.loads(content))], [None, *WRONG]):
        yield f"{path}: {(wrong or 'gone')[:30]}", functools.partial(change, path, wrong)


def _paths(values, path=()) -> Iterator[tuple]:
    for key, value in values.items() if isinstance(values, dict) else enumerate(values):
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from _paths(value, (*path, key))


def of_cells(content: bytes) -> Iterator[Content]:
    """Of a table."""
    rows = [line.split(",") for line in content.decode().splitlines()]

    def change(i: int, *row: str) -> bytes:
        lines = [",".join(cells) for cells in [*rows[:i], *filter(None, [row]), *rows[i + 1 :]]]
        return ("\n".join(lines) + "\n").encode()

    for i, row in enumerate(rows):
        yield f"without line {i}", functools.partial(change, i)
        for j, cell in itertools.product(range(len(row)), CELLS):
            yield f"line {i}, {row[j]}: {cell[:10]!r}", functools.partial(change, i, *row[:j], cell, *row[j + 1 :])


def of_arrays(content: bytes) -> Iterator[Content]:
    """Of an archive."""
    arrays = dict(np.load(io.BytesIO(content)))

    def change(name: str, array: np.ndarray | None) -> bytes:
        changed = {key: array if key == name else sound for key, sound in arrays.items()}
        np.savez(packed := io.BytesIO(), **{key: value for key, value in changed.items() if value is not None})
        return packed.getvalue()

    for name, sound in arrays.items():
        nan = np.full(sound.shape, np.nan, "float32")
        for what, array in (ARRAYS | {"gone": None, "nan": nan, "negative": np.negative(sound)}).items():
            yield f"{name}: {what}", functools.partial(change, name, array)


def of_bytes(content: bytes, rng: np.random.Generator, count: int) -> Iterator[Content]:
    """Flipped bits and lost ends of any file."""
    for number in range(count if content else 0):
        changed = bytearray(content)
        if number % 3:
            for place in rng.integers(0, len(content), 1 + number % 4):
                changed[place] ^= 1 << int(rng.integers(8))
        else:
            del changed[int(rng.integers(len(content))) :]
        yield f"changed, {number}", functools.partial(bytes, changed)


def _put(file: str, make: Callable[[Path], object]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        if (folder / file).is_dir():
            shutil.rmtree(folder / file)
        (folder / file).unlink(missing_ok=True)  # it may be a link to the sound one's
        make(folder / file)

    return damage


def of_folder(folder: Path, flips: int, seed: int = 0) -> list[Damage]:
    """All damage to the files of a folder, with so many of flipped bits each."""
    rng = np.random.default_rng(seed)
    every: list[Damage] = []
    kinds = {".json": of_fields, ".csv": of_cells, ".npz": of_arrays}
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "lock")
    for path in files:
        file, content = str(path.relative_to(folder)), path.read_bytes()
        damaged = [*kinds.get(path.suffix, lambda content: ())(content), *of_bytes(content, rng, flips)]
        every += [(f"{file} {what}", _put(file, lambda path, new=new: path.write_bytes(new()))) for what, new in damaged]
    files = [str(path.relative_to(folder)) for path in files] + ["lock", "title.txt", "weights"]
    return every + [(f"{what} as {file}", _put(file, make)) for file in files for what, make in PLACES.items()]


def _link(source: str, target: str) -> None:
    """No copy: nothing writes into a file that is there, but for the lock, which would be held in all folders at once."""
    (shutil.copyfile if source.endswith("lock") else os.link)(source, target)


def folders(source: Path, flips: int, share: float, target: Path, rng: np.random.Generator) -> dict[str, str]:
    """A copy of a run in `target`, and damaged ones, of a share of all damages; what is damaged, by the copies' names."""
    damaged = {}
    shutil.copytree(source, target / source.name)
    for number, (what, damage) in enumerate(of_folder(source, flips)):
        if rng.random() < share:
            name = f"{source.name}-{number:05d}"
            shutil.copytree(source, target / name, copy_function=_link)
            damage(target / name)
            damaged[name] = what
    return damaged


def drive(trainer, until: int, copy: str = "") -> Path:
    """Trains to a step, which is written down as where it was stopped; at 0, or where that is copied, to the end."""
    trainer.prepare()
    monitor = trainer.monitor()
    for event in trainer.events():
        monitor.see(event)
        if event.step == until:
            trainer.write("stopped")
            if not copy:
                break
            shutil.copytree(trainer.path, trainer.path.with_name(copy))
            trainer.path.with_name(copy).joinpath("title.txt").write_text(f"The {copy}", encoding="utf-8")
    trainer.close()
    return trainer.path


def sound() -> dict[str, Path]:
    """A finished and a stopped run, and a stack of each kind, in the runs' folder of now; takes seconds with few images."""
    from cae_core.config import RunConfig, StackConfig
    from cae_core.stacking.trainer import StackTrainer
    from cae_core.training.run_trainer import RunTrainer

    run = RunConfig(num_train=100, batch_size=25, epochs=2, bottleneck=2, sparsity=0.1)
    stack = StackConfig(num_train=100, labels=30, maps=(3,), kernels=(3,), epochs=1, batch_size=50, steps=4, hidden=0)
    finished = drive(RunTrainer.begin(run, "finished"), 6, "stopped")
    drive(StackTrainer.begin(stack, "whole"), 4, "half")
    return {name: finished.with_name(name) for name in ("finished", "stopped", "whole", "half")}
