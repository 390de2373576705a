"""`pca`: principal component analysis as a network, the best that one linear layer each way can do.

z = (x − m) Vᵀ and x̂ = z V + m, where V are the k directions in which the training images differ most. Nothing is
learned by steps: the directions come from the images' covariance matrix at once. What other networks gain over this at
the same code size they gain by not being linear.

Sources: Pearson 1901; Baldi and Hornik, Neural Networks 1989 (a linear autoencoder finds the same plane).
"""

from math import prod

import numpy as np

from cae_core import pca
from cae_core.architectures.autoencoder import Autoencoder
from cae_core.architectures.entry import Architecture
from cae_core.architectures.forward import Layers
from cae_core.config import RunConfig


def build(config: RunConfig, image_shape: tuple[int, int, int]) -> Autoencoder:
    """The network, every weight 0 until `solve`; its code is `(n, bottleneck)`, linear and unbounded."""
    import keras
    from keras import layers

    size = prod(image_shape)
    if config.bottleneck > size:
        raise ValueError(
            f"pca has at most as many components as the image has values, {size}: bottleneck is {config.bottleneck}."
        )
    x, z = keras.Input(image_shape), keras.Input((config.bottleneck,))
    code = layers.Dense(config.bottleneck, kernel_initializer="zeros", name="code")
    back = layers.Dense(size, kernel_initializer="zeros", name="back")
    decoder = keras.Model(z, layers.Reshape(image_shape)(back(z)), name="decoder")
    return Autoencoder(keras.Model(x, code(layers.Flatten()(x)), name="encoder"), decoder, config.output)


def solve(model: Autoencoder, x: np.ndarray) -> None:
    """Puts the principal components of images `(n, H, W, C)` float32 into the network."""
    fitted = pca.fit(x, model.code_size)
    v, mean = fitted.components, fitted.mean
    parts = {"code/kernel": v.T, "code/bias": -v @ mean, "back/kernel": v, "back/bias": mean}
    model.set_weights(parts)


def encode(net: Layers, x: np.ndarray) -> np.ndarray:
    """The encoder in NumPy."""
    return net.dense("code", x)


def decode(net: Layers, z: np.ndarray) -> np.ndarray:
    """The decoder in NumPy."""
    return net.dense("back", z).reshape(-1, *net.image_shape)


ENTRIES = {
    "pca": Architecture(
        "Principal components",
        "The best linear code: the directions in which the images differ most, computed at once.",
        "Pearson 1901; Baldi and Hornik, Neural Networks 1989",
        build,
        published={"loss": "mse", "output": "linear", "epochs": 1, "bottleneck": 30, "noise_kind": "none"},
        equations=(
            r"z = V (x - m)",
            r"\hat x = V^{\mathsf T} z + m",
            r"\min_V \sum_n \|x_n - \hat x_n\|^2,\quad V V^{\mathsf T} = I",
        ),
        takes={"loss": ("mse", "half"), "output": ("linear",), "noise_kind": ("none",), "epochs": (1,)},
        solve=solve,
        forward=(encode, decode),
    ),
}  # fmt: skip
