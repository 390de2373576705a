"""`dense`: one hidden layer each way around the code, every layer a sigmoid (784 → 256 → 128 → 256 → 784 as published).

A plain **undercomplete** autoencoder: the code is smaller than the image, so copying has to go through a narrow place,
and what gets through is what most images have in common. With one layer, no sigmoid and squared error it would find the
same plane as principal component analysis (Baldi and Hornik, Neural Networks 1989); the sigmoids let it bend that
plane.

Source: the plain deep autoencoder after Hinton and Salakhutdinov, Science 2006, trained from random weights.
"""

from __future__ import annotations

from cae_core.architectures.autoencoder import Autoencoder
from cae_core.architectures.layers import dense_stack
from cae_core.config import RunConfig

HIDDEN = (256,)


def build(config: RunConfig, image_shape: tuple[int, int, int]) -> Autoencoder:
    """The network; its code is `(n, bottleneck)` in (0, 1)."""
    return dense_stack(config, image_shape, HIDDEN, "sigmoid")
