"""The runs that ship with the app: which there are, and the recipe each is made by."""

import dataclasses

from cae_core import runs, training
from cae_core.architectures import build, published
from cae_core.config import BOTTLENECKS, SHIPPED_LOSSES, RunConfig, lookup
from cae_core.datasets import load
from cae_core.inspection import evaluation
from cae_core.runs import writing
from cae_core.runs.storage import round_to_bfloat16

TRAINED_ON = {"clean": "none", "mixed": "mixed"}
"""How a model was trained, as names and URLs say it, and the noise kind that means."""

NETWORK = "fast"
"""What every model of the `RECIPES` is."""

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
        architecture=NETWORK,
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
    for dataset in EPOCHS
    for trained_on in TRAINED_ON
    for loss in SHIPPED_LOSSES
    for bottleneck in BOTTLENECKS
}

SYSTEM_NAMES = (
    "fast_denoise", "dense", "dense_deep", "dense_linear_2d", "dense_denoise", "k_sparse", "conv_denoise", "conv_unpool",
    "conv_transpose", "conv_transpose_even", "conv_resize", "masci", "pca",
)  # fmt: skip
SHORTER = {"conv_denoise": 10}
"""Epochs of systems that were published with more than it takes to see what they do."""


def _system(name: str) -> RunConfig:
    config = published(name)
    return dataclasses.replace(config, epochs=SHORTER.get(name, config.epochs))


SYSTEMS: dict[str, RunConfig] = {f"mnist-{name}": _system(name) for name in SYSTEM_NAMES}
SYSTEMS["mnist-dense_deep-b2"] = dataclasses.replace(SYSTEMS["mnist-dense_deep"], bottleneck=2)
"""The published systems, each trained once on MNIST with the settings it was published with, and `fast_denoise`."""

COLOUR_EPOCHS = {"strokes_colour": 20, "cifar10": 12}
COLOUR_NETWORKS = ("colorize", "colorize_listing")
COLOUR_RECIPE = {"optimizer": "muon", "learning_rate": 0.005, "schedule": "one_cycle", "batch_size": 32}
COLOUR_OUTPUTS = {"bce": "sigmoid", "mse": "linear"}
"""What the decoder ends in. MSE through a sigmoid gets stuck on these images, most of which is dark: all output goes black
in the first steps, where a sigmoid has no slope left (after two epochs of 8,000 digits no held-out hue is within 15
degrees; of a linear decoder 69 % are). BCE's slope does not vanish there."""


def colour_name(dataset: str, architecture: str, loss: str) -> str:
    """The name of a run that colours grey images, such as "cifar10-colorize-mse"."""
    return f"{dataset}-{architecture}-{loss}"


def colour_config(dataset: str, architecture: str, loss: str, **size: int) -> RunConfig:
    """What such a run is, `size` being its epochs and images; not as published: RMSprop at 0.001 with batches of 148 learns
    no hue in two epochs of digits."""
    settings = {"dataset": dataset, "loss": loss, "output": COLOUR_OUTPUTS[loss], **size}
    return dataclasses.replace(published(architecture), **settings, **COLOUR_RECIPE)


COLOURING: dict[str, RunConfig] = {
    colour_name(dataset, architecture, loss): colour_config(dataset, architecture, loss, epochs=epochs)
    for dataset, epochs in COLOUR_EPOCHS.items()
    for architecture in COLOUR_NETWORKS
    for loss in SHIPPED_LOSSES
}
"""Grey to colour: the chain that was meant and the one that was listed, on each data set in colour, with each loss."""

VAE_EPOCHS = {"mnist": {2: 7, 8: 5, 32: 5}, "fashion_mnist": {2: 3, 8: 2, 32: 3}, "strokes": {2: 3, 8: 2, 32: 2}}
"""Epochs of the variational networks, by data set and size of the code; two numbers take longest here, too."""
VAE_BETAS, VAE_BETA_EPOCHS = (0.1, 4.0, 10.0), {2: 7, 8: 5}
"""Weights of the KL term beside 1, and the sizes of the code that they ship for, on MNIST."""
VAE_DIGITS = 5
"""Significant bits of their weights as they ship, a quarter less on disk: held-out MNIST came out 0.03 nats worse through 2
numbers and 0.08 through 32, and 0.45 and 0.35 with one bit less."""


