"""The Train page without a browser: settings, links, the network, the queue, and runs that do not end well."""

import dataclasses
import errno
import re
import shutil
import threading
import time
from dataclasses import replace
from urllib.parse import parse_qs

import numpy as np
import pytest
from shown_train import ShownTrain

from cae_core import datasets, jobs, runs
from cae_core.config import DEFAULTS, RunConfig
from cae_core.inspection import summary
from cae_core.jobs import job, scheduling
from cae_core.runs import holder, storage
from cae_core.training import duration
from cae_core.training.run_trainer import RunTrainer
from pages.parts.live import run_view
from pages.parts.train.presets import FIRST

OTHERS = {
    "dataset": "strokes",
    "num_train": 700,
    "architecture": "dense",
    "bottleneck": 12,
    "loss": "mse",
    "noise_kind": "masking",
    "noise_factor": 0.35,
    "optimizer": "sgd",
    "learning_rate": 0.02,
    "schedule": "cosine",
    "epochs": 7,
    "batch_size": 50,
    "sparsity": 0.25,
    "seed": 42,
    "output": "linear",
    "pretraining": 2,
}
QUICK = {"num_train": "100", "architecture": "dense", "batch_size": "50", "epochs": "1", "noise_kind": "none"}
LONG = {**QUICK, "epochs": "1000"}
NOTHING_CAN_BE_DONE = {"Pause": False, "One step": False, "Stop": False}


@pytest.fixture(autouse=True)
def nothing_learned():
    """Times of runs as a new user knows them."""
    duration.forget()
    yield
    duration.forget()


@pytest.fixture(autouse=True)
def own_jobs(monkeypatch):
    """A queue of the test's own."""
    queue = jobs.Jobs()
    monkeypatch.setattr(jobs, "default", lambda: queue)
    yield queue
    queue.end()


@pytest.fixture
def held(own_jobs, monkeypatch):
    """Nothing in the queue is ever trained."""
    with monkeypatch.context() as patch:
        patch.setattr(own_jobs, "_thread", threading.Thread())
        yield own_jobs


def as_link(settings):
    return {key: str(value) for key, value in settings.items()}


def steering(page):
    """The buttons that steer a run, and whether they can be pressed."""
    names = ("Pause", "Resume", "One step", "Stop", "Withdraw", "Save again", "Discard")
    keys = [button.key for button in page.app.button if button.key.startswith("live_")]
    labels = {button.label: not button.disabled for button in page.app.button if button.key in keys}
    assert set(labels) <= set(names)
    return labels


def test_a_run_that_another_program_trains_is_said(monkeypatch):
    page = ShownTrain("me", **QUICK)
    trainer = RunTrainer.begin(RunConfig(dataset="strokes", num_train=100), "afar", "My *run*", page.owner)
    theirs = RunTrainer.begin(RunConfig(dataset="strokes", num_train=100), "theirs", "Not mine", "another")
    page.run()
    assert "is trained by" not in page.text
    monkeypatch.setattr(holder, "_TOKEN", "another")
    page.run()
    assert "Your run My *run* is trained by the app at port 8501 of this computer (process" in page.text
    assert "Not mine" not in page.text
    assert page.links["Its settings"] == "runs?runs=afar"
    trainer.close()
    theirs.close()
    page.run()
    assert "is trained by" not in page.text


@pytest.fixture(scope="module")
def trained_parent(tmp_path_factory):
    config = RunConfig(**{**OTHERS, "num_train": 100, "epochs": 1})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAE_RUNS_DIR", str(tmp_path_factory.mktemp("parent")))
        trainer = RunTrainer.begin(config, "parent-dense-12", "My parent")
        list(trainer.events())
        trainer.close()
        return runs.find(trainer.name).path


@pytest.fixture
def parent(trained_parent, runs_folder):
    """The name of a run with the untrained weights kept, as one to fork."""
    shutil.copytree(trained_parent, runs_folder / trained_parent.name)
    return trained_parent.name


