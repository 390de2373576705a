"""`dense_deep`: the network that made deep autoencoders known, 784 → 1000 → 500 → 250 → code and back.

Every layer is a sigmoid but the code, which is linear. The paper trained it layer by layer first, each as a restricted
Boltzmann machine, and then as a whole; with 30 numbers it reached 3.00 squared error per image on MNIST where principal
components have 13.87. Here layers can be trained alone as shallow autoencoders instead, and modern optimizers need not
even that.

Source: Hinton and Salakhutdinov, Science 313, 2006, Fig. 2 and the supporting material.
"""

from __future__ import annotations

from cae_core.architectures.autoencoder import Autoencoder
from cae_core.architectures.layers import dense_stack
from cae_core.config import RunConfig

HIDDEN = (1000, 500, 250)


def build(config: RunConfig, image_shape: tuple[int, int, int]) -> Autoencoder:
    """The network; its code is `(n, bottleneck)`, linear and unbounded."""
    return dense_stack(config, image_shape, HIDDEN, None)
