"""The monitor of a run in training: its curve, the same images getting better, the codes of a fixed sample moving."""

import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cae_core import architectures, datasets, metrics, training
from cae_core.architectures import ARCHITECTURES, layer_alone, num_epochs
from cae_core.config import RunConfig
from cae_core.corruptions import corrupt
from cae_core.datasets import as_float, load
from cae_core.inspection import activations
from cae_core.latent import generate, live_plane
from cae_core.training import duration
from cae_core.training.events import TrainingEvent
from cae_core.training.monitor import Monitor

NUM_PROBES, NUM_CODES = 8, 500
MOST_POINTS = 400
MEASURES = {
    "mse": "mean squared error per pixel of the eight reconstructions",
    "bce": "binary cross-entropy per pixel of the same, in nats",
    "code": "mean size of the numbers in the codes of the fixed sample",
    "silent": "share of silent units in them",
    "rate": "of a variational network, their KL divergence from a standard normal distribution, per image in nats",
    "width": "of such a network, how wide an image's cloud is: the standard deviation of a number, mean over all",
}
"""What is measured with every picture, in the same unit whatever the run's loss is."""
OF_CLOUDS = ("rate", "width")
"""What of it is measured of variational networks only."""


def measures(config: RunConfig) -> tuple[str, ...]:
    """Those of `MEASURES` that a run has."""
    return tuple(name for name in MEASURES if name not in OF_CLOUDS or ARCHITECTURES[config.architecture].variational)


class Curve:
    """Training losses by step, thinned evenly so that a long run costs no more than a short one."""

    def __init__(self, points: Iterable[tuple[float, float]] = ()) -> None:
        """Begins with these points, if any."""
        self._means: list[tuple[float, float]] = []  # of `_stride` steps each: middle step, mean loss
        self._stride = 1
        self._open: list[tuple[float, float]] = []
        for step, value in points:
            self.add(float(step), float(value))

    def add(self, step: int, loss: float) -> None:
        self._open.append((step, loss))
        if len(self._open) == self._stride:
            self._means.append(tuple(np.mean(self._open, axis=0)))
            self._open = []
            if len(self._means) == MOST_POINTS:
                pairs = np.reshape(self._means, (-1, 2, 2))
                self._means = [tuple(pair) for pair in pairs.mean(axis=1)]
                self._stride *= 2

    def points(self) -> np.ndarray:
        """`(k, 2)` float64, k < `MOST_POINTS`: step and mean loss around it."""
        return np.array(self._means, dtype=float).reshape(-1, 2)


@dataclass(frozen=True)
class Probes:
    """The fixed test images that a run is watched by.

    Attributes:
        x: `(8, H, W, C)` float32 in [0, 1], test images, the first of those that the Denoise page opens with.
        x_noisy: what the network gets: the same, or their luma, under the run's own noise; a mixture of kinds is stood for
            by its largest part.
    """

    x: np.ndarray
    x_noisy: np.ndarray


def probes(config: RunConfig) -> Probes:
    """The probes of a configuration: equal ones for equal data set, noise and seed. Reads the test split only."""
    test = load(config.dataset, "test")
    x = as_float(test.x[datasets.choose(test.y, 0)[:NUM_PROBES]])
    x_in = architectures.seen(config.architecture, x)
    return Probes(x, corrupt(x_in, *training.typical_noise(config), config.seed))


@dataclass(frozen=True)
class Sample:
    """The fixed held-out images whose codes are shown.

    Attributes:
        x: `(500, H, W, C)` float32 in [0, 1], without noise.
        labels: `(500,)` their classes.
    """

    x: np.ndarray
    labels: np.ndarray


_samples: weakref.WeakValueDictionary[tuple, Sample] = weakref.WeakValueDictionary()


def sample(dataset: str) -> Sample:
    """The sample of a data set, the same for all who have it: 2 MB, of pictures in colour 6.

    Reads its training split, which may have to be drawn first: some seconds.
    """
    key = (datasets.DATASETS[dataset].load, training.HELD_OUT)
    if (kept := _samples.get(key)) is not None:
        return kept
    train = load(dataset, "train", keep=not datasets.DATASETS[dataset].download)  # files are read again in a moment
    held_out = slice(-training.HELD_OUT, None)
    kept = _samples[key] = Sample(as_float(train.x[held_out][:NUM_CODES]), train.y[held_out][:NUM_CODES])
    return kept


