"""The Runs page without a browser: the table, one run, several, and what may be done with whose."""

import json
import re
import shutil
from dataclasses import fields

import damages
import numpy as np
import pytest
import streamlit as st
from claims import answer, asked
from shown import ShownPage, ShownRuns, ShownStacked, ShownTrain, as_markdown, owner

from cae_core import export, jobs, runs
from cae_core.config import RunConfig, StackConfig
from cae_core.figures import small_plane
from cae_core.inference import replay
from cae_core.pretrained import SHIPPED, name_of
from cae_core.runs import holder, storage
from cae_core.stacking.trainer import StackTrainer
from cae_core.sweeps import findings, grid
from cae_core.training.run_trainer import RunTrainer
from pages.parts.runs import settings_table
from pages.parts.runs.questions import questions
from pages.parts.session import state
from pages.parts.train import questions as train_questions

pytestmark = pytest.mark.usefixtures("few_images_everywhere")
TYPED = "1. a -> b &lt; :streamlit: www.x.org <script> **b</b>** ![x](http://e.example/)"


@pytest.fixture(scope="module")
def trained(few_images_everywhere, tmp_path_factory):
    """A folder with "clean" of three epochs, "noisy", stopped in its second, a stack, and one that was stopped."""
    folder = tmp_path_factory.mktemp("trained")
    common = {"num_train": 200, "batch_size": 50}
    small = {"num_train": 100, "labels": 30, "maps": (3,), "kernels": (3,), "epochs": 1, "batch_size": 50, "hidden": 0}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAE_RUNS_DIR", str(folder))
        damages.drive(RunTrainer.begin(RunConfig(bottleneck=2, epochs=3, **common), "clean"), 0)
        noisy = RunConfig(bottleneck=8, epochs=2, loss="mse", noise_kind="gaussian", **common)
        damages.drive(RunTrainer.begin(noisy, "noisy"), 6)
        damages.drive(StackTrainer.begin(StackConfig(steps=4, **small), "whole"), 0)
        damages.drive(StackTrainer.begin(StackConfig(steps=6, **small), "half", "The half"), 3)
    return folder


@pytest.fixture
def shelf_of(trained, runs_folder):
    """Puts copies of those runs into the test's folder: `shelf_of(new_name=("clean", {changes of run.json}, title))`."""

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
def stacks_too(two, shelf_of):
    shelf_of(whole=("whole", {}, ""), half=("half", {}, "The half"))


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


def charts(page):
    return [json.loads(chart.proto.spec) for chart in page.app.get("plotly_chart")]


def test_without_runs_there_is_a_way_to_the_first():
    page = ShownRuns()
    assert "There are no runs yet" in page.text
    assert [where for where, _ in page.links.values()] == ["train"]
    assert page.query == {"runs": "", "whose": "mine", "epoch": "1000"}
    assert page.troubles == []


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
    assert (failed["State"], failed["Noise"]) == ("failed", "None")
    assert left["State"] == "interrupted"  # it says that it trains, and no process does
    page = ShownRuns(runs="old")
    assert page.titles == ["old", "With noise", "Failed", "left"]  # what a link chose stands where it is seen
    for marked in (("old", "left"), ("left",)):  # rows do not move under the hand
        assert page.mark(*marked).titles == ["old", "With noise", "Failed", "left"]


def test_whose(shelf_of):
    owners = {"mine": owner("someone"), "anyone": "", "theirs": owner("another")}
    shelf_of(**{name: ("clean", {"owner": of}, "") for name, of in owners.items()})
    page = ShownRuns()
    assert set(page.titles) == {"mine", "anyone"}
    assert set(page.set(whose="everyone").titles) == {*owners}
    assert set(page.set(whose="shipped").titles) == {run.name for run in runs.every(runs.PRETRAINED_DIR)[0]}


