"""The runs that ship with the app: which there are, and the recipe each is made by."""

from __future__ import annotations

from cae_core import evaluating, runs, saving, training
from cae_core.architectures import build
from cae_core.config import BOTTLENECKS, SHIPPED_LOSSES, RunConfig, lookup
from cae_core.datasets import DATASETS, load
from cae_core.storage import round_to_bfloat16

TRAINED_ON = {"clean": "none", "mixed": "mixed"}
"""How a model was trained, as names and URLs say it, and the noise kind that means."""

EPOCHS = {
    "mnist": {"clean": 5, "mixed": 6},
    "fashion_mnist": {"clean": 2, "mixed": 2},
    "strokes": {"clean": 2, "mixed": 3},
}
OPENING_EPOCHS = 24
"""For the setting the app opens with, noisy MNIST through 32 numbers: denoising goes on improving for a long time."""

BATCH_SIZE = {"clean": 64, "mixed": 128}
"""Noisy gradients want a larger batch: at equal epochs, held-out images of MNIST came out better with 64 when training on
clean images (2.9 against 3.2 squared error per image) and with 128 on mixed noise (MSE 0.0129 against 0.0133)."""


def name_of(dataset: str, bottleneck: int, loss: str, trained_on: str) -> str:
    """The run's name, such as "mnist-b32-bce-mixed"."""
    return f"{dataset}-b{bottleneck}-{loss}-{trained_on}"


def _config(dataset: str, bottleneck: int, loss: str, trained_on: str) -> RunConfig:
    epochs = EPOCHS[dataset][trained_on]
    if (dataset, bottleneck, trained_on) == ("mnist", 32, "mixed"):
        epochs = OPENING_EPOCHS
    if (bottleneck, trained_on) == (2, "clean"):
        epochs *= 2  # bending the images' shape into a plane takes longest, and the plane is there to be looked at
    return RunConfig(
        dataset=dataset,
        architecture="fast",
        bottleneck=bottleneck,
        loss=loss,
        noise_kind=TRAINED_ON[trained_on],
        noise_factor=1.0 if trained_on == "mixed" else 0.0,
        optimizer="muon",
        learning_rate=0.01,
        schedule="one_cycle",
        epochs=epochs,
        batch_size=BATCH_SIZE[trained_on],
        seed=0,
    )


RECIPES: dict[str, RunConfig] = {
    name_of(dataset, bottleneck, loss, trained_on): _config(dataset, bottleneck, loss, trained_on)
    for dataset in DATASETS
    for trained_on in TRAINED_ON
    for loss in SHIPPED_LOSSES
    for bottleneck in BOTTLENECKS
}


def is_made(name: str) -> bool:
    """Whether a whole run of this name with today's recipe is there already."""
    try:
        run = runs.read(runs.PRETRAINED_DIR / name)
        runs.model(run)
    except runs.RunError:
        return False
    return run.config == RECIPES[name]


def make(name: str, on_event=lambda event: None) -> runs.Run:
    """Trains, measures and saves one pretrained run.

    Args:
        name: a name in `RECIPES`.
        on_event: called with every `TrainingEvent`.
    """
    config = lookup(RECIPES, "pretrained run", name)
    x_train, x_held_out = training.split_held_out(load(config.dataset, "train").x, config.num_train)
    model, history = build(config, x_train.shape[1:]), []
    for event in training.train(model, config, x_train, x_held_out):
        on_event(event)
        if event.epoch_loss is not None:
            history.append(training.history_row(event))
    # What ships is the rounded network, so that is what is measured.
    model.set_weights({path: round_to_bfloat16(w) for path, w in model.weights().items()})
    return saving.save(
        runs.PRETRAINED_DIR, name, model, config, history,
        metrics=evaluating.measure(model, config.dataset), num_train=len(x_train), seconds=event.seconds,
        precision="bfloat16", replace=True,
    )  # fmt: skip
