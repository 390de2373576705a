"""The Colour page without a browser: rows, figures, own pictures, what is missing, and both chains trained side by side."""

import asyncio
import dataclasses
import io
import re
import time
import types
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image
from shown import Shown, ShownPage
from shown_runs import ShownRuns
from shown_train import ShownTrain
from streamlit.runtime.uploaded_file_manager import UploadedFileRec
from streamlit.testing.v1 import local_script_runner

import app
from cae_core import datasets, export, jobs, pretrained, runs, runtime, training
from cae_core.architectures import build
from cae_core.datasets import Split, strokes_colour
from cae_core.inspection import evaluation
from cae_core.runs import writing
from pages import colour
from pages.parts.colour import colour_race, experiments
from pages.parts.common import upload_limit

NAMES = [name for name in pretrained.COLOURING if name.startswith("strokes_colour-colorize")]


class ShownColour(ShownPage):
    """One visitor's Colour page."""

    FILE, QUESTION = "colour.py", "Can the target be something other than the input?"

    @property
    def table(self) -> dict[str, list[str]]:
        """The table of figures: label to cells."""
        return {row[0]: row[1:] for row in self._html.table if len(row) == 5 or len(row) == 4}

    @property
    def facts(self) -> dict[str, str]:
        return dict(re.findall(r"<div><small>(.*?)</small><span>(.*?)</span></div>", self.html))

    def upload(self, name: str, data: bytes):
        self.app.file_uploader[0].set_value((name, data, "image/png"))
        return self.run()


def png(pixels, mode=None, kind="PNG", **more):
    buffer = io.BytesIO()
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(buffer, kind, **more)
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
        patch.setattr(runs, "PRETRAINED_DIR", tmp_path_factory.mktemp("shipped"))
        datasets.clear_cache()
        for name in NAMES:
            config = pretrained.COLOURING[name]
            model = build(config)
            figures = evaluation.measure(model, config.dataset)
            writing.save(runs.PRETRAINED_DIR, name, model, config, [], metrics=figures, num_train=100, seconds=0)
            run_json = runs.PRETRAINED_DIR / name / "run.json"
            run_json.write_text(
                run_json.read_text(encoding="utf-8").replace('"epochs": 0', '"epochs": 1'), encoding="utf-8"
            )
        yield
    datasets.clear_cache()


@pytest.fixture(autouse=True)
def own_jobs(monkeypatch):
    """A queue of the test's own."""
    queue = jobs.Jobs()
    monkeypatch.setattr(jobs, "default", lambda: queue)
    yield queue
    queue.end()


def test_grey_both_guesses_the_truth_and_the_errors(asked_hosts):
    page = ShownColour()
    assert [re.sub(r"error [\d.]+", "error", label) for label in page.labels[:6]] == [
        "Greywhat the network gets", "Trained with BCEchroma error", "Trained with MSEchroma error",
        "True colourthe target",
        "Absolute errorTrained with BCE", "Absolute errorTrained with MSE",
    ]  # fmt: skip
    assert page.messages("error") == page.messages("warning") == []
    assert page.query["dataset"] == "strokes_colour"
    assert asked_hosts == []


def test_the_table_has_what_was_measured():
    page = ShownColour()
    measured = runs.find("strokes_colour-colorize-mse").metrics["clean"]
    assert page.table["Trained with MSE"][:2] == [f"{measured['luma']:.5f}", f"{measured['chroma']:.5f}"]
    assert page.table["Predicting grey"] == [
        "0",  # it keeps what was given, so on this it is never behind
        f"{measured['chroma_grey']:.5f}",
        "the same",
        "–",
    ]
    assert page.table["Trained with BCE"][3].endswith(" %")
    assert "all 60 test images of Coloured Strokes" in page.text


def test_the_listing_is_another_network():
    before, after = ShownColour(), ShownColour(chain="colorize_listing")
    assert before.table["Trained with BCE"] != after.table["Trained with BCE"]


def test_other_images_of_the_same_classes():
    page = ShownColour()
    first = page._html.images["10 images, in their true colours"]
    page.click("New images")
    assert page.query["seed"] == "1"
    assert page._html.images["10 images, in their true colours"] != first


def test_is_whole_before_tensorflow_is_there(monkeypatch):
    monkeypatch.setattr("cae_core.runtime.ready", lambda timeout=0.0: False)
    page = ShownColour()
    assert page.waiting == 4 + 2  # both guesses and their errors, and the lanes
    assert page.table["Trained with MSE"][0] != "–"


