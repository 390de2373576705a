"""One contract for every network with every loss, and what is particular to each."""

import dataclasses
import functools
import threading

import numpy as np
import pytest

from cae_core.architectures import ARCHITECTURES, build, fitting, restore, suited
from cae_core.architectures.network import INFERENCE_BATCH
from cae_core.config import OUTPUTS, RunConfig
from cae_core.training.objectives import objectives

NETWORKS = list(suited("strokes"))  # those in colour have a file of their own, test_colorize.py
EVERY = pytest.mark.parametrize("name", NETWORKS)
TRAINED = [name for name in NETWORKS if not ARCHITECTURES[name].solve]
"""Networks that are trained step by step."""
FACTORS = dict.fromkeys(("fast", "fast_denoise", "vae", "vae_conv", "conv_denoise"), 4)
FACTORS |= dict.fromkeys(("conv_unpool", "conv_transpose", "conv_transpose_even", "masci"), 2)
"""Networks that halve the image, and what its sides have to be multiples of; the others take any size."""


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
    small, wide = config(name), fitting(config(name, bottleneck=128))
    for settings, shape in ((small, (28, 28, 1)), (wide, (20, 36, 2) if name in FACTORS else (33, 49, 2))):
        model = build(settings, shape)
        x = images(shape=shape)
        z, x_hat = model.encode(x), model.reconstruct(x)
        assert z.shape == (5, *model.code_shape)
        assert z[0].size == model.code_size
        assert ARCHITECTURES[name].fixed_code or model.code_shape == (settings.bottleneck,)
        assert x_hat.shape == x.shape
        assert z.dtype == x_hat.dtype == np.float32
        far = model.decode(1e3 * np.random.default_rng(1).standard_normal(z.shape))
        assert far.shape == x.shape
        if model.output == "sigmoid":
            assert min(x_hat.min(), far.min()) >= 0
            assert max(x_hat.max(), far.max()) <= 1


@EVERY
def test_reconstruct_is_decode_of_encode_and_the_sigmoid_of_the_logits_or_they_themselves(name):
    x, models = images(), [network(name)]
    if "linear" in ARCHITECTURES[name].takes.get("output", OUTPUTS):
        models.append(build(config(name, output="linear")))
        assert models[1].output == "linear"
    for model in models:
        z, logits = model.logits(x)
        x_hat = 1 / (1 + np.exp(-logits.numpy())) if model.output == "sigmoid" else logits.numpy()
        np.testing.assert_allclose(model.reconstruct(x), x_hat, atol=1e-5)
        np.testing.assert_allclose(model.decode(model.encode(x), model.switches(x)), x_hat, atol=1e-5)
        np.testing.assert_allclose(z.numpy(), model.encode(x), atol=1e-5)


@pytest.mark.parametrize(
    ("name", "settings", "sentence"),
    [
        ("dense_linear_2d", {"bottleneck": 32}, "bottleneck is 32, which dense_linear_2d .*: set it to 2, or choose"),
        ("pca", {"loss": "bce"}, "loss is 'bce', which pca does not take: set it to 'mse' or 'half', or choose"),
        ("pca", {"output": "sigmoid"}, "output is 'sigmoid', which pca does not take: set it to 'linear'"),
        ("pca", {"bottleneck": 800}, "at most as many components as the image has values, 784: bottleneck is 800"),
        ("k_sparse", {"k": 10}, "k is 10, and the code has 9 numbers .* from 1 to 9, or bottleneck to at least"),
        ("k_sparse", {"k": 0}, "k is 0, and the code has 9 numbers .*: set k to a whole number from 1 to 9"),
        ("k_sparse", {"k": 4, "k_start": 3}, "k_start is 3, from where k falls to 4 .* number from 4 to 9, or to 0"),
        ("k_sparse", {"k": 4, "k_start": 10}, "k_start is 10, .* in a code of 9 numbers: .* from 4 to 9, or to 0"),
        ("dense", {"k": 3}, "k is 3, but dense lets all numbers of its code pass: set it to 0, or choose one of k_sparse"),
        ("vae", {"alpha": 2.0}, "alpha is 2, but vae lets all .*: set it to 1, or choose one of k_sparse"),
        ("conv_unpool", {"pretraining": 3}, "pretraining is 3, but conv_unpool .* 0, or choose one of dense, dense_l"),
        ("dense", {"pretraining_kind": "rbm"}, "'rbm', but pretraining is 0, .*: set pretraining to .* 10, or"),
        ("dense", {"pretraining": 1, "pretraining_kind": "rbm", "loss": "mse", "output": "linear"}, "output to 'sigmoid'"),
    ],
)
def test_a_setting_that_a_network_cannot_take_is_refused_by_name_with_what_would_work(name, settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        build(config(name, **settings))


def test_a_name_or_a_size_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="Unknown architecture 'fats': choose one of .* Did you mean 'fast'"):
        build(RunConfig(architecture="fats"))
    with pytest.raises(ValueError, match="conv_resize halves the image three times and got 7 × 28 .*: it takes 8 × 8 or"):
        build(config("conv_resize"), (7, 28, 1))
    for name, factor in FACTORS.items():
        for height, width in ((29, 29), (28, 31), (27, 28)):
            with pytest.raises(ValueError, match=f"^{name} .* got {height} × {width} .*: both .* multiples of {factor}"):
                build(config(name), (height, width, 1))


