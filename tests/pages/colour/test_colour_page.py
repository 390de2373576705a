"""The Colour page without a browser: rows, figures, own pictures, what is missing, and both chains trained side by side."""

import asyncio
import dataclasses
import io
import re
import shutil
import types
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image
from shown import ShownPage, ShownRuns, ShownTrain
from streamlit.runtime.uploaded_file_manager import UploadedFileRec
from streamlit.testing.v1 import local_script_runner

import app
from cae_core import comparisons, datasets, export, pretrained, runs, runtime, training
from cae_core.architectures import build
from cae_core.datasets import Split, strokes_colour
from cae_core.inspection import evaluation
from cae_core.runs import writing

NAMES = [name for name in pretrained.COLOURING if name.startswith("strokes_colour-colorize")]
OWN = pretrained.colour_config("strokes_colour", "colorize", "mse")


class ShownColour(ShownPage):
    """One visitor's Colour page."""

    FILE = "colour.py"

    @property
    def table(self):
        """The table of figures: label to cells."""
        return {row[0]: row[1:] for row in self._html.table if len(row) in (4, 5)}

    @property
    def own(self):
        """The pictures of the visitor's own picture."""
        return [alt for alt in self.alts if alt.startswith("your picture")]


def save(folder, name, config):
    """A network that has hardly been trained, as a run of one epoch."""
    model, history = build(config), [{"epoch": 1, "loss": 0.5, "held_out_loss": 0.4, "seconds": 1.0}]
    figures = evaluation.measure(model, config.dataset)
    writing.save(folder, name, model, config, history, metrics=figures, num_train=100, seconds=0)


def png(pixels, mode="RGB", kind="PNG", **more):
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, kind, **more)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def photo():
    """`(60, 100, 3)` uint8 with three colours."""
    pixels = np.full((60, 100, 3), (40, 90, 200), np.uint8)
    pixels[20:50, 10:40], pixels[10:30, 60:90] = (220, 60, 30), (40, 180, 60)
    return pixels


@pytest.fixture(autouse=True, scope="module")
def shipped(tmp_path_factory):
    """Few coloured digits, and networks that have hardly been trained on them in the place of those that ship."""
    assert runtime.ready(600)

    def load(split):
        return Split(*strokes_colour.draw(160 if split == "train" else 60, seed=1 if split == "train" else 2))

    with pytest.MonkeyPatch.context() as patch:
        entry = dataclasses.replace(datasets.DATASETS["strokes_colour"], load=load)
        patch.setitem(datasets.DATASETS, "strokes_colour", entry)
        patch.setattr(training, "HELD_OUT", 60)
        shipped_result = comparisons.file_of("colouring-strokes_colour")
        patch.setattr(runs, "PRETRAINED_DIR", tmp_path_factory.mktemp("shipped"))
        shutil.copy(shipped_result, runs.PRETRAINED_DIR)
        datasets.clear_cache()
        for name in NAMES:
            save(runs.PRETRAINED_DIR, name, pretrained.COLOURING[name])
        yield
    datasets.clear_cache()


def test_grey_both_guesses_the_truth_the_errors_and_what_was_measured(asked_hosts):
    page = ShownColour()
    assert [re.sub(r"error [\d.]+", "error", label) for label in page.labels[:6]] == [
        "Greywhat the network gets", "Trained with BCEchroma error", "Trained with MSEchroma error",
        "True colourthe target",
        "Absolute errorTrained with BCE", "Absolute errorTrained with MSE",
    ]  # fmt: skip
    assert page.troubles == []
    measured = runs.find("strokes_colour-colorize-mse").metrics["clean"]
    assert page.table["Trained with MSE"][:2] == [f"{measured['luma']:.5f}", f"{measured['chroma']:.5f}"]
    # Grey keeps the luma that was given, so on this it is never behind.
    assert page.table["Predicting grey"] == ["0", f"{measured['chroma_grey']:.5f}", "the same", "–"]
    assert page.table["Trained with BCE"][3].endswith(" %")
    assert "all 60 test images of Coloured Strokes" in page.text
    assert page.table["Trained with BCE"] != ShownColour(chain="colorize_listing").table["Trained with BCE"]
    labels = [element.proto.label for element in page.app.get("download_button")]
    assert labels[-3:] == [export.EXPORTS[name].label for name in ("keras", "architecture", "weights")]
    first = page._html.images["10 images, in their true colours"]
    page.click("New images")
    assert (page.query["dataset"], page.query["seed"]) == ("strokes_colour", "1")
    assert page._html.images["10 images, in their true colours"] != first
    assert asked_hosts == []


def test_what_is_missing_is_named_or_offered(monkeypatch, tmp_path, asked_hosts):
    page = ShownColour(dataset="cifar10")
    assert "CIFAR-10 was not found" in page.text
    assert (page.labelled("Download CIFAR-10").label, asked_hosts) == ("Download CIFAR-10 (170 MB)", [])
    monkeypatch.setattr(runs, "PRETRAINED_DIR", tmp_path)
    (error,) = ShownColour().messages("error")
    assert "There is no run called 'strokes_colour-colorize-bce'" in error


