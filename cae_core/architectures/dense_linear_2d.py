"""`dense_linear_2d`: a deep stack of sigmoids around a linear code of two numbers, 784 → 256 → 64 → 16 → 2 and back.

Two numbers are a point in a plane, so the whole code can be drawn. The code must not be squashed: after a sigmoid the
plane would be a unit square with most images pressed against its edges. A stack of this many sigmoids is hard to train
from random weights, for each of them multiplies the gradient by at most 1/4; trained layer by layer first, each pair of
layers alone as a shallow autoencoder on what the one before gives, it starts where the gradient still reaches every
layer.

Sources: Hinton and Salakhutdinov, Science 2006 (a linear code in a stack of sigmoids, pretrained); Bengio, Lamblin,
Popovici and Larochelle, NIPS 2006 (greedy layer-wise pretraining with autoencoders).
"""

from cae_core.architectures.autoencoder import Autoencoder
from cae_core.architectures.blocks import dense_forward, dense_stack
from cae_core.architectures.entry import Architecture
from cae_core.config import RunConfig

HIDDEN = (256, 64, 16)


def build(config: RunConfig, image_shape: tuple[int, int, int]) -> Autoencoder:
    """The network; its code is `(n, 2)`, linear and unbounded."""
    return dense_stack(config, image_shape, HIDDEN, None)


ENTRIES = {
    "dense_linear_2d": Architecture(
        "Deep, linear code of 2",
        "784 → 256 → 64 → 16 → 2 and back: the whole code is a point on a plane.",
        "Hinton and Salakhutdinov, Science 2006; Bengio et al., NIPS 2006",
        build,
        published={"loss": "mse", "optimizer": "adam", "learning_rate": 0.01, "schedule": "constant", "batch_size": 256,
                   "epochs": 20, "bottleneck": 2, "noise_kind": "none"},
        equations=(
            r"h_i = \sigma(W_i h_{i-1} + b_i),\quad h_0 = x",
            r"z = W_4 h_3 + b_4 \in \mathbb{R}^2",
            r"\hat h_{i-1} = \sigma(W'_i \hat h_i + b'_i),\quad \hat x = \hat h_0",
        ),
        takes={"bottleneck": (2,)},
        stages=4,
        forward=dense_forward(HIDDEN, None),
    ),
}  # fmt: skip