@pytest.mark.parametrize(("name", "loss"), [*((name, "mse") for name in TRAINED), ("fast", "bce"), ("dense", "half")])
def test_one_training_step_lowers_the_loss_and_changes_weights(name, loss):
    import tensorflow as tf

    settings = fitting(config(name, loss=loss))
    model, x, seed = build(settings), tf.constant(images()), tf.constant([0, 1])
    before, (objective,) = model.weights(), objectives(model, settings, 1)
    with tf.GradientTape() as tape:
        first = objective.loss(x, x, True, seed)
    gradients = tape.gradient(first, model.trainable_variables)
    norm = tf.linalg.global_norm(gradients)
    for gradient, variable in zip(gradients, model.trainable_variables, strict=True):
        assert gradient is not None, f"{variable.path} has no part in the loss"
        variable.assign_sub(1e-2 * gradient / norm)
    assert float(objective.loss(x, x, False, seed)) < float(first)
    assert not same(before, model.weights())


def test_networks_built_in_threads_at_once_in_whatever_state_keras_is_are_as_built_alone():
    import keras
    import tensorflow as tf

    names = ("fast", "conv_unpool", "vae_conv", "dense_deep")
    alone = {name: network(name).weights() for name in names}
    keras.utils.set_random_seed(77)
    tf.random.normal((3,))
    built, wait = [], threading.Barrier(2 * len(names))

    def work(name):
        wait.wait()
        built.append((name, build(config(name)).weights()))

    threads = [threading.Thread(target=work, args=(name,)) for name in names * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(name for name, _ in built) == sorted(names * 2)
    assert all(same(alone[name], weights) for name, weights in built)
    keras.utils.clear_session()
    assert all(same(alone[name], build(config(name)).weights()) for name in names[:2])


@EVERY
def test_weights_there_and_back_and_what_does_not_fit_is_refused_by_name_and_changes_nothing(name):
    first, second, x = network(name), build(config(name, seed=2)), images()
    kernels = {path: w for path, w in first.weights().items() if path.endswith("kernel") and w.any()}
    assert kernels or ARCHITECTURES[name].solve
    for path, w in kernels.items():  # the seed decides them, and layers of one shape start from weights of their own
        assert not np.array_equal(w, second.weights()[path])
        assert not any(np.array_equal(w, v) for other, v in kernels.items() if other != path)
    moved = {path: w + 0.01 for path, w in first.weights().items()}
    second.set_weights(moved)
    assert same(moved, second.weights())
    assert not np.array_equal(first.reconstruct(x), second.reconstruct(x))
    second.set_weights(first.weights())
    np.testing.assert_array_equal(first.reconstruct(x), second.reconstruct(x))
    counted = sum(v.shape.num_elements() for v in first.trainable_variables)
    assert sum(w.size for w in moved.values()) == counted  # nothing that is trained is left out

    path = list(moved)[-1]
    missing = {key: w for key, w in moved.items() if key != path}
    for wrong in (missing, {**moved, f"{path}_2": moved[path]}, {**missing, f"{path}_2": moved[path]}):
        with pytest.raises(ValueError, match=f"do not fit the network: {path}(_2)? is in only one of the two"):
            second.set_weights(wrong)
    with pytest.raises(ValueError, match=rf"{path} is \(3, 3\), not \("):
        second.set_weights({**moved, path: np.zeros((3, 3))})
    assert same(first.weights(), second.weights())


def test_more_images_than_one_call_takes():
    model, x = network("conv_unpool"), images(INFERENCE_BATCH + 3)
    np.testing.assert_allclose(model.reconstruct(x)[-3:], model.reconstruct(x[-3:]), atol=1e-6)
    assert model.encode(x).shape == (INFERENCE_BATCH + 3, *model.code_shape)
    assert all(len(switches) == len(x) for switches in model.switches(x))


def test_arrays_of_another_shape_are_refused():
    for name in NETWORKS:
        for wrong in (images(2, (28, 32, 1)), images(2, (28, 28, 3)), images(1)[0], images(0)):
            with pytest.raises(ValueError, match=r"Got an array of shape \(.*\); the network takes \(n, 28, 28, 1\)"):
                network(name).reconstruct(wrong)
        with pytest.raises(ValueError, match=r"Got an array of shape \(2, 3, 3\); the network takes \(n, "):
            network(name).decode(np.zeros((2, 3, 3)))


def test_only_the_k_largest_stay_in_training_and_alpha_k_after_it_and_they_alone_are_trained():
    import tensorflow as tf

    settings = config("k_sparse", bottleneck=40, k=4, k_start=20, alpha=1.5)
    model, x = build(settings), images()
    h = model.units(x).numpy()

    def largest(k):
        return np.where(np.argsort(np.argsort(-h, axis=1), axis=1) < k, h, 0)

    for network in (model, restore(settings, model.image_shape, model.weights())):
        np.testing.assert_allclose(network.encode(x), largest(6), atol=1e-6)
    for share, k in ((1e-6, 20), (0.25, 12), (0.5, 4), (0.75, 4), (1.0, 4)):
        np.testing.assert_allclose(model.logits(x, True, tf.constant(share))[0], largest(k), atol=1e-6)
    at_once = build(config("k_sparse", bottleneck=40, k=4))
    with tf.GradientTape() as tape:
        z, logits = at_once.logits(x, True, tf.constant(0.1))
        error = tf.reduce_sum((logits - x) ** 2)
    np.testing.assert_allclose(z, largest(4), atol=1e-6)
    by_unit = np.abs(tape.gradient(error, at_once.trainable_variables)[0].numpy()).sum(axis=0)
    np.testing.assert_array_equal(by_unit > 0, z.numpy().any(axis=0))
    wide = build(config("k_sparse", bottleneck=40, k=30, alpha=2.0))
    assert (wide.encode(x) == wide.units(x).numpy()).all()  # more than all is all


def test_dense_deep_begins_with_sigmoids_as_steep_as_tanh_units():
    stages = network("dense_deep").stages
    for layer in stages[1].encode + stages[3].encode:
        gain = 4 if layer.name.startswith("hidden") else 1
        kernel = layer.kernel.numpy()
        np.testing.assert_allclose(np.abs(kernel).max(), gain * np.sqrt(6 / sum(kernel.shape)), rtol=0.01)


def test_the_fast_networks_start_with_their_block_as_the_identity():
    for name in ("fast", "fast_denoise"):
        assert not network(name).encoder.get_layer("residual_out").kernel.numpy().any()
    assert network("fast").encode(images()).min() < 0  # nothing bounds its code
    assert sum(w.size for w in build(config("fast", bottleneck=32)).weights().values()) < 200_000
    z = np.zeros((1, *network("conv_denoise").code_shape), "float32")
    np.testing.assert_allclose(network("fast_denoise").decode(z), 1 / (1 + np.exp(2)), rtol=1e-6)  # the images' mean
    assert not build(config("fast_denoise", output="linear")).decode(z).any()


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
