"""A visitor's own runs of a card: trained in their order, found again, stopped, gone on with, measured."""

import dataclasses
import json
import shutil
import threading
import time

import pytest
import tiny_cards

from cae_core import jobs, runs, runtime
from cae_core.jobs import JobError, Jobs, scheduling
from cae_core.jobs.requests import Entry
from cae_core.reproduction import measure, own_runs, run_card
from cae_core.runs import RunError
from cae_core.training import duration, warm_start
from cae_core.training.run_trainer import RunTrainer

pytestmark = pytest.mark.usefixtures("cards")
ME = "0123456789abcdef"
PATIENCE = 120


@pytest.fixture(scope="module", autouse=True)
def tensorflow():
    assert runtime.ready(600)


@pytest.fixture(autouse=True)
def queue(monkeypatch):
    """A queue of the test's own, and nothing measured yet."""
    own = Jobs()
    monkeypatch.setattr(jobs, "default", lambda: own)
    measure.forget()
    yield own
    own.end()
    measure.forget()


@pytest.fixture
def held(queue, monkeypatch):
    """Nothing in the queue is ever trained."""
    monkeypatch.setattr(queue, "_threads", [threading.Thread()])  # one that never started
    yield
    monkeypatch.setattr(queue, "_threads", [])


@pytest.fixture
def finished(whole, runs_folder):
    """The finished run of the card "pca", which the command line made."""
    shutil.copytree(whole.folder / "reproduce-pca-0", runs_folder / "reproduce-pca-0")
    return runs.find("reproduce-pca-0")


def until(is_so):
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


def look_until_done(card):
    until(lambda: own_runs.look(card, ME).state == "done")
    return own_runs.look(card, ME)


def test_runs_are_trained_in_order_measured_and_found_again(queue, whole, runs_folder):
    assert own_runs.look("two", ME).state == "none"
    assert own_runs.share_of_epochs("two", {}) == 1
    own_runs.start("two", ME)
    now = own_runs.look("two", ME)
    assert (now.state, now.num_steps) == ("moving", 41)
    done = look_until_done("two")
    assert set(done.finished) == {"first", "second", "pca"}
    assert (done.steps, done.at_work, done.trouble) == (41, None, "")
    first, second, _ = done.finished.values()
    assert second.origin == {"run": first.name, "step": 20}
    assert {run.owner for run in done.finished.values()} == {ME}
    assert [run.title for run in done.finished.values()] == ["Two runs: first", "Two runs: second", "Two runs: pca"]
    assert {label: (value,) for label, value in done.values.items()} == whole.first_seed  # as on the command line
    assert own_runs.look("pca", ME).finished["pca"] == done.finished["pca"]  # another card that needs it
    assert own_runs.share_of_epochs("two", {"first": None}) == pytest.approx(5 / 9)

    queue.end()
    measure.forget()  # as a restart does
    assert own_runs.look("two", ME).values == done.values
    assert set(json.loads((first.path / measure.FILE).read_text(encoding="utf-8"))) == {"bce, none 0, end", "run"}
    # Another visitor sees what the command line made, which is everybody's, and none of mine.
    shutil.copytree(whole.folder, runs_folder, dirs_exist_ok=True)
    other = own_runs.look("two", "f" * 16)
    assert {run.name for run in other.finished.values()} == {f"reproduce-{run}-0" for run in ("first", "second", "pca")}


def test_starting_twice_enters_nothing_twice_and_stopping_takes_out_what_waits(queue, held, monkeypatch):
    own_runs.start("two", ME)
    own_runs.start("two", ME)
    own_runs.start("pca", ME)  # the same run
    assert len(queue.queue()) == 3
    monkeypatch.setattr(scheduling, "MOST_OF_ONE", 2)
    queue.submit(tiny_cards.BASE, ME)  # all runs of a card count as one
    with pytest.raises(JobError, match="You have 2 runs in the queue"):
        queue.submit(tiny_cards.BASE, ME)
    own_runs.stop("two", "f" * 16)  # nobody else's
    assert len(queue.queue()) == 4
    own_runs.stop("two", ME)
    assert len(queue.queue()) == 1
    assert own_runs.look("two", ME).state == "none"


