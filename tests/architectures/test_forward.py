"""Every network that is written in NumPy gives what its Keras layers give, whatever its weights and the images' size."""

from dataclasses import replace

import numpy as np
import pytest

from cae_core import runs
from cae_core.architectures import ARCHITECTURES, build, fitting, published, restore
from cae_core.architectures.forward import Layers

WRITTEN = [name for name, entry in ARCHITECTURES.items() if entry.forward]
SIZES = ((31, 26), (8, 16), (28, 28), (48, 48))  # of which each network takes the first two that it can


def differences(model, numpy):
    """Of codes, reconstructions and images decoded from codes, each relative to how large the values are."""
    x = np.random.default_rng(1).random((5, *model.input_shape), dtype="float32")
    z = model.encode(x)
    pairs = [(z, numpy.encode(x)), (model.reconstruct(x), numpy.reconstruct(x)), (model.decode(z), numpy.decode(z))]
    for ours, theirs in zip(numpy.switches(x), model.switches(x), strict=True):
        assert (ours == theirs).mean() > 0.999  # of two nearly equal values either may be the greater
    return [float(np.abs(a - b).max() / max(1.0, np.abs(a).max())) for a, b in pairs]


@pytest.mark.parametrize("name", WRITTEN)
def test_equals_keras_fresh(name):
    rng, tried = np.random.default_rng(0), 0
    config = fitting(replace(published(name), bottleneck=2 if ARCHITECTURES[name].takes.get("bottleneck") else 5))
    for number, size in enumerate(SIZES):
        changes = {} if "output" in ARCHITECTURES[name].takes else {"output": ("sigmoid", "linear")[number % 2]}
        try:
            model = build(replace(config, **changes), (*size, 3 if ARCHITECTURES[name].sees == "grey" else 1))
        except ValueError:  # it does not take this size
            continue
        # Random in the place of zeros and ones, which would hide a layer that is left out.
        weights = {path: w if w.std() else rng.normal(0, 0.1, w.shape).astype("f4") for path, w in model.weights().items()}
        model.set_weights(weights)
        network = restore(replace(config, **changes), model.image_shape, weights)
        assert (network.input_shape, network.code_shape) == (model.input_shape, model.code_shape)
        assert network.switch_shapes == list(model.switch_shapes)
        assert max(differences(model, network)) < 1e-5
        tried += 1
        if tried == 2:
            return
    pytest.fail(f"{name} takes fewer than two of the sizes.")


@pytest.mark.parametrize("name", ["mnist-b32-bce-mixed", "mnist-conv_unpool", "mnist-k_sparse", "cifar10-colorize-mse"])
def test_equals_keras_trained(name):
    run = runs.find(name)
    assert max(differences(runs.keras_model(run), runs.model(run))) < 1e-5


@pytest.mark.parametrize("name", ["fast", "dense", "conv_unpool"])
def test_refuses_weights_of_another_network(name):
    config = replace(published(name), bottleneck=4)
    sound = build(config, (28, 28, 1)).weights()
    kernel, bias = (next(path for path in reversed(sound) if path.endswith(end)) for end in ("kernel", "bias"))
    inputs = 3 if sound[kernel].ndim == 4 else 0
    for weights in (
        {path: w for path, w in sound.items() if path != kernel},
        sound | {"more": np.zeros(3, "f4")},
        sound | {kernel: sound[kernel].repeat(2, axis=inputs)},
        sound | {bias: sound[bias].repeat(2)},
        sound | {kernel: sound[kernel][None]},
    ):
        with pytest.raises(ValueError, match="do not fit"):
            restore(config, (28, 28, 1), weights)


@pytest.mark.parametrize(("side", "stride"), [(3, 1), (3, 2), (4, 2), (7, 1)])
def test_transposed_convolution_is_the_adjoint(side, stride):
    """<conv(a), b> = <a, conv_T(b)>."""
    rng = np.random.default_rng(0)
    kernel, zeros = rng.normal(size=(side, side, 2, 3)).astype("f4"), np.zeros(3, "f4")
    net = Layers({"conv/kernel": kernel, "conv/bias": zeros, "back/bias": zeros[:2]}, (8, 12, 2))
    a, b = rng.normal(size=(2, 8, 12, 2)).astype("f4"), rng.normal(size=(2, 8 // stride, 12 // stride, 3)).astype("f4")
    there, back = net.conv("conv", a, stride=stride), net.conv_transpose("back", b, stride=stride, tied_to="conv")
    assert float((there * b).sum()) == pytest.approx(float((a * back).sum()), rel=1e-4)