def test_a_damaged_run_harms_no_other(two, runs_folder):
    (runs_folder / "broken").mkdir()
    (runs_folder / "broken" / "run.json").write_text("{", encoding="utf-8")
    page = ShownRuns(runs="broken")
    assert len(page.titles) == 2
    assert [e.label for e in page.app.expander if "read" in e.label] == ["1 run cannot be read"]
    assert "broken/run.json is damaged" in page.messages("warning")[0]
    (runs_folder / "clean" / "weights" / "00000004.npz").write_bytes(b"no archive")
    page = ShownRuns(runs="clean")
    (error,) = page.messages("error")
    assert "00000004.npz is damaged" in error
    assert "Delete" in page.buttons


def test_the_time_machine_shows_each_moment(two):
    page = ShownRuns(runs="clean")
    past, last = replay.replay(runs.find("clean")), charts(page)
    assert page.widget("epoch").options == ["0, untrained", "1", "2", "3"]
    assert page.query == {"runs": "clean", "whose": "mine", "epoch": "3"}
    for moment, epoch in reversed([*enumerate((0.0, 1.0, 2.0, 3.0))]):
        page.set(epoch=epoch)
        when = f"after epoch {epoch:g}" if epoch else "untrained"
        (alt,) = [alt for alt in page.alts if "reconstructed" in alt]
        mse = np.mean((past.x_hat[moment] - past.x) ** 2)
        assert alt == f"8 images, reconstructed {when}, MSE {mse:.4f}"
        assert page.query["epoch"] == f"{epoch:g}"
    assert page.labels == ["Cleanx, the target", f"ReconstructedMSE {mse:.4f}"]
    for before, now in zip(last, charts(page), strict=True):  # axes stay where they are
        assert all(before["layout"][axis]["range"] == now["layout"][axis]["range"] for axis in ("xaxis", "yaxis"))
    (mark,) = charts(page)[0]["layout"]["shapes"]
    assert mark["x0"] == 0


def test_one_run_says_what_it_is_at_the_saved_epoch_that_is_nearest(two):
    page, opening = ShownRuns(runs="noisy", epoch="1.4"), train_questions.opening()
    assert page.widget("epoch").value == 1.5  # it was stopped halfway through its second epoch
    assert page.heads[0] == "With noise"
    assert "Stopped before its end, 1 of 2 epochs" in page.text
    expected = {"Bottleneck": ["8", f"{opening.bottleneck}"], "Loss": ["MSE", "BCE"],
                "Training images": ["200", f"{opening.num_train:,}"]}  # fmt: skip
    assert page.lines == {**page.lines, **expected}
    assert "Batch size" in page.lines
    assert page.lines["MSE clean"][0].split()[0] == f"{runs.find('noisy').metrics['clean']['mse']:#.4g}"
    assert "strokes-b8-mse-mixed" in page.html
    assert "Noisy" in page.labels[1]
    offered = {button.proto.label for button in page.app.get("download_button")}
    assert {entry.label for entry in export.EXPORTS.values()} <= offered


def test_every_setting_of_a_run_is_told_and_none_that_means_nothing(monkeypatch):
    assert set(settings_table.SETTINGS) == {field.name for kind in (RunConfig, StackConfig) for field in fields(kind)}
    monkeypatch.setattr("cae_core.training.HELD_OUT", 5_000)  # as it is
    shipped = [runs.find(name) for name in SHIPPED]
    differ, _ = settings_table.settings([run.config for run in shipped])
    lines = {line.label: line.cells for line in differ}
    assert lines["Training images"] == tuple(f"{run.num_train:,}" for run in shipped)  # no more than there are
    differ, same = settings_table.settings([runs.find("mnist-pca").config, RunConfig()])
    told = {line.label: line.cells for line in differ}
    assert {line.label: line.cells for line in same}["Seed"] == ("0",)
    assert told["Optimizer"] == ("–", "Adam")
    assert {told[name][0] for name in ("Learning rate", "Epochs", "Batch size", "Schedule")} == {"–"}
    wide = runs.find("mnist-conv_denoise")
    assert settings_table.setting(wide.config, "bottleneck") == "–"
    page = ShownRuns(runs=wide.name)
    assert list(page.listed[page.listed["Title"] == wide.label]["Bottleneck"]) == [wide.code_size]


