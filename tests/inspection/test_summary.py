"""The table of a network's layers: the networks of the app, and layers that nobody has thought of."""

import keras
import pytest
from keras import layers

from cae_core.architectures import build, fitting, suited
from cae_core.architectures.autoencoder import Autoencoder
from cae_core.config import RunConfig
from cae_core.inspection.summary import Layer, describe, flow, network

IMAGE = (28, 28, 1)


def kinds(described):
    return [layer.kind for layer in described.layers]


@pytest.mark.parametrize("architecture", suited("strokes"))
def test_the_table_adds_up(architecture):
    model = build(fitting(RunConfig(architecture=architecture, bottleneck=8)), IMAGE)
    described = describe(model)
    assert described == network(architecture, 8, IMAGE)  # whatever else was built before
    assert sum(layer.parameters for layer in described.layers) == described.parameters
    assert described.parameters == sum(weight.size for weight in model.weights().values())
    assert (described.image_size, described.image_shape) == (784, IMAGE)
    assert (described.code_size, described.code_shape) == (model.code_size, model.code_shape)
    assert {layer.part for layer in described.layers} == {"encoder", "decoder"}
    assert described.layers[-1].shape == IMAGE
    assert [layer.shape for layer in described.layers if layer.part == "encoder"][-1] == described.code_shape
    named = [layer.name for layer in described.layers if layer.parameters]
    assert len(set(named)) == len(named)


def test_dense_line_by_line():
    assert network("dense", 32, IMAGE).layers == (
        Layer("encoder", "flatten", "flatten", (784,), 0),
        Layer("encoder", "hidden", "dense, sigmoid", (256,), 785 * 256),
        Layer("encoder", "code", "dense, sigmoid", (32,), 257 * 32),
        Layer("decoder", "hidden_back", "dense, sigmoid", (256,), 33 * 256),
        Layer("decoder", "logits", "dense", (784,), 257 * 784),
        Layer("decoder", "reshape", "reshape", IMAGE, 0),
    )


def test_conv_denoise_is_the_published_network_line_by_line():
    conv, pool, up = "convolution 3 × 3, ReLU", "max pooling 2 × 2", "nearest upsampling 2 ×"
    described = network("conv_denoise", 32, IMAGE)
    assert [(layer.kind, *layer.shape, layer.parameters) for layer in described.layers] == [
        (conv, 28, 28, 32, 10 * 32), (pool, 14, 14, 32, 0), (conv, 14, 14, 32, 289 * 32), (pool, 7, 7, 32, 0),
        (conv, 7, 7, 32, 289 * 32), (up, 14, 14, 32, 0), (conv, 14, 14, 32, 289 * 32), (up, 28, 28, 32, 0),
        ("convolution 3 × 3", 28, 28, 1, 289),  # the sigmoid is in the loss
    ]  # fmt: skip
    assert (described.parameters, described.code_size) == (28_353, 1_568)


def test_the_flow_shows_each_shape_once_and_the_code_in_bold():
    assert flow(network("dense", 32, IMAGE)) == "28×28×1 → 784 → 256 → **32** → 256 → 784 → 28×28×1"
    assert flow(network("conv_denoise", 32, IMAGE)) == (
        "28×28×1 → 28×28×32 → 14×14×32 → **7×7×32** → 7×7×32 → 14×14×32 → 28×28×32 → 28×28×1"
    )
    x, z = keras.Input((6,)), keras.Input((6,))  # a code as wide as its neighbours is still one of the steps
    model = Autoencoder(keras.Model(x, layers.Dense(6)(x)), keras.Model(z, layers.Dense(6)(z)))
    assert flow(describe(model)) == "**6** → 6"


def test_layers_that_nobody_has_thought_of():
    class Wobble(layers.Layer):
        def __init__(self):
            super().__init__()
            self.activation = keras.activations.tanh

        def call(self, x):
            return x

    x = keras.Input((8, 8, 2))
    h = layers.Conv2D(3, (3, 1), (2, 1), "same", activation="leaky_relu")(x)
    h = layers.Dropout(0.25)(layers.BatchNormalization()(h))
    h = layers.Reshape((16, 6))(layers.Permute((2, 1, 3))(Wobble()(h)))
    z = keras.Input((16, 6))
    h_back = layers.Conv2DTranspose(2, 3, (2, 1), "same")(layers.Reshape((4, 8, 3))(z))
    described = describe(Autoencoder(keras.Model(x, h), keras.Model(z, layers.Activation("mish")(h_back))))
    assert kinds(described) == [
        "convolution 3 × 1, stride 2 × 1, leaky ReLU", "batch normalisation", "dropout 0.25", "Wobble, tanh",
        "axes in another order", "reshape", "reshape", "transposed convolution 3 × 3, stride 2 × 1", "mish",
    ]  # fmt: skip
