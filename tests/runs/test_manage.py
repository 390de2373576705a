"""Titles, deletion and its undoing: whose runs may be touched, what is kept, and a disk that refuses."""

import errno
import os
from dataclasses import replace

import pytest

from cae_core import runs
from cae_core.runs import RunError, manage, storage

ME, OTHER = "0123456789abcdef", "fedcba9876543210"


@pytest.fixture
def save(save_run):
    """Saves a run of an owner."""

    def save(name="one", owner=ME):
        run = save_run(name)
        text = (run.path / "run.json").read_text(encoding="utf-8").replace("{", f'{{"owner": "{owner}",', 1)
        (run.path / "run.json").write_text(text, encoding="utf-8")
        return runs.read(run.path)

    return save


def contents(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  two \t\n lines\r\n ", "two lines"),
        ("Zwölf Zahlen, 十二, 👩‍🔬", "Zwölf Zahlen, 十二, 👩‍🔬"),
        ("bell\a and null\0 and \x1b[31mred", "bell and null and [31mred"),
        ("turned \u202etxet, half a sign \ud83d", "turned txet, half a sign"),
        ("long " * 100, ("long " * 100)[:79]),
        (" \n\0 ", ""),
    ],
)
def test_a_title_is_any_text_on_one_line(save, typed, kept):
    run = save()
    manage.rename(run, typed, ME)
    again = runs.read(run.path)
    assert again.title == kept
    assert len(again.title) <= runs.TITLE
    assert again.label == (kept or "one")


@pytest.mark.parametrize("owner", [ME, ""])
def test_own_runs_and_everybodys_can_be_renamed_deleted_and_brought_back(save, owner, runs_folder):
    assert manage.deleted(ME) == []  # there is no folder of runs yet
    run = save(owner=owner)
    manage.rename(run, "Mine", ME)
    before = contents(run.path)
    assert manage.delete(runs.read(run.path), ME)
    assert runs.every(runs_folder) == ([], [])
    with pytest.raises(RunError, match="no run called 'one'"):
        runs.find("one")
    assert [(gone.name, gone.title) for gone in manage.deleted(ME)] == [("one", "Mine")]
    manage.restore("one", ME)
    assert contents(run.path) == before
    assert manage.deleted(ME) == []


def test_anothers_run_is_left_alone(save, runs_folder):
    run = save(owner=OTHER)
    for act in (lambda: manage.rename(run, "x", ME), lambda: manage.delete(run, ME)):
        with pytest.raises(RunError, match="another visitor's .* fork it"):
            act()
    assert runs.read(run.path).title == ""
    manage.delete(run, OTHER)
    assert manage.deleted(ME) == []
    for act in (manage.restore, manage.remove):
        with pytest.raises(RunError, match="another visitor's"):
            act("one", ME)
    assert [gone.name for gone in manage.deleted(OTHER)] == ["one"]
    manage.remove("one", OTHER)
    assert list((runs_folder / ".deleted").iterdir()) == []


def test_shipped_runs_and_those_in_training_are_left_alone(save_run, save, tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "PRETRAINED_DIR", tmp_path / "shipped")
    shipped = save_run("ships", tmp_path / "shipped")
    for act in (lambda: manage.rename(shipped, "x", ""), lambda: manage.delete(shipped, "")):
        with pytest.raises(RunError, match="ships with the app .* fork it"):
            act()
    assert runs.read(shipped.path).title == ""
    run = save()
    lock = storage.Lock(run.path / "lock")
    with pytest.raises(RunError, match="trained by this program: stop it"):
        manage.delete(run, ME)
    assert run.path.exists()
    lock.release()
    assert manage.delete(run, ME)


