"""`dense_denoise`: the denoising autoencoder with a single hidden layer, 784 → code → 784.

The first denoising autoencoders had one hidden layer, which is the code. It sees the noisy image and has to give the
clean one, so even a code as large as the image cannot simply copy. Every unit looks at the whole image at once: nothing
tells it that a stroke is a stroke wherever it lies, which is what convolutions add.

Source: Vincent, Larochelle, Bengio and Manzagol, ICML 2008.
"""

from __future__ import annotations

from cae_core.architectures.autoencoder import Autoencoder
from cae_core.architectures.layers import dense_stack
from cae_core.config import RunConfig


def build(config: RunConfig, image_shape: tuple[int, int, int]) -> Autoencoder:
    """The network; its code is `(n, bottleneck)` in (0, 1)."""
    return dense_stack(config, image_shape, (), "sigmoid")
