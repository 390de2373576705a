"""A grid: the settings that all runs of a sweep share, those that vary and their values, and how many seeds.

    {"base": {"dataset": "strokes", "epochs": 2}, "vary": {"bottleneck": [2, 8, 32], "loss": ["bce", "mse"]}, "seeds": 3}

A sweep that was begun is remembered in `.sweeps/` of the runs' folder, with the names of its runs.
"""

import contextlib
import hashlib
import itertools
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cae_core import datasets, runs, validation
from cae_core.config import DEFAULTS, RunConfig, lookup
from cae_core.runs import schema, storage
from cae_core.sweeps import identity

MOST = 20_000
"""Runs of one sweep."""
MOST_BYTES = 2**22
"""Of a file that a sweep is remembered in."""
MOST_SEEDS = 1_000
SHAPE = 'a grid is {"base": {"epochs": 2}, "vary": {"bottleneck": [2, 8]}, "seeds": 3}'


@dataclass(frozen=True)
class Grid:
    """What a sweep trains.

    Attributes:
        title: what people call it.
        base: settings that all runs have; those it does not name have their defaults.
        vary: values by setting, each at least one.
        seeds: how many runs of each combination, with the base's seed and those after it.
    """

    title: str
    base: Mapping[str, Any]
    vary: Mapping[str, Sequence[Any]]
    seeds: int

    @property
    def size(self) -> int:
        """How many runs it has."""
        return math.prod(map(len, self.vary.values())) * self.seeds

    def configs(self) -> list[RunConfig]:
        """Every run, seeds side by side.

        Raises:
            ValueError: a value is out of bounds or unknown, or some values cannot work together.
        """
        every = []
        for values in itertools.product(*self.vary.values()):
            varied = dict(zip(self.vary, values, strict=True))
            try:
                config = RunConfig.from_dict({"dataset": datasets.default(), **self.base, **varied})
                validation.check(config)
                seeds = range(config.seed, config.seed + self.seeds) if self.seeds > 1 else [config.seed]
                every += [RunConfig(**{**config.to_dict(), "seed": seed}) for seed in seeds]
            except ValueError as error:
                raise ValueError(f"With {words(varied)}: {error}" if varied else str(error)) from error
        return every


def words(settings: Mapping[str, Any]) -> str:
    """Settings in a line, such as "bottleneck 8, loss mse"."""
    return ", ".join(f"{name} {format(value, 'g' if isinstance(value, float) else '')}" for name, value in settings.items())


def read(file: Path) -> Grid:
    """The grid in a file, checked but for the values of its settings, which `Grid.configs` checks.

    Raises:
        ValueError: it is no grid; the message says what is wrong with it, and how one looks.
        OSError: it cannot be read.
    """
    try:
        return parse(file.stem, storage.read(file))
    except ValueError as error:
        raise ValueError(f"{schema.legible(str(file))}: {error}") from error


def parse(title: str, content: bytes) -> Grid:
    """The grid that a file has."""
    try:
        values = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is no JSON ({schema.reason(error)}); {SHAPE}.") from error
    if not isinstance(values, dict):
        raise ValueError(f"it holds {type(values).__name__}, not base, vary and seeds; {SHAPE}.")
    for name in values:
        lookup(dict.fromkeys(("base", "vary", "seeds")), "part of a grid", name)
    base, vary, seeds = values.get("base", {}), values.get("vary", {}), values.get("seeds", 1)
    for part, settings in (("base", base), ("vary", vary)):
        if not isinstance(settings, dict):
            raise ValueError(f"{part} is {settings!r:.60}, not settings by name; {SHAPE}.")
        for name in settings:
            lookup(DEFAULTS.to_dict(), "setting", name)
    if both := [name for name in vary if name in base]:
        raise ValueError(f"{both[0]} stands in base and in vary: leave it in one of them.")
    for name, several in vary.items():
        if not isinstance(several, list) or not several:
            raise ValueError(f"vary {name} is {several!r:.60}; it must be a list of at least one value, such as [2, 8].")
        if twice := [value for number, value in enumerate(several) if value in several[:number]]:
            raise ValueError(f"vary {name} has {twice[0]!r:.60} twice: name each value once.")
    grid = Grid(title, base, vary, schema.whole(1, MOST_SEEDS)("seeds", seeds))
    if "seed" in vary and grid.seeds > 1:
        raise ValueError("seed varies, and seeds asks for more of them: leave one of the two out.")
    if grid.size > MOST:
        raise ValueError(f"it has {grid.size:,} runs; a sweep has at most {MOST:,}: name fewer values.")
    return grid


@dataclass(frozen=True)
class Kept:
    """A sweep that was begun.

    Attributes:
        key: what its file is called.
        grid: what it trains.
        runs: the names of its runs, each in the runs' folder as soon as it has begun.
    """

    key: str
    grid: Grid
    runs: tuple[str, ...]


def remember(grid: Grid, configs: Sequence[RunConfig]) -> Kept:
    """Writes down that a sweep was begun, for the pages to show its runs together; the same grid again takes its place.

    Raises:
        OSError: the disk refuses.
    """
    content = {"base": dict(grid.base), "vary": {name: list(of) for name, of in grid.vary.items()}, "seeds": grid.seeds}
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]
    key = f"{re.sub('[^a-z0-9_-]+', '-', grid.title.lower())[:40].strip('-') or 'sweep'}-{digest}"
    names = [identity.name_of(config, identity.code_version()) for config in configs]
    folder().mkdir(parents=True, exist_ok=True)
    storage.write(folder() / f"{key}.json", json.dumps({"title": grid.title, "grid": content, "runs": names}).encode())
    return Kept(key, grid, tuple(names))


def every() -> list[Kept]:
    """The sweeps that were begun here, the newest first; a damaged file is passed over."""
    kept = []
    files = sorted(folder().glob("[!.]*.json"), key=lambda file: file.lstat().st_mtime_ns, reverse=True)
    for file in files:
        with contextlib.suppress(ValueError, OSError, KeyError, TypeError, RecursionError):
            values = json.loads(storage.read(file, MOST_BYTES))
            grid = parse(schema.text(80)("title", values["title"]), json.dumps(values["grid"]).encode())
            if all(schema.NAME.fullmatch(name) for name in values["runs"]):
                kept.append(Kept(file.stem, grid, tuple(values["runs"])))
    return kept


def folder() -> Path:
    """Where they are remembered."""
    return runs.runs_dir() / ".sweeps"