def test_a_run_of_ones_own_is_shown_alone_and_one_that_colours_nothing_refused(save_run, runs_folder):
    save(runs_folder, "mine", OWN)
    save_run("grey-one")
    page = ShownColour(colour_run="mine")
    assert [label.partition("chroma error")[0] for label in page.labels[:4]] == [
        "Greywhat the network gets", "mine", "True colourthe target", "Absolute errormine",
    ]  # fmt: skip
    assert page.widget("colour_run").options == ["Shipped with the app", "mine"]
    (error,) = ShownColour(colour_run="grey-one").messages("error")
    assert "gives back grey" in error
    (error,) = ShownPage(run="mine").messages("error")  # on the Denoise page
    assert "'mine' takes images of 48 × 48 × 3, these are 28 × 28 × 1" in error


def test_a_photograph_in_colour_is_compared_and_a_file_is_let_go_once_it_is_read(photo, monkeypatch):
    """Of a file the server keeps nothing, whether it could be used or not; the picture stays, through later runs too."""
    managers = []

    class Manager(local_script_runner.MemoryUploadedFileManager):
        def __init__(self, *args):
            super().__init__(*args)
            managers.append(self)

    monkeypatch.setattr(local_script_runner, "MemoryUploadedFileManager", Manager)
    page = ShownColour().upload("sky.png", png(photo))
    for data, says in ((None, ""), (b"no picture", "not an image"), (png(np.zeros((2, 300, 3), np.uint8)), "20 times")):
        if data:
            (error,) = page.upload("bad.png", data).messages("error")
            assert says in error
        assert page.own == [
            "your picture in grey", "your picture coloured, trained with bce", "your picture coloured, trained with mse",
            "your picture as it was",
        ]  # fmt: skip
        assert managers[-1].file_storage == {"test session id": {}}
    assert "Your picture has 100 × 60 pixels. The network saw its luma at **80 × 48**" in page.text
    assert {"Predicting grey", "Trained with BCE", "Trained with MSE"} <= set(page.facts)


def test_a_grey_photograph_has_only_the_guess_and_any_kind_and_size_is_coloured(photo):
    grey = np.asarray(Image.fromarray(photo).convert("L"))
    page = ShownColour().upload("old.jpg", png(grey, "RGB", "JPEG", quality=80))
    assert "your picture as it was" not in page.alts
    assert page.own[0] == "your picture in grey"
    assert any("nothing to compare with" in message for message in page.messages("info"))
    assert "Predicting grey" not in page.facts
    for mode, size in (("P", (100, 60)), ("RGB", (1, 1)), ("L", (1000, 1300))):
        page.upload("any.jpg", png(np.asarray(Image.fromarray(photo).resize(size)), mode))
        assert page.messages("error") == []
        assert "your picture coloured, trained with mse" in page.alts
        assert any("is a PNG in spite of its ending" in message for message in page.messages("info"))


def test_both_chains_are_trained_alike_and_seen_here_and_on_the_runs_page():
    page = ShownColour(chain_images=100, chain_epochs=1)
    assert "ships with the app:** Coloured Strokes, 4 epochs of 2,000 images" in page.text
    assert "The sidebar has other settings now." in page.text
    page.press("together_start").until("finished")
    assert "ships with the app" not in page.text
    assert page.labels[6:8] == ["Cleanx, the target", "Greyno noise"]
    drawn = {alt.partition(", chroma")[0] for alt in page.alts}
    assert {f"8 images, reconstructed by Grey to colour, as {how}" for how in ("meant", "listed")} <= drawn
    first, second = (job.config.to_dict() for job in page.group)
    assert {key for key in first if first[key] != second[key]} == {"architecture"}
    names = [job.name for job in page.group]
    run = ShownRuns(runs=names[0])
    assert run.labels[:2] == ["Cleanx, the target", "Greyno noise"]
    assert "Colour with it" in run.buttons
    both = ShownRuns(runs=",".join(names))
    assert len(both.labels) >= 3
    assert both.messages("error") == []


@pytest.mark.parametrize(
    ("dataset", "architecture", "trouble"),
    [
        ("strokes_colour", "colorize", ""),
        ("strokes", "colorize", "set dataset to 'strokes_colour' or 'cifar10'"),
        ("strokes_colour", "fast", "or architecture to 'colorize'"),
    ],
)
def test_the_train_page_trains_it_and_says_what_works(dataset, architecture, trouble):
    page = ShownTrain(dataset=dataset, architecture=architecture)
    assert [trouble in error for error in page.messages("error")] == [True] * bool(trouble)
    if trouble:
        assert page.click("Use settings that work").messages("error") == []
    assert page.labels[1].startswith("Grey" if page.query["architecture"] == "colorize" else "Noisy")


def test_a_session_has_one_file_on_the_server_however_many_it_sends(monkeypatch):
    manager = local_script_runner.MemoryUploadedFileManager("/upload")
    monkeypatch.setattr(app, "get_instance", lambda: types.SimpleNamespace(uploaded_file_mgr=manager))

    async def serve():
        async with app.lifespan(None):
            for number in range(20):
                for session in "ab":
                    file = UploadedFileRec(f"{session}{number}", "x\0.png", "image/png", bytes(1000))
                    manager.add_file(session, file)

    with ThreadPoolExecutor() as other:  # Playwright, in the same process, has a loop running in this thread
        other.submit(asyncio.run, serve()).result()
    kept = [file for session in "ab" for file in manager.get_files(session, [f"{session}{n}" for n in range(20)])]
    assert [(file.file_id, file.name) for file in kept] == [("a19", "x.png"), ("b19", "x.png")]
    assert manager.get_stats()[next(iter(manager.stats_families))][0].byte_length == 2000
