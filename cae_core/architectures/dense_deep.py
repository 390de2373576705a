"""`dense_deep`: the network that made deep autoencoders known, 784 → 1000 → 500 → 250 → code and back.

Every layer is a sigmoid but the code, which is linear. A stack of that many sigmoids hardly begins to learn from small
random weights. So the paper trained it layer by layer first, each pair of layers as a restricted Boltzmann machine, and
then as a whole; with 30 numbers it reached 3.00 squared error per image on MNIST where principal components have 13.87.
Adam takes the place here of its conjugate gradients. Trained all at once the network begins with four times Glorot's
weights, for a sigmoid is four times less steep than the tanh that they are meant for.

Sources: Hinton and Salakhutdinov, Science 313, 2006, Fig. 2 and the supporting material (the network); Glorot and
Bengio, AISTATS 2010 (why sigmoids stall, and the weights).
"""

from cae_core.architectures.autoencoder import Autoencoder
from cae_core.architectures.blocks import dense_forward, dense_stack
from cae_core.architectures.entry import Architecture
from cae_core.config import RunConfig

HIDDEN = (1000, 500, 250)


def build(config: RunConfig, image_shape: tuple[int, int, int]) -> Autoencoder:
    """The network; its code is `(n, bottleneck)`, linear and unbounded."""
    return dense_stack(config, image_shape, HIDDEN, None, gain=4.0)


ENTRIES = {
    "dense_deep": Architecture(
        "Deep",
        "784 → 1000 → 500 → 250 → code and back, the network that made deep autoencoders known.",
        "Hinton and Salakhutdinov, Science 2006, Fig. 2",
        build,
        published={"loss": "bce", "optimizer": "adam", "learning_rate": 0.002, "schedule": "one_cycle", "batch_size": 100,
                   "epochs": 30, "pretraining": 10, "pretraining_kind": "rbm", "bottleneck": 30, "noise_kind": "none"},
        equations=(
            r"h_i = \sigma(W_i h_{i-1} + b_i),\quad h_0 = x",
            r"z = W_4 h_3 + b_4 \in \mathbb{R}^{30}",
            r"\hat h_{i-1} = \sigma(W'_i \hat h_i + b'_i),\quad \hat x = \hat h_0",
        ),
        stages=4,
        forward=dense_forward(HIDDEN, None),
    ),
}  # fmt: skip