@dataclass(frozen=True)
class Progress:
    """One look at a run.

    Attributes:
        number: grows with every new picture, so that one who has seen it need not draw it again.
        step, num_steps, epoch, seconds: as in `training.TrainingEvent`.
        epochs: of the whole run.
        steps_per_epoch: steps of one.
        steps_per_second: lately.
        seconds_left: to the end at the average pace so far; None before the second step.
        curve: `(k, 2)` float64, epoch (with fractions) and training loss.
        history: one mapping per epoch that is finished, as in `history.csv`.
        x, x_noisy: the `Probes`.
        labels: of the `Sample`; none where there is no plane.
        x_hat: `(8, H, W, C)` float32 in [0, 1], what the network makes of the noisy ones now.
        drawn: of a variational network the same of eight codes from the prior, equal ones in every run; else None.
        plane: the codes of the sample in the plane; None of a run that ships as it was watched and is not variational.
        layer: which pair of layers is trained alone now, from 0; None where the whole network is.
            Then `x_hat` goes no deeper than that layer.
        filters: of a network with pretraining, those of that layer or of the code, as of `activations.deep_filters`.
        measured: by name in `MEASURES`, `(k, 2)` float64: epoch (with fractions) and value, as often as somebody looked.
    """

    number: int
    step: int
    num_steps: int
    epoch: int
    seconds: float
    epochs: int
    steps_per_epoch: int
    steps_per_second: float
    seconds_left: float | None
    curve: np.ndarray = field(repr=False)
    history: tuple[dict[str, float], ...] = field(repr=False)
    x: np.ndarray = field(repr=False)
    x_noisy: np.ndarray = field(repr=False)
    labels: np.ndarray = field(repr=False)
    x_hat: np.ndarray = field(repr=False)
    drawn: np.ndarray | None = field(repr=False)
    plane: live_plane.Plane | None = field(repr=False)
    measured: Mapping[str, np.ndarray] = field(repr=False)
    layer: int | None = None
    filters: np.ndarray | None = field(default=None, repr=False)


class RunMonitor(Monitor):
    """Follows one network."""

    def __init__(self, trainer: Any) -> None:
        super().__init__(trainer, probes(trainer.config), sample(trainer.config.dataset))
        self._curve, self._measured = Curve(), {name: Curve() for name in measures(self._config)}

    @property
    def seconds_per_step(self) -> float | None:
        """Of the last steps; an epoch's end counts for one of them."""
        times = [seconds for _, seconds in self._lately]
        return float(np.median(np.diff(times))) if len(times) > 2 else None

    def learn(self) -> None:
        """Lets the next estimate of a run like this one know what a step really took."""
        if seconds := self.seconds_per_step:
            duration.learn(self._config, self._trainer.model.image_shape, seconds)

    def _count(self, event: TrainingEvent) -> bool:
        self._curve.add(event.step, event.loss)
        return self.is_at_end

    def _is_shown(self, event: TrainingEvent) -> bool:
        return super()._is_shown(event) and len(self._trainer.history) == event.epoch

    def _picture(self, event: TrainingEvent) -> Progress | None:
        model, epochs = self._trainer.model, num_epochs(self._config)
        steps_per_epoch = event.num_steps // epochs
        layer = layer_alone(self._config, (event.step - 1) // steps_per_epoch)
        x_noisy, x = self._probes.x_noisy, model.seen(self._sample.x)
        depth = ARCHITECTURES[self._config.architecture].stages if layer is None else layer + 1
        x_hat = model.reconstruct(x_noisy) if layer is None else model.reconstruct_through(x_noisy, depth)
        codes, *log_variance = model.posterior(x) if model.is_variational else (model.encode(x),)
        if not (np.isfinite(x_hat).all() and np.isfinite(codes).all()):
            return None
        values = [
            metrics.mse(self._probes.x, x_hat), metrics.bce(self._probes.x, x_hat),
            float(np.abs(codes).mean()), metrics.silent_share(codes, bool(self._config.k)),
        ]  # fmt: skip
        for part in log_variance:
            values += [metrics.kl(codes, part).sum(axis=1).mean(), np.exp(part / 2).mean()]
        for line, value in zip(self._measured.values(), values, strict=True):
            line.add(event.step, value)
        return Progress(
            **self._numbers(event.num_steps - event.step),
            epoch=event.epoch,
            epochs=epochs,
            steps_per_epoch=steps_per_epoch,
            curve=self._curve.points() / (steps_per_epoch, 1),
            history=tuple(self._trainer.history),
            x=self._probes.x,
            x_noisy=self._probes.x_noisy,
            labels=self._sample.labels,
            x_hat=x_hat,
            drawn=model.decode(generate.draw(codes.shape[1], NUM_PROBES, 0)) if model.is_variational else None,
            plane=live_plane.to_plane(codes, self.progress.plane.points if self.progress else None),
            measured={name: line.points() / (steps_per_epoch, 1) for name, line in self._measured.items()},
            layer=layer,
            filters=activations.deep_filters(model, depth) if self._config.pretraining else None,
        )
