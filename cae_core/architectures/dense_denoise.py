"""`dense_denoise`: the denoising autoencoder with a single hidden layer, 784 → code → 784.

The first denoising autoencoders had one hidden layer, which is the code. It sees the noisy image and has to give the
clean one, so even a code as large as the image cannot simply copy. Every unit looks at the whole image at once: nothing
tells it that a stroke is a stroke wherever it lies, which is what convolutions add.

Source: Vincent, Larochelle, Bengio and Manzagol, ICML 2008.
"""

from cae_core.architectures.autoencoder import Autoencoder
from cae_core.architectures.blocks import dense_forward, dense_stack
from cae_core.architectures.entry import Architecture
from cae_core.config import RunConfig


def build(config: RunConfig, image_shape: tuple[int, int, int]) -> Autoencoder:
    """The network; its code is `(n, bottleneck)` in (0, 1)."""
    return dense_stack(config, image_shape, (), "sigmoid")


ENTRIES = {
    "dense_denoise": Architecture(
        "Dense denoiser",
        "784 → code → 784: one hidden layer that sees the noisy image and has to give the clean one.",
        "Vincent et al., ICML 2008",
        build,
        published={"loss": "bce", "optimizer": "adam", "learning_rate": 0.001, "schedule": "constant", "batch_size": 200,
                   "epochs": 20, "bottleneck": 256, "noise_kind": "gaussian", "noise_factor": 0.5},
        equations=(
            r"z = \sigma(W \tilde x + b),\quad \tilde x = x + \varepsilon",
            r"\hat x = \sigma(W' z + b')",
            r"\min\; L(x, \hat x)",
        ),
        stages=1,
        forward=dense_forward((), "sigmoid"),
    ),
}  # fmt: skip