def test_noise_of_strength_0_has_no_row(shelf_of):
    config = RunConfig(bottleneck=2, num_train=200, batch_size=50, epochs=3, noise_kind="gaussian", noise_factor=0.0)
    shelf_of(still=("clean", {"config": config.to_dict()}, ""), clean=("clean", {}, ""))
    for page in (ShownRuns(runs="still"), ShownRuns(runs="still,clean")):
        assert not [label for label in page.labels if label.startswith("Noisy")]
        assert "different noises" not in page.text


CHANGES = {"Resume", "Delete", "Save"}
FAILED = {"state": "failed", "message": "The loss became *nan*.", "step": 0, "epochs": 0, "metrics": {}}
STANDS = {
    "forked": ("clean", {"origin": {"run": "parent", "step": 4}},
               "Forked from The first after epoch 1.", {"Delete"}, {"Resume"}),
    "orphan": ("clean", {"origin": {"run": "gone", "step": 0}},
               "Forked from gone, untrained (which is no longer there).", {"Delete"}, {"Resume"}),
    "failed": ("clean", FAILED, "Ended by a problem, 0 of 3 epochs. The loss became *nan*.", {"Run again", "Delete"},
               {"Denoise with it", "Resume"}),
    "stopped": ("noisy", {}, "Stopped before its end, 1 of 2 epochs", CHANGES | {"Fork from this epoch"}, set()),
    "theirs": ("noisy", {"owner": owner("another")}, "another visitor's", {"Fork from this epoch", "Run again"}, CHANGES),
}  # fmt: skip
"""A run: its source and changes, what is said of it, the buttons that are offered, and those that are not."""


@pytest.mark.parametrize("case", STANDS)
def test_where_a_run_stands_is_said_and_what_may_be_done_is_offered(shelf_of, case):
    source, changes, says, offered, withheld = STANDS[case]
    shelf_of(parent=("clean", {}, "The first"), one=(source, changes, "One"))
    page = ShownRuns(runs="one")
    assert page.titles[0] == "One"  # a link opens it, whoever's list this is
    assert says in page.text
    assert offered <= set(page.buttons)
    assert not withheld & set(page.buttons)
    if case == "failed":
        assert page.alts == []
        page = ShownRuns(runs="parent,one")
        assert "One: it has no trained network" in page.text
        assert page.lines["MSE clean"][1] == "–"
        assert len(page.alts) == 2
    if case == "theirs":
        assert set(ShownRuns("another", runs="one").buttons) >= CHANGES


def test_a_run_of_other_images_says_so(save_run):
    save_run("one")
    assert len(ShownRuns(runs="one").messages("error")) == 1
    page = ShownRuns(runs=f"one,{name_of('strokes', 8, 'bce', 'clean')}")
    assert len(page.alts) == 3
    assert "one: " in page.text


def test_a_shipped_run_has_one_moment_and_cannot_be_changed():
    page = ShownRuns(runs="strokes-b8-bce-clean", whose="shipped")
    assert not page.has("epoch")
    assert "after epoch 2" in page.alts[-1]
    assert "ships with the app" in page.text
    assert {"Fork from its end", "Run again", "Denoise with it"} <= set(page.buttons)
    assert not CHANGES & set(page.buttons)
    assert "strokes-b8-bce-mixed" in page.html  # its twin, to compare with


