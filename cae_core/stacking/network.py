"""A stack of convolutional autoencoders, and the classifier that begins with its encoders.

A layer reads with its kernels and paints with the same ones flipped in both axes, h = t(x ∗ W + b), y = t(h ∗ W̃ + c);
between the two, 2 × 2 max pooling keeps one value of four in its place and erases the others. t is the scaled hyperbolic
tangent 1.7159 tanh(2/3 ·) that Masci et al. use, after LeCun et al., Efficient BackProp, 1998; only the way back to pixels,
which are in [0, 1], ends in a sigmoid.

Source: Masci, Meier, Cireşan and Schmidhuber, Stacked Convolutional Auto-Encoders for Hierarchical Feature Extraction,
ICANN 2011, section 3.
"""

from collections.abc import Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from cae_core import architectures
from cae_core.architectures.blocks import convolutions, seeds
from cae_core.architectures.layers import MaxPoolSwitches, TiedConv2DTranspose, Unpool
from cae_core.config import ARMS, StackConfig
from cae_core.stacking.config import check

HEAD_SEED = 2**20
"""Added to the seed of a classifier's own layers, so that they are drawn alike whatever is below them."""


def squash(h):
    """1.7159 tanh(2/3 h): its value at ±1 is ±1, where it is steepest to learn from (LeCun et al. 1998, section 4.4)."""
    return 1.7159 * tf.tanh(h * (2.0 / 3.0))


