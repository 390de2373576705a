"""Layers that Keras does not have: pooling with switches and unpooling, tied kernels; and a network without them."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers


@keras.saving.register_keras_serializable("cae_core")
class MaxPoolSwitches(layers.Layer):
    """2 × 2 max pooling that also says where each maximum was: the **switches** of Zeiler and Fergus, ECCV 2014.

    `(n, H, W, C)` with even H and W to `(n, H/2, W/2, C)` and the switches, int32 of the same shape: the maximum's place in
    its window, 0 to 3 row by row. Of equal maxima the first counts, in the value's gradient, too.
    """

    def call(self, h):
        n, height, width, channels = tf.shape(h)[0], *h.shape[1:]
        windows = tf.reshape(h, (n, height // 2, 2, width // 2, 2, channels))
        windows = tf.reshape(tf.transpose(windows, (0, 1, 3, 5, 2, 4)), (n, height // 2, width // 2, channels, 4))
        switches = tf.argmax(windows, axis=-1, output_type=tf.int32)
        return tf.gather(windows, switches, axis=-1, batch_dims=4), switches

    def compute_output_spec(self, h):
        n, height, width, channels = h.shape
        shape = (n, height // 2, width // 2, channels)
        return keras.KerasTensor(shape, h.dtype), keras.KerasTensor(shape, "int32")

    def plain(self) -> keras.Model:
        """The same of Keras's own operations, for a model that leaves this project."""
        h = keras.Input(self.input.shape[1:])
        height, width, channels = h.shape[1:]
        windows = layers.Reshape((height // 2, 2, width // 2, 2, channels))(h)
        windows = layers.Permute((1, 3, 5, 2, 4))(windows)
        windows = layers.Reshape((height // 2, width // 2, channels, 4))(windows)
        switches = keras.ops.cast(keras.ops.argmax(windows, axis=-1), "int32")
        return keras.Model(h, [keras.ops.max(windows, axis=-1), switches], name=self.name)


@keras.saving.register_keras_serializable("cae_core")
class Unpool(layers.Layer):
    """The inverse of `MaxPoolSwitches` where it has one: each value back in its place, 0 in the other three.

    `[(n, h, w, C), switches]` to `(n, 2h, 2w, C)`. Badrinayanan, Kendall and Cipolla's SegNet (2015) upsamples like this.
    """

    def call(self, inputs):
        h, switches = inputs
        n, height, width, channels = tf.shape(h)[0], *h.shape[1:]
        windows = h[..., None] * tf.one_hot(switches, 4, dtype=h.dtype)
        windows = tf.reshape(windows, (n, height, width, channels, 2, 2))
        return tf.reshape(tf.transpose(windows, (0, 1, 4, 2, 5, 3)), (n, 2 * height, 2 * width, channels))

    def compute_output_spec(self, inputs):
        n, height, width, channels = inputs[0].shape
        return keras.KerasTensor((n, 2 * height, 2 * width, channels), inputs[0].dtype)

    def plain(self) -> keras.Model:
        """The same of Keras's own operations."""
        h, switches = (keras.Input(given.shape[1:], dtype=given.dtype) for given in self.input)
        height, width, channels = h.shape[1:]
        windows = layers.Reshape((height, width, channels, 1))(h) * keras.ops.one_hot(switches, 4, dtype=h.dtype)
        windows = layers.Reshape((height, width, channels, 2, 2))(windows)
        windows = layers.Permute((1, 4, 2, 5, 3))(windows)
        return keras.Model([h, switches], layers.Reshape((2 * height, 2 * width, channels))(windows), name=self.name)


@keras.saving.register_keras_serializable("cae_core")
class SubtractBias(layers.Layer):
    """h − b with one b per channel: undoes the bias that a convolution has added."""

    def build(self, shape):
        self.bias = self.add_weight(name="bias", shape=(shape[-1],), initializer="zeros")

    def call(self, h):
        return h - self.bias

    def plain(self) -> layers.Layer:
        """The same as a convolution of 1 × 1 with a kernel of ones for each channel."""
        copy = layers.DepthwiseConv2D(1, name=self.name)
        copy.build(self.input.shape)
        copy.set_weights([np.ones(copy.kernel.shape), -self.bias.numpy()])
        return copy


def keep_largest(h, k):
    """h `(n, units)` with 0 in the place of all but the k largest numbers of each row; of equal ones all stay."""
    return tf.where(h >= tf.math.top_k(h, k).values[:, -1:], h, 0.0)


class Largest(layers.Layer):
    """h with 0 in the place of all but the k largest numbers of each row (Makhzani and Frey, ICLR 2014)."""

    def __init__(self, k: int, name: str | None = None):
        super().__init__(name=name)
        self.k = k

    def call(self, h):
        return keep_largest(h, self.k)

    def compute_output_spec(self, h):
        return keras.KerasTensor(h.shape, h.dtype)

    def plain(self) -> keras.Model:
        """The same of Keras's own operations."""
        h = keras.Input(self.input.shape[1:])
        return keras.Model(h, keras.ops.where(h >= keras.ops.top_k(h, self.k)[0][:, -1:], h, 0.0), name=self.name)


class TiedDense(layers.Layer):
    """The dense layer with the transpose of another one's kernel: the same variable.

    Args:
        dense: the layer whose kernel it uses, already built.
        units: numbers that it gives, as many as that layer takes.
    """

    def __init__(self, dense: layers.Dense, units: int, name: str | None = None):
        super().__init__(name=name)
        self._kernel = lambda: dense.kernel  # behind a function, or Keras would count the weight twice
        self.units = units

    @property
    def kernel(self):
        return tf.transpose(self._kernel())

    def build(self, shape):
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")

    def call(self, h):
        return tf.matmul(h, tf.convert_to_tensor(self._kernel()), transpose_b=True) + self.bias

    def compute_output_spec(self, h):
        return keras.KerasTensor((h.shape[0], self.units), h.dtype)

    def plain(self) -> layers.Layer:
        """A layer of Keras's own with a copy of the kernel."""
        copy = layers.Dense(self.units, name=self.name)
        copy.build(self.input.shape)
        copy.set_weights([self.kernel.numpy(), self.bias.numpy()])
        return copy


class TiedConv2DTranspose(layers.Layer):
    """The transposed convolution with another layer's kernel: not a copy kept in step, the same variable.

    With stride 1 it is the convolution with the kernels flipped in both axes of Masci et al., ICANN 2011, section 3; it is
    the adjoint of the layer's own convolution, <conv(a), b> = <a, conv_T(b)>.

    Args:
        convolution: the `Conv2D` whose kernel it uses, already built.
        strides: how many times larger the output is.
    """

    def __init__(self, convolution: layers.Conv2D, strides: int = 1, name: str | None = None):
        super().__init__(name=name)
        self._kernel = lambda: convolution.kernel  # behind a function, or Keras would count the weight twice
        self.strides = (strides, strides)
        self.kernel_size, self.filters = convolution.kernel_size, convolution.kernel.shape[2]

    @property
    def kernel(self):
        return self._kernel()

    def build(self, shape):
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")

    def call(self, h):
        n, height, width, _ = tf.shape(h)[0], *h.shape[1:]
        shape = (n, height * self.strides[0], width * self.strides[1], self.filters)
        return tf.nn.conv2d_transpose(h, tf.convert_to_tensor(self.kernel), shape, self.strides, "SAME") + self.bias

    def compute_output_spec(self, h):
        n, height, width, _ = h.shape
        return keras.KerasTensor((n, height * self.strides[0], width * self.strides[1], self.filters), h.dtype)

    def plain(self) -> layers.Layer:
        """A layer of Keras's own with a copy of the kernel."""
        copy = layers.Conv2DTranspose(self.filters, self.kernel_size, self.strides, "same", name=self.name)
        copy.build(self.input.shape)
        copy.set_weights([self.kernel.numpy(), self.bias.numpy()])
        return copy


def plain(network: keras.Model) -> keras.Model:
    """The same network of nothing but what Keras has, so that it opens without this project."""
    own = {layer.name for layer in network.layers if hasattr(layer, "plain")}
    if not own:
        return network
    copy = keras.models.clone_model(
        network,
        clone_function=lambda layer: layer.plain() if layer.name in own else type(layer).from_config(layer.get_config()),
    )
    for layer in network.layers:
        if layer.weights and layer.name not in own:
            copy.get_layer(layer.name).set_weights(layer.get_weights())
    return copy
