"""Layers and switches on the Architectures page, without a browser: weights, images that go in, and what goes wrong."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from shown import ShownArchitectures

from cae_core import datasets, runs
from cae_core.architectures import ARCHITECTURES, build, fitting, published, suited
from cae_core.config import RunConfig
from cae_core.inference import trained
from cae_core.inputs import drawing
from cae_core.inspection import activations, switches
from cae_core.inspection.summary import describe
from cae_core.runs import writing
from pages.parts.draw import pad
from pages.parts.session.setting import text

FRESH = "Weights: fresh. Nothing has been learned yet: train it."


def grey(image):
    return np.repeat(np.rint(np.clip(image.reshape(28, 28, 1), 0, 1) * 255).astype(np.uint8), 3, axis=2)


def strokes(index):
    return datasets.as_float(datasets.load("strokes", "test").x[[index]])


@pytest.fixture
def run(runs_folder):
    """A run of `conv_unpool` with weights that no run begins with."""
    config = fitting(RunConfig.from_dict({**published("conv_unpool").to_dict(), "dataset": "strokes"}))
    model, rng = build(config), np.random.default_rng(0)
    model.set_weights({p: 0.1 * rng.standard_normal(w.shape).astype("float32") for p, w in model.weights().items()})
    history = [{"epoch": 1, "loss": 0.5, "seconds": 1.0}]
    metrics = {"clean": {"mse": 0.1}}
    return writing.save(runs_folder, "mine", model, config, history, metrics=metrics, num_train=100, seconds=1.0)


def test_opens_with_the_shipped_network_layer_by_layer(asked_hosts):
    page = ShownArchitectures()
    model = runs.keras_model(runs.find("strokes-b32-bce-mixed"))
    network = describe(model)
    assert "Weights: trained on noisy images of Strokes" in page.text
    assert page.facts["Parameters"] == f"{network.parameters:,}"
    assert page.facts["Code"] == "32 numbers"
    assert page.facts["Code to image"] == "24.5 times fewer"
    x = strokes(0)
    x_hat = model.reconstruct(x)
    assert page.facts["MSE of this image"] == f"{np.mean((x - x_hat) ** 2):.4f} per pixel"
    np.testing.assert_array_equal(page.picture("what goes in"), grey(x))
    assert np.abs(page.picture("the reconstruction").astype(int) - grey(x_hat)).max() <= 1
    pictures = [alt for alt in page.alts if re.match(r"layer \d+ of", alt)]
    assert len(pictures) == len(network.layers)
    for alt, layer in zip(pictures, network.layers, strict=True):
        assert layer.name in alt
        assert layer.kind in alt
        assert re.search(r"white is|all 0", alt)
    assert page.troubles == []
    assert asked_hosts == []


def test_every_network_says_its_idea_and_where_it_is_from():
    for name in suited("strokes"):
        assert all(activations.idea(name)), name
        assert ARCHITECTURES[name].equations, name


@pytest.mark.parametrize("name", ["vae_dense", "conv_unpool", "conv_transpose"])
def test_a_network_is_shown_with_its_idea_its_code_and_a_link_to_train_it(name):
    page = ShownArchitectures(architecture=name, nonsense=1)
    entry = ARCHITECTURES[name]
    assert "There is no setting 'nonsense'" in page.messages("warning")[0]
    assert entry.label in page.text
    assert activations.idea(name).source[:40] in page.text
    assert [code.value for code in page.app.get("code")] == [entry.file.read_text(encoding="utf-8").strip()]
    assert len(page.app.get("latex")) >= len(entry.equations)
    assert [alt for alt in page.alts if alt.startswith("filters of")]
    assert 'class="diagram"' in page.html
    assert (FRESH in page.text) == (trained.find(name, "strokes", "") is None)
    where, settings = page.links["Train it with its published settings"]
    expected = {**published(name).to_dict(), "dataset": "strokes", "fork": (), "fork_step": 0}
    assert (where, settings) == ("train", {key: text(value) for key, value in expected.items()})


def test_own_run_is_shown_and_fresh_weights_beside_it_or_where_it_is_damaged(run):
    page = ShownArchitectures(architecture="conv_unpool", image=7)
    assert "Weights: your run “mine”, trained on Strokes." in page.text
    x_hat = runs.model(run).reconstruct(strokes(7))
    assert np.abs(page.picture("the reconstruction").astype(int) - grey(x_hat)).max() <= 1
    assert page.picture("the switches of pool").shape[2] == 3
    for place in ("top left", "top right", "bottom left", "bottom right"):
        assert f"</i>{place}" in page.html
    page.set(weights="fresh")
    assert "Weights: fresh, as they were before it was trained on Strokes." in page.text
    x_hat = build(run.config).reconstruct(strokes(7))
    assert np.abs(page.picture("the reconstruction").astype(int) - grey(x_hat)).max() <= 1
    assert (page.query["weights"], page.query["image"]) == ("fresh", "7")
    (run.path / "weights.npz").write_bytes(b"no archive")
    page = ShownArchitectures(architecture="conv_unpool", image=9999)
    assert "is damaged" in page.messages("error")[0]
    assert page.picture("the reconstruction").shape == (28, 28, 3)
    assert "test image 4,999 of Strokes" in page.html  # the last


def test_drawing_of_the_draw_page_goes_through():
    page = ShownArchitectures(source="drawing")
    assert "You have not drawn anything yet" in page.text
    assert page.links["Draw something"][0] == "draw"
    picture = np.zeros((280, 280), np.float32)
    picture[60:220, 120:150] = 1
    page.setting["_kept_own"] = pad.Own(edition="pad:1", picture=picture)
    page.run()
    assert "You have not drawn" not in page.text
    np.testing.assert_array_equal(page.picture("what goes in: your drawing"), grey(drawing.centre(picture)))


def test_file_goes_through_and_a_wrong_one_is_one_sentence():
    page = ShownArchitectures(source="file")
    assert "Choose a file in the sidebar" in page.text
    page.upload("text.png", b"this is no picture")
    (message,) = page.messages("error")
    assert "is not an image that can be read here" in message
    buffer, picture = io.BytesIO(), np.full((90, 60), 255, np.uint8)
    picture[20:70, 26:34] = 0
    Image.fromarray(picture).save(buffer, "PNG")
    page.upload("one.png", buffer.getvalue())
    assert page.messages("error") == []
    expected = drawing.centre(drawing.to_ink(picture.astype(np.float32) / 255))
    assert np.abs(page.picture("what goes in: your picture").astype(int) - grey(expected)).max() <= 1


def test_leak_without_a_trained_network_says_where_to_get_one(monkeypatch, tmp_path):
    monkeypatch.setattr(runs, "PRETRAINED_DIR", tmp_path)
    page = ShownArchitectures(view="leak")
    assert "train it first" in page.text
    where, settings = page.links["Train it"]
    assert where == "train"
    assert (settings["architecture"], settings["epochs"], settings["dataset"]) == ("conv_unpool", "1", "strokes")


def test_leak_in_rows_and_numbers(run):
    page = ShownArchitectures(view="leak", mix_code="first", mix_switches="random")
    assert page.messages("error") == []
    labels = ["Clean", "Your mix", "Switches alone", "Reconstruction", "Code blanked", "Switches shuffled", "Code alone"]
    assert len(page.labels) == len(labels)
    assert all(shown.startswith(label) for shown, label in zip(page.labels, labels, strict=True))
    x = page.row("ten clean images")
    x_hat = page.row("ten images, reconstruction")
    blank = page.row("ten images, code blanked")
    assert (blank == blank[:1]).all()
    assert x.shape == x_hat.shape
    for name, key in {"Code and switches": ("kept", "kept"), "Switches alone": ("mean", "kept")}.items():
        share = switches.measured(run, "strokes", *key)
        assert page.facts[name] == f"explain {100 * share.explained:.0f} %"
    assert page.facts["Blank code"] == "explain 0 %"
    assert "your run “mine”" in page.text
    page.press("try_what_and_where")
    assert (page.query["mix_code"], page.query["mix_switches"]) == ("next", "kept")
    assert "its 14 × 14 places" in page.text