def test_a_run_in_training_is_left_alone(shelf_of, runs_folder, monkeypatch):
    shelf_of(busy=("noisy", {"state": "running"}, ""))
    lock = storage.Lock(runs_folder / "busy" / "lock")
    page = ShownRuns(runs="busy")
    assert list(page.listed["State"]) == ["training"]
    assert not {"Resume", "Delete", "Denoise with it", "Fork from this epoch"} & set(page.buttons)
    assert [where for where, _ in page.links.values()] == ["train"]
    monkeypatch.setattr(holder, "_TOKEN", "another")
    page.run()
    assert re.search("It is trained by the .* of this computer .process .*watch and stop it there", page.text)
    assert not page.links  # the Train page here would show nothing of it
    lock.release()


def test_a_title_is_shown_as_it_was_typed_wherever_it_stands(shelf_of):
    """Nothing in it is drawn as something else, neither as HTML nor where a page takes it for Markdown."""
    shelf_of(evil=("noisy", {"message": TYPED}, TYPED), other=("noisy", {}, "x"))
    pages = [ShownRuns(runs="evil"), ShownRuns(runs="evil,other"), ShownTrain(fork="evil"), ShownPage(run="evil")]
    assert TYPED in pages[0].titles
    for page in pages[:2]:
        assert not page.tags & {"script", "b", "strong"}
        assert not [alt for alt in page.alts if "</" in alt]  # the browser would drop it whole
        assert "e.example" not in "".join(page._html.images.values())
        assert "<script" not in str(charts(page))
    pages.append(ShownRuns(runs="evil").click("Delete"))
    assert "Deleted: " + TYPED in pages[-1].text.replace("\u2060", "")
    shown = "1\\. a \\-\u2060\\> b \\&lt; \\:\u2060streamlit\\: www\u2060.x.org"
    for page, least in zip(pages, (2, 0, 1, 0, 1), strict=True):
        texts = [text for _, _, text in as_markdown(page.app, "x.org")]
        assert len(texts) >= least
        assert [text for text in texts if shown not in text or re.search(r"(?<!\\)(<script|\*\*b|!\[)", text)] == []


def test_two_runs_side_by_side(two):
    page = ShownRuns(runs="clean,noisy")
    assert page.marked == ["clean", "With noise"]
    expected = {"Bottleneck": ["2", "8"], "Loss": ["BCE", "MSE"], "Noise factor": ["–", "0.5"]}
    assert page.lines == {**page.lines, **expected}
    first, second = (runs.find(name).metrics["clean"]["mse"] for name in ("clean", "noisy"))
    assert ["best" in cell for cell in page.lines["MSE clean"]] == [first < second, second < first]
    assert "different losses and noises" in page.text
    assert [alt.partition(", MSE")[0] for alt in page.alts] == [
        "10 images, clean", "10 images, by clean (clean)", "10 images, by With noise (noisy)",
        "Codes of 50 images by clean (clean) on a plane, coloured by class, epoch 3 of 3",
        "Codes of 50 images by With noise (noisy) on a plane, coloured by class, epoch 1.5 of 2",
    ]  # fmt: skip
    (chart,) = charts(page)
    assert {trace["name"] for trace in chart["data"]} >= {"clean", "With noise"}
    assert any("settings are the same" in expander.label for expander in page.app.expander)
    page = ShownRuns(runs="noisy,clean")  # noise is that of the first run
    assert "gaussian 0.5" in page.alts[1]
    assert len(page.alts) == 6
    page = ShownRuns(runs="clean,mnist-b2-mse-clean")
    assert not [cell for cells in page.lines.values() for cell in cells if "best" in cell]
    assert "judge each run by its own data set" in page.text