def test_what_does_not_fit_is_refused_before_its_start_is_there(queue, held):
    RunTrainer.begin(tiny_cards.BASE, "parent").close()
    config = dataclasses.replace(tiny_cards.BASE, bottleneck=7)
    with pytest.raises(RunError, match="bottleneck is 7, but the weights to start from, of 'parent', have 4"):
        queue.enter([Entry("one", tiny_cards.BASE), Entry("child", config, "", warm_start.at_end_of("parent"))], ME)
    assert [path.name for path in runs.runs_dir().iterdir()] == ["parent"]  # all or none
    assert queue.queue() == []
    for count in (0, jobs.MOST["in order"] + 1):
        with pytest.raises(JobError, match=f"Got {count} runs to train in order"):
            queue.enter([Entry(f"run-{i}", tiny_cards.BASE) for i in range(count)], ME)


def test_a_run_of_that_name_with_other_settings_is_no_ones_and_in_the_way():
    RunTrainer.begin(tiny_cards.BASE, run_card.name_of("pca", 0, ME), owner=ME).close()
    assert own_runs.look("pca", ME).state == "none"
    with pytest.raises(RunError, match="was made with other settings: delete it, and try again"):
        own_runs.start("pca", ME)


def test_figures_come_from_the_file_that_is_whole_and_of_this_run(finished, cards, monkeypatch):
    claims, file = cards["pca"].claims, finished.path / measure.FILE
    with monkeypatch.context() as disk:  # where it refuses, they are in memory
        disk.setattr(measure.storage, "write", lambda *_: (_ for _ in ()).throw(OSError("no space")))
        values = look_until_done("pca").values
        assert not file.exists()
    assert values.keys() == {"3 components"}
    measure.forget()
    assert look_until_done("pca").values == values
    good = json.loads(file.read_text(encoding="utf-8"))
    for change, is_known in (
        ({}, True),
        ({"squared_error, none 0, end": "much"}, False),
        ({"run": "2026-01-01T00:00:00+00:00"}, False),  # of one that was deleted, of the same name
    ):
        file.write_text(json.dumps(good | change), encoding="utf-8")
        measure.forget()
        assert measure.known(finished, claims) == (values if is_known else {})
    assert look_until_done("pca").values == values  # measured again


def test_what_cannot_be_measured_says_why_and_is_not_asked_for_again(finished, monkeypatch):
    for file in (finished.path / "weights").iterdir():
        file.write_bytes(b"damaged")
    until(lambda: own_runs.look("pca", ME).trouble)
    assert "is damaged" in own_runs.look("pca", ME).trouble
    tasks = []
    monkeypatch.setattr(runtime, "soon", tasks.append)
    assert own_runs.look("pca", ME).state == "measuring"
    assert tasks == []


@pytest.mark.parametrize("kind", [lambda *_: 1.0, lambda *_: 1 / 0], ids=["figure", "trouble"])
def test_what_is_measured_while_all_is_forgotten_leaves_nothing(finished, cards, monkeypatch, kind):
    tasks, claims = [], cards["pca"].claims
    monkeypatch.setattr(runtime, "soon", tasks.append)
    monkeypatch.setattr(measure, "measure", lambda claim, run: measure.forget() or kind())
    measure.request(finished, claims)
    measure.request(finished, claims)  # a second request while the first is not answered
    assert len(tasks) == 1
    tasks.pop()()
    assert (measure.known(finished, claims), measure.trouble(finished)) == ({}, "")
    assert not (finished.path / measure.FILE).exists()
    measure.request(finished, claims)
    assert len(tasks) == 1


def test_the_time_is_that_of_the_runs_that_are_missing(monkeypatch):
    monkeypatch.setattr(duration, "pace", lambda config, shape: duration.Pace(0.1, True))
    assert own_runs.estimate("two", {}) == pytest.approx(2 * 4 * 5 * 0.1)
    assert own_runs.estimate("two", {"first": None}) == pytest.approx(4 * 5 * 0.1)
    assert own_runs.estimate("pca", {}) is None  # next to nothing, and not known
    monkeypatch.setattr(duration, "pace", lambda config, shape: duration.Pace(0.1, False))  # the card has the shipped time
    assert own_runs.estimate("two", {}) is None
