"""What a second worker is worth to a sweep, and what an engine costs a run of it.

The same grid by one worker and by two, each time in new processes: first a run a worker, which loads TensorFlow, then
the grid, which is timed. On top of its training a run costs what its worker does beside (reading images, building the
network, measuring it, writing it down), and what the engine takes to hand it out and to take it back. The latter is also
measured alone, with tasks that do nothing: it is what many machines wait for. Dask is measured where it is installed.
"""

import contextlib
import importlib.util
import logging
import os
import tempfile
import time
from concurrent.futures import wait

from cae_core import runs, runtime, sweeps
from cae_core.config import RunConfig
from cae_core.sweeps import worker

SPEED_UP = 1.7
NOTHING = 2_000
"""Tasks that do nothing."""
SETTINGS = {"dataset": "mnist", "num_train": 4_000, "epochs": 2, "bottleneck": 8}


@contextlib.contextmanager
def dask(workers: int):
    from distributed import Client, LocalCluster

    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    cluster = LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None)
    with cluster, Client(cluster) as client:
        yield client.get_executor()


def nothing(number: int) -> worker.Result:
    """As small an answer as any that a run has."""
    return worker.Result("trained", seconds=number)


def grid(engine, workers: int, size: int) -> dict[str, float]:
    """Seconds that a grid of so many runs takes, and of these a run's parts."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CAE_RUNS_DIR"] = folder
        with engine(workers) as executor:
            sweeps.sweep([RunConfig(**{**SETTINGS, "epochs": 1, "seed": 100 + seed}) for seed in range(workers)], executor)
            started = time.perf_counter()
            outcome = sweeps.sweep([RunConfig(**SETTINGS, seed=seed) for seed in range(size)], executor)
            took = time.perf_counter() - started
            started = time.perf_counter()
            wait([executor.submit(nothing, number) for number in range(NOTHING)])
            alone = (time.perf_counter() - started) / NOTHING
        if len(outcome.trained) != size:
            raise SystemExit(f"Not all runs were trained: {outcome}")
        trained = [runs.find(name) for name in outcome.trained]
        training = sum(run.seconds for run in trained) / size
        space = sum(file.stat().st_size for run in trained for file in run.path.rglob("*") if file.is_file()) / size
    return {
        "seconds": took, "training": training, "beside": outcome.worked / size - training,
        "handed out and back": max(0.0, workers * took - outcome.worked) / size, "nothing_ms": 1000 * alone,
        "megabytes": space / 1e6,
    }  # fmt: skip


def sweeping(size: int) -> tuple[dict, dict]:
    engines = {"processes": runtime.processes} | ({"dask": dask} if importlib.util.find_spec("distributed") else {})
    values, bars = {}, {}
    for name, engine in engines.items():
        one, two = (grid(engine, workers, size) for workers in (1, 2))
        values[name] = {
            "1 worker": {key: f"{value:.3g}" for key, value in one.items()},
            "2 workers": {key: f"{value:.3g}" for key, value in two.items()},
            "speed-up": f"{one['seconds'] / two['seconds']:.2f}",
        }
        bars[f"{name}: time of 2 workers beside that of 1"] = (two["seconds"] / one["seconds"], 1 / SPEED_UP)
    return values, bars
