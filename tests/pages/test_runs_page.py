"""The Runs page without a browser: the table, one run, several, and what may be done with whose."""

import json
import re
import shutil
from dataclasses import fields, replace

import damages
import numpy as np
import pytest
import streamlit as st
from shown import Shown, as_markdown, owner
from shown_runs import ShownRuns
from shown_stacked import ShownStacked
from shown_train import ShownTrain

from cae_core import datasets, export, jobs, runs
from cae_core.config import RunConfig, StackConfig
from cae_core.datasets import DATASETS, Split, strokes
from cae_core.inference import replay
from cae_core.pretrained import SHIPPED, name_of
from cae_core.runs import holder, storage
from cae_core.stacking.trainer import StackTrainer
from cae_core.training.run_trainer import RunTrainer
from pages.parts.runs import settings_table
from pages.parts.runs.experiments import experiments
from pages.parts.session import state
from pages.parts.train import presets

EVIL = "<script>alert(1)</script> **bold** ![x](http://evil.example/x.png)"


def few_strokes(split):
    x, y = strokes.draw(800 if split == "train" else 60, seed=1 if split == "train" else 2)
    return Split(x[..., np.newaxis], y)


@pytest.fixture(autouse=True, scope="module")
def small_data():
    """A Strokes data set that is drawn in a moment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(DATASETS, "strokes", replace(DATASETS["strokes"], load=few_strokes))
        patch.setattr("cae_core.training.HELD_OUT", 50)
        datasets.clear_cache()
        yield
    datasets.clear_cache()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with two runs: "clean" of three epochs, and "noisy" of two, which was stopped in its second."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAE_RUNS_DIR", str(folder))
        common = {"num_train": 200, "batch_size": 50}
        for name, config, steps in (
            ("clean", RunConfig(bottleneck=2, epochs=3, **common), 99),
            ("noisy", RunConfig(bottleneck=8, epochs=2, loss="mse", noise_kind="gaussian", **common), 6),
        ):
            trainer = RunTrainer.begin(config, name)
            for event in trainer.events():
                if event.step == steps:
                    trainer.write("stopped")
                    break
            trainer.close()
    return folder


@pytest.fixture(scope="module")
def trained_stacks(tmp_path_factory):
    """A folder with a finished stack of the command line and one that was stopped after its layer."""
    folder = tmp_path_factory.mktemp("stacks")
    common = {"num_train": 100, "labels": 30, "maps": (3,), "kernels": (3,), "epochs": 1, "batch_size": 50, "hidden": 0}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAE_RUNS_DIR", str(folder))
        for name, steps, end in (("whole", 4, 0), ("half", 6, 3)):
            damages.drive(StackTrainer.begin(StackConfig(steps=steps, **common), name, f"The {name}" * (end > 0)), end)
    return folder


@pytest.fixture
def stacks_too(two, trained_stacks, runs_folder):
    shutil.copytree(trained_stacks, runs_folder, dirs_exist_ok=True)


@pytest.fixture
def shelf_of(trained, runs_folder):
    """Puts copies of the two runs into the test's folder: `shelf_of(new_name=("clean", {changes of run.json}, title))`."""

    def put(**copies):
        for name, (source, changes, title) in copies.items():
            shutil.copytree(trained / source, runs_folder / name)
            file = runs_folder / name / "run.json"
            file.write_text(json.dumps({**json.loads(file.read_text(encoding="utf-8")), **changes}), encoding="utf-8")
            (runs_folder / name / "title.txt").write_text(title, encoding="utf-8")

    return put


@pytest.fixture
def two(shelf_of):
    shelf_of(clean=("clean", {}, ""), noisy=("noisy", {}, "With noise"))


@pytest.fixture
def no_queue(monkeypatch):
    """A queue whose thread is never started; what was handed in."""
    entered = []

    class Queue(jobs.Jobs):
        def submit(self, config, owner="", title="", origin=None, address=""):
            entered.append((config, owner, title, origin))
            return "new"

        def resume(self, name, owner="", address=""):
            entered.append((name, owner))

    monkeypatch.setattr(jobs, "default", Queue)
    return entered


