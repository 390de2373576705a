"""One contract for every network with every loss, and what is particular to each."""

import dataclasses
import functools
import threading

import numpy as np
import pytest

from cae_core import validation
from cae_core.architectures import ARCHITECTURES, build, fitting, published, suited
from cae_core.architectures.network import INFERENCE_BATCH
from cae_core.config import RunConfig
from cae_core.losses import LOSSES

NETWORKS = list(suited("strokes"))  # those in colour have a file of their own, test_colorize.py
EVERY = pytest.mark.parametrize("name", NETWORKS)


TRAINED = [name for name in NETWORKS if not ARCHITECTURES[name].solve]
LEARNED = pytest.mark.parametrize("name", TRAINED)
"""Networks that are trained step by step."""
PARTS_OF_ITS_OWN = {"conv_unpool", "conv_transpose", "conv_transpose_even", "masci"}
"""Networks with layers that Keras does not have: switches, tied kernels."""


def config(name, **more):
    """A configuration the network takes."""
    fits = fitting(RunConfig(architecture=name, **{"bottleneck": 9, "loss": "mse", "epochs": 1, **more}))
    return dataclasses.replace(fits, **more)


@functools.cache
def network(name):
    """It, built once; nobody changes its weights."""
    return build(config(name))


def images(n=5, shape=(28, 28, 1)):
    return np.random.default_rng(0).random((n, *shape), dtype="float32")


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


@EVERY
def test_shapes_and_range(name):
    for model in (network(name), build(config(name), (20, 36, 2))):
        shape = model.image_shape
        x = images(shape=shape)
        z, x_hat = model.encode(x), model.reconstruct(x)
        assert z.shape == (5, *model.code_shape)
        assert z[0].size == model.code_size
        assert ARCHITECTURES[name].fixed_code or model.code_shape == (config(name).bottleneck,)
        assert x_hat.shape == x.shape
        assert z.dtype == x_hat.dtype == np.float32
        far = model.decode(1e3 * np.random.default_rng(1).standard_normal(z.shape))
        assert far.shape == x.shape
        if model.output == "sigmoid":
            assert min(x_hat.min(), far.min()) >= 0
            assert max(x_hat.max(), far.max()) <= 1
    assert shape == (20, 36, 2)


@LEARNED
def test_a_linear_decoder_gives_the_logits_themselves(name):
    squashed, linear, x = network(name), build(config(name, output="linear")), images()
    linear.set_weights(squashed.weights())
    np.testing.assert_allclose(1 / (1 + np.exp(-linear.reconstruct(x))), squashed.reconstruct(x), atol=1e-6)
    z, switches = linear.encode(x), linear.switches(x)
    np.testing.assert_allclose(linear.decode(z, switches), linear.logits(x)[1].numpy(), atol=1e-5)


@EVERY
def test_reconstruct_is_decode_of_encode_and_the_sigmoid_of_the_logits(name):
    model, x = network(name), images()
    x_hat = model.reconstruct(x)
    np.testing.assert_allclose(model.decode(model.encode(x), model.switches(x)), x_hat, atol=1e-6)
    z, logits = model.logits(x)
    if model.output == "sigmoid":
        np.testing.assert_allclose(1 / (1 + np.exp(-logits.numpy())), x_hat, atol=1e-6)
    np.testing.assert_allclose(z.numpy(), model.encode(x), atol=1e-5)


def test_the_bottleneck_is_the_size_of_the_code_where_it_is_not_fixed():
    for name in NETWORKS:
        entry = ARCHITECTURES[name]
        for bottleneck in (1, 128):
            if entry.fixed_code:
                assert build(config(name, bottleneck=bottleneck)).code_shape == network(name).code_shape
            elif bottleneck in entry.takes.get("bottleneck", (bottleneck,)):
                assert build(config(name, bottleneck=bottleneck)).code_size == bottleneck


