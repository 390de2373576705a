"""How soon runs are good: beside the published recipe, which makes its network slowly, and by a deadline.

Squared error per pixel on all of MNIST's test set, on images with the run's own noise. In `quality`, in turns:

- fit: the published recipe, `conv_denoise` by Keras's `fit`, Adam at 0.001, batches of 128; timed by the epoch. Its error
  epoch by epoch was measured once: 0.0114 after 10 epochs, 0.0100 after 60.
- torch: the same network in PyTorch, by the epoch, where that is installed.
- ours: `fast_denoise` with its own recipe, by the app's trainer, held-out losses included, trained to its end for either
  goal; beside it `fast`, which has to get everything through a code of 128 numbers and is held to no bar.

In `deadlines`, bottlenecks against their references and a visitor's first run, cut off when their time is over. Times are
of training alone; the first step of ours and a first batch of the others compile and are shown apart. Medians meet bars.
"""

import dataclasses
import time
from dataclasses import dataclass

import numpy as np

from cae_core import datasets, runtime, training
from cae_core.architectures import build
from cae_core.config import RunConfig
from cae_core.corruptions import corrupt
from tests.benchmarks import peer
from tests.benchmarks.machine import medians

NOISE = 0.5
DENOISING = RunConfig(
    dataset="mnist", num_train=60_000, architecture="fast_denoise", noise_kind="gaussian", noise_factor=NOISE,
    loss="mse", optimizer="muon", learning_rate=0.02, schedule="one_cycle", batch_size=128, epochs=3,
)  # fmt: skip
CODED = dataclasses.replace(DENOISING, architecture="fast", learning_rate=0.01, noise_kind="none", epochs=5)


@dataclass(frozen=True)
class Goal:
    """What a run is to reach.

    Attributes:
        recipe: the run.
        error: squared error per pixel on the test set, at most.
        seconds: of training, after which it is cut off.
        epochs: of the published recipe, that reach it.
        times: in so many times less time than those take.
    """

    recipe: RunConfig
    error: float = 1.0
    seconds: float = float("inf")
    epochs: int = 0
    times: float = 0.0

    def run(self, x: np.ndarray, x_held_out: np.ndarray) -> dict[str, float]:
        """Seconds to compile and to train on the first of the images, and the error."""
        model, compiling, seconds = build(self.recipe, x.shape[1:]), 0.0, 0.0
        for event in training.train(model, self.recipe, x[: self.recipe.num_train], x_held_out):
            compiling, seconds = compiling or event.seconds, event.seconds
            if seconds - compiling > self.seconds:
                break
        error = error_of(model.reconstruct, self.recipe.noise_kind, self.recipe.noise_factor)
        return {"compiling": compiling, "seconds": seconds - compiling, "error": error}


# Chosen on held-out images, where 42,000 in batches of 192 had 0.0112, of 256 0.0116, and two epochs of all 0.0100.
SHORTEST = dataclasses.replace(DENOISING, num_train=38_000, epochs=1, batch_size=192, learning_rate=0.025)
GOALS = {
    "10 epochs": Goal(SHORTEST, 0.0114, epochs=10, times=40.0),
    "60 epochs": Goal(dataclasses.replace(DENOISING, epochs=2), 0.0100, epochs=60, times=70.0),
    "fast": Goal(dataclasses.replace(CODED, bottleneck=128, noise_kind="gaussian", batch_size=64, epochs=1)),
}
FIRST = dataclasses.replace(CODED, num_train=10_000, loss="bce", noise_kind="gaussian", epochs=3, batch_size=64)
"""What the Train page opens with, on MNIST."""
DEADLINES = {
    "32 numbers, noise 0.5": Goal(dataclasses.replace(CODED, bottleneck=32, noise_kind="gaussian"), 0.0105, 60),
    "30 numbers": Goal(dataclasses.replace(CODED, bottleneck=30), 3.00 / 784, 90),
    "2 numbers": Goal(dataclasses.replace(CODED, bottleneck=2, epochs=4), 0.037, 60),
    "first preset": Goal(FIRST, 0.02, 5),
}


def error_of(reconstruct, noise_kind: str = "gaussian", noise: float = NOISE) -> float:
    """Mean squared error per pixel of what comes back from the noisy test images, which are the same for everybody."""
    clean = datasets.as_float(datasets.load("mnist", "test").x)
    noisy = corrupt(clean, noise_kind, noise, 0)
    parts = range(0, len(clean), 500)
    return float(np.mean([np.mean((reconstruct(noisy[a : a + 500]) - clean[a : a + 500]) ** 2) for a in parts]))


def of_fit(x: np.ndarray) -> dict[str, float]:
    """An epoch of the published recipe."""
    model, whole = peer.published(x.shape[1:])
    clean = datasets.as_float(x)
    noisy, weights = corrupt(clean, "gaussian", NOISE, 1), whole.get_weights()
    begun = time.perf_counter()
    whole.fit(noisy[:128], clean[:128], batch_size=128, verbose=0)
    compiled = time.perf_counter()
    whole.set_weights(weights)
    whole.fit(noisy, clean, batch_size=128, verbose=0)
    seconds = time.perf_counter() - compiled
    return {"compiling": compiled - begun, "seconds": seconds, "error": error_of(model.reconstruct)}


def of_torch(x: np.ndarray) -> dict[str, float]:
    """An epoch of the same network in PyTorch, after a batch that warms it up."""
    import torch

    next(peer.epochs(x[:128], NOISE))
    seconds, network = next(peer.epochs(x, NOISE))

    def reconstruct(noisy: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return torch.sigmoid(network(torch.from_numpy(noisy.transpose(0, 3, 1, 2)))).numpy().transpose(0, 2, 3, 1)

    return {"compiling": 0.0, "seconds": seconds, "error": error_of(reconstruct)}


def measure(rounds: int, goals: dict[str, Goal], with_others: bool = False) -> tuple[dict[str, list], dict, dict]:
    """Every round's figures by what ran, what is shown of them, and the bars for the errors."""
    runtime.ready(300)
    x, x_held_out = training.split_held_out(datasets.load("mnist", "train").x, 60_000)
    ways = {name: lambda goal=goal: goal.run(x, x_held_out) for name, goal in goals.items()}
    if with_others:
        ways |= {"fit": lambda: of_fit(x)} | ({"torch": lambda: of_torch(x)} if peer.is_installed() else {})
    every: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, run in ways.items():
            every[way].append(run())
    values = {way: {**medians(of), "every_round": [round(row["seconds"], 2) for row in of]} for way, of in every.items()}
    return every, values, {f"error of {name}": (values[name]["error"], goal.error) for name, goal in goals.items()}


def quality(rounds: int) -> tuple[dict, dict]:
    """Figures and bars beside the published recipe."""
    every, values, bars = measure(rounds, GOALS, with_others=True)
    for name, goal in GOALS.items():
        if goal.epochs:
            pairs = zip(every["fit"], every[name], strict=True)
            less = [{"times_less": goal.epochs * fit["seconds"] / ours["seconds"]} for fit, ours in pairs]
            values[name] |= medians(less, 1)
            bars[f"share of the recipe's time, {name}"] = (1 / values[name]["times_less"], 1 / goal.times)
    return values, bars


def deadlines(rounds: int) -> tuple[dict, dict]:
    """Figures and bars of runs that are cut off."""
    return measure(rounds, DEADLINES)[1:]
