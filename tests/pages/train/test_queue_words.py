"""What pages say to those who wait and those who have to give way, and what they offer where the disk refused."""

import math
import re
from dataclasses import replace

import pytest
from shown import ShownArchitectures, ShownReproduce, ShownRuns, ShownStacked, ShownTrain

from cae_core import runs
from cae_core.config import RunConfig
from cae_core.jobs import Snapshot
from cae_core.reproduction import own_runs
from pages.parts.live import queue_words
from pages.parts.live.queue_words import why

ME, YOU = "me", "you"


def job(owner, state, **more):
    return Snapshot("a-run", "", owner, RunConfig(), state, **more)


@pytest.mark.parametrize(
    ("mine", "first", "says"),
    [
        (job(ME, "waiting", place=1), job(YOU, "running", seconds_left=80.0), "is training, and ends or gives way in 80 s"),
        (job(ME, "waiting", place=1), job(YOU, "preparing"), "is training, and ends or gives way in 2 min at most"),
        (job(ME, "waiting", place=1), job(YOU, "paused", seconds_left=12.0), "run is paused and gives way in 12 s at most"),
        (job(ME, "waiting", place=1), job(ME, "paused"), "Your own run ahead of it is paused: resume or stop that one."),
        (job(ME, "waiting", place=1), job(ME, "running"), "It starts after your own."),
        (job(ME, "waiting", place=1, progress=object()), job(YOU, "running"), "It gave way to others"),
        (job(ME, "paused", others=1, seconds_left=9.0), None, "Another visitor waits: in 9 s the pause ends"),
        (job(ME, "paused", others=0), None, ""),
        (job(ME, "running", others=3, seconds_left=70.0), None, "3 others wait: in 70 s at most this run is saved"),
        (job(ME, "running"), None, ""),
        (job(ME, "measuring", others=1, seconds_left=5.0), None, ""),
        (job(ME, "finished"), job(YOU, "running"), ""),
        (None, job(YOU, "running"), ""),
    ],
)  # fmt: skip
def test_who_waits_is_told_why_and_who_is_at_work_how_long(mine, first, says):
    words = why(mine, [first or mine], ME)
    assert says in words
    assert bool(says) == bool(words)


def test_who_waits_for_several_is_told_of_the_one_that_ends_first():
    mine, theirs = job(ME, "running"), job(YOU, "running", place=1, seconds_left=70.0)
    several = [mine, theirs, replace(theirs, seconds_left=40.0), job("third", "waiting", place=3)]
    assert "in 40 s at most" in why(job(ME, "waiting", place=4), several, ME)


@pytest.mark.parametrize(
    ("place", "starts_in", "line", "fact"),
    [
        (7, 236.0, "waiting, 7 ahead: about 4 min", "about 4 min"),
        (1, 0.0, "waiting, 1 ahead: about 1 s", "about 1 s"),
        (40, math.inf, "waiting, 40 ahead: over an hour", "over an hour"),
        (2, None, "waiting, 2 ahead", "–"),
        (0, 0.0, "waiting", "about 1 s"),
    ],
)
def test_who_waits_is_told_the_place_and_about_how_long(place, starts_in, line, fact):
    waits = job(ME, "waiting", place=place, starts_in=starts_in)
    assert queue_words.line(waits) == line
    assert queue_words.line(waits, True) == line.replace(f", {place} ahead:", ",").replace(f", {place} ahead", "")
    assert queue_words.time(waits, "Time left", 9.0) == ("Starts in", fact)
    assert queue_words.time(job(ME, "running", place=1), "Time left", 9.0) == ("Time left", "9 s")
    assert queue_words.line(job(ME, "running", place=1)) == "training"  # side by side with the one before it


def test_a_class_in_the_queue_keeps_the_page_short_and_says_who_is_where(held):
    for number in range(36):
        held.submit(RunConfig(dataset="strokes", seed=number), f"visitor {number}", address="192.0.2.7")
    page = ShownTrain().press("train")
    assert queue_words.RULE in page.text
    assert "Another visitor's run is training, and ends or gives way in" in page.text
    assert page.facts["State"] == "Waiting, 36 ahead"
    assert page.facts["Starts in"].startswith(("about", "over"))
    listed = re.findall(r"^(\d+)\. .*: waiting.*$", page.text, re.MULTILINE)
    assert listed == ["1", "2", "3", "4", "5", "37"]
    assert "And 31 more of other visitors." in page.text


def refuse(queue):
    """As if the disk had refused whatever is in the queue."""
    for job in list(queue._line.jobs):
        queue._line.remove(job)
        job.set("unsaved", "The run could not be written (No space left on device): free some space.")


PAGES = {
    "train": (ShownTrain, {}, lambda page: page.press("train")),
    "race": (ShownArchitectures, {"view": "losses"}, lambda page: page.click("Start")),
    "stack": (ShownStacked, {}, lambda page: page.press("train_stack")),
    "card": (ShownReproduce, {}, lambda page: own_runs.start("pca", page.owner)),
}


@pytest.mark.parametrize(("shown", "link", "enter"), PAGES.values(), ids=PAGES)
def test_what_the_disk_refused_can_be_saved_again_or_discarded_on_every_page(
    held, shown, link, enter, runs_folder, monkeypatch
):
    page = shown(**link)
    enter(page)
    refuse(held)
    assert {job.state for job in held.of(page.owner)} == {"unsaved"}
    page.run()
    assert "No space left on device" in page.text
    again = []
    with monkeypatch.context() as patch:
        patch.setattr(held, "save_again", lambda name, owner: again.append(name))
        page.press(page.keys("Save again")[0])
    assert again
    assert set(again) <= {job.name for job in held.of(page.owner)}
    if shown is ShownStacked:
        assert "not saved" in (page := ShownTrain()).text  # it is offered there, too
    while discards := page.keys("Discard"):  # one, or one on every card that shares a run
        page.press(discards[0])
    assert held.of(page.owner) == []
    assert not [path for path in runs_folder.rglob("*") if path.is_file()]
    assert not page.keys("Save again")


def test_the_runs_page_says_that_a_run_is_not_saved_and_lets_it_be_deleted(held):
    page = ShownTrain().press("train")
    file = runs.runs_dir() / page.job.name / "run.json"
    file.write_text(file.read_text(encoding="utf-8").replace('"state": "waiting"', '"state": "running"'), encoding="utf-8")
    refuse(held)
    runs_page = ShownRuns(runs=page.job.name)
    assert "Not saved, 0 of" in runs_page.text
    assert "No space left on device" in runs_page.text
    assert runs_page.labelled("Save again")
    runs_page.click("Delete")
    assert held.of(page.owner) == []
    assert not file.exists()