def test_only_the_last_deleted_are_kept(save, runs_folder, monkeypatch):
    monkeypatch.setattr(manage, "KEPT", 3)
    manage.delete(save("theirs", OTHER), OTHER)
    manage.delete(save("everybodys", ""), OTHER)
    for i in range(5):
        manage.delete(save(f"run-{i}"), ME)
        os.utime(runs_folder / ".deleted" / f"run-{i}", ns=(i * 10**9, i * 10**9))  # a clock that is coarse
    manage.delete(save("last"), ME)
    assert {run.name for run in manage.deleted(ME)} == {"last", "run-4", "run-3", "everybodys"}
    assert {run.name for run in manage.deleted(OTHER)} == {"theirs", "everybodys"}  # another's deletions cost nobody a run
    assert len(list((runs_folder / ".deleted").iterdir())) == 5
    with pytest.raises(RunError, match="not among the last 3 deleted"):
        manage.restore("run-0", ME)


def test_of_runs_with_one_name_the_later_deleted_is_kept_and_none_is_brought_back_over_another(save, runs_folder):
    manage.delete(save(), ME)
    second = save()
    manage.rename(second, "The second", ME)
    manage.delete(second, ME)
    third = save()
    before = contents(third.path)
    with pytest.raises(RunError, match="another run is called 'one': delete that one first"):
        manage.restore("one", ME)
    assert contents(third.path) == before
    assert [run.title for run in manage.deleted(ME)] == ["The second"]
    assert [path.name for path in (runs_folder / ".deleted").iterdir()] == ["one"]


@pytest.mark.parametrize("name", ["..", ".deleted", "", "one/..", "none"])
def test_nothing_but_a_deleted_run_is_brought_back(save, name):
    run = save()
    with pytest.raises(RunError):
        manage.restore(name, ME)
    assert run.path.is_dir()


def test_what_was_damaged_after_its_deletion_is_passed_over(save, runs_folder):
    for name in "ab":
        manage.delete(save(name), ME)
    for file in ("a/run.json", "a file"):
        (runs_folder / ".deleted" / file).write_text("{", encoding="utf-8")
    assert [run.name for run in manage.deleted(ME)] == ["b"]
    with pytest.raises(RunError, match="damaged"):
        manage.restore("a", ME)


def refuse(number=errno.ENOSPC):
    def raise_it(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    return raise_it


@pytest.mark.parametrize("call", ["os.replace", "pathlib.Path.open"])
def test_a_disk_that_refuses_a_title_leaves_the_old_one(save, monkeypatch, call):
    run = save()
    manage.rename(run, "Old", ME)
    before = contents(run.path)
    with monkeypatch.context() as patch:
        patch.setattr(call, refuse())
        with pytest.raises(RunError, match="'Old' could not be renamed .No space left on device.: free some"):
            manage.rename(replace(run, title="Old"), "New", ME)
    assert contents(run.path) == before


def test_a_disk_that_refuses_a_deletion_or_its_undoing_leaves_what_was(save, monkeypatch):
    run = save()
    before = contents(run.path)
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.rename", refuse(errno.EROFS))
        with pytest.raises(RunError, match="could not be deleted .*: allow writing"):
            manage.delete(run, ME)
    assert contents(run.path) == before
    manage.delete(run, ME)
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.rename", refuse())
        with pytest.raises(RunError, match="could not be brought back"):
            manage.restore("one", ME)
    manage.restore("one", ME)
    assert runs.find("one").owner == ME


@pytest.mark.parametrize("call", ["mkdir", "rename"])
def test_a_disk_that_is_full_makes_room_by_a_deletion(save, monkeypatch, call):
    run = save()
    monkeypatch.setattr(f"pathlib.Path.{call}", refuse())
    assert not manage.delete(run, ME)
    assert not list(run.path.parent.rglob("*.npz"))
    assert manage.deleted(ME) == []


def test_a_deletion_succeeds_though_older_ones_cannot_be_removed(save, monkeypatch):
    monkeypatch.setattr(manage, "KEPT", 1)
    manage.delete(save("a"), ME)
    run = save("b")
    monkeypatch.setattr(manage, "_remove", refuse())
    assert manage.delete(run, ME)
    assert "b" in [gone.name for gone in manage.deleted(ME)]
