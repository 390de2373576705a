"""`conv_denoise` trained as others do: by Keras's own `fit`, as published, and in PyTorch, as its users would write it.

PyTorch is not among the tests' packages: `pip install torch==2.13.0` for the benchmarks that show it.
"""

import importlib.util
import time
from collections.abc import Iterator

import numpy as np

from cae_core.architectures import build
from cae_core.config import RunConfig


def is_installed() -> bool:
    """Whether there is a PyTorch to compare with."""
    return importlib.util.find_spec("torch") is not None


def published(image_shape: tuple[int, int, int] = (28, 28, 1)):
    """The published recipe: the app's network, and the compiled Keras model from noisy images to logits that is its own."""
    import keras

    model = build(RunConfig(architecture="conv_denoise"), image_shape)
    whole = keras.Model(model.encoder.input, model.decoder(model.encoder.output))
    whole.compile(keras.optimizers.Adam(1e-3), keras.losses.BinaryCrossentropy(from_logits=True))
    return model, whole


def epochs(x: np.ndarray, noise: float, batch_size: int = 128) -> Iterator[tuple[float, object]]:
    """Trains the network in PyTorch and yields after each epoch its seconds and the network.

    Args:
        x: `(n, 28, 28, 1)` uint8, the training images.
        noise: standard deviation of the Gaussian noise, fresh in every step.
    """
    import torch
    from torch import nn

    torch.manual_seed(0)

    def conv(channels: int, filters: int = 32) -> nn.Conv2d:
        return nn.Conv2d(channels, filters, 3, padding=1)

    network = nn.Sequential(
        conv(1), nn.ReLU(), nn.MaxPool2d(2), conv(32), nn.ReLU(), nn.MaxPool2d(2),
        conv(32), nn.ReLU(), nn.Upsample(scale_factor=2), conv(32), nn.ReLU(), nn.Upsample(scale_factor=2), conv(32, 1),
    ).to(memory_format=torch.channels_last)  # fmt: skip
    images = torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    loss_of = nn.BCEWithLogitsLoss()
    while True:
        begun = time.perf_counter()
        for indices in torch.randperm(len(images)).split(batch_size)[: len(images) // batch_size]:
            clean = (images[indices].float() / 255).contiguous(memory_format=torch.channels_last)
            noisy = (clean + noise * torch.randn_like(clean)).clamp(0, 1)
            optimizer.zero_grad(set_to_none=True)
            loss_of(network(noisy), clean).backward()
            optimizer.step()
        yield time.perf_counter() - begun, network