def test_marking_rows_is_kept_in_the_address_and_the_first_four_are_compared(shelf_of):
    names = [f"run{i}" for i in range(5)]
    shelf_of(**{name: ("clean", {}, "") for name in names})
    page = ShownRuns()
    assert "Mark one run" in page.text
    for marked, kept in ((["run1"], "run1"), (["run0", "run1"], "run1,run0"), (["run0"], "run0"), ([], "")):
        assert page.mark(*marked).query["runs"] == kept  # in the order of marking
    assert page.mark(*names).messages("warning") == ["You marked 5 runs: the first 4 of them are compared."]
    assert page.query["runs"].split(",") == page.titles[:4]
    page.click("Unmark all")
    assert (page.query["runs"], page.marked) == ("", [])
    page = ShownRuns(runs="gone.2,run0", nonsense=1)
    wrong, gone = page.messages("warning")
    assert "There is no setting 'nonsense'" in wrong
    assert gone == "There is no run called 'gone.2' here: it was deleted, or made on another machine."
    assert page.heads[0] == "run0"


def test_rename_delete_and_undo(two):
    page = ShownRuns(runs="clean")
    page.app.text_input[0].set_value("My *first*")
    page.click("Save")
    assert runs.find("clean").title == "My *first*"
    assert "My *first*" in page.titles
    assert page.heads[0] == "My \\*first\\*"
    assert "Delete" not in ShownRuns(runs="clean,noisy").buttons
    page.click("Delete")
    assert page.titles == ["With noise"]
    assert "Deleted: My *first*" in page.text
    assert page.query["runs"] == ""
    page.click("Undo")
    assert set(page.titles) == {"My *first*", "With noise"}
    assert page.heads[0] == "My \\*first\\*"
    page.click("Delete")
    later = ShownRuns()  # another day
    assert "Deleted: My" not in later.text
    assert len(later.click("Bring back").titles) == 2


def test_what_cannot_be_deleted_or_trained_says_why(two, monkeypatch):
    def refuse(*args):
        raise OSError(30, "Read-only file system")

    page = ShownRuns(runs="clean")
    monkeypatch.setattr("cae_core.runs.manage.os.utime", lambda *args: None)
    monkeypatch.setattr("pathlib.Path.rename", refuse)
    (error,) = page.click("Delete").messages("error")
    assert "could not be deleted (Read-only file system)" in error
    assert page.heads[0] == "clean"

    def full(*args, **kwargs):
        raise jobs.JobError("The queue is *full*.")

    monkeypatch.setattr(jobs.Jobs, "submit", full)
    assert page.click("Run again").messages("error") == ["The queue is *full*."]


def test_a_stack_is_listed_renamed_deleted_and_brought_back_like_any_run(stacks_too):
    page = ShownRuns(runs="half")
    assert set(page.titles) == {"The half", "whole", "With noise", "clean"}
    row = next(row for row in page.listed.to_dict("records") if row["Title"] == "The half")
    assert (row["State"], row["Network"], row["Bottleneck"]) == ("stopped", "Stack of 1 layer", 14 * 14 * 3)
    assert "Stopped before its end, 3 of 8 steps." in page.text
    assert page.lines == {**page.lines, "Labels": ["30", "300"], "Misread from the stack": ["–"]}
    assert {"Run again", *CHANGES} <= set(page.buttons)
    assert not any(label.startswith(("Denoise", "Fork")) for label in page.buttons)
    assert "stacked" in [where for where, _ in page.links.values()]
    page.app.text_input[0].set_value("My stack")
    page.click("Save").click("Delete")
    assert "My stack" not in page.titles
    assert page.click("Undo").heads[0] == "My stack"


def test_stacks_are_compared_with_one_another_and_with_networks(stacks_too):
    page = ShownRuns(runs="whole,half,clean")
    misread = f"{100 * runs.find('whole').figures['random']:.2f} %"
    stack, error = "Stack of 1 layer", f"{runs.find('clean').metrics['clean']['mse']:#.4g}"
    expected = {"Network": [stack, stack, "Fast"], "Loss": ["–", "–", "BCE"], "MSE clean": ["–", "–", error],
                "Fine-tuning steps": ["4", "6", "–"], "Misread from random weights": [misread, "–", "–"]}  # fmt: skip
    assert page.lines == {**page.lines, **expected}
    assert page.messages("error") == []
    assert "MSE clean" not in ShownRuns(runs="whole,half").lines