def test_a_setting_that_a_network_cannot_take_is_refused_by_name_with_what_would_work():
    with pytest.raises(ValueError, match="bottleneck is 32, which dense_linear_2d does not take: set it to 2, or choose"):
        build(config("dense_linear_2d", bottleneck=32))
    with pytest.raises(ValueError, match="loss is 'bce', which pca does not take: set it to 'mse' or 'half', or choose"):
        build(config("pca", loss="bce"))
    with pytest.raises(ValueError, match="output is 'sigmoid', which pca does not take: set it to 'linear'"):
        build(config("pca", output="sigmoid"))
    with pytest.raises(
        ValueError, match="pretraining is 3, but conv_unpool has no layers .* 0, or choose one of dense, dense_l"
    ):
        build(config("conv_unpool", pretraining=3))
    with pytest.raises(
        ValueError, match="pca has at most as many components as the image has values, 784: bottleneck is 800"
    ):
        build(config("pca", bottleneck=800))


def test_each_takes_the_settings_it_was_published_with():
    for name in NETWORKS:
        validation.check(published(name))
        assert (published(name).architecture, published(name).dataset) == (name, "mnist")


@pytest.mark.parametrize(
    ("name", "loss"),
    [*((name, "mse") for name in TRAINED), ("fast", "bce"), ("dense", "half")],
)
def test_one_training_step_lowers_the_loss_and_changes_weights(name, loss):
    import tensorflow as tf

    model, x = build(config(name)), tf.constant(images())
    before = model.weights()
    with tf.GradientTape() as tape:
        first = LOSSES[loss].make(x, model.logits(x, training=True)[1])
    gradients = tape.gradient(first, model.trainable_variables)
    norm = tf.linalg.global_norm(gradients)
    for gradient, variable in zip(gradients, model.trainable_variables, strict=True):
        assert gradient is not None, f"{variable.path} has no part in the loss"
        variable.assign_sub(1e-2 * gradient / norm)
    assert float(LOSSES[loss].make(x, model.logits(x)[1])) < float(first)
    assert not same(before, model.weights())


@LEARNED
def test_the_seed_decides_the_first_weights(name):
    weights = build(config(name, seed=1)).weights()
    assert same(weights, build(config(name, seed=1)).weights())
    other = build(config(name, seed=2)).weights()
    kernels = [path for path in weights if path.endswith("kernel") and weights[path].any()]
    assert kernels
    assert not any(np.array_equal(weights[path], other[path]) for path in kernels)
    shapes = {}
    for path in kernels:  # layers of one shape start from weights of their own
        assert not any(np.array_equal(weights[path], w) for w in shapes.get(weights[path].shape, []))
        shapes.setdefault(weights[path].shape, []).append(weights[path])


def test_building_does_not_depend_on_what_else_the_process_does():
    import keras
    import tensorflow as tf

    alone = {name: build(config(name)).weights() for name in NETWORKS}
    keras.utils.set_random_seed(77)
    tf.random.normal((3,))
    assert all(same(alone[name], build(config(name)).weights()) for name in NETWORKS[::-1])
    keras.utils.clear_session()
    assert all(same(alone[name], build(config(name)).weights()) for name in NETWORKS[:3])


