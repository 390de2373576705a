"""A visitor's own runs of a card: trained in their order, found again, stopped, gone on with, measured."""

import dataclasses
import json
import threading
import time

import pytest
import tiny_cards

from cae_core import jobs, runs, runtime
from cae_core.jobs import JobError, Jobs, scheduling
from cae_core.jobs.requests import Entry
from cae_core.reproduction import measure, own_runs, registry, results, run_card
from cae_core.runs import RunError
from cae_core.training import duration, warm_start
from cae_core.training.run_trainer import RunTrainer

pytestmark = pytest.mark.usefixtures("few_strokes")
ME = "0123456789abcdef"
PATIENCE = 120


@pytest.fixture(scope="module", autouse=True)
def tensorflow():
    assert runtime.ready(600)


@pytest.fixture(autouse=True)
def cards(monkeypatch):
    made = tiny_cards.cards()
    for module in (registry, run_card, results, own_runs):
        monkeypatch.setattr(module, "CARDS", made)
    return made


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
    monkeypatch.setattr(queue, "_thread", threading.Thread())  # one that never started
    yield
    monkeypatch.setattr(queue, "_thread", None)


def until(name, *states, owner=ME):
    end = time.monotonic() + PATIENCE
    while (now := own_runs.look(name, owner)).state not in states:
        assert time.monotonic() < end, now
        time.sleep(0.02)
    return now


def test_runs_are_trained_in_order_measured_and_found_again(queue, cards):
    assert own_runs.look("two", ME).state == "none"
    own_runs.start("two", ME)
    now = own_runs.look("two", ME)
    assert now.state == "moving"
    assert now.num_steps == 41
    done = until("two", "done")
    assert set(done.finished) == {"first", "second", "pca"}
    assert (done.steps, done.at_work, done.trouble) == (41, None, "")
    first, second = done.finished["first"], done.finished["second"]
    assert second.origin == {"run": first.name, "step": 20}
    assert {run.owner for run in done.finished.values()} == {ME}
    assert [run.title for run in done.finished.values()] == ["Two runs: first", "Two runs: second", "Two runs: pca"]

    whole = run_card.reproduce("two", seeds=1)  # the command line's, trained anew under names of its own
    assert {label: (pytest.approx(value, abs=2e-5),) for label, value in done.values.items()} == whole.values

    queue.end()
    measure.forget()  # as a restart does
    assert own_runs.look("two", ME).values == done.values
    assert set(json.loads((first.path / measure.FILE).read_text(encoding="utf-8"))) == {"bce, none 0, end"}
    # Another visitor sees what the command line made, which is everybody's, and none of mine.
    other = own_runs.look("two", "f" * 16)
    assert {run.name for run in other.finished.values()} == {f"reproduce-{run}-0" for run in ("first", "second", "pca")}


def test_cards_share_a_run_that_both_need():
    own_runs.start("two", ME)
    done = until("two", "done")
    assert own_runs.look("pca", ME).finished["pca"] == done.finished["pca"]
    assert own_runs.share_of_epochs("two", {}) == 1
    assert own_runs.share_of_epochs("two", {"first": None}) == pytest.approx(5 / 9)


def test_starting_twice_enters_nothing_twice(queue, held):
    own_runs.start("two", ME)
    own_runs.start("two", ME)
    own_runs.start("pca", ME)  # the same run
    assert len(queue.queue()) == 3


def test_all_runs_of_a_card_count_as_one_in_the_queue(queue, held, monkeypatch):
    monkeypatch.setattr(scheduling, "MOST_OF_ONE", 2)
    own_runs.start("two", ME)
    queue.submit(tiny_cards.BASE, ME)
    with pytest.raises(JobError, match="You have 2 runs in the queue"):
        queue.submit(tiny_cards.BASE, ME)


def test_stopping_takes_out_what_waits(queue, held):
    own_runs.start("two", ME)
    own_runs.stop("two", "f" * 16)  # nobody else's
    assert len(queue.queue()) == 3
    own_runs.stop("two", ME)
    assert queue.queue() == []
    assert list(runs.runs_dir().iterdir()) == []
    assert own_runs.look("two", ME).state == "none"