class Encoders:
    """The convolutions of all layers, with or without pooling, as they start from a seed.

    Attributes:
        convs: the layers' `Conv2D`s, from the image on.
        pools: after each of them a `MaxPoolSwitches`, or None without pooling.
        shapes: `(h, w, maps)` of what each layer gives, the image's shape first.
    """

    def __init__(self, config: StackConfig, image_shape: tuple[int, int, int], name: str) -> None:
        conv, shape = convolutions(seeds(config.seed)), tuple(image_shape)
        self.convs, self.pools, self.shapes = [], [], [shape]
        for number, (maps, kernel) in enumerate(zip(config.maps, config.kernels, strict=True), 1):
            layer = conv(maps, kernel, f"{name}_conv_{number}", None)
            layer.build((None, *shape))
            scale = 2 if config.pooling else 1
            shape = (shape[0] // scale, shape[1] // scale, maps)
            self.convs.append(layer)
            self.pools.append(MaxPoolSwitches(name=f"{name}_pool_{number}") if config.pooling else None)
            self.shapes.append(shape)

    def up(self, h, number: int):
        """What layer `number`, from 0, makes of `(n, h, w, c)`: its maps, pooled, and the switches, if any."""
        h = squash(self.convs[number](h))
        return self.pools[number](h) if self.pools[number] else (h, None)

    def encode(self, x, count: int | None = None):
        """The maps `(n, h, w, maps)` after the first `count` layers; by default after all."""
        for number in range(len(self.convs) if count is None else count):
            x, _ = self.up(x, number)
        return x

    def pooled(self, x):
        """`encode` without switches, which a classifier does not need: the same numbers, in less time."""
        for conv, pool in zip(self.convs, self.pools, strict=True):
            x = squash(conv(x))
            x = tf.nn.max_pool2d(x, 2, 2, "VALID") if pool else x
        return x

    def variables(self, number: int) -> list:
        """Kernel and bias of a layer."""
        return [self.convs[number].kernel, self.convs[number].bias]


class Stack:
    """Layers that each undo their own step, trained one after another.

    Attributes:
        encoders: the way up.
        downs: the way back, a `TiedConv2DTranspose` a layer.
    """

    def __init__(self, config: StackConfig, image_shape: tuple[int, int, int]) -> None:
        self.config, self.image_shape = config, tuple(image_shape)
        self.encoders = Encoders(config, image_shape, "stack")
        self.downs = []
        for number, conv in enumerate(self.encoders.convs, 1):
            down = TiedConv2DTranspose(conv, name=f"stack_back_{number}")
            down.build((None, *self.encoders.shapes[number - 1][:2], conv.filters))
            self.downs.append(down)
        self._unpool = Unpool(name="stack_unpool")

    def trainable(self, number: int) -> list:
        """What training layer `number`, from 0, may change: its kernel, which is also its way back, and two biases."""
        return [*self.encoders.variables(number), self.downs[number].bias]

    def logits_below(self, h, switches, number: int):
        """The way back through layer `number` before its last squash, `(n, H, W, c)` of what that layer reads."""
        return self.downs[number](h if switches is None else self._unpool([h, switches]))

    def below(self, h, switches, number: int):
        """What layer `number` takes its own input for: maps in (−1.7159, 1.7159), or pixels in (0, 1) at the bottom."""
        return (squash if number else tf.sigmoid)(self.logits_below(h, switches, number))

    def reconstruct(self, x, count: int):
        """Pixels back from the maps after `count` layers, down through every one of them: `(n, H, W, C)` in (0, 1)."""
        kept = []
        for number in range(count):
            x, switches = self.encoders.up(x, number)
            kept.append(switches)
        for number in reversed(range(count)):
            x = self.below(x, kept[number], number)
        return x


class Classifier:
    """Encoders, a fully connected layer if there is one, and one number per class.

    Attributes:
        encoders: of its own; they start as the stack's do before any training.
        dense: the fully connected layers.
    """

    def __init__(self, config: StackConfig, image_shape: tuple[int, int, int], num_classes: int, name: str) -> None:
        self.encoders = Encoders(config, image_shape, name)
        seed, size = seeds(config.seed + HEAD_SEED), int(np.prod(self.encoders.shapes[-1]))
        self.dense, self._hidden = [], bool(config.hidden)
        for number, units in enumerate([config.hidden, num_classes] if config.hidden else [num_classes], 1):
            layer = layers.Dense(
                units, kernel_initializer=keras.initializers.GlorotUniform(next(seed)), name=f"{name}_dense_{number}"
            )
            layer.build((None, size))
            self.dense.append(layer)
            size = units

    @property
    def trainable(self) -> list:
        """Everything: the classifier is trained end to end."""
        below = [v for number in range(len(self.encoders.convs)) for v in self.encoders.variables(number)]
        return below + [v for layer in self.dense for v in (layer.kernel, layer.bias)]

    def logits(self, x, keep=None):
        """`(n, classes)` of images `(n, H, W, C)`.

        Args:
            x: the images, float32 in [0, 1].
            keep: while it is trained, what each number of the last maps is multiplied by, `(n, numbers)`: 0 for those that
                are left out, and more than 1 for the others, which makes up for them (Srivastava et al., JMLR 2014).
        """
        h = self.encoders.pooled(x)
        h = tf.reshape(h, (-1, int(np.prod(self.encoders.shapes[-1]))))
        h = h if keep is None else h * keep
        for layer in self.dense[:-1]:
            h = squash(layer(h))
        return self.dense[-1](h)

    def start_from(self, stack: Stack) -> None:
        """Takes over the stack's kernels and biases as they are; its own layers stay as they were drawn."""
        for mine, theirs in zip(self.encoders.convs, stack.encoders.convs, strict=True):
            mine.kernel.assign(theirs.kernel)
            mine.bias.assign(theirs.bias)


class Networks:
    """The stack and both classifiers of a configuration, untrained; before fine-tuning the two differ in nothing.

    Attributes:
        stack: the autoencoders.
        arms: the classifiers by name in `ARMS`.
    """

    def __init__(self, config: StackConfig, image_shape: tuple[int, int, int], num_classes: int) -> None:
        check(config)
        with architectures.building:
            self.stack = Stack(config, image_shape)
            self.arms = {name: Classifier(config, image_shape, num_classes, name) for name in ARMS}

    def weights(self) -> dict[str, np.ndarray]:
        """Every weight by a name such as "stack/0" or "random/3", in a fixed order."""
        return {name: variable.numpy() for name, variable in self._variables().items()}

    def set_weights(self, weights: Mapping[str, np.ndarray]) -> None:
        """The inverse of `weights`; a missing or wrong-shaped one is a ValueError naming it."""
        for name, variable in self._variables().items():
            if name not in weights or weights[name].shape != tuple(variable.shape):
                raise ValueError(f"The weights do not fit the stack: {name} is missing or of another shape.")
        for name, variable in self._variables().items():
            variable.assign(weights[name])

    def _variables(self) -> dict:
        groups: dict[str, Sequence] = {
            "stack": [v for number in range(len(self.stack.downs)) for v in self.stack.trainable(number)],
            **{name: arm.trainable for name, arm in self.arms.items()},
        }
        return {f"{group}/{i}": variable for group, variables in groups.items() for i, variable in enumerate(variables)}
