"""A network opened up: every layer against the same layer by hand, the filters, and which weights are chosen."""

import numpy as np
import pytest

from cae_core import runs
from cae_core.architectures import build, published, suited
from cae_core.inference import trained
from cae_core.inspection import activations
from cae_core.inspection.summary import describe
from cae_core.pretrained import name_of

IMAGE = (28, 28, 1)


@pytest.fixture(scope="module")
def networks():
    """Every architecture with weights that are nobody's initial ones."""
    models, rng = {}, np.random.default_rng(0)
    for name in suited("strokes"):
        models[name] = model = build(activations.config_of(name, "strokes", None), IMAGE)
        model.set_weights({p: 0.2 * rng.standard_normal(w.shape).astype("float32") for p, w in model.weights().items()})
    return models


@pytest.fixture(scope="module")
def x(digits):
    return digits[:1].astype("float32") / 255


def values(model, x):
    return {(a.layer.part, a.layer.name): a.values for a in activations.activations(model, x)}


def convolve(h, kernel, bias):
    """A "same" convolution with odd kernels, by hand."""
    size = kernel.shape[0]
    padded = np.pad(h, ((size // 2,) * 2, (size // 2,) * 2, (0, 0))).astype(np.float64)
    out = np.zeros((*h.shape[:2], kernel.shape[3]))
    for i in range(size):
        for j in range(size):
            out += padded[i : i + h.shape[0], j : j + h.shape[1]] @ kernel[i, j].astype(np.float64)
    return out + bias


@pytest.mark.parametrize("name", suited("strokes"))
def test_every_layer_of_the_table_is_there_in_its_order_from_the_image_to_its_reconstruction(name, networks, x):
    model = networks[name]
    layers = activations.activations(model, x)
    assert [a.layer for a in layers] == list(describe(model).layers)
    for a in layers:
        assert a.values.shape == a.layer.shape
        assert a.values.dtype == np.float32
        assert np.isfinite(a.values).all()
    code = [a for a in layers if a.layer.part == "encoder"][-1]
    np.testing.assert_allclose(code.values, model.encode(x)[0], atol=1e-5)
    logits = layers[-1].values.astype(np.float64)
    x_hat = 1 / (1 + np.exp(-logits)) if model.output == "sigmoid" else logits
    np.testing.assert_allclose(x_hat, model.reconstruct(x)[0], atol=1e-5)


def test_layers_by_hand(networks, x):
    maps, weights = values(networks["conv_denoise"], x), networks["conv_denoise"].weights()
    h = np.maximum(convolve(x[0], weights["conv_1/kernel"], weights["conv_1/bias"]), 0)
    np.testing.assert_allclose(maps["encoder", "conv_1"], h, atol=1e-4)
    np.testing.assert_array_equal(
        maps["encoder", "max_pooling2d"], maps["encoder", "conv_2"].reshape(7, 2, 7, 2, 32).max(axis=(1, 3))
    )
    np.testing.assert_array_equal(
        maps["decoder", "up_sampling2d"], maps["decoder", "conv_4"].repeat(2, axis=0).repeat(2, axis=1)
    )
    numbers, weights = values(networks["dense"], x), networks["dense"].weights()
    h = x.reshape(-1).astype(np.float64)
    np.testing.assert_array_equal(numbers["encoder", "flatten"], h)
    for part, layer in (("encoder", "hidden"), ("encoder", "code"), ("decoder", "hidden_back"), ("decoder", "logits")):
        h = h @ weights[f"{layer}/kernel"] + weights[f"{layer}/bias"]
        h = h if layer == "logits" else 1 / (1 + np.exp(-h))
        np.testing.assert_allclose(numbers[part, layer], h, atol=1e-4)


@pytest.mark.parametrize("name", ["conv_unpool", "masci"])
def test_switches_say_where_each_maximum_was(name, networks, x):
    model = networks[name]
    layers = activations.activations(model, x)
    place = next(i for i, a in enumerate(layers) if a.switches is not None)
    pool, before = layers[place], layers[place - 1].values
    np.testing.assert_array_equal(pool.switches, model.switches(x)[0][0])
    rows, columns, channels = np.indices(pool.switches.shape)
    at = before[2 * rows + pool.switches // 2, 2 * columns + pool.switches % 2, channels]
    np.testing.assert_array_equal(at, pool.values)
    windows = before.reshape(14, 2, 14, 2, -1)
    np.testing.assert_array_equal(pool.tied, (windows == windows[:, :1, :, :1]).all(axis=(1, 3)))
    assert pool.tied.any()  # the empty border
    unpooled = next(a for a in layers if a.layer.name == "unpool").values
    np.testing.assert_allclose(unpooled.sum(axis=(0, 1)), pool.values.sum(axis=(0, 1)), rtol=1e-4)
    assert sum(a.switches is not None for a in layers) == len(model.switch_shapes)


def test_an_image_of_another_size_is_refused(networks):
    for wrong in (np.zeros((2, 28, 28, 1)), np.zeros((1, 8, 8, 1))):
        with pytest.raises(ValueError, match="for one image"):
            activations.activations(networks["dense"], wrong)


def test_new_weights_are_seen_and_a_second_look_traces_nothing_anew(x):
    model = build(published("conv_denoise"), IMAGE)
    before = activations.activations(model, x)[0].values
    probe = activations._probe(model)
    model.set_weights({path: 2 * w for path, w in model.weights().items()})
    np.testing.assert_allclose(activations.activations(model, x)[0].values, 2 * before, rtol=1e-5)
    assert activations._probe(model) is probe


def test_filters_are_the_weights(networks):
    weights = networks["conv_unpool"].weights()
    kernels = {layer.layer.name: layer for layer in activations.filters(networks["conv_unpool"])}
    assert list(kernels) == ["conv_1", "conv_2", "conv_2_back", "logits"]
    np.testing.assert_array_equal(kernels["conv_2"].values[3, 7], weights["conv_2/kernel"][:, :, 3, 7])
    assert kernels["conv_2"].total == 16 * 32
    # A transposed convolution's kernels have the outgoing channels first.
    np.testing.assert_array_equal(kernels["conv_2_back"].values[7, 3], weights["conv_2_back/kernel"][:, :, 3, 7])
    assert kernels["conv_2_back"].values.shape == (32, 16, 3, 3)

    weights = networks["dense"].weights()
    units = {layer.layer.name: layer for layer in activations.filters(networks["dense"])}
    assert list(units) == ["hidden", "logits"]  # those next to the image
    assert units["hidden"].values.shape == (1, 64, 28, 28)
    assert units["hidden"].total == 256
    np.testing.assert_array_equal(units["hidden"].values[0, 5], weights["hidden/kernel"][:, 5].reshape(28, 28))
    np.testing.assert_array_equal(units["logits"].values[0, 5], weights["logits/kernel"][5].reshape(28, 28))
    assert (units["hidden"].paints, units["logits"].paints) == (False, True)


def test_shipped_run_comes_first_then_the_visitors_newest_then_one_of_another_data_set(save_run, tmp_path, monkeypatch):
    assert trained.find("fast", "strokes", "me").name == name_of("strokes", 32, "bce", "mixed")
    assert trained.find("conv_unpool", "strokes", "me").name == "mnist-conv_unpool"
    monkeypatch.setattr(runs, "PRETRAINED_DIR", tmp_path / "shipped")
    assert trained.find("fast", "strokes", "me") is None
    save_run("older")
    save_run("newer")
    assert trained.find("fast", "mnist", "me").name == "newer"
    assert trained.find("dense", "mnist", "me") is None
    save_run("strokes-dense", folder=tmp_path / "shipped")
    assert trained.find("dense", "strokes", "me").name == trained.find("dense", "mnist", "me").name == "strokes-dense"


def test_fresh_weights_are_those_that_training_starts_from():
    config = activations.config_of("conv_unpool", "strokes", None)
    assert (config.dataset, config.loss, config.batch_size) == ("strokes", "mse", 50)
    fresh = activations.fresh(config, IMAGE)
    assert fresh is activations.fresh(config, IMAGE)
    for path, weight in build(config, IMAGE).weights().items():
        np.testing.assert_array_equal(fresh.weights()[path], weight)
    assert activations.config_of("dense_linear_2d", "mnist", None).bottleneck == 2
