"""Inference in NumPy: the layers that the networks are made of, without TensorFlow.

What a network makes of an image takes a few matrix products; importing TensorFlow for them takes five seconds and half a
gigabyte. A network's file says with these layers how it is computed (`Architecture.forward`); the tests hold that to
Keras. Values are `(n, H, W, C)` float32, kernels as Keras keeps them, `(height, width, in, out)`, padding is "same".
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from cae_core.config import DEFAULTS, RunConfig

WINDOW_VALUES = 2**21
"""Numbers that a convolution lays out for its matrix product at once: 8 MB."""


def _sigmoid(h: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(np.minimum(-h, 88)))  # beyond, exp overflows


ACTIVATIONS: dict[str | None, Callable[[np.ndarray], np.ndarray]] = {
    None: lambda h: h,
    "relu": lambda h: np.maximum(h, 0),
    "sigmoid": _sigmoid,
    "silu": lambda h: h * _sigmoid(h),
    "tanh": np.tanh,
}


class Layers:
    """The layers of one network, each with its weights by its name.

    Attributes:
        image_shape: `(H, W, C)` of the images that the network gives.
        config: what was trained.
        used: names of the weights that were asked for.
    """

    def __init__(
        self, weights: Mapping[str, np.ndarray], image_shape: tuple[int, int, int], config: RunConfig = DEFAULTS
    ) -> None:
        self._weights, self.image_shape, self.config, self.used = weights, image_shape, config, set()

    def has(self, name: str) -> bool:
        """Whether the network has a layer of this name with weights."""
        return f"{name}/kernel" in self._weights

    def _weight(self, name: str, dimensions: int) -> np.ndarray:
        self.used.add(name)
        if name not in self._weights:
            raise ValueError(f"The weights do not fit the network: {name} is missing.")
        if self._weights[name].ndim != dimensions:
            raise ValueError(f"The weights do not fit the network: {name} is {self._weights[name].shape}.")
        return self._weights[name]

    def bias(self, name: str, channels: int) -> np.ndarray:
        """The bias of a layer, `(channels,)`."""
        bias = self._weight(f"{name}/bias", 1)
        if len(bias) != channels:
            raise ValueError(f"The weights do not fit the network: {name}/bias is ({len(bias)},), not ({channels},).")
        return bias

    def _kernel(self, name: str, dimensions: int, inputs: int, axis: int = -2) -> np.ndarray:
        kernel = self._weight(f"{name}/kernel", dimensions)
        if kernel.shape[axis] != inputs:
            raise ValueError(f"The weights do not fit the network: {name}/kernel is {kernel.shape}, for {inputs} inputs.")
        return kernel

    def dense(self, name: str, h: np.ndarray, activation: str | None = None, tied_to: str = "") -> np.ndarray:
        """W h + b of every row of h, flattened, `(n, units)`; with W the transpose of another layer's if it is tied."""
        h = h.reshape(len(h), -1)
        kernel = self._kernel(tied_to, 2, h.shape[1], axis=-1).T if tied_to else self._kernel(name, 2, h.shape[1])
        return ACTIVATIONS[activation](h @ kernel + self.bias(name, kernel.shape[1]))

    def conv(self, name: str, h: np.ndarray, activation: str | None = None, stride: int = 1) -> np.ndarray:
        """A convolution, `(n, ⌈H / stride⌉, ⌈W / stride⌉, filters)`, as one matrix product with every window as a row."""
        kernel = self._kernel(name, 4, h.shape[3])
        return ACTIVATIONS[activation](_correlate(h, kernel, stride) + self.bias(name, kernel.shape[3]))

    def conv_transpose(
        self, name: str, h: np.ndarray, activation: str | None = None, stride: int = 1, tied_to: str = ""
    ) -> np.ndarray:
        """The adjoint of a convolution, plus the bias: every value adds its kernel to the picture, `(n, sH, sW, filters)`.

        Args:
            name: the layer's.
            h: what it takes.
            activation: as of `ACTIVATIONS`.
            stride: s, how much larger the output is.
            tied_to: the convolution whose kernel it uses; by default it has its own, `(height, width, out, in)`.
        """
        n, height, width, inputs = h.shape
        kernel = self._kernel(tied_to or name, 4, inputs, axis=3)
        rows, columns, channels = kernel.shape[:3]
        out = np.zeros((n, stride * (height - 1) + rows, stride * (width - 1) + columns, channels), np.float32)
        for i, j in np.ndindex(rows, columns):
            out[:, i : i + stride * height : stride, j : j + stride * width : stride] += h @ kernel[i, j].T
        top, left = (max(side - stride, 0) // 2 for side in (rows, columns))
        out = out[:, top : top + stride * height, left : left + stride * width]
        return ACTIVATIONS[activation](out + self.bias(name, channels))

    @staticmethod
    def max_pool(h: np.ndarray) -> np.ndarray:
        """The greatest of every 2 × 2 values, `(n, ⌈H / 2⌉, ⌈W / 2⌉, C)`; at an odd edge, of those that there are."""
        odd = [(0, side % 2) for side in h.shape[1:3]]
        h = np.pad(h, ((0, 0), *odd, (0, 0)), constant_values=-np.inf) if any(map(any, odd)) else h
        n, height, width, channels = h.shape
        return h.reshape(n, height // 2, 2, width // 2, 2, channels).max(axis=(2, 4))

    @staticmethod
    def max_pool_switches(h: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """`max_pool` of even sides, and each maximum's place, int32, 0 to 3 row by row: of equal ones the first."""
        n, height, width, channels = h.shape
        windows = h.reshape(n, height // 2, 2, width // 2, 2, channels).transpose(0, 1, 3, 5, 2, 4)
        windows = windows.reshape(n, height // 2, width // 2, channels, 4)
        return windows.max(axis=-1), windows.argmax(axis=-1).astype(np.int32)

    @classmethod
    def unpool(cls, h: np.ndarray, switches: np.ndarray) -> np.ndarray:
        """Every value back in its window's place and 0 in the other three, `(n, 2H, 2W, C)`."""
        return cls.depth_to_space((h[:, :, :, None] * (switches[:, :, :, None] == np.arange(4)[:, None])), 2)

    @staticmethod
    def upsample(h: np.ndarray) -> np.ndarray:
        """Every value twice in each direction, `(n, 2H, 2W, C)`."""
        return h.repeat(2, axis=1).repeat(2, axis=2)

    @staticmethod
    def resize(h: np.ndarray, height: int, width: int) -> np.ndarray:
        """The nearest value to every pixel's centre, `(n, height, width, C)`."""
        rows = (2 * np.arange(height) + 1) * h.shape[1] // (2 * height)
        columns = (2 * np.arange(width) + 1) * h.shape[2] // (2 * width)
        return h[:, rows[:, None], columns]

    @staticmethod
    def depth_to_space(h: np.ndarray, block: int) -> np.ndarray:
        """Sub-pixel upsampling: `(n, H, W, b²C)` to `(n, bH, bW, C)`, channels becoming pixels (Shi et al., CVPR 2016)."""
        n, height, width = h.shape[:3]
        h = h.reshape(n, height, width, block, block, -1).transpose(0, 1, 3, 2, 4, 5)
        return h.reshape(n, height * block, width * block, -1)


def _correlate(h: np.ndarray, kernel: np.ndarray, stride: int) -> np.ndarray:
    """The sum over every window of its values times the kernel's, `(n, ⌈H / stride⌉, ⌈W / stride⌉, out)`."""
    sizes = [-(-side // stride) for side in h.shape[1:3]]
    missing = [max((new - 1) * stride + k - old, 0) for new, k, old in zip(sizes, kernel.shape, h.shape[1:3], strict=False)]
    h = np.pad(h, ((0, 0), *((total // 2, total - total // 2) for total in missing), (0, 0)))
    windows = sliding_window_view(h, kernel.shape[:2], axis=(1, 2))[:, ::stride, ::stride].transpose(0, 1, 2, 4, 5, 3)
    flat = kernel.reshape(-1, kernel.shape[3])
    images = max(1, WINDOW_VALUES // (sizes[0] * sizes[1] * len(flat)))
    parts = [windows[start : start + images] for start in range(0, len(h), images)]
    return np.concatenate([(part.reshape(-1, len(flat)) @ flat).reshape(len(part), *sizes, -1) for part in parts])
