"""Training of a network: which images it learns from, the phases that the loop carries out, and what ends a run early."""

import itertools
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from cae_core import metrics, validation
from cae_core.architectures import ARCHITECTURES, num_epochs
from cae_core.architectures.autoencoder import Autoencoder
from cae_core.config import RunConfig
from cae_core.corruptions import MIXED, binarised, corrupt, graph_binarised, graph_corruption
from cae_core.datasets import DATASETS, as_float
from cae_core.optimizers import OPTIMIZERS, SCHEDULES
from cae_core.training.events import Checkpoint, Diverged, TrainingEvent
from cae_core.training.loop import Phase, run_phases
from cae_core.training.objectives import Objective, objectives

HELD_OUT = 5_000
"""Images at the end of every training split that no run trains on: choices are made on them, never on the test split."""

MEASURED_HELD_OUT = 500
"""Held-out images that a run's loss is measured on at least; as many as it trains on, where those are more. A run on a
hundred images would else spend most of its time on them."""

SAMPLE = 500
"""Held-out images on which the share of silent units is taken."""

EXPLODED = 10.0
"""How many times its first value the loss may reach, as a mean over `WINDOW` steps, before a run is ended as diverging."""
WINDOW = 10


def steps_per_epoch(config: RunConfig, num_images: int) -> int:
    """How many full batches there are in `num_images` training images; 1 for what is solved at once."""
    return 1 if ARCHITECTURES[config.architecture].solve else num_images // min(config.batch_size, num_images)


def most_images(dataset: str) -> int:
    """How many images of a data set a run can train on: all but those held out."""
    return max(1, DATASETS[dataset].num_train - HELD_OUT)


def num_images(config: RunConfig) -> int:
    """How many images a run trains on, as far as that is known without loading them; never more than there are."""
    return min(config.num_train, most_images(config.dataset))


def split_held_out(x: np.ndarray, num_train: int) -> tuple[np.ndarray, np.ndarray]:
    """The images to train on and those to choose by: the first `num_train`, and the last `HELD_OUT`, never the same."""
    return x[: max(0, min(num_train, len(x) - HELD_OUT))], x[-HELD_OUT:]


def train(
    model: Autoencoder, config: RunConfig, x_train: np.ndarray, x_held_out: np.ndarray, start: Checkpoint | None = None
) -> Iterator[TrainingEvent]:
    """Trains `model` in place, one step an event.

    The input of a step is the corrupted image, or its luma where the network colours grey ones; the target is always the
    clean one. Noise is fresh in every step. Each epoch is a permutation of the images.

    Args:
        model: an untrained (or to be continued) network.
        config: the run; its dataset and num_train are for the caller, who chooses the images.
        x_train: `(n, H, W, C)` uint8.
        x_held_out: `(m, H, W, C)` uint8; the first max(`MEASURED_HELD_OUT`, n) of them are used.
        start: go on from there, with the same images and configuration, instead of from the first step.

    Yields:
        A `TrainingEvent` a step.

    Raises:
        ValueError: a name in `config` is unknown, there are no images, or they are not uint8.
        Diverged: the loss is no longer a finite number, or explodes; the message says what to try.

    Example:
        >>> import numpy as np
        >>> from cae_core import training
        >>> from cae_core.architectures import build
        >>> from cae_core.config import RunConfig
        >>> config = RunConfig(architecture="dense", bottleneck=2, epochs=2, batch_size=50)
        >>> x = np.random.default_rng(0).integers(0, 256, (300, 8, 8, 1), "uint8")
        >>> events = list(training.train(build(config, (8, 8, 1)), config, x[:200], x[200:]))
        >>> len(events), events[-1].loss < events[0].loss
        (8, True)
    """
    validation.check(config)
    if not len(x_train) or not len(x_held_out):
        raise ValueError(f"Got {len(x_train)} training and {len(x_held_out)} held-out images; both must be at least 1.")
    for name, x in (("x_train", x_train), ("x_held_out", x_held_out)):
        if x.dtype != np.uint8:
            raise ValueError(
                f"{name} is {x.dtype}, from {x.min():g} to {x.max():g}; it must be uint8 from 0 to 255, which makes "
                "targets from 0 to 1, as losses that read them as probabilities need: scale the images to that, and round."
            )
    if ARCHITECTURES[config.architecture].solve:
        yield _solve(model, config, x_train, x_held_out)
        return
    yield from run_phases(model, _phases(model, config, x_train, x_held_out), x_train, config.seed, start)