def test_without_runs_there_is_a_way_to_the_first():
    page = ShownRuns()
    assert "There are no runs yet" in page.text
    (link,) = page.app.get("page_link")
    assert link.proto.page == "train"
    assert page.query == {"runs": "", "whose": "mine", "epoch": "1000"}
    assert page.messages("warning") == page.messages("error") == []


def test_the_table_says_what_each_run_is_newest_first(shelf_of):
    shelf_of(
        old=("clean", {"created": "2026-01-01T00:00:00+00:00"}, ""),
        new=("noisy", {"created": "2026-03-01T00:00:00+00:00"}, "With noise"),
        failed=("clean", {"created": "2026-02-01T00:00:00+00:00", "state": "failed", "metrics": {}}, "Failed"),
        left=("clean", {"created": "2025-01-01T00:00:00", "state": "running"}, ""),
    )
    page = ShownRuns()
    assert page.titles == ["With noise", "Failed", "old", "left"]
    new, failed, _, left = page.listed.to_dict("records")
    shown = {"State": "stopped", "Bottleneck": 8, "Loss": "MSE", "Noise": "Gaussian 0.5", "Epochs": 1, "Network": "Fast"}
    assert {key: new[key] for key in shown} == shown
    assert new["MSE noise 0.5"] == pytest.approx(runs.find("new").metrics["gaussian 0.5"]["mse"])
    assert np.isnan(failed["MSE clean"])
    assert failed["State"] == "failed"
    assert failed["Noise"] == "None"
    assert left["State"] == "interrupted"  # it says that it trains, and no process does
    assert "Mark one run" in page.text


@pytest.mark.parametrize(
    ("whose", "titles"), [("mine", {"mine", "anyone"}), ("everyone", {"mine", "anyone", "theirs"}), ("shipped", None)]
)
def test_whose(shelf_of, whose, titles):
    shelf_of(
        mine=("clean", {"owner": owner("someone")}, ""),
        anyone=("clean", {}, ""),
        theirs=("clean", {"owner": owner("another")}, ""),
    )
    page = ShownRuns(whose=whose)
    assert set(page.titles) == (titles or {run.name for run in runs.every(runs.PRETRAINED_DIR)[0]})


def test_a_damaged_run_harms_no_other(two, runs_folder):
    (runs_folder / "broken").mkdir()
    (runs_folder / "broken" / "run.json").write_text("{", encoding="utf-8")
    page = ShownRuns(runs="clean")
    assert len(page.titles) == 2
    assert [e.label for e in page.app.expander if "read" in e.label] == ["1 run cannot be read"]
    assert "broken/run.json is damaged" in page.text
    page = ShownRuns(runs="broken")
    assert "broken/run.json is damaged" in page.messages("warning")[0]


def test_the_time_machine_shows_each_moment(two):
    page = ShownRuns(runs="clean")
    past = replay.replay(runs.find("clean"))
    assert page.widget("epoch").options == ["0, untrained", "1", "2", "3"]
    assert page.widget("epoch").value == 3
    assert page.query == {"runs": "clean", "whose": "mine", "epoch": "3"}
    for moment, epoch in enumerate((0.0, 1.0, 2.0, 3.0)):
        page.set(epoch=epoch)
        when = f"after epoch {epoch:g}" if epoch else "untrained"
        (alt,) = [alt for alt in page.alts if "reconstructed" in alt]
        mse = np.mean((past.x_hat[moment] - past.x) ** 2)
        assert alt == f"8 images, reconstructed {when}, MSE {mse:.4f}"
        assert page.query["epoch"] == f"{epoch:g}"
    assert page.labels == ["Cleanx, the target", f"ReconstructedMSE {mse:.4f}"]


def test_axes_stay_where_they_are(two):
    def layouts(page):
        return [json.loads(chart.proto.spec)["layout"] for chart in page.app.get("plotly_chart")]

    page = ShownRuns(runs="clean")
    for last, first in zip(layouts(page), layouts(page.set(epoch=0.0)), strict=True):
        for axis in ("xaxis", "yaxis"):
            assert last[axis]["range"] == first[axis]["range"]
    (mark,) = layouts(page)[0]["shapes"]
    assert mark["x0"] == 0


