"""The Train page without a browser: settings, links, the network, the queue, and runs that do not end well."""

import dataclasses
import re
import shutil
import time

import numpy as np
import pytest
from shown import ShownTrain, as_text

from cae_core import datasets, jobs, runs
from cae_core.config import DEFAULTS, RunConfig
from cae_core.inspection import summary
from cae_core.jobs import job, scheduling
from cae_core.runs import holder
from cae_core.training import duration
from cae_core.training.run_trainer import RunTrainer
from pages.parts.live.queue_words import STATES
from pages.parts.train.questions import FIRST

OTHERS = {
    "dataset": "strokes", "num_train": 700, "architecture": "dense", "bottleneck": 12, "loss": "mse",
    "noise_kind": "masking", "noise_factor": 0.35, "optimizer": "sgd", "learning_rate": 0.02, "schedule": "cosine",
    "epochs": 7, "batch_size": 50, "sparsity": 0.25, "seed": 42, "output": "linear", "pretraining": 2,
    "pretraining_kind": "autoencoder", "beta": 1, "beta_warmup": 0, "k": 0, "k_start": 0, "alpha": 1,  # of other networks
}  # fmt: skip
QUICK = {"num_train": 100, "architecture": "dense", "batch_size": 50, "epochs": 1, "noise_kind": "none"}
LONG = {**QUICK, "epochs": 1000}
FRESH = {"fork": (), "fork_step": 0}
NOTHING_CAN_BE_DONE = {"Pause": False, "One step": False, "Stop": False}
TRAIN = "Train this network"


@pytest.fixture(autouse=True)
def nothing_learned():
    """Times of runs as a new user knows them."""
    duration.forget()
    yield
    duration.forget()


@pytest.fixture(scope="module")
def trained_parent(few_of, tmp_path_factory):
    config = RunConfig(**{**OTHERS, "num_train": 100, "epochs": 1})
    with few_of("strokes"), pytest.MonkeyPatch.context() as patch:
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


class Shown(ShownTrain):
    """One visitor's Train page."""

    @property
    def settings(self):
        """Every setting as the session has it."""
        return {key: self.setting[key] for key in (*DEFAULTS.to_dict(), *FRESH)}

    @property
    def can(self):
        """The buttons that steer the run, and whether they can be pressed."""
        return self.steering("live_")


def wait(condition):
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_opens_with_the_first_preset_and_asks_nobody_for_anything(asked_hosts, forget_data, monkeypatch):
    entry, splits = datasets.DATASETS["strokes"], []
    recorded = dataclasses.replace(entry, load=lambda split: splits.append(split) or entry.load(split))
    monkeypatch.setitem(datasets.DATASETS, "strokes", recorded)
    page = Shown()
    assert splits == ["test"]  # no run, so no training images
    assert page.settings == {**FIRST.to_dict(), "dataset": "strokes", **FRESH}
    assert page.labels == ["Cleanx, the target", "Noisygaussian 0.5", "Reconstructednot trained yet"]
    assert (len(page.alts), page.waiting, page.troubles) == (2, 1, [])
    assert page.facts == {
        "State": "Not started", "Epoch": "0.0 of 3", "Step": "–", "Speed": "–", "Time left": "–", "Held-out BCE": "–",
    }  # fmt: skip
    assert page.can == NOTHING_CAN_BE_DONE
    assert TRAIN in page.buttons
    assert "Queue" not in page.heads
    assert asked_hosts == []
    for without_noise in ({"noise_factor": 0.0}, {"noise_kind": "none"}):
        assert [label[:5] for label in page.set(**without_noise).labels] == ["Clean", "Recon"]


