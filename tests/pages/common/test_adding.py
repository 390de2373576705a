"""Something new is one entry: the pages offer it, it trains, and what came of it can be looked at and taken home."""

import sys

import numpy as np
import pytest
from shown import ShownArchitectures, ShownLatent, ShownPage, ShownTrain

from cae_core import datasets, runs, training
from cae_core.architectures import ARCHITECTURES, Architecture
from cae_core.architectures.autoencoder import Autoencoder
from cae_core.config import Entry
from cae_core.corruptions import CORRUPTIONS, NOISE_KINDS
from cae_core.datasets import DATASETS, DatasetEntry, Split
from cae_core.export import script
from cae_core.losses import LOSSES, Loss
from cae_core.optimizers import OPTIMIZERS, SCHEDULES, Optimizer


def build_toy(config, image_shape):
    import keras

    x, z = keras.Input(image_shape), keras.Input((config.bottleneck,))
    encoder = keras.Model(x, keras.layers.Dense(config.bottleneck, name="code")(keras.layers.Flatten()(x)))
    logits = keras.layers.Dense(int(np.prod(image_shape)), name="logits")(z)
    return Autoencoder(encoder, keras.Model(z, keras.layers.Reshape(image_shape)(logits)), config.output)


def toy_noise(xp, x, factor, draw):
    return xp.where(draw("uniform", x.shape) < factor, 1.0 - x, x)


def toy_loss(x, logits):
    import tensorflow as tf

    return tf.reduce_mean(tf.abs(x - tf.sigmoid(logits)))


def toy_optimizer(learning_rate):
    import keras

    return keras.optimizers.Adamax(learning_rate)


def toy_schedule(progress):
    return 1 - progress


def bars(split):
    """Three classes of bars on images that are not square."""
    y = np.arange(200 if split == "train" else 60, dtype=np.uint8) % 3
    x = np.zeros((len(y), 12, 16, 1), np.uint8)
    for image, label in zip(x, y, strict=True):
        image[:, 5 * label : 5 * label + 3] = 255
    return Split(x, y)


@pytest.fixture
def toys(monkeypatch):
    """A registry line each, as its file would have it."""
    settings = {"loss": "toy", "optimizer": "toy", "schedule": "toy", "noise_kind": "toy", "epochs": 1, "bottleneck": 3}
    network = Architecture("Toy network", "One layer.", "nobody", build_toy, published=settings)
    data = DatasetEntry("Bars", "Bars.", "nobody", ("left", "middle", "right"), 200, (12, 16, 1), bars)
    for registry, entry in (
        (ARCHITECTURES, network),
        (DATASETS, data),
        (CORRUPTIONS, Entry("Toy noise", "Inverts pixels.", "", toy_noise)),
        (NOISE_KINDS, Entry("Toy noise", "Inverts pixels.", "", toy_noise)),
        (LOSSES, Loss("Toy loss", "Mean absolute error.", "", toy_loss)),
        (OPTIMIZERS, Optimizer("Toy optimizer", "Adamax.", "", toy_optimizer)),
        (SCHEDULES, Entry("Toy schedule", "Falls in a line.", "", toy_schedule)),
    ):
        monkeypatch.setitem(registry, "toy", entry)
    monkeypatch.setattr(datasets, "GREY", (*datasets.GREY, "toy"))
    monkeypatch.setattr(training, "HELD_OUT", 60)
    # A page reads the registries when it is imported: it is imported with these entries, and again without them.
    for name in [name for name in sys.modules if name.partition(".")[0] == "pages"]:
        monkeypatch.delitem(sys.modules, name)
    yield settings
    for name in [name for name in sys.modules if name.partition(".")[0] == "pages"]:
        del sys.modules[name]


@pytest.mark.parametrize("page", [ShownPage, ShownLatent])
def test_a_data_set_without_shipped_networks_is_offered_for_training(page, toys):
    shown = page(dataset="toy")
    assert "Bars" in shown.widget("dataset").options
    assert "No trained network for **Bars** ships with the app" in shown.text
    where, settings = shown.links["Train one"]
    assert (where, settings["dataset"]) == ("train", "toy")


def test_everything_new_trains_together_and_its_run_is_looked_at_on_the_pages(toys):
    page = ShownTrain("me", dataset="toy", architecture="toy", num_train=100, batch_size=25, **toys)
    assert page.troubles == []
    name = page.click("Train this network").until("finished", "failed").job.name
    run = runs.find(name)
    assert (run.state, run.code_size, run.step) == ("finished", 3, 4)
    for looked_at in (ShownPage, ShownLatent):
        shown = looked_at("me", dataset="toy", run=name)
        assert shown.troubles == []
    layers = ShownArchitectures("me", dataset="toy", architecture="toy")
    assert layers.messages("error") == []
    assert "your run" in layers.text
    written = script.text(run)
    assert all(f"toy_{what}" in written for what in ("noise", "loss", "optimizer", "schedule"))