def test_networks_built_in_threads_at_once_are_as_built_alone():
    alone = {name: network(name).weights() for name in NETWORKS}
    built, wait = [], threading.Barrier(2 * len(NETWORKS))

    def work(name):
        wait.wait()
        built.append((name, build(config(name)).weights()))

    threads = [threading.Thread(target=work, args=(name,)) for name in NETWORKS * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(name for name, _ in built) == sorted(NETWORKS * 2)
    assert all(same(alone[name], weights) for name, weights in built)


@EVERY
def test_weights_there_and_back(name):
    first, second, x = build(config(name, seed=1)), build(config(name, seed=2)), images()
    first.set_weights({path: w + 0.01 for path, w in first.weights().items()})
    assert not np.array_equal(first.reconstruct(x), second.reconstruct(x))
    second.set_weights(first.weights())
    assert same(first.weights(), second.weights())
    np.testing.assert_array_equal(first.reconstruct(x), second.reconstruct(x))
    counted = sum(v.shape.num_elements() for v in first.trainable_variables)
    assert sum(w.size for w in first.weights().values()) == counted  # nothing that is trained is left out


@EVERY
def test_weights_that_do_not_fit_are_refused_by_name_and_change_nothing(name):
    model = network(name)
    before = model.weights()
    path = list(before)[-1]
    other = {key: w + 1 for key, w in before.items()}
    missing = {key: w for key, w in other.items() if key != path}
    for wrong in (missing, {**other, f"{path}_2": other[path]}, {**missing, f"{path}_2": other[path]}):
        with pytest.raises(ValueError, match=f"do not fit the network: {path}(_2)? is in only one of the two"):
            model.set_weights(wrong)
    with pytest.raises(ValueError, match=rf"{path} is \(3, 3\), not \("):
        model.set_weights({**other, path: np.zeros((3, 3))})
    assert same(before, model.weights())


@pytest.mark.parametrize("name", ["dense", "conv_unpool"])
def test_more_images_than_one_call_takes(name):
    model, x = network(name), images(INFERENCE_BATCH + 3)
    np.testing.assert_allclose(model.reconstruct(x)[-3:], model.reconstruct(x[-3:]), atol=1e-6)
    assert model.encode(x).shape == (INFERENCE_BATCH + 3, *model.code_shape)


def test_arrays_of_another_shape_are_refused():
    for name in NETWORKS:
        for wrong in (images(2, (28, 32, 1)), images(2, (28, 28, 3)), images(1)[0], images(0)):
            with pytest.raises(ValueError, match=r"Got an array of shape \(.*\); the network takes \(n, 28, 28, 1\)"):
                network(name).reconstruct(wrong)
        with pytest.raises(ValueError, match=r"Got an array of shape \(2, 3, 3\); the network takes \(n, "):
            network(name).decode(np.zeros((2, 3, 3)))


FACTORS = {
    "fast": 4,
    "fast_denoise": 4,
    "conv_denoise": 4,
    "conv_unpool": 2,
    "conv_transpose": 2,
    "conv_transpose_even": 2,
    "masci": 2,
}
"""Networks that halve the image, and what its sides have to be multiples of."""


def test_sizes_that_cannot_be_halved_are_refused_by_name():
    for name, factor in FACTORS.items():
        for height, width in ((29, 29), (28, 31), (27, 28)):
            with pytest.raises(
                ValueError, match=f"^{name} .* got {height} × {width} pixels: both .* multiples of {factor}"
            ):
                build(config(name), (height, width, 1))


@pytest.mark.parametrize("name", [name for name in NETWORKS if name not in FACTORS])
def test_the_others_take_images_of_any_size(name):
    x = images(3, (33, 49, 2))
    assert build(config(name), x.shape[1:]).reconstruct(x).shape == x.shape


def test_conv_resize_refuses_an_image_that_it_would_pool_to_a_point():
    with pytest.raises(
        ValueError, match="conv_resize halves the image three times and got 7 × 28 pixels: it takes 8 × 8 or"
    ):
        build(config("conv_resize"), (7, 28, 1))


def test_an_unknown_network_is_refused():
    with pytest.raises(ValueError, match="Unknown architecture 'fats': choose one of .* Did you mean 'fast'"):
        build(RunConfig(architecture="fats"))


def layers_of(model):
    return [layer for part in (model.encoder, model.decoder) for layer in part.layers]


def test_conv_denoise_is_the_published_network():
    model = build(config("conv_denoise"))
    assert sum(w.size for w in model.weights().values()) == 28_353
    assert model.code_shape == (7, 7, 32)
    assert model.code_size == 1568
    kinds = ["Conv2D", "MaxPooling2D"] * 2 + ["Conv2D", "UpSampling2D"] * 2 + ["Conv2D"]
    found = [layer for layer in layers_of(model) if type(layer).__name__ != "InputLayer"]
    assert [type(layer).__name__ for layer in found] == kinds
    convolutions = [layer for layer in found if type(layer).__name__ == "Conv2D"]
    assert [layer.filters for layer in convolutions] == [32, 32, 32, 32, 1]
    assert [layer.activation.__name__ for layer in convolutions] == ["relu"] * 4 + ["linear"]  # the sigmoid is in the loss
    for layer in convolutions:
        assert (layer.kernel_size, layer.strides, layer.padding) == ((3, 3), (1, 1), "same")
    assert [layer.pool_size for layer in found if type(layer).__name__ == "MaxPooling2D"] == [(2, 2), (2, 2)]
    assert [tuple(layer.size) for layer in found if type(layer).__name__ == "UpSampling2D"] == [(2, 2), (2, 2)]
    assert (model.encode(images()) >= 0).all()


def test_dense_is_the_published_network_computed_by_hand():
    model = build(config("dense", bottleneck=128))
    w, x = model.weights(), images()
    kernels = [a for path, a in w.items() if path.endswith("kernel")]
    biases = [a for path, a in w.items() if path.endswith("bias")]
    assert [kernel.shape for kernel in kernels] == [(784, 256), (256, 128), (128, 256), (256, 784)]
    for bias in biases:
        bias += np.linspace(-1, 1, len(bias), dtype="float32")
    model.set_weights(w)
    h = x.reshape(5, 784).astype("float64")
    for kernel, bias in zip(kernels, biases, strict=True):
        h = 1 / (1 + np.exp(-(h @ kernel + bias)))
    np.testing.assert_allclose(model.reconstruct(x).reshape(5, 784), h, atol=1e-5)


def test_dense_deep_begins_with_sigmoids_as_steep_as_tanh_units():
    for layer in build(config("dense_deep")).stages[1].encode + build(config("dense_deep")).stages[3].encode:
        gain = 4 if layer.name.startswith("hidden") else 1
        kernel = layer.kernel.numpy()
        np.testing.assert_allclose(np.abs(kernel).max(), gain * np.sqrt(6 / sum(kernel.shape)), rtol=0.01)


def test_fast_denoise_starts_where_drawings_are_on_the_mean_and_gives_its_block_as_the_identity():
    model = build(config("fast_denoise"))
    assert not model.encoder.get_layer("residual_out").kernel.numpy().any()
    flat = model.decode(np.zeros((1, *model.code_shape), "float32"))
    np.testing.assert_allclose(flat, 1 / (1 + np.exp(2)), rtol=1e-6)
    assert model.code_shape == build(config("conv_denoise")).code_shape
    linear = build(config("fast_denoise", output="linear"))
    assert not linear.decode(np.zeros((1, *model.code_shape), "float32")).any()


def test_fast_starts_its_block_as_the_identity_and_its_code_is_unbounded():
    model = build(config("fast"))
    assert not model.encoder.get_layer("residual_out").kernel.numpy().any()
    assert model.encoder.get_layer("code").activation.__name__ == "linear"
    assert sum(w.size for w in build(config("fast", bottleneck=32)).weights().values()) < 200_000


@pytest.mark.parametrize("block", [2, 3])
def test_depth_to_space_is_tensorflows_and_a_reshape(block):
    import keras
    import tensorflow as tf

    from cae_core.architectures.blocks import depth_to_space

    x = np.random.default_rng(0).random((2, 3, 5, 3 * block**2), dtype="float32")
    h = keras.Input(x.shape[1:])
    y = keras.Model(h, depth_to_space(h, block))(x).numpy()
    expected = x.reshape(2, 3, 5, block, block, 3).transpose(0, 1, 3, 2, 4, 5).reshape(2, 3 * block, 5 * block, 3)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(y, tf.nn.depth_to_space(x, block))


def test_networks_are_made_of_layers_that_keras_has():
    """So a saved model opens with plain Keras, and the exported script can build it."""
    import keras

    layers = [(name, layer) for name in NETWORKS if name not in PARTS_OF_ITS_OWN for layer in layers_of(network(name))]
    assert [of for of in layers if getattr(keras.layers, type(of[1]).__name__, None) is not type(of[1])] == []