def test_says_how_long_it_will_take_once_that_is_known():
    page = Shown(epochs=2, num_train=6400, batch_size=64)
    assert re.search(r"2 × 6,400 images, about \*\*\d+ s\*\* at the shipped run's pace", page.text)
    duration.learn(dataclasses.replace(FIRST, batch_size=64), (28, 28, 1), 0.1)
    assert "2 × 6,400 images, about **20 s** on this machine" in page.run().text
    page.set(num_train=60_000)  # more than there are: the held-out ones are not trained on
    trained_on = datasets.DATASETS["strokes"].num_train - 5_000
    assert f"2 × {trained_on:,} images" in page.text
    assert page.settings["num_train"] == page.widget("num_train").value == int(page.query["num_train"]) == trained_on


def test_network_table_is_the_networks():
    page, network = Shown(architecture="conv_denoise"), summary.network("conv_denoise", 32, (28, 28, 1))
    assert summary.flow(network) in page.text
    assert f"{network.parameters:,} parameters" in page.text
    assert "The **code** has **1,568** numbers, the image 784: **2 times** larger" in page.text
    rows = [row for row in page._html.table if len(row) == 4][1:]
    shapes = [" × ".join(map(str, layer.shape)) for layer in network.layers]
    assert [(row[0], row[2]) for row in rows] == [(n.name, shape) for n, shape in zip(network.layers, shapes, strict=True)]
    assert sum(int(row[3].replace(",", "")) for row in rows) == network.parameters


def test_link_with_every_setting_is_followed_written_back_and_can_be_left(held):
    page = Shown(**OTHERS)
    assert page.settings == {**OTHERS, **FRESH}
    assert {key: page.widget(key).value for key in DEFAULTS.to_dict()} == OTHERS  # every setting of a run is here
    assert page.troubles == []
    assert page.query == {key: as_text(value) for key, value in {**OTHERS, **FRESH}.items()}
    page.click(TRAIN)
    assert page.job.config == RunConfig(**OTHERS)
    page.set(**{key: value for key, value in FIRST.to_dict().items() if key != "dataset"})
    assert page.settings == {**FIRST.to_dict(), **FRESH}


def test_without_its_data_set_nothing_can_be_trained(asked_hosts, forget_data):
    page = Shown(dataset="mnist")
    assert "MNIST was not found" in page.text
    assert "MB" in page.labelled("Download").label
    assert TRAIN not in page.buttons
    assert (page.alts, asked_hosts) == ([], [])
    assert TRAIN in page.set(dataset="strokes").buttons


@pytest.mark.usefixtures("few_images")
def test_run_is_shown_from_its_first_step_to_its_end():
    page = Shown(**{**QUICK, "epochs": 2, "learning_rate": 0.01}).set(title="Mine <b>& yours</b>").click(TRAIN)
    assert page.widget("title").value == ""
    page.until("finished")
    run, progress = runs.find(page.job.name), page.job.progress
    held_out = f"{runs.history(run)['held_out_loss'][-1]:.4f}"
    expected = {"Mine &lt;b&gt;&amp; yours&lt;/b&gt;": "Finished", "Step": "4 of 4", "Epoch": "2.0 of 2"}
    assert page.facts == {**page.facts, **expected, "Held-out BCE": held_out}
    assert page.can == NOTHING_CAN_BE_DONE
    (alt,) = [alt for alt in page.alts if "reconstructed" in alt]
    assert alt == f"8 images, reconstructed, MSE {np.mean((progress.x_hat - progress.x) ** 2):.4f}"
    assert page.links == {
        "Time machine": ("runs", {"runs": run.name}), "Denoise with it": ("", {"run": run.name, "dataset": "strokes"}),
    }  # fmt: skip
    np.testing.assert_allclose(runs.model(run).reconstruct(progress.x_noisy), progress.x_hat, atol=1e-5)