def _phases(model: Autoencoder, config: RunConfig, x_train: np.ndarray, x_held_out: np.ndarray) -> Iterator[Phase]:
    """What the loop carries out: a phase for each objective, with all that is measured at the end of an epoch."""
    num_batches = steps_per_epoch(config, len(x_train))
    num_steps = num_batches * num_epochs(config)
    schedule = SCHEDULES[config.schedule].make
    corruption = graph_corruption(config.noise_kind, config.noise_factor)
    rng = np.random.default_rng(config.seed)
    orders = (rng.permutation(len(x_train)).astype("int32") for _ in itertools.count())
    binarises = ARCHITECTURES[config.architecture].binarises
    x_held_out = binarised(x_held_out, config.seed) if binarises else x_held_out
    clean, noisy = _held_out_pair(model, config, x_held_out[: max(MEASURED_HELD_OUT, len(x_train))])

    def phase(objective: Objective) -> Phase:
        recent, held_out_means = deque(maxlen=WINDOW), _held_out_means(objective, config, noisy, clean)

        def loss(x, indices, seed):
            x = graph_binarised(x, seed) if binarises else x
            return objective.loss(corruption(model.seen(x), seed), x, True, seed)

        def event(step: int, losses: list[float], first_loss: float) -> TrainingEvent:
            recent.append(losses[-1])
            means = held_out_means if objective.parts else dict
            _refuse_divergence(config, recent, first_loss, step, num_steps, means, objective.advice)
            at_end = {}
            if step % num_batches == 0:
                at_end = {"epoch_loss": float(np.mean(losses)), **held_out_means()}
                codes = model.encode(model.seen(clean[:SAMPLE])) if config.sparsity or config.k else None
                at_end["silent"] = None if codes is None else metrics.silent_share(codes, bool(config.k))
                _refuse_divergence(
                    config, [at_end["held_out_loss"]], first_loss, step, num_steps, at_end.copy, objective.advice
                )
            return TrainingEvent(step, num_steps, step // num_batches, 0.0, losses[-1], **at_end)

        if objective.machine:
            optimizer = objective.machine.optimizer(num_batches)

            def rate(share: float) -> float:
                return objective.machine.rate

        else:
            optimizer = OPTIMIZERS[config.optimizer].make(config.learning_rate)
            optimizer.build(model.trainable_variables)  # also of those that it leaves alone, as checkpoints have them

            def rate(share: float) -> float:
                return config.learning_rate * schedule(share)

        return Phase(
            loss, objective.variables, optimizer, rate, orders,
            min(config.batch_size, len(x_train)), num_batches, objective.epochs * num_batches,
            objective.first_epoch * num_batches, event,
        )  # fmt: skip

    return map(phase, objectives(model, config, num_steps))


def _solve(model: Autoencoder, config: RunConfig, x_train: np.ndarray, x_held_out: np.ndarray) -> TrainingEvent:
    """The only event of a network whose weights are computed at once."""
    started = time.perf_counter()
    (objective,) = objectives(model, config, 1)
    x = as_float(x_train)
    ARCHITECTURES[config.architecture].solve(model, x)
    clean, noisy = _held_out_pair(model, config, x_held_out)
    loss, held_out_loss = (
        _held_out_means(objective, config, *pair)()["held_out_loss"] for pair in ((x, x), (noisy, clean))
    )
    seconds = time.perf_counter() - started

    def checkpoint() -> Checkpoint:
        return Checkpoint(1, seconds, model.weights(), (), np.empty(0), loss)

    return TrainingEvent(1, 1, 1, seconds, loss, loss, held_out_loss, checkpoint=checkpoint)


def _refuse_divergence(
    config: RunConfig, recent: Sequence[float], first_loss: float, step: int, num_steps: int,
    means: Callable[[], Mapping[str, float]], advice: str,
) -> None:  # fmt: skip
    """A `Diverged` when training has gone out of hand: better said at once than after the last epoch.

    `means` are asked whether a variational network's KL term is to blame; `advice` is the objective's.
    """
    what = ""
    if not np.isfinite(recent[-1]):
        what = f"became {recent[-1]}"
    elif len(recent) == WINDOW and np.mean(recent) > EXPLODED * first_loss:
        what = f"exploded from {first_loss:.3g} to {np.mean(recent):.3g}"
    if what:
        parts = means()
        by_kl = "rate" in parts and not parts["rate"] <= parts["distortion"]  # NaN is neither
        what = f"The loss, with a KL term of {parts['rate']:.3g} nats, {what}" if by_kl else f"The loss {what}"
        raise Diverged(what, f"step {step:,} of {num_steps:,}", step, config.optimizer, config.learning_rate, advice=advice)


def typical_noise(config: RunConfig) -> tuple[str, float]:
    """Kind and factor of the noise that a run is looked at under: its own; a mixture is stood for by its largest part."""
    if config.noise_kind == MIXED:
        return "gaussian", config.noise_factor / 2
    return config.noise_kind, config.noise_factor


def _held_out_pair(model: Autoencoder, config: RunConfig, x_held_out: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Clean held-out images and what the network gets of them, the same for every epoch."""
    clean = as_float(x_held_out)
    return clean, corrupt(model.seen(clean), *typical_noise(config), config.seed)


def _held_out_means(
    objective: Objective, config: RunConfig, noisy: np.ndarray, clean: np.ndarray, batch: int = 500
) -> Callable[[], dict[str, float]]:
    """What gives the mean loss over these images, as the weights are when it is called; codes are drawn the same each time.

    Returns:
        A function that gives "held_out_loss", and of a variational network's "distortion" and "rate" as well.
    """
    import tensorflow as tf

    terms = objective.parts or objective.loss
    compiled = tf.function(
        lambda x_noisy, x, seed: terms(x_noisy, x, False, seed), reduce_retracing=True, autograph=False
    )  # fmt: skip

    def means() -> dict[str, float]:
        total = 0.0
        for start in range(0, len(clean), batch):
            x_noisy, x = noisy[start : start + batch], clean[start : start + batch]
            total = total + compiled(x_noisy, x, tf.constant([config.seed, -1 - start])).numpy().astype(float) * len(x)
        if not objective.parts:
            return {"held_out_loss": float(total / len(clean))}
        distortion, rate = (total / len(clean)).tolist()
        return {"held_out_loss": distortion + config.beta * rate, "distortion": distortion, "rate": rate}

    return means


def history_row(event: TrainingEvent) -> dict[str, float]:
    """What is kept of an epoch, from the event that ends it: the columns of `history.csv`."""
    return {
        "epoch": event.epoch,
        "loss": round(event.epoch_loss, 6),
        "held_out_loss": round(event.held_out_loss, 6),
        "seconds": round(event.seconds, 2),
        **({} if event.silent is None else {"silent": round(event.silent, 4)}),
        **({} if event.rate is None else {"distortion": round(event.distortion, 6), "rate": round(event.rate, 6)}),
    }