def test_without_shipped_runs_it_says_how_to_get_them(monkeypatch, tmp_path):
    monkeypatch.setattr(runs, "PRETRAINED_DIR", tmp_path)
    (said,) = ShownColour().messages("error")
    assert "There is no run called 'strokes_colour-colorize-bce'" in said


def test_photographs_that_are_not_here_are_offered(asked_hosts):
    page = ShownColour(dataset="cifar10")
    assert "CIFAR-10 was not found" in page.text
    assert page.labelled("Download CIFAR-10").label == "Download CIFAR-10 (170 MB)"
    assert asked_hosts == []


def test_a_run_of_ones_own_is_shown_alone(save_run, runs_folder):
    config = pretrained.colour_config("strokes_colour", "colorize", "mse")
    figures = evaluation.measure(build(config), config.dataset)
    history = [{"epoch": 1, "loss": 0.5, "held_out_loss": 0.4, "seconds": 1.0}]
    writing.save(runs_folder, "mine", build(config), config, history, metrics=figures, num_train=100, seconds=0)
    save_run("grey-one")
    page = ShownColour(colour_run="mine")
    assert [label.partition("chroma error")[0] for label in page.labels[:4]] == [
        "Greywhat the network gets", "mine", "True colourthe target", "Absolute errormine",
    ]  # fmt: skip
    assert page.widget("colour_run").options == ["Shipped with the app", "mine"]


def test_a_run_that_colours_nothing_is_refused(save_run):
    save_run("grey-one")
    (said,) = ShownColour(colour_run="grey-one").messages("error")
    assert "gives back grey" in said


def test_a_photograph_in_colour_is_compared(photo):
    page = ShownColour().upload("sky.png", png(photo))
    alts = [alt for alt in page.alts if alt.startswith("your picture")]
    assert alts == [
        "your picture in grey", "your picture coloured, trained with bce", "your picture coloured, trained with mse",
        "your picture as it was",
    ]  # fmt: skip
    assert "Your picture has 100 × 60 pixels. The network saw its luma at **80 × 48**" in page.text
    assert {"Predicting grey", "Trained with BCE", "Trained with MSE"} <= set(page.facts)
    assert page.messages("error") == []


@pytest.mark.parametrize(("mode", "kind", "more"), [("L", "PNG", {}), ("RGB", "JPEG", {"quality": 80})])
def test_a_grey_photograph_has_only_the_guess(photo, mode, kind, more):
    grey = np.asarray(Image.fromarray(photo).convert("L"))
    page = ShownColour().upload("old.png", png(grey, mode, kind, **more))
    assert "your picture as it was" not in page.alts
    assert [alt for alt in page.alts if alt.startswith("your picture")][0] == "your picture in grey"
    assert any("nothing to compare with" in said for said in page.messages("info"))
    assert "Predicting grey" not in page.facts


@pytest.mark.parametrize(("mode", "size"), [("P", (60, 100)), ("RGB", (1, 1)), ("RGB", (2400, 3000))])
def test_pictures_of_every_kind_and_size(photo, mode, size):
    picture = np.asarray(Image.fromarray(photo).resize(size[::-1]))
    page = ShownColour().upload("any.png", png(picture, mode))
    assert page.messages("error") == []
    assert "your picture coloured, trained with mse" in page.alts


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"no picture", "not an image that can be read"),
        (png(np.zeros((2, 300, 3), np.uint8)), "20 times"),
    ],
)
def test_files_that_cannot_be_used_are_refused_in_a_sentence(photo, data, says):
    page = ShownColour().upload("good.png", png(photo))
    page.upload("bad.png", data)
    (said,) = page.messages("error")
    assert says in said
    assert "your picture in grey" in page.alts  # the one before stays


def wait(queue):
    for _ in range(1800):
        if not queue.queue():
            return
        time.sleep(0.1)
    raise AssertionError(queue.queue())


def test_both_chains_are_trained_alike_and_seen_here_and_on_the_runs_page(own_jobs):
    now = {key: setting.default for key, setting in colour.SETTINGS.items()}
    first, second = (lane.config.to_dict() for lane in colour_race.racing(now))
    assert {key for key in first if first[key] != second[key]} == {"architecture"}
    page = ShownColour(chain_images=100, chain_epochs=1)
    page.press("together_start")
    wait(own_jobs)
    page.run()
    assert [job.state for job in own_jobs.of(page.owner)] == ["finished"] * 2
    assert page.labels[6:8] == ["Cleanx, the target", "Greyno noise"]
    assert {f"8 images, reconstructed by Grey to colour, as {how}" for how in ("meant", "listed")} <= {
        alt.partition(", chroma")[0] for alt in page.alts
    }
    names = [job.name for job in own_jobs.of(page.owner)]
    one = ShownRuns(runs=names[0])
    one.run()
    assert one.labels[:2] == ["Cleanx, the target", "Greyno noise"]
    assert any(button.label == "Colour with it" for button in one.app.button)
    both = ShownRuns(runs=",".join(names))
    assert len(both.labels) >= 3
    assert both.messages("error") == []