@pytest.mark.parametrize(("asked", "shown"), [("0", 0.0), ("1", 1.0), ("1.4", 1.5), ("1000", 1.5)])
def test_a_link_to_an_epoch_opens_the_nearest_saved(two, asked, shown):
    page = ShownRuns(runs="noisy", epoch=asked)
    assert page.widget("epoch").value == shown  # "noisy" was stopped halfway through its second epoch


def test_one_run_says_what_it_is(two):
    page = ShownRuns(runs="noisy")
    assert page.heads[0] == "With noise"
    assert "Stopped before its end, 1 of 2 epochs" in page.text
    opening = presets.opening()
    assert page.lines["Bottleneck"] == ["8", f"{opening.bottleneck}"]
    assert page.lines["Loss"] == ["MSE", "BCE"]
    assert page.lines["Training images"] == ["200", f"{opening.num_train:,}"]
    assert "Batch size" in page.lines
    measured = runs.find("noisy").metrics["clean"]["mse"]
    assert page.lines["MSE clean"][0].split()[0] == f"{measured:#.4g}"
    assert "strokes-b8-mse-mixed" in page.html
    assert "Noisy" in page.labels[1]


def test_every_setting_of_a_run_is_told():
    assert set(settings_table.SETTINGS) == {field.name for kind in (RunConfig, StackConfig) for field in fields(kind)}


def test_no_table_says_more_images_than_a_run_was_trained_on(monkeypatch):
    monkeypatch.setattr("cae_core.training.HELD_OUT", 5_000)  # as it is
    shipped = [runs.find(name) for name in SHIPPED]
    (line,) = [line for line in settings_table.settings([run.config for run in shipped]) if line.label == "Training images"]
    assert line.cells == tuple(f"{run.num_train:,}" for run in shipped)


def test_settings_that_mean_nothing_to_a_network_are_not_told(two):
    told = {
        line.label: line.cells
        for line in settings_table.settings([runs.find("mnist-pca").config, runs.find("noisy").config])
    }
    assert told["Optimizer"] == ("–", "Adam")
    assert told["Learning rate"][0] == told["Epochs"][0] == told["Batch size"][0] == told["Schedule"][0] == "–"
    wide = runs.find("mnist-conv_denoise")
    assert settings_table.setting(wide.config, "bottleneck") == "–"
    page = ShownRuns(runs=wide.name)
    assert list(page.listed[page.listed["Title"] == wide.label]["Bottleneck"]) == [wide.code_size]


@pytest.mark.parametrize("names", ["still", "still,clean"])
def test_noise_of_strength_0_has_no_row(shelf_of, names):
    file = {"config": {**RunConfig(bottleneck=2, num_train=200, batch_size=50, epochs=3).to_dict(),
                       "noise_kind": "gaussian", "noise_factor": 0.0}}  # fmt: skip
    shelf_of(still=("clean", file, ""), clean=("clean", {}, ""))
    page = ShownRuns(runs=names)
    assert not [label for label in page.labels if label.startswith("Noisy")]
    assert "different noises" not in page.text


def test_where_a_forked_run_comes_from(shelf_of):
    origin = {"run": "clean", "step": 4}
    shelf_of(clean=("clean", {}, "The first"), child=("clean", {"origin": origin}, ""))
    assert "Forked from The first after epoch 1." in ShownRuns(runs="child").text
    shelf_of(orphan=("clean", {"origin": {"run": "gone", "step": 0}}, ""))
    assert "Forked from gone, untrained (which is no longer there)." in ShownRuns(runs="orphan").text


def test_a_failed_run_says_why(shelf_of):
    shelf_of(bad=("clean", {"state": "failed", "message": "The loss became *nan*.", "step": 0, "epochs": 0}, ""))
    page = ShownRuns(runs="bad")
    assert "Ended by a problem, 0 of 3 epochs. The loss became *nan*." in page.text
    assert page.alts == []
    assert "Run again" in page.buttons
    assert "Denoise with it" not in page.buttons