def test_a_stack_is_resumed_and_seen_on_its_own_page(stacks_too, no_queue):
    page = ShownRuns(runs="half")
    page.leave("Resume")
    assert no_queue == [("half", owner("someone"))]
    assert page.app.title[0].value.startswith("Does learning without labels help")
    assert page.setting["stack_view"] == "mine"
    whole = ShownStacked(stack="whole")
    assert f"{100 * runs.find('whole').figures['random']:.2f} %** from random weights" in whole.text
    assert whole.waiting == 0
    theirs = runs.find("half").path / "run.json"
    theirs.write_text(theirs.read_text(encoding="utf-8").replace('"owner": ""', '"owner": "another"'), encoding="utf-8")
    assert not any(ShownStacked(stack="half").steering("stack_p").values())  # looked at, not steered
    (runs.runs_dir() / ".stacks" / "old").mkdir(parents=True)
    assert "kept apart are among the runs now: old" in ShownRuns().messages("info")[0]
    assert "is no stack" in ShownStacked(stack="clean").messages("warning")[0]
    assert "is a stack, which has a page of its own" in ShownPage(run="whole").messages("error")[0]


def test_run_again_resume_fork_and_denoise_with_it(shelf_of, two, no_queue):
    origin = {"run": "clean", "step": 4}
    shelf_of(first=("clean", {}, "A title"), child=("clean", {"origin": origin}, ""))
    for name in ("first", "child"):
        ShownRuns(runs=name).leave("Run again")
    ShownRuns(runs="noisy").leave("Resume")
    config, me = runs.find("clean").config, owner("someone")
    again = (config, me, "child again", {"run": "child", "step": 0})
    assert no_queue == [(config, me, "A title again", None), again, ("noisy", me)]
    for press, title, expected in (
        ("Denoise with it", "What does the bottleneck keep", {"run": ("clean",)}),
        ("Fork from this epoch", "How does a network learn", {"fork": ("clean",), "fork_step": 8, "num_train": 200}),
    ):
        page = ShownRuns(runs="clean", epoch="2")
        page.leave(press)
        assert page.app.title[0].value.startswith(title)
        assert {key: page.setting[key] for key in expected} == expected


def test_an_export_that_cannot_be_made_says_why(two, monkeypatch):
    offered = {}

    def button(label, data, *rest, key="", **more):
        offered[key] = data, more

    monkeypatch.setattr(st, "download_button", button)
    page = ShownRuns(runs="clean")
    make, more = offered["export_history"]
    assert more["on_click"] is state.keep
    name, asked = more["args"]
    page.setting[f"_kept_{name}"] = asked  # what the click does
    assert page.run().messages("error") == []
    assert make().startswith(b"epoch,")
    (runs.runs_dir() / "clean" / "history.csv").write_text("epoch,loss\n1,none\n", encoding="utf-8")
    make, more = offered["export_history"]
    page.setting[f"_kept_{name}"] = more["args"][1]
    with pytest.raises(runs.RunError):
        make()
    label = export.EXPORTS["history"].label
    assert any(
        re.fullmatch(rf"{label} could not be made: \S*history\.csv is damaged.*", error)
        for error in page.run().messages("error")
    )
    other = ShownRuns(runs="noisy", kept={name: more["args"][1]})
    assert not [message for message in other.messages("error") if "could not be made" in message]


def test_a_missing_data_set_is_offered_for_download():
    page = ShownRuns(runs="mnist-b2-bce-clean,mnist-b8-bce-clean")
    assert any(label.startswith("Download MNIST") for label in page.buttons)
    assert page.lines["Bottleneck"] == ["2", "8"]


def mse(run, condition="clean"):
    return run.metrics[condition]["mse"]


def check_two_or_more(question, two, many):
    assert (two.config.bottleneck, many.config.bottleneck) == (2, 32)
    assert two.config.epochs == 2 * many.config.epochs
    times = mse(two) / mse(many)
    answer(question, times < 0.8, 0.8 < times < 1.25, times > 10)


