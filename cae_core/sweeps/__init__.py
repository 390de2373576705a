"""Sweeps: many runs by an engine that others wrote, of which only the interface of `concurrent.futures` is used.

`runtime.processes` is one for this machine, the executor of a Dask client one for many. There is no queue, protocol or
scheduler here: what exists is skipped, the rest is handed in, and what comes back is kept.
"""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field

from cae_core import datasets, runs, training
from cae_core.config import RunConfig
from cae_core.runs import RunError, archive, holder, manage, schema
from cae_core.sweeps import grid, identity, worker
from cae_core.training import duration

LOOK = 1.0
"""Seconds between two looks at how far the runs at work are."""
LOOKED_AT = 16
"""Of how many of them, so that a look is quick however many there are."""


@dataclass
class Outcome:
    """What came of a sweep; each run is in one of these, by name.

    Attributes:
        kept: there already.
        trained: finished now.
        failed: and the sentence why; they are not tried again unasked.
        left: not finished, and why; the same sweep again goes on with them.
        worked: seconds that the workers took, training and all.
    """

    kept: list[str] = field(default_factory=list)
    trained: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    worked: float = 0.0


@dataclass(frozen=True)
class Estimate:
    """Training time of several runs.

    Attributes:
        seconds: one after another, of those whose time is known.
        unknown: how many are of a kind that no finished run tells the time of.
        is_own: whether all is known from runs of this machine.
    """

    seconds: float
    unknown: int
    is_own: bool


def estimate(configs: Sequence[RunConfig]) -> Estimate:
    """How long these runs train, as finished runs tell."""
    paces = [(config, duration.pace(config, datasets.DATASETS[config.dataset].image_shape)) for config in configs]
    known = [(pace, pace.seconds(config, training.num_images(config))) for config, pace in paces if pace]
    return Estimate(sum(took for _, took in known), len(paces) - len(known), all(pace.is_own for pace, _ in known))


def pending(configs: Sequence[RunConfig], again: bool = False) -> tuple[dict[str, RunConfig], Outcome]:
    """Which runs are to be trained, by name, and what is known of the others.

    Args:
        configs: of the sweep.
        again: whether those that failed are to be tried once more; what is there of them is deleted, as a visitor would.
    """
    wanted, outcome = {}, Outcome()
    for config in configs:
        name = identity.name_of(config, identity.code_version())
        path = runs.runs_dir() / name
        try:
            run = runs.read(path) if path.exists() else None
        except RunError as error:
            outcome.failed[name] = str(error)
            continue
        if run and run.state == "failed" and again:
            manage.delete(run, run.owner)
            run = None
        if run and run.state == "finished":
            outcome.kept.append(name)
        elif run and run.state == "failed":
            outcome.failed[name] = run.message
        elif run and run.state in runs.AT_WORK:
            outcome.left[name] = holder.sentence(f"The run {run.label!r}", path)
        else:
            wanted[name] = config
    return wanted, outcome


def sweep(
    configs: Sequence[RunConfig], executor: Executor, on_progress: Callable[[float, str], None] = lambda share, text: None,
    again: bool = False,
) -> Outcome:  # fmt: skip
    """Trains those of the runs that are not there yet, each a normal run of the runs' folder; longest first.

    Args:
        configs: what to train; equal ones are one run.
        executor: who trains: has `submit`, which gives futures.
        on_progress: called with the share that is done, from 0 to 1, and what is to be said of it.
        again: as of `pending`.

    Raises:
        OSError: the runs' folder cannot be written to.
    """
    wanted, outcome = pending(configs, again)
    seconds = {name: estimate([config]).seconds for name, config in wanted.items()}
    mean = sum(seconds.values()) / max(1, sum(map(bool, seconds.values()))) or 1.0
    weights = {name: took or mean for name, took in seconds.items()}
    differ = [name for name in configs[0].to_dict() if len({getattr(config, name) for config in configs}) > 1]
    folder, token = grid.folder(), secrets.token_hex(8)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / token).touch()
    futures: dict[Future, str] = {}
    try:
        for name in sorted(wanted, key=weights.get, reverse=True):
            config = wanted[name].to_dict()
            title = grid.words({setting: config[setting] for setting in differ})
            shared = str(folder.parent.absolute()), f"{folder.name}/{token}"
            task = worker.Task(name, config, title, identity.code_version(), *shared)
            try:
                futures[executor.submit(worker.work, task)] = name
            except Exception as error:  # an engine refuses in ways of its own
                outcome.left[name] = _engine(error)
        for future in _finished(futures, weights, on_progress):
            _keep(outcome, futures[future], future)
    finally:
        for future in futures:
            future.cancel()
        (folder / token).unlink(missing_ok=True)
    return outcome


def _finished(
    futures: Mapping[Future, str], weights: Mapping[str, float], on_progress: Callable[[float, str], None]
) -> Iterator[Future]:
    """The futures as they end; meanwhile how far all of them are is told."""
    started, remaining, done = time.monotonic(), list(futures), 0.0
    total = sum(weights[name] for name in futures.values())
    while remaining:
        ended = wait(remaining, timeout=LOOK, return_when=FIRST_COMPLETED).done
        remaining = [future for future in remaining if future not in ended]
        for future in ended:
            done += weights[futures[future]]
            yield future
        at_work = sum(weights[futures[future]] * _share(futures[future]) for future in remaining[:LOOKED_AT])
        share = min(1.0, (done + at_work) / total)
        left = f", {(time.monotonic() - started) * (1 / share - 1):,.0f} s left" if share > 0 else ""
        on_progress(share, f"{len(futures) - len(remaining):,} of {len(futures):,} runs{left}")


def _share(name: str) -> float:
    """How much of a run is written down in the runs' folder."""
    try:
        run = runs.read(runs.runs_dir() / name)
    except RunError:
        return 0.0
    return run.step / run.num_steps


def _keep(outcome: Outcome, name: str, future: Future) -> None:
    """Takes note of what came of a run, and unpacks it where it was sent."""
    try:
        result = future.result()
        if result.archive is not None:
            archive.unpack(result.archive, runs.runs_dir() / name)
    except Exception as error:
        outcome.left[name] = _engine(error)
        return
    outcome.worked += result.seconds
    if result.state == "trained":
        outcome.trained.append(name)
    else:
        {"failed": outcome.failed, "left": outcome.left}[result.state][name] = result.sentence


def _engine(error: BaseException) -> str:
    """What an engine's own failure means, in a sentence."""
    return f"the engine let go of it ({schema.reason(error)}); what is written down is kept: give the same command again."