def test_a_run_whose_weights_are_damaged_says_so(two, runs_folder):
    (runs_folder / "clean" / "weights" / "00000004.npz").write_bytes(b"no archive")
    page = ShownRuns(runs="clean")
    (error,) = page.messages("error")
    assert "00000004.npz is damaged" in error
    assert "Delete" in page.buttons


def test_a_run_of_other_images_says_so(save_run):
    save_run("one")
    page = ShownRuns(runs="one")
    assert len(page.messages("error")) == 1
    page = ShownRuns(runs=f"one,{name_of('strokes', 8, 'bce', 'clean')}")
    assert len(page.alts) == 2
    assert "one: " in page.text


def test_a_shipped_run_has_one_moment_and_cannot_be_changed():
    page = ShownRuns(runs="strokes-b8-bce-clean", whose="shipped")
    assert not [slider for slider in page.app.select_slider if slider.key == "epoch"]
    assert "after epoch 2" in page.alts[-1]
    assert "ships with the app" in page.text
    assert {"Fork from its end", "Run again", "Denoise with it"} <= set(page.buttons)
    assert not {"Resume", "Delete", "Save"} & set(page.buttons)
    assert "strokes-b8-bce-mixed" in page.html  # its twin, to compare with


def test_anothers_run_can_be_looked_at_and_forked_only(shelf_of):
    shelf_of(theirs=("noisy", {"owner": owner("another")}, ""))
    page = ShownRuns(runs="theirs")
    assert page.titles == ["theirs"]  # a link opens it, though the list is of one's own
    assert "another visitor's" in page.text
    assert "Fork from this epoch" in page.buttons
    assert not {"Resume", "Delete", "Save"} & set(page.buttons)
    assert {"Resume", "Delete", "Save"} <= set(ShownRuns("another", runs="theirs").buttons)


@pytest.mark.parametrize(
    ("state", "offered"), [("stopped", True), ("running", True), ("finished", False), ("failed", False)]
)
def test_only_what_can_go_on_can_be_resumed(shelf_of, state, offered):
    shelf_of(one=("noisy", {"state": state}, ""))  # "running" without a process is interrupted
    assert ("Resume" in ShownRuns(runs="one").buttons) is offered


def test_a_run_in_training_is_left_alone(shelf_of, runs_folder, monkeypatch):
    shelf_of(busy=("noisy", {"state": "running"}, ""))
    lock = storage.Lock(runs_folder / "busy" / "lock")
    page = ShownRuns(runs="busy")
    assert list(page.listed["State"]) == ["training"]
    assert not {"Resume", "Delete", "Denoise with it", "Fork from this epoch"} & set(page.buttons)
    assert [link.proto.page for link in page.app.get("page_link")] == ["train"]
    monkeypatch.setattr(holder, "_TOKEN", "another")
    page.run()
    assert re.search("It is trained by the .* of this computer .process .*watch and stop it there", page.text)
    assert not page.app.get("page_link")  # the Train page here would show nothing of it
    lock.release()


def test_a_title_is_text_wherever_it_stands(shelf_of):
    shelf_of(evil=("clean", {}, EVIL), other=("noisy", {}, "x"))
    for names in ("evil", "evil,other"):
        page = ShownRuns(runs=names)
        assert EVIL in page.titles
        assert not page.tags & {"script", "b", "strong"}
        assert not [alt for alt in page.alts if "</" in alt]  # the browser would drop it whole
        assert "evil.example" not in "".join(page._html.images.values())
        assert not [head for head in page.app.subheader if re.search(r"(?<!\\)(<script|\*\*bold|!\[)", head.value)]
        for chart in page.app.get("plotly_chart"):
            assert "<script" not in chart.proto.spec
    page.click("Unmark all")
    page = ShownRuns(runs="evil").click("Delete")
    assert "Deleted: " + EVIL in page.text.replace("\u2060", "")
    assert "**bold**" not in "".join(element.value for element in page.app.markdown)


DRAWN = "1. :material/home: :streamlit: a -> b &lt; www.example.org"