def test_opens_with_the_first_preset_and_asks_nobody_for_anything(asked_hosts):
    page = ShownTrain()
    assert page.settings == {**FIRST.to_dict(), "dataset": "strokes", "fork": (), "fork_step": 0}
    assert page.labels == ["Cleanx, the target", "Noisygaussian 0.5", "Reconstructednot trained yet"]
    assert len(page.alts) == 2
    assert page.waiting == 1
    assert page.facts == {
        "State": "Not started",
        "Epoch": "0.0 of 3",
        "Step": "–",
        "Speed": "–",
        "Time left": "–",
        "Held-out BCE": "–",
    }
    assert steering(page) == NOTHING_CAN_BE_DONE
    assert page.buttons["Train this network"]
    assert re.search(r"3 × 10,000 images, about \*\*\d+ s\*\* at the shipped run's pace", page.text)
    assert page.messages("error") == page.messages("warning") == []
    assert "Queue" not in [heading.value for heading in page.app.subheader]
    assert asked_hosts == []


def test_without_noise_there_is_no_noisy_row():
    page = ShownTrain(noise_kind="gaussian", noise_factor="0")
    assert [label[:5] for label in page.labels] == ["Clean", "Recon"]
    assert [label[:5] for label in page.set(noise_kind="none").labels] == ["Clean", "Recon"]


def test_without_a_run_no_training_images_are_read(forget_data, monkeypatch):
    entry, read = datasets.DATASETS["strokes"], []
    recorded = replace(entry, load=lambda split: read.append(split) or entry.load(split))
    monkeypatch.setitem(datasets.DATASETS, "strokes", recorded)
    assert len(ShownTrain().alts) == 2
    assert read == ["test"]


def test_is_whole_before_tensorflow_is_there(monkeypatch):
    monkeypatch.setattr("cae_core.runtime.ready", lambda timeout=0.0: False)
    page = ShownTrain()
    assert len(page.alts) == 2
    assert page.waiting == 1
    assert page.buttons["Train this network"]
    assert "parameters" not in page.text.partition("Sources")[0]


def test_says_how_long_it_will_take_once_that_is_known():
    page = ShownTrain(epochs="2", num_train="6400", batch_size="64")
    assert re.search(r"2 × 6,400 images, about \*\*\d+ s\*\* at the shipped run's pace", page.text)
    duration.learn(dataclasses.replace(FIRST, batch_size=64), (28, 28, 1), 0.1)
    page.run()
    assert "2 × 6,400 images, about **20 s** on this machine" in page.text
    page.set(num_train=60_000)  # more than there are: the held-out ones are not trained on
    trained_on = datasets.DATASETS["strokes"].num_train - 5_000
    assert f"2 × {trained_on:,} images" in page.text
    assert page.settings["num_train"] == page.widget("num_train").value == trained_on
    assert page.query["num_train"] == str(trained_on)


@pytest.mark.parametrize(("architecture", "bottleneck"), [("dense", 2), ("conv_denoise", 32)])
def test_network_table_is_the_networks(architecture, bottleneck):
    page = ShownTrain(architecture=architecture, bottleneck=str(bottleneck))
    made = summary.network(architecture, bottleneck, (28, 28, 1))
    assert summary.flow(made) in page.text
    assert f"{made.parameters:,} parameters" in page.text
    assert f"The **code** has **{made.code_size:,}** numbers, the image 784" in page.text
    assert ("times** larger" in page.text) == (made.code_size > 784)
    rows = [row for row in page._html.table if len(row) == 4][1:]
    assert [row[0] for row in rows] == [layer.name for layer in made.layers]
    assert [row[2] for row in rows] == [" × ".join(map(str, layer.shape)) for layer in made.layers]
    assert sum(int(row[3].replace(",", "")) for row in rows) == made.parameters


def test_link_with_every_setting_is_followed_and_written_back(held):
    page = ShownTrain(**as_link(OTHERS))
    assert page.settings == {**OTHERS, "fork": (), "fork_step": 0}
    assert page.messages("warning") == []
    written = {key: values[0] for key, values in parse_qs(page.address).items()}
    assert {**written, "fork_step": "0"} == {**as_link(OTHERS), "fork_step": "0"}
    page.click("Train this network")
    assert page.job.config == RunConfig(**OTHERS)