def test_what_was_interrupted_goes_on_in_its_order(queue, cards):
    names = {run: run_card.name_of(run, 0, ME) for run in ("first", "second")}
    first = RunTrainer.begin(cards["two"].runs["first"], names["first"], owner=ME)
    second = RunTrainer.begin(cards["two"].runs["second"], names["second"], "", ME, warm_start.at_end_of(names["first"]))
    for event in first.events():
        if event.step == 7:
            break
    first.close(), second.close()  # as when the process ends
    assert runs.find(names["second"]).state == "interrupted"
    now = own_runs.look("two", ME)
    assert (now.state, now.steps) == ("partial", 5)
    own_runs.start("two", ME)
    done = until("two", "done")
    assert done.finished["second"].origin == {"run": names["first"], "step": 20}
    whole = run_card.reproduce("two", seeds=1)
    assert {label: (pytest.approx(value, abs=2e-5),) for label, value in done.values.items()} == whole.values


def test_a_run_whose_start_never_came_says_so_and_can_go_on(queue, cards):
    config = cards["two"].runs["second"]
    RunTrainer.begin(tiny_cards.BASE, "parent", owner=ME).close()
    queue.enter([Entry("child", config, "", warm_start.at_end_of("parent"))], ME)
    end = time.monotonic() + PATIENCE
    while queue.snapshot("child").is_live:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert queue.snapshot("child").message == (
        "It starts from the end of 'parent', which is interrupted: let that run finish first, then go on with this one."
    )
    assert runs.find("child").state == "interrupted"


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


def test_a_run_of_that_name_with_other_settings_is_no_ones_and_in_the_way(queue, cards):
    name = run_card.name_of("pca", 0, ME)
    RunTrainer.begin(tiny_cards.BASE, name, owner=ME).close()
    assert own_runs.look("pca", ME).state == "none"
    with pytest.raises(RunError, match="was made with other settings: delete it, and try again"):
        own_runs.start("pca", ME)


def test_what_cannot_be_measured_says_why_and_is_not_asked_for_again(cards, monkeypatch):
    own_runs.start("pca", ME)
    done = until("pca", "done")
    path = done.finished["pca"].path
    (path / measure.FILE).write_text('{"squared_error, none 0, end": "much"}', encoding="utf-8")
    measure.forget()
    assert until("pca", "done").values == done.values  # a damaged file is measured again
    end = time.monotonic() + PATIENCE
    while "much" in (path / measure.FILE).read_text(encoding="utf-8"):  # it is in memory first
        assert time.monotonic() < end
        time.sleep(0.02)
    (path / measure.FILE).unlink()
    measure.forget()
    for file in (path / "weights").iterdir():
        file.write_bytes(b"damaged")
    end = time.monotonic() + PATIENCE
    while not (now := own_runs.look("pca", ME)).trouble:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert "is damaged" in now.trouble
    tasks = []
    monkeypatch.setattr(runtime, "soon", tasks.append)
    assert own_runs.look("pca", ME).state == "measuring"
    assert tasks == []


def test_a_disk_that_refuses_leaves_the_figures_in_memory(monkeypatch):
    own_runs.start("pca", ME)
    write = measure.storage.write

    def refuse(path, content):
        if path.name == measure.FILE:
            raise OSError("no space")
        write(path, content)

    monkeypatch.setattr(measure.storage, "write", refuse)
    done = until("pca", "done")
    assert set(done.values) == {"3 components"}
    assert not (done.finished["pca"].path / measure.FILE).exists()


def test_the_time_is_that_of_the_runs_that_are_missing(cards, monkeypatch):
    monkeypatch.setattr(duration, "pace", lambda config, shape: duration.Pace(0.1, True))
    assert own_runs.estimate("two", {}) == pytest.approx(2 * 4 * 5 * 0.1)
    assert own_runs.estimate("two", {"first": None}) == pytest.approx(4 * 5 * 0.1)
    assert own_runs.estimate("pca", {}) is None  # next to nothing, and not known
    monkeypatch.setattr(duration, "pace", lambda config, shape: duration.Pace(0.1, False))  # the card has the shipped time
    assert own_runs.estimate("two", {}) is None