@pytest.mark.usefixtures("few_images")
def test_pause_step_resume_and_stop_do_what_they_say(queue):
    page = Shown(**LONG).click(TRAIN).until("running")
    assert page.can == {"Pause": True, "One step": True, "Stop": True}
    page.click("Pause").until("paused")
    assert page.can == {"Resume": True, "One step": True, "Stop": True}
    at = page.job.progress.step
    assert page.facts["Step"] == f"{at:,} of 2,000"
    page.click("One step")
    wait(lambda: page.job.progress.step > at)
    assert page.until("paused").job.progress.step == at + 1
    page.click("Resume").until("running").click("Stop").until("stopped")
    assert page.can == NOTHING_CAN_BE_DONE
    assert set(page.links) == {"Time machine", "Denoise with it"}
    assert runs.find(page.job.name).step > at
    page.click(TRAIN).until("running")
    queue.stop(page.job.name, page.owner)
    wait(lambda: not page.job.is_live)
    queue._all.clear()
    (toast,) = page.click("Pause").app.toast  # what has just ended
    assert "it may be over, or another visitor's" in toast.value


def test_queue_lists_own_and_others_and_withdraws_and_refuses_when_it_is_full(held, monkeypatch):
    first = Shown("another", **LONG).set(title="private").click(TRAIN)
    assert "Queue" not in first.heads  # of one, there is nothing to say
    page = Shown(**LONG).set(title="sec*nd").click(TRAIN).set(title="third").click(TRAIN)
    lines = [entry.value for entry in page.app.markdown if re.match(r"\d\\?\. ", entry.value)]
    assert [line.partition(", about")[0] for line in lines] == [  # the backslash keeps each from becoming a list of its own
        r"1\. another visitor's run: waiting", r"2\. sec\*nd: waiting", r"3\. third: waiting",
    ]  # fmt: skip
    assert "private" not in page.text
    assert page.facts["sec*nd"] == "Waiting, 1 ahead"
    third = page.job.name
    own = [f"withdraw_{job.name}" for job in held.queue()[1:]]
    assert page.keys("Withdraw") == ["live_stop", *own]
    monkeypatch.setattr(scheduling, "MOST_OF_ONE", 2)
    (error,) = page.click(TRAIN).messages("error")
    assert "You have 2 runs in the queue" in error
    assert "withdraw one" in error
    page.press(f"withdraw_{third}")
    assert [job.title for job in held.queue()] == ["private", "sec*nd"]
    assert not (runs.runs_dir() / third).exists()
    page.press("live_stop").run()
    assert [job.title for job in held.queue()] == ["private"]
    assert page.facts["State"] == "Not started"
    assert page.can == NOTHING_CAN_BE_DONE  # nobody steers another's run
    for action in ("pause", "step", "stop", "go_on"):
        with pytest.raises(jobs.JobError, match="You have no run"):
            getattr(held, action)(first.job.name, page.owner)
    assert (first.job.state, first.job.message) == ("waiting", "")


@pytest.mark.parametrize(("kind", "unit"), [("rbm", "MSE"), ("autoencoder", "BCE")])
def test_a_layer_that_learns_alone_is_shown_alone_with_its_filters(kind, unit):
    page = Shown(**{**LONG, "pretraining": 100, "pretraining_kind": kind, "loss": "bce"}).click(TRAIN)
    wait(lambda: page.job.progress)
    page.click("Pause").until("paused")
    assert "Paused, layer 1 alone" in page.facts.values()
    assert f"Held-out {unit}" in page.facts
    assert [label.partition("MSE")[0] for label in page.labels[-2:]] == ["Through layer 1", "Filters, layer 1"]
    assert page.alts[-1] == "64 filters of layer 1, each 28 by 28 pixels of the image"
    page.click("Stop").until("stopped")


def test_fork_starts_from_the_parents_weights_and_locks_what_must_stay(parent, held):
    page = Shown(**{**OTHERS, "num_train": 100, "epochs": 1, "fork": parent, "fork_step": 2})
    assert page.troubles == []
    assert "Starts from the weights of **My parent** after step 2." in page.text
    assert page.widget("bottleneck").disabled
    assert page.widget("architecture").disabled
    page.click(TRAIN)
    assert page.messages("error") == []
    assert runs.find(page.job.name).origin == {"run": parent, "step": 2}


