"""Replay of a run: what each of its saved epochs reconstructs of the same images."""

from dataclasses import dataclass

import numpy as np

from cae_core import runs
from cae_core.architectures import restore
from cae_core.latent import live_plane
from cae_core.runs import Run, RunError
from cae_core.training import run_monitor


@dataclass(frozen=True, eq=False)
class Replay:
    """A run, moment by moment.

    Attributes:
        steps: whose weights are kept, ascending; the first is usually 0, the untrained network.
        epochs: the same counted in epochs, with fractions.
        x, x_noisy: the images of `run_monitor.Probes`.
        labels: of `run_monitor.Sample`.
        x_hat: `(moments, 8, H, W, C)` float32 in [0, 1].
        planes: the codes of that sample at each moment, each turned to be like the next.
    """

    steps: tuple[int, ...]
    epochs: tuple[float, ...]
    x: np.ndarray
    x_noisy: np.ndarray
    labels: np.ndarray
    x_hat: np.ndarray
    planes: tuple[live_plane.Plane, ...]


@runs.kept(8)
def replay(run: Run) -> Replay:
    """Every saved moment of a run; the last few runs are kept in memory.

    Raises:
        RunError: there are no weights yet, or they are missing or damaged.
        datasets.DataError: the data set is not there.
    """
    steps = runs.saved_steps(run)
    if not steps or not run.code_size:
        raise RunError(f"There is nothing to see of the run {run.label!r}: its training has not begun.")
    images, sample = run_monitor.probes(run.config), run_monitor.sample(run.config.dataset)
    x_hat, planes = [], []
    for moment in reversed(steps):
        try:
            network = restore(run.config, run.image_shape, runs.weights(run, moment))
        except RunError:
            raise
        except Exception as error:
            raise RunError(f"The weights of {run.label!r} after step {moment} are damaged ({error}).") from error
        x_hat.append(network.reconstruct(images.x_noisy))
        planes.append(live_plane.to_plane(network.encode(network.seen(sample.x)), planes[-1].points if planes else None))
    per_epoch = run.num_steps / run.num_epochs
    return Replay(
        tuple(steps), tuple(s / per_epoch for s in steps), images.x, images.x_noisy, sample.labels,
        np.stack(x_hat[::-1]), tuple(planes[::-1]),
    )  # fmt: skip