def check_wider(question, *compared):
    steps = [mse(wide) / mse(narrow) for narrow, wide in zip(compared, compared[1:], strict=False)]
    assert [run.config.bottleneck for run in compared] == [8, 32, 128]
    assert compared[0].parameters < compared[1].parameters < compared[2].parameters
    assert mse(compared[1], "gaussian 0.5") > mse(compared[0], "gaussian 0.5")
    answer(question, steps[0] < 0.8 < steps[1], steps[1] > 1, max(steps) < 1 / 3)


def check_bce_or_mse(question, bce, other):
    assert (bce.config.loss, other.config.loss) == ("bce", "mse")
    curves = [runs.history(run)["held_out_loss"] for run in (bce, other)]
    assert curves[1].max() < curves[0].min() / 2  # far below
    assert mse(other, "gaussian 0.5") < mse(bce, "gaussian 0.5") * 2 / 3
    times = mse(other) / mse(bce)
    answer(question, times < 0.95, times > 1.05, abs(times - 1) < 0.01)


def check_cost_of_practice(question, practised, never):
    assert mse(practised, "gaussian 0.5") < mse(never, "gaussian 0.5") / 10
    times = mse(practised) / mse(never)
    answer(question, times < 1, 1.5 < times < 5, times > 8)


CLAIMS = {
    "two_or_more": ("bottleneck epochs", ["was given twice the epochs of the one with 32", "*MSE clean*"]),
    "wider": ("bottleneck", [
        "From 8 numbers to 32, and from 32 to 128", "row of parameters", "with 32 numbers does worse than the one with 8",
    ]),
    "bce_or_mse": ("loss", ["lies far below the other", "less than 1 %", "less than two thirds"]),
    "cost_of_practice": ("noise_kind noise_factor epochs batch_size", [
        "less than a tenth of the other's error at noise 0.5", "differ in epochs and batch size too",
    ]),
}  # fmt: skip
"""By question: the settings in which its runs differ, and what it says of them."""


@pytest.mark.parametrize("dataset", ["strokes", "mnist"])
def test_each_question_comes_out_as_it_says(dataset):
    assert set(questions(dataset)) == {*CLAIMS, "few_bytes", "unmet_noise"}
    for key, (differing, claims) in CLAIMS.items():
        question = asked(questions(dataset)[key], *claims)
        compared = [runs.find(name) for name in question.settings["runs"]]
        configs = [run.config.to_dict() for run in compared]
        assert {name for name in configs[0] if len({config[name] for config in configs}) > 1} == {*differing.split()}
        globals()[f"check_{key}"](question, *compared)
        assert all(f"{mse(run):.4f}" in question.measured(question.settings) for run in compared)


@pytest.mark.parametrize("dataset", findings.DATASETS)
def test_what_many_runs_show_comes_out_as_the_questions_say(dataset):
    few, unmet = (questions(dataset)[key] for key in ("few_bytes", "unmet_noise"))
    asked(few, "still has a larger error with four times as many numbers")
    shipped, clean, mixed = findings.find(dataset), *(name_of(dataset, 32, "mse", of) for of in ("clean", "mixed"))
    (code,) = [point for point in shipped.points if point.run == clean]
    jpeg = sorted((point.mse, point.bytes) for point in shipped.points if point.curve == "jpeg")
    jpeg = np.exp(np.interp(np.log(code.mse), *np.log(jpeg).T)) / code.bytes
    answer(few, jpeg < 0.8, 0.8 < jpeg < 1.25, 2.5 < jpeg < 3.5)
    assert all(point.mse > code.mse for point in shipped.points if point.curve == "pca" and point.size <= 128)
    assert f"{code.mse:.4f}" in few.measured({})
    errors = {run: {of.kind: of.mse for of in shipped.cells if (of.run, of.factor) == (run, 0.5)} for run in (clean, mixed)}
    least = min(errors[clean], key=errors[clean].get)
    answer(unmet, *(least == kind for kind in ("gaussian", "salt_and_pepper", "masking")))
    asked(unmet, "smaller error at each of the three")
    assert all(errors[mixed][kind] < errors[clean][kind] for kind in errors[clean])
    assert f"{errors[clean]['masking']:.4f}" in unmet.measured({})
    for cell in shipped.cells:  # of the runs as they ship now, on fewer images; else `pretrain --force` makes them anew
        if cell.kind == "none":
            assert cell.mse == pytest.approx(mse(runs.find(cell.run)), rel=0.15)