def test_controls_stand_where_the_link_says_and_can_be_left():
    page = ShownTrain(**as_link(OTHERS))
    assert {key: page.widget(key).value for key in DEFAULTS.to_dict()} == OTHERS  # every setting of a run is here
    page.set(**{key: value for key, value in FIRST.to_dict().items() if key != "dataset"})
    assert page.settings == {**FIRST.to_dict(), "fork": (), "fork_step": 0}


def test_missing_data_set_is_offered_and_not_downloaded(asked_hosts, forget_data):
    page = ShownTrain(dataset="mnist")
    assert "MNIST was not found" in page.text
    assert "MB" in page.labelled("Download").label
    assert "Train this network" not in page.buttons
    assert page.alts == []
    assert asked_hosts == []
    page.click("Download")
    assert asked_hosts == ["storage.googleapis.com"]
    assert "could not be downloaded" in page.messages("error")[0]
    page.set(dataset="strokes")
    assert page.buttons["Train this network"]


def test_run_is_shown_from_its_first_step_to_its_end():
    page = ShownTrain(**{**QUICK, "epochs": "2", "learning_rate": "0.01"}).set(title="Mine <b>& yours</b>")
    page.click("Train this network")
    assert page.widget("title").value == ""
    assert page.until("finished").config.epochs == 2
    assert page.facts["Mine &lt;b&gt;&amp; yours&lt;/b&gt;"] == "Finished"
    assert page.facts["Step"] == "4 of 4"
    assert page.facts["Epoch"] == "2.0 of 2"
    run = runs.find(page.job.name)
    assert page.facts["Held-out BCE"] == f"{runs.history(run)['held_out_loss'][-1]:.4f}"
    assert steering(page) == NOTHING_CAN_BE_DONE
    (alt,) = [alt for alt in page.alts if "reconstructed" in alt]
    seen = page.job.progress
    mse = f"{np.mean((seen.x_hat - seen.x) ** 2):.4f}"
    assert alt == f"8 images, reconstructed, MSE {mse}"
    assert page.links == {
        "Time machine": f"runs?runs={run.name}",
        "Denoise with it": f"?run={run.name}&dataset=strokes",
    }
    np.testing.assert_array_equal(runs.model(run).reconstruct(seen.x_noisy), seen.x_hat)


def test_pause_step_resume_and_stop_do_what_they_say(own_jobs):
    page = ShownTrain(**LONG).click("Train this network")
    page.until("running")
    assert steering(page) == {"Pause": True, "One step": True, "Stop": True}
    page.click("Pause").until("paused")
    assert steering(page) == {"Resume": True, "One step": True, "Stop": True}
    at = page.job.progress.step
    assert page.facts["Step"] == f"{at:,} of 2,000"
    page.click("One step")
    while page.job.progress.step == at:
        time.sleep(0.01)
    assert page.until("paused").progress.step == at + 1
    page.click("Resume").until("running")
    while own_jobs.snapshot(page.job.name).progress.step < at + 3:
        time.sleep(0.01)
    page.click("Stop").until("stopped")
    assert steering(page) == NOTHING_CAN_BE_DONE
    assert set(page.links) == {"Time machine", "Denoise with it"}
    assert runs.find(page.job.name).step >= at + 3


def test_steering_a_run_that_has_just_ended_says_so(own_jobs):
    page = ShownTrain(**LONG).click("Train this network")
    page.until("running")
    own_jobs.stop(page.job.name, page.owner)
    while page.job.is_live:
        time.sleep(0.01)
    own_jobs._all.clear()
    page.click("Pause")
    (toast,) = page.app.toast
    assert "it may be over, or another visitor's" in toast.value


EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>![x](http://elsewhere.example/x.png) **b** :red[x] $x$"


def test_title_is_shown_as_text_wherever_it_stands(held):
    ShownTrain("another", **LONG).set(title="theirs").click("Train this network")
    page = ShownTrain(**LONG).set(title=EVIL[:80]).click("Train this network")
    assert page.job.title == EVIL[:80]
    assert "script" not in page.tags
    assert not {"onerror", "b"} & page.tags
    assert len(page._html.images) == 1  # the clean ones, nothing else
    (queued,) = [entry.value for entry in page.app.markdown if entry.value.startswith(r"2\. ")]
    for sign in "<>[]()!*$:":
        text = queued.removeprefix("2. ").rpartition(": ")[0]
        assert text.count(sign) == text.count("\\" + sign)
    assert "theirs" not in page.text


def test_queue_lists_own_and_others_and_withdraws(own_jobs):
    first = ShownTrain("another", **LONG).set(title="private").click("Train this network")
    first.until("running")
    assert "Queue" not in [heading.value for heading in first.app.subheader]  # of one, there is nothing to say
    page = ShownTrain(**LONG).set(title="second").click("Train this network")
    page.set(title="third").click("Train this network")
    lines = [entry.value for entry in page.app.markdown if re.match(r"\d\\?\. ", entry.value)]
    assert lines == [  # the backslash keeps each from becoming a Markdown list of its own
        r"1\. another visitor's run: training",
        r"2\. second: waiting",
        r"3\. third: waiting",
    ]
    assert "private" not in page.text
    assert page.facts["second"] == "Waiting, 1 ahead"
    third = page.job.name
    own = [f"withdraw_{job.name}" for job in own_jobs.queue()[1:]]
    assert [button.key for button in page.app.button if button.label == "Withdraw"] == ["live_stop", *own]

    page.app.button(key=f"withdraw_{third}").click()
    page.run()
    assert [job.title for job in own_jobs.queue()] == ["private", "second"]
    assert not (runs.runs_dir() / third).exists()
    page.app.button(key="live_stop").click()
    page.run().run()
    assert [job.title for job in own_jobs.queue()] == ["private"]
    assert page.facts["State"] == "Not started"
    first.click("Stop").until("stopped")


def test_nobody_else_can_steer_a_run(held):
    theirs = ShownTrain("another", **LONG).click("Train this network")
    page = ShownTrain(**LONG)
    assert page.facts["State"] == "Not started"
    assert steering(page) == NOTHING_CAN_BE_DONE
    for action in ("pause", "step", "stop", "go_on"):
        with pytest.raises(jobs.JobError, match="You have no run"):
            getattr(held, action)(theirs.job.name, page.owner)
    assert (theirs.job.state, theirs.job.message) == ("waiting", "")


def test_a_full_queue_refuses_and_says_what_to_do(held):
    page = ShownTrain(**LONG)
    for _ in range(scheduling.MOST_OF_ONE):
        page.click("Train this network")
    assert page.messages("error") == []
    page.click("Train this network")
    (error,) = page.messages("error")
    assert f"You have {scheduling.MOST_OF_ONE} runs in the queue" in error
    assert "withdraw one" in error


def test_fork_starts_from_the_parents_weights_and_locks_what_must_stay(parent):
    link = {**as_link(OTHERS), "num_train": "100", "epochs": "1", "fork": parent, "fork_step": "2"}
    page = ShownTrain(**link)
    assert page.messages("warning") == page.messages("error") == []
    assert "Starts from the weights of **My parent** after step 2." in page.text
    assert page.widget("bottleneck").disabled
    assert page.widget("architecture").disabled
    page.click("Train this network")
    assert page.messages("error") == []
    page.until("finished")
    run = runs.find(page.job.name)
    assert run.origin == {"run": parent, "step": 2}
    for name, weights in runs.weights(run, 0).items():
        np.testing.assert_array_equal(weights, runs.weights(runs.find(parent), 2)[name])

    page.click("Start from fresh weights")
    assert "Starts from the weights" not in page.text
    assert (page.settings["fork"], page.settings["fork_step"]) == ((), 0)
    assert not page.widget("bottleneck").disabled
    page.click("Train this network").until("finished")
    assert runs.find(page.job.name).origin is None


def test_fork_that_does_not_fit_its_parent_is_refused_with_both_named(parent, held):
    page = ShownTrain(**{**as_link(OTHERS), "bottleneck": "8", "fork": parent, "fork_step": "2"})
    page.click("Train this network")
    (error,) = page.messages("error")
    assert "bottleneck is 8" in error
    assert "'My parent', have 12" in error
    assert "set bottleneck to 12, or start from fresh weights" in error
    page.click("Start from fresh weights")
    page.set(epochs=1, num_train=100).click("Train this network")
    assert page.messages("error") == []
    assert page.job.config.bottleneck == 8


@pytest.mark.parametrize(
    ("name", "step", "says"), [("nobody", 2, "no run called 'nobody'"), ("parent-dense-12", 1, "step 1")]
)
def test_fork_of_what_is_not_there_is_refused(parent, name, step, says):
    page = ShownTrain(**{**as_link(OTHERS), "fork": name, "fork_step": str(step)})
    page.click("Train this network")
    (error,) = page.messages("error")
    assert says in error
    assert page.facts["State"] == "Not started"


def test_diverged_run_says_what_happened_and_the_next_one_can_start():
    page = ShownTrain(**{**LONG, "optimizer": "adam", "learning_rate": "1", "schedule": "constant", "batch_size": "10"})
    page.click("Train this network").until("failed")
    (error,) = page.messages("error")
    (count,) = re.findall(r"The loss (?:exploded|became) .* in step (\d+ of 10,000): the steps are too large\. ", error)
    assert "Instead of a learning rate of 1, try 0.001, the usual one of Adam." in error
    assert page.facts["Step"] == count
    assert page.facts["State"] == run_view.STATES["failed"]
    assert set(page.links) == {"Time machine"}
    assert steering(page) == NOTHING_CAN_BE_DONE
    page.set(learning_rate=0.001, epochs=1).click("Train this network").until("finished")
    assert page.messages("error") == []


def test_run_that_the_disk_refuses_is_kept_and_can_be_saved_again(own_jobs, monkeypatch):
    written, full = storage.write, []

    def write(path, content):
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")
        written(path, content)

    monkeypatch.setattr(storage, "write", write)
    page = ShownTrain(**LONG).click("Train this network")
    page.until("running")
    while not page.job.progress:  # a disk that refuses before the first step leaves nothing to save
        time.sleep(0.01)
    full.append(True)
    page.until("unsaved")
    (error,) = page.messages("error")
    assert "No space left on device" in error
    assert "free some space" in error
    assert steering(page) == {"Pause": False, "One step": False, "Save again": True, "Discard": True}
    assert page.facts["State"] == "Not saved"
    page.click("Save again")
    while own_jobs.is_busy():
        time.sleep(0.01)
    page.until("unsaved")
    assert "No space left on device" in page.messages("error")[0]
    full.clear()
    page.click("Save again").until("stopped")
    assert page.messages("error") == []
    run = runs.find(page.job.name)
    assert run.state == "stopped"
    assert run.step >= page.job.progress.step > 0
    assert set(page.links) == {"Time machine", "Denoise with it"}


class Frozen:
    """A queue with one job, in a state that stays."""

    def __init__(self, state, place=0):
        self.one = jobs.Snapshot("some-run", "", "", RunConfig(), state, place=place)

    def of(self, owner):
        self.one = jobs.replace(self.one, owner=owner)
        return [self.one]

    def snapshot(self, name):
        return self.one

    def queue(self):
        return [self.one] if self.one.is_live else []

    def is_busy(self):
        return self.one.is_live


def test_every_state_has_words_and_the_buttons_that_work_in_it(monkeypatch):
    frozen = Frozen("waiting", place=3)
    monkeypatch.setattr(jobs, "default", lambda: frozen)
    page = ShownTrain()
    assert page.facts["State"] == "Waiting, 3 ahead"
    for state in (*job.LIVE, "finished", "stopped", "failed", "unsaved", "interrupted"):
        frozen.one = jobs.replace(frozen.one, state=state, place=0)
        page.run()
        assert page.facts["State"] == run_view.STATES[state]
        assert page.facts["Held-out BCE"] == "–"
        can = state in ("preparing", "running", "paused")
        last = {"waiting": {"Withdraw": True}, "unsaved": {"Save again": True, "Discard": True}}.get(state, {"Stop": can})
        assert steering(page) == {"Resume" if state == "paused" else "Pause": can, "One step": can, **last}
        assert len(page.links) == {"finished": 2, "stopped": 2, "failed": 1}.get(state, 0)
