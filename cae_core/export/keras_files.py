"""A run's network as Keras files: one `.keras` file, or its layers as JSON and its weights as HDF5."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cae_core import runs
from cae_core.architectures import build
from cae_core.runs import Run


def keras_model(run: Run) -> Any:
    """A keras.Model: images `(n, H, W, C)` float32 in [0, 1], or their luma, to their reconstructions.

    The layers "encoder" and "decoder" are models of their own; the decoder ends in logits. All is made of what Keras has,
    and computes the same: tied kernels become a copy, pooling with switches and unpooling small models of operations.
    """
    import keras

    from cae_core.architectures.layers import plain

    network = build(run.config, run.image_shape)  # a copy: wrapping the one in memory would change it
    network.set_weights(runs.weights(run))
    x = keras.Input(network.input_shape, name="image")
    x_hat = keras.layers.Activation(network.output, name="reconstruction")(
        plain(network.decoder)(plain(network.encoder)(x))
    )
    return keras.Model(x, x_hat, name="autoencoder")


def model_file(run: Run) -> bytes:
    """The model as a `.keras` file: settings and weights in one."""
    return _saved(keras_model(run).save, "model.keras")


def layers_json(run: Run) -> bytes:
    """The layers as JSON, for `keras.models.model_from_json`."""
    return keras_model(run).to_json(indent=1).encode()


def weights_hdf5(run: Run) -> bytes:
    """The weights as HDF5, for `load_weights` of the model that the JSON gives."""
    return _saved(keras_model(run).save_weights, "model.weights.h5")


def _saved(save: Callable[[Path], None], name: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="cae-export-") as folder:
        save(Path(folder) / name)
        return (Path(folder) / name).read_bytes()