def test_a_network_can_be_taken_along():
    page = ShownColour()
    labels = [element.proto.label for element in page.app.get("download_button")]
    assert [export.EXPORTS[name].label for name in ("keras", "architecture", "weights")] == labels[-3:]


@pytest.mark.parametrize("name", experiments.EXPERIMENTS)
def test_experiments_set_what_there_is(name):
    settings = experiments.EXPERIMENTS[name].settings
    assert all(colour.SETTINGS[key].allows(value) for key, value in settings.items())
    page = ShownColour(seed=7).press(f"try_{name}")
    assert (page.query["dataset"], page.query["chain"]) == (settings["dataset"], settings["chain"])


def test_a_link_to_denoise_with_a_run_in_colour_is_answered(runs_folder):
    config = pretrained.colour_config("strokes_colour", "colorize", "mse")
    writing.save(runs_folder, "mine", build(config), config, [], metrics={}, num_train=100, seconds=0)
    run_json = runs_folder / "mine" / "run.json"
    run_json.write_text(run_json.read_text(encoding="utf-8").replace('"epochs": 0', '"epochs": 1'), encoding="utf-8")
    (said,) = Shown(run="mine").messages("error")
    assert "'mine' is of images of 48 × 48 × 3, these are 28 × 28 × 1" in said


@pytest.mark.parametrize(
    ("link", "trouble"),
    [
        ({"dataset": "strokes_colour", "architecture": "colorize"}, ""),
        ({"dataset": "strokes", "architecture": "colorize"}, "set dataset to 'strokes_colour' or 'cifar10'"),
        ({"dataset": "strokes_colour", "architecture": "fast"}, "or architecture to 'colorize'"),
    ],
)
def test_the_train_page_trains_it_and_says_what_works(link, trouble):
    page = ShownTrain(**link)
    said = page.messages("error")
    assert [trouble in one for one in said] == [True] * bool(trouble)
    if trouble:
        page.click("Use settings that work")
        assert page.messages("error") == []
    assert page.labels[1].startswith("Grey" if page.query["architecture"] == "colorize" else "Noisy")


def test_other_pages_offer_data_in_grey_only():
    assert Shown().widget("dataset").options == [datasets.DATASETS[name].label for name in datasets.GREY]


def test_a_file_is_let_go_once_it_is_read(photo, monkeypatch):
    """The picture stays, through later runs too; of a file the server keeps nothing, whether it could be used or not."""
    managers = []

    class Seen(local_script_runner.MemoryUploadedFileManager):
        def __init__(self, *args):
            super().__init__(*args)
            managers.append(self)

    monkeypatch.setattr(local_script_runner, "MemoryUploadedFileManager", Seen)
    page = ShownColour().upload("good.png", png(photo))
    for data in (None, b"no picture"):
        page.upload("bad.png", data) if data else None
        assert "your picture as it was" in page.alts
        assert managers[-1].file_storage == {"test session id": {}}


def test_a_session_has_one_file_on_the_server_however_many_it_sends():
    manager = local_script_runner.MemoryUploadedFileManager("/upload")
    upload_limit.keep_newest(manager)
    for number in range(20):
        for session in "ab":
            manager.add_file(session, UploadedFileRec(f"{session}{number}", "x\0.png", "image/png", bytes(1000)))
    kept = [file for session in "ab" for file in manager.get_files(session, [f"{session}{n}" for n in range(20)])]
    assert [(file.file_id, file.name) for file in kept] == [("a19", "x.png"), ("b19", "x.png")]
    assert manager.get_stats()[next(iter(manager.stats_families))][0].byte_length == 2000


def test_the_server_keeps_to_that(monkeypatch):
    limited = []
    monkeypatch.setattr(upload_limit, "keep_newest", limited.append)
    monkeypatch.setattr(app, "get_instance", lambda: types.SimpleNamespace(uploaded_file_mgr="the manager"))

    async def serve():
        async with app.lifespan(None):
            assert limited == ["the manager"]

    with ThreadPoolExecutor() as other:  # Playwright, in the same process, has a loop running in this thread
        other.submit(asyncio.run, serve()).result()
