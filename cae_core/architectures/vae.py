"""`vae`: a variational autoencoder with the layers of `fast`.

The code of an image is a normal distribution, μ and log σ², from which a step of training draws one code, μ + σ ε. The loss
is a bound on how unlikely the image is: its distortion, the binary cross-entropy through that code, and its rate, how far
the distribution is from a standard normal one, in nats per image. With β other than 1 it is no bound, but a choice: little
asks for sharp images, much for codes that say only what pays.

What was kept because it measurably helps, on held-out MNIST with a 2-number code after three epochs: two dense layers of
128 units before the code and three behind it, with half as many maps on either side as `fast` has, 140.1 nats against
142.0 with two behind it and all of the maps, half again as many weights. One layer of 96 each way: 144.2; of 256: 144.5.
Normal first weights right behind the code, of variance 2 / inputs (He et al. 2015): 137.8 against 140.1 with Glorot's.

Source: Kingma and Welling, Auto-Encoding Variational Bayes, ICLR 2014.
"""

import numpy as np

from cae_core.architectures import fast
from cae_core.architectures.entry import Architecture
from cae_core.architectures.forward import Layers
from cae_core.architectures.variational import EQUATIONS, TAKES, VariationalAutoencoder
from cae_core.config import RunConfig

WAIST = {"waist_1": 128, "waist_2": 128}
BACK = {**WAIST, "waist_3": 128}
"""Units of the dense layers before the code, and behind it."""
MAPS = (32, 8)


def build(config: RunConfig, image_shape: tuple[int, int, int]) -> VariationalAutoencoder:
    """The network; its code is `(n, bottleneck)`, linear and unbounded."""
    heads = ("code", "log_variance")
    spread = (2 / config.bottleneck) ** 0.5
    parts = fast.encoder_and_decoder(config, image_shape, WAIST, heads, BACK, MAPS, spread)
    return VariationalAutoencoder(*parts, config.output)


def encode(net: Layers, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The encoder in NumPy."""
    h = fast.before_code(net, x)
    return net.dense("code", h), net.dense("log_variance", h)


ENTRIES = {
    "vae": Architecture(
        "Variational",
        "Each image's code is a cloud, and all clouds together fill one known shape: new codes can be drawn from it.",
        "Kingma and Welling, ICLR 2014; the layers are this app's own",
        build,
        published={"loss": "elbo", "optimizer": "muon", "learning_rate": 0.01, "schedule": "one_cycle", "batch_size": 128,
                   "epochs": 7, "bottleneck": 2, "noise_kind": "none"},
        equations=EQUATIONS,
        takes=TAKES,
        own=True,
        variational=True,
        forward=(encode, fast.decode),
    ),
}  # fmt: skip