def vae_name(dataset: str, bottleneck: int, beta: float = 1.0) -> str:
    """The name of a variational network, such as "mnist-vae-b2", or "mnist-vae-b2-beta0_1" of another β than 1."""
    weight = "" if beta == 1 else f"-beta{beta:g}".replace(".", "_")
    return f"{dataset}-vae-b{bottleneck}{weight}"


_CLOUDS = [
    *((dataset, 1.0, size, epochs) for dataset, sizes in VAE_EPOCHS.items() for size, epochs in sizes.items()),
    *(("mnist", beta, size, epochs) for beta in VAE_BETAS for size, epochs in VAE_BETA_EPOCHS.items()),
]
VARIATIONAL: dict[str, RunConfig] = {
    vae_name(dataset, size, beta): dataclasses.replace(
        published("vae"), dataset=dataset, bottleneck=size, beta=beta, epochs=epochs
    )
    for dataset, beta, size, epochs in _CLOUDS
}
"""Variational autoencoders, whose codes can be drawn."""

NARROWER: dict[str, RunConfig] = {
    "strokes-k_sparse": dataclasses.replace(published("k_sparse"), dataset="strokes", bottleneck=256, epochs=5)
}
"""k-sparse codes of another data set, of fewer units, for weights of 784 pixels each make large files."""


def k_sparse_name(dataset: str) -> str:
    """The k-sparse run that ships for a data set, else that of MNIST."""
    return f"{dataset}-k_sparse" if f"{dataset}-k_sparse" in SHIPPED else "mnist-k_sparse"


SHIPPED: dict[str, RunConfig] = {**RECIPES, **SYSTEMS, **COLOURING, **VARIATIONAL, **NARROWER}
"""Everything in `pretrained/`."""


def ships(dataset: str, architecture: str = NETWORK) -> bool:
    """Whether trained networks of an architecture ship for a data set."""
    return any((config.dataset, config.architecture) == (dataset, architecture) for config in SHIPPED.values())


def is_made(name: str) -> bool:
    """Whether a whole run of this name with today's recipe is there already."""
    try:
        run = runs.read(runs.PRETRAINED_DIR / name)
        runs.model(run)
    except runs.RunError:
        return False
    return run.config == SHIPPED[name]


def make(name: str, on_event=lambda event: None) -> runs.Run:
    """Trains, measures and saves one pretrained run; a finished run of the same configuration is taken as it is.

    Args:
        name: a name in `SHIPPED`.
        on_event: called with every `TrainingEvent`.
    """
    config = lookup(SHIPPED, "pretrained run", name)
    x_train, x_held_out = training.split_held_out(load(config.dataset, "train").x, config.num_train)
    model, history, seconds = build(config, x_train.shape[1:]), [], 0.0
    if before := _made_before(config):
        model.set_weights(runs.weights(before))
        columns, seconds = runs.history(before), before.seconds
        history = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        history = [{**row, "epoch": int(row["epoch"])} for row in history]
    else:
        for event in training.train(model, config, x_train, x_held_out):
            on_event(event)
            seconds = event.seconds
            if event.epoch_loss is not None:
                history.append(training.history_row(event))
    # What ships is the rounded network, so that is what is measured.
    digits = VAE_DIGITS if name in VARIATIONAL else 8
    model.set_weights({path: round_to_bfloat16(w, digits) for path, w in model.weights().items()})
    return writing.save(
        runs.PRETRAINED_DIR, name, model, config, history,
        metrics=evaluation.measure(model, config.dataset), num_train=len(x_train), seconds=seconds,
        precision="bfloat16", replace=True,
    )  # fmt: skip


def _made_before(config: RunConfig) -> runs.Run | None:
    """A finished run of these settings from fresh weights, such as one that `reproduce` has made."""
    same = (run for run in runs.networks(runs.runs_dir()) if run.config == config and not run.origin)
    return next((run for run in same if run.state == "finished"), None)