def test_a_title_is_shown_as_it_was_typed(shelf_of):
    """Nothing in it is drawn as something else, wherever a page takes it for Markdown (seen in a browser)."""
    shelf_of(one=("noisy", {}, DRAWN))
    pages = [ShownRuns(runs="one").app, ShownRuns(runs="one").click("Delete").app]
    shelf_of(two=("noisy", {"message": DRAWN}, DRAWN))
    pages += [ShownRuns(runs="two").app, ShownTrain(fork="two").app, Shown(run="two").app]
    for page, least in zip(pages, (1, 1, 2, 1, 0), strict=True):
        texts = [text for _, _, text in as_markdown(page, "example.org")]
        assert len(texts) >= least
        for text in texts:
            assert (
                "1\\. \\:\u2060material/home\\: \\:\u2060streamlit\\: a \\-\u2060\\> b \\&lt; www\u2060.example.org" in text
            )


def test_two_runs_side_by_side(two):
    page = ShownRuns(runs="clean,noisy")
    assert page.marked == ["clean", "With noise"]
    assert page.lines["Bottleneck"] == ["2", "8"]
    assert page.lines["Loss"] == ["BCE", "MSE"]
    assert page.lines["Noise factor"] == ["–", "0.5"]
    first, second = (runs.find(name).metrics["clean"]["mse"] for name in ("clean", "noisy"))
    cells = page.lines["MSE clean"]
    assert ["best" in cell for cell in cells] == [first < second, second < first]
    assert "different losses and noises" in page.text
    assert [alt.partition(", MSE")[0] for alt in page.alts] == [
        "10 images, clean", "10 images, by clean (clean)", "10 images, by With noise (noisy)",
    ]  # fmt: skip
    assert page.row("by clean").shape == (10, 28, 28, 3)
    (chart,) = page.app.get("plotly_chart")
    assert {trace["name"] for trace in json.loads(chart.proto.spec)["data"]} >= {"clean", "With noise"}
    assert any("settings are the same" in expander.label for expander in page.app.expander)


def test_noise_is_that_of_the_first_run(two):
    page = ShownRuns(runs="noisy,clean")
    assert "gaussian 0.5" in page.alts[1]
    assert len(page.alts) == 4


def test_runs_of_different_data_sets_have_no_best(two):
    page = ShownRuns(runs="clean,mnist-b2-mse-clean")
    assert not [cell for cells in page.lines.values() for cell in cells if "best" in cell]
    assert "judge each run by its own data set" in page.text


def test_a_run_without_a_network_is_compared_all_the_same(shelf_of):
    shelf_of(good=("clean", {}, ""), bad=("clean", {"state": "failed", "step": 0, "epochs": 0, "metrics": {}}, "Bad"))
    page = ShownRuns(runs="good,bad")
    assert "Bad: it has no trained network" in page.text
    assert page.lines["MSE clean"][1] == "–"
    assert len(page.alts) == 2


def test_marking_rows_is_kept_in_the_address(two):
    page = ShownRuns().mark("With noise")
    assert page.query["runs"] == "noisy"
    page.mark("clean", "With noise")
    assert page.query["runs"] == "noisy,clean"  # in the order of marking
    page.mark("clean")
    assert page.query["runs"] == "clean"
    page.mark()
    assert page.query["runs"] == ""
    page.mark("clean", "With noise").click("Unmark all")
    assert page.query["runs"] == ""
    assert page.marked == []


def test_of_more_than_four_the_first_four_are_compared(shelf_of):
    shelf_of(**{f"run{i}": ("clean", {}, "") for i in range(5)})
    page = ShownRuns(runs="run0,run1,run2,run3").mark(*[f"run{i}" for i in range(5)])
    (warning,) = page.messages("warning")
    assert warning == "You marked 5 runs: the first 4 of them are compared."
    assert page.query["runs"] == "run0,run1,run2,run3"
    (warning,) = ShownRuns(runs="run0,run1,run2,run3,run4").messages("warning")
    assert "at most 4" in warning


def test_rows_do_not_move_under_the_hand(shelf_of):
    shelf_of(**{f"run{i}": ("clean", {"created": f"2026-01-0{i + 1}T00:00:00+00:00"}, "") for i in range(4)})
    page = ShownRuns(runs="run1")
    assert page.titles == ["run1", "run3", "run2", "run0"]  # what a link chose stands where it is seen
    assert page.mark("run1", "run0").titles == ["run1", "run3", "run2", "run0"]
    assert page.mark("run0").titles == ["run1", "run3", "run2", "run0"]


