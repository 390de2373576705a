"""`dense`: one hidden layer each way around the code, every layer a sigmoid (784 → 256 → 128 → 256 → 784 as published).

A plain **undercomplete** autoencoder: the code is smaller than the image, so copying has to go through a narrow place,
and what gets through is what most images have in common. With one layer, no sigmoid and squared error it would find the
same plane as principal component analysis (Baldi and Hornik, Neural Networks 1989); the sigmoids let it bend that
plane.

Source: the plain deep autoencoder after Hinton and Salakhutdinov, Science 2006, trained from random weights.
"""

from cae_core.architectures.autoencoder import Autoencoder
from cae_core.architectures.blocks import dense_forward, dense_stack
from cae_core.architectures.entry import Architecture
from cae_core.config import RunConfig

HIDDEN = (256,)


def build(config: RunConfig, image_shape: tuple[int, int, int]) -> Autoencoder:
    """The network; its code is `(n, bottleneck)` in (0, 1)."""
    return dense_stack(config, image_shape, HIDDEN, "sigmoid")


ENTRIES = {
    "dense": Architecture(
        "Dense",
        "784 → 256 → code → 256 → 784, every layer a sigmoid.",
        "Hinton and Salakhutdinov, Science 2006, without the pretraining",
        build,
        published={"loss": "mse", "optimizer": "rmsprop", "learning_rate": 0.01, "schedule": "constant", "batch_size": 256,
                   "epochs": 20, "bottleneck": 128, "noise_kind": "none"},
        equations=(
            r"z = \sigma(W_2\,\sigma(W_1 x + b_1) + b_2)",
            r"\hat x = \sigma(W_4\,\sigma(W_3 z + b_3) + b_4)",
        ),
        stages=2,
        forward=dense_forward(HIDDEN, "sigmoid"),
    ),
}  # fmt: skip