@pytest.mark.parametrize("view", ["sizes", "robustness"])
def test_each_point_of_what_many_runs_show_opens_its_run(view):
    page = ShownRuns(view=view)
    assert page.troubles == []
    (figure,) = charts(page)
    shown = {name for trace in figure["data"] for name in trace.get("customdata", ()) if name}
    assert shown
    assert {run.name for run in map(runs.find, shown)} == shown
    opened = {key.removeprefix("open_") for key in (button.key for button in page.app.button) if key.startswith("open_")}
    assert opened == shown
    name = sorted(shown)[0]
    page.app.button(f"open_{name}").click()
    page.run()
    assert (page.query["runs"], page.query.get("view", "")) == (name, "")


def test_a_sweep_is_shown_with_its_runs_together(shelf_of):
    configs = [RunConfig(bottleneck=2, epochs=3, num_train=200, batch_size=50, seed=seed) for seed in range(3)]
    kept = grid.remember(grid.parse("Sizes <b>", b'{"vary": {"bottleneck": [2, 8]}, "seeds": 2}'), configs)
    figures = [{"clean": {"mse": mse}, "gaussian 0.5": {"mse": 2 * mse}} for mse in (0.01, 0.03)]
    same = {**configs[0].to_dict(), "seed": 1}
    copies = {
        kept.runs[0]: ("clean", {"metrics": figures[0]}, ""),
        kept.runs[1]: ("clean", {"metrics": figures[1], "config": same}, ""),
    }
    shelf_of(**copies, other=("noisy", {}, ""))
    page = ShownRuns(sweep=kept.key)
    assert set(page.titles) == {*kept.runs[:2]}
    assert "3 runs: 2 finished and 1 not begun" in page.text
    (figure,) = charts(page)
    seeds, noisy, clean = figure["data"][0]["dimensions"]
    assert (seeds["label"], sorted(seeds["values"])) == ("Seed", [0, 1])
    np.testing.assert_allclose(sorted(clean["values"]), np.log10([0.01, 0.03]))
    assert "0.02000 ± 0.014" in page.text
    assert "<b>" not in page.text
    assert "begun on another machine" in ShownRuns(sweep="nothing").messages("warning")[0]


def test_one_slider_moves_all_compared_runs_to_an_epoch(two):
    page = ShownRuns(runs="clean,noisy,strokes-b2-mse-clean", epoch="1")
    slider = page.app.select_slider("epoch")
    assert (slider.value, list(slider.options)) == (1.0, ["0, untrained", "1", "1.5", "2", "3"])
    assert page.query["epoch"] == "1"
    for epoch in (1.0, 3.0):
        page.app.select_slider("epoch").set_value(epoch)
        page.run()
        assert f"epoch {epoch:g} of 3" in page.text
        past = replay.replay(runs.find("clean"))
        reach = max(np.linalg.norm(plane.points, axis=1).max() for plane in past.planes)
        moment = past.planes[past.epochs.index(epoch)].points
        pictures = "".join(element.value for element in page.app.html)
        assert small_plane.data_uri(moment, past.labels, float(reach)) in pictures
    assert "epoch 1.5 of 2" in page.text  # stopped there
    assert "end: keeps no epochs" in page.text