def test_fork_that_cannot_be_is_refused_and_fresh_weights_can(parent, held):
    page = Shown(**{**OTHERS, "fork": parent, "fork_step": 2, "bottleneck": 8}).click(TRAIN)
    (error,) = page.messages("error")
    says = ("bottleneck is 8", "'My parent', have 12", "set bottleneck to 12, or start from fresh weights")
    assert all(part in error for part in says)
    assert page.facts["State"] == "Not started"
    page.click("Start from fresh weights").click(TRAIN)
    assert page.messages("error") == []
    assert {key: page.settings[key] for key in FRESH} == FRESH
    assert not page.widget("bottleneck").disabled
    assert page.job.config.bottleneck == 8
    assert "no run called 'nobody'" in Shown(fork="nobody").text


class Frozen(jobs.Jobs):
    """A queue with one job, in a state that stays."""

    def __init__(self, state, place=0):
        self.job = jobs.Snapshot("some-run", "", "", RunConfig(), state, place=place)

    def of(self, owner):
        self.job = jobs.replace(self.job, owner=owner)
        return [self.job]

    def snapshot(self, name):
        return self.job

    def queue(self, most=None):
        return [self.job] if self.job.is_live else []

    def has(self, name):
        return self.job.is_live


def test_every_state_has_words_and_the_buttons_that_work_in_it(monkeypatch):
    frozen = Frozen("waiting", place=3)
    monkeypatch.setattr(jobs, "default", lambda: frozen)
    page = Shown()
    assert page.facts["State"] == "Waiting, 3 ahead"
    for state in (*job.LIVE, "finished", "stopped", "failed", "unsaved", "interrupted"):
        frozen.job = jobs.replace(frozen.job, state=state, place=0, message="It is *so*." * (state == "failed"))
        assert page.run().messages("error") == [frozen.job.message] * (state == "failed")
        assert (page.facts["State"], page.facts["Held-out BCE"]) == (STATES[state], "–")
        can = state in ("preparing", "running", "paused")
        last = {"waiting": {"Withdraw": True}, "unsaved": {"Save again": True, "Discard": True}}.get(state, {"Stop": can})
        assert page.can == {"Resume" if state == "paused" else "Pause": can, "One step": can, **last}
        assert len(page.links) == {"finished": 2, "stopped": 2, "failed": 1}.get(state, 0)


def test_a_run_that_ended_with_its_server_goes_on_from_here(held):
    page, config = ShownTrain(**QUICK), RunConfig(**{**QUICK, "dataset": "strokes", "epochs": 2})
    for owner in ("another", page.owner):
        assert "interrupted" not in page.run().text
        trainer = RunTrainer.begin(config, f"cut-{owner}", "My *run*", owner)
        next(trainer.events())
        trainer.write("running")
        trainer.close()
    assert "Your run **My *run*** was interrupted after step 1." in page.run().text
    page.press("resume_interrupted")
    assert [job.name for job in held.of(page.owner)] == [f"cut-{page.owner}"]
    assert "interrupted" not in page.run().text


def test_a_run_that_another_program_trains_is_said(monkeypatch):
    page = Shown("me", **QUICK)
    config = RunConfig(dataset="strokes", num_train=100)
    trainers = [RunTrainer.begin(config, "afar", "My *run*", page.owner), RunTrainer.begin(config, "b", "Not mine", "else")]
    assert "is trained by" not in page.run().text
    monkeypatch.setattr(holder, "_TOKEN", "another")
    assert "Your run My *run* is trained by the app at port 8501 of this computer (process" in page.run().text
    assert "Not mine" not in page.text
    assert page.links["Its settings"] == ("runs", {"runs": "afar"})
    for trainer in trainers:
        trainer.close()
    assert "is trained by" not in page.run().text