@pytest.mark.parametrize("name", ["nothing", "gone.2"])
def test_a_link_to_a_run_there_is_not(two, name):
    page = ShownRuns(runs=f"{name},clean")
    assert page.messages("warning") == [
        f"There is no run called '{name}' here: it was deleted, or made on another machine."
    ]
    assert page.heads[0] == "clean"


@pytest.mark.parametrize("link", [{"runs": "../secret"}, {"whose": "nobody"}, {"epoch": "x"}, {"run": "clean"}])
def test_a_link_that_means_nothing_is_said_to(two, link):
    page = ShownRuns(**link)
    (warning,) = page.messages("warning")
    assert "This link asks for something there is not" in warning
    assert len(page.titles) == 2


def test_rename(two):
    page = ShownRuns(runs="clean")
    page.app.text_input[0].set_value("My *first*")
    page.click("Save")
    assert runs.find("clean").title == "My *first*"
    assert "My *first*" in page.titles
    assert page.heads[0] == "My \\*first\\*"


def test_delete_and_undo(two):
    page = ShownRuns(runs="clean,noisy")
    assert "Delete" not in page.buttons
    page = ShownRuns(runs="clean").click("Delete")
    assert page.titles == ["With noise"]
    assert "Deleted: clean" in page.text
    assert page.query["runs"] == ""
    page.click("Undo")
    assert set(page.titles) == {"clean", "With noise"}
    assert page.heads[0] == "clean"
    page.click("Delete")
    later = ShownRuns()  # another day
    assert "Deleted: clean" not in later.text
    later.click("Bring back")
    assert set(later.titles) == {"clean", "With noise"}


def test_what_cannot_be_deleted_says_why(two, monkeypatch):
    def refuse(*args):
        raise OSError(30, "Read-only file system")

    page = ShownRuns(runs="clean")
    monkeypatch.setattr("cae_core.runs.manage.os.utime", lambda *args: None)
    monkeypatch.setattr("pathlib.Path.rename", refuse)
    page.click("Delete")
    (error,) = page.messages("error")
    assert "could not be deleted (Read-only file system)" in error
    assert page.heads[0] == "clean"


def test_a_stack_is_listed_renamed_deleted_and_brought_back_like_any_run(stacks_too):
    page = ShownRuns(runs="half")
    assert set(page.titles) == {"The half", "whole", "With noise", "clean"}
    row = next(row for row in page.listed.to_dict("records") if row["Title"] == "The half")
    assert (row["State"], row["Network"], row["Bottleneck"]) == ("stopped", "Stack of 1 layer", 14 * 14 * 3)
    assert "Stopped before its end, 3 of 8 steps." in page.text
    assert page.lines["Labels"] == ["30", "300"]
    assert page.lines["Misread from the stack"] == ["–"]
    assert {"Run again", "Resume", "Save", "Delete"} <= set(page.buttons)
    assert not any(label.startswith(("Denoise", "Fork")) for label in page.buttons)
    assert "stacked" in [link.proto.page for link in page.app.get("page_link")]
    page.app.text_input[0].set_value("My stack")
    page.click("Save").click("Delete")
    assert "My stack" not in page.titles
    page.click("Undo")
    assert page.heads[0] == "My stack"


def test_stacks_are_compared_with_one_another_and_with_networks(stacks_too):
    page = ShownRuns(runs="whole,half")
    assert page.lines["Fine-tuning steps"] == ["4", "6"]
    misread = runs.find("whole").figures["random"]
    assert page.lines["Misread from random weights"] == [f"{100 * misread:.2f} %", "–"]
    assert "MSE clean" not in page.lines
    page = ShownRuns(runs="whole,clean")
    assert page.lines["Network"] == ["Stack of 1 layer", "Fast"]
    assert page.lines["Loss"] == ["–", "BCE"]
    assert page.lines["MSE clean"][0] == "–"
    assert page.messages("error") == []


def test_a_stack_is_resumed_and_seen_on_its_own_page(stacks_too, no_queue):
    page = ShownRuns(runs="half")
    press(page, "Resume")
    assert no_queue == [("half", owner("someone"))]
    assert page.app.title[0].value.startswith("Does learning without labels help")
    assert page.setting["stack_view"] == "mine"
    whole = ShownStacked(stack="whole")
    assert f"{100 * runs.find('whole').figures['random']:.2f} %** from random weights" in whole.text
    assert whole.waiting == 0
    theirs = runs.find("half").path / "run.json"
    theirs.write_text(theirs.read_text(encoding="utf-8").replace('"owner": ""', '"owner": "another"'), encoding="utf-8")
    assert not any(ShownStacked(stack="half").can.values())  # looked at, not steered
    (runs.runs_dir() / ".stacks" / "old").mkdir(parents=True)
    assert "kept apart are among the runs now: old" in ShownRuns().messages("info")[0]
    assert "is no stack" in ShownStacked(stack="clean").messages("warning")[0]
    assert "is a stack, which has a page of its own" in Shown("denoise.py", run="whole").messages("error")[0]


def press(page, label):
    """Presses a button that leads to another page."""
    page.labelled(label).click()
    page.app.run()
    assert not page.app.exception


def test_fork_takes_the_settings_and_the_moment_to_the_train_page(two):
    page = ShownRuns(runs="clean", epoch="2")
    press(page, "Fork from this epoch")
    assert page.app.title[0].value == "How does a network learn to do that?"
    assert page.setting["fork"] == ("clean",)
    assert page.setting["fork_step"] == 8
    assert page.setting["bottleneck"] == 2
    assert page.setting["num_train"] == 200


def test_a_fork_of_a_shipped_run_says_as_many_images_as_there_are(monkeypatch):
    monkeypatch.setattr("cae_core.training.HELD_OUT", 5_000)
    page = ShownRuns(runs="strokes-b8-bce-clean", whose="shipped")
    press(page, "Fork from its end")
    assert page.setting["num_train"] == runs.find("strokes-b8-bce-clean").num_train == 45_000


def test_run_again_is_the_same_run(shelf_of, no_queue):
    origin = {"run": "clean", "step": 4}
    shelf_of(clean=("clean", {}, "A title"), child=("clean", {"origin": origin}, ""))
    page = ShownRuns(runs="clean")
    page.labelled("Run again").click()
    page.app.run()
    assert no_queue == [(runs.find("clean").config, owner("someone"), "A title again", None)]
    page = ShownRuns(runs="child")
    page.labelled("Run again").click()
    page.app.run()
    assert no_queue[1][2:] == ("child again", {"run": "child", "step": 0})


def test_resume(two, no_queue):
    page = ShownRuns(runs="noisy")
    page.labelled("Resume").click()
    page.app.run()
    assert no_queue == [("noisy", owner("someone"))]


def test_a_full_queue_says_so(two, monkeypatch):
    def full(*args, **kwargs):
        raise jobs.JobError("The queue is *full*.")

    monkeypatch.setattr(jobs.Jobs, "submit", full)
    page = ShownRuns(runs="clean").click("Run again")
    assert page.messages("error") == ["The queue is *full*."]


def test_denoise_with_it(two):
    page = ShownRuns(runs="clean")
    press(page, "Denoise with it")
    assert page.app.title[0].value.startswith("What does the bottleneck keep")
    assert page.setting["run"] == ("clean",)


def test_exports_are_offered(two):
    page = ShownRuns(runs="clean")
    offered = {button.proto.label for button in page.app.get("download_button")}
    assert {entry.label for entry in export.EXPORTS.values()} <= offered


def test_an_export_that_cannot_be_made_says_why(two, monkeypatch):
    offered = {}

    def button(label, data, *rest, key="", **more):
        offered[key] = data, more

    monkeypatch.setattr(st, "download_button", button)
    page = ShownRuns(runs="clean")
    make, more = offered["export_history"]
    assert more["on_click"] is state.keep
    name, asked = more["args"]
    page.app.session_state[f"_kept_{name}"] = asked  # what the click does
    assert page.run().messages("error") == []
    assert make().startswith(b"epoch,")
    assert page.run().messages("error") == []

    (runs.runs_dir() / "clean" / "history.csv").write_text("epoch,loss\n1,none\n", encoding="utf-8")
    make, more = offered["export_history"]
    page.app.session_state[f"_kept_{name}"] = more["args"][1]
    with pytest.raises(runs.RunError):
        make()
    label = export.EXPORTS["history"].label
    (said,) = [message for message in page.run().messages("error") if message.startswith(label)]
    assert re.fullmatch(rf"{label} could not be made: \S*history\.csv is damaged.*", said)
    shown = ShownRuns(runs="noisy")
    shown.app.session_state[f"_kept_{name}"] = more["args"][1]
    assert not [message for message in shown.run().messages("error") if "could not be made" in message]


def test_a_missing_data_set_is_offered_for_download(shelf_of):
    page = ShownRuns(runs="mnist-b2-bce-clean")
    assert any(label.startswith("Download MNIST") for label in page.buttons)
    page = ShownRuns(runs="mnist-b2-bce-clean,mnist-b8-bce-clean")
    assert any(label.startswith("Download MNIST") for label in page.buttons)
    assert page.lines["Bottleneck"] == ["2", "8"]


@pytest.fixture(params=["strokes", "mnist"])
def measured(request):
    """Of an experiment: the metrics of its runs, by condition and figure."""
    made = experiments(request.param)

    def of(key, *claims):
        for claim in claims:
            assert claim in made[key].look_for
        assert made[key].settings["whose"] == "shipped"
        return [runs.find(name) for name in made[key].settings["runs"]]

    assert set(made) == {"two_or_more", "wider", "bce_or_mse", "never_saw_noise"}
    return of


def mse(run, condition="clean"):
    return run.metrics[condition]["mse"]


def differing(*compared):
    """The settings in which runs differ."""
    configs = [run.config.to_dict() for run in compared]
    return {key for key in configs[0] if len({config[key] for config in configs}) > 1}


def test_two_numbers_or_thirty_two(measured):
    two, many = measured("two_or_more", "less than a tenth", "twice the epochs", "32 numbers")
    assert (two.config.bottleneck, many.config.bottleneck) == (2, 32)
    assert mse(many) < mse(two) / 10
    assert two.config.epochs == 2 * many.config.epochs
    assert differing(two, many) == {"bottleneck", "epochs"}


def test_wider_goes_on_helping(measured):
    compared = measured("wider", "four times as many numbers", "less than a third", "row of parameters")
    for narrow, wide in zip(compared, compared[1:], strict=False):
        assert wide.config.bottleneck == 4 * narrow.config.bottleneck
        assert mse(wide) < mse(narrow) / 3
        assert wide.parameters > narrow.parameters
    assert differing(*compared) == {"bottleneck"}


def test_bce_or_mse(measured):
    bce, other = measured("bce_or_mse", "within one hundredth", "less than two thirds")
    assert abs(mse(bce) / mse(other) - 1) < 0.01
    assert mse(other, "gaussian 0.5") < mse(bce, "gaussian 0.5") * 2 / 3
    assert differing(bce, other) == {"loss"}


def test_what_practice_with_noise_costs(measured):
    practised, never = measured(
        "never_saw_noise", "less than a tenth", "more than one and a half times", "differ in epochs and batch size too"
    )
    assert mse(practised, "gaussian 0.5") < mse(never, "gaussian 0.5") / 10
    assert mse(practised) > 1.5 * mse(never)
    assert differing(practised, never) == {"noise_kind", "noise_factor", "epochs", "batch_size"}


@pytest.mark.parametrize("key", experiments("strokes"))
def test_each_experiment_is_one_click(key):
    page = ShownRuns()
    experiment = experiments("strokes")[key]
    page.click(experiment.title)
    assert tuple(page.query["runs"].split(",")) == experiment.settings["runs"]
    assert sorted(page.marked) == sorted(experiment.settings["runs"])
    assert page.titles[: len(page.marked)] == list(experiment.settings["runs"])
    assert " ".join(experiment.look_for.split()) in " ".join(page.text.split())
    assert page.messages("error") == page.messages("warning") == []
    assert len([alt for alt in page.alts if ", by " in alt]) == len(experiment.settings["runs"])
