"""A run written down while it trains: whole after a crash at any moment, and going on as if it had never been stopped."""

import errno
import functools
import math
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cae_core import datasets, runs
from cae_core.config import RunConfig
from cae_core.datasets import DATASETS, DatasetMissing
from cae_core.inspection import evaluation
from cae_core.runs import RunError, storage, writing
from cae_core.training import run_trainer
from cae_core.training.run_trainer import RunTrainer

CONFIG = RunConfig(
    num_train=100, batch_size=30, architecture="dense", bottleneck=3, epochs=3, noise_kind="gaussian", seed=3,
    optimizer="sgd", learning_rate=0.1,
)  # fmt: skip
"""Three steps an epoch, and quick to compile."""


pytestmark = pytest.mark.usefixtures("few_strokes")


@pytest.fixture
def begun():
    """`RunTrainer.begin`, let go of at the end."""
    made = []

    def begin(name="one", config=CONFIG, **more):
        made.append(RunTrainer.begin(config, name, **more))
        return made[-1]

    yield begin
    for one in made:
        one.close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory, few_strokes):
    """A run that nothing ever stopped: its losses by step, its run, its history and its weights by step."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAE_RUNS_DIR", str(tmp_path_factory.mktemp("whole")))
        one = RunTrainer.begin(CONFIG, "whole")
        losses, weights = [], {}
        for event in one.events():
            losses.append(event.loss)
            weights[event.step] = event.checkpoint().weights
        one.close()
        run = runs.find("whole")
        return losses, run, runs.history(run), weights


def folder(path):
    return sorted(str(file.relative_to(path)) for file in path.rglob("*") if file.is_file())


def finish(run):
    """Takes a run up, trains it to its end and returns the losses of its steps."""
    one = RunTrainer.resume(run)
    try:
        return [event.loss for event in one.events()]
    finally:
        one.close()


def assert_equals_whole(name, losses, whole):
    run, (all_losses, whole_run, history, weights) = runs.find(name), whole
    np.testing.assert_allclose(losses, all_losses[len(all_losses) - len(losses) :], rtol=0, atol=1e-6)
    assert (run.state, run.step, run.epochs) == ("finished", 9, 3)
    ours = runs.history(run)
    np.testing.assert_array_equal(ours["epoch"], [1, 2, 3])
    for column in ("loss", "held_out_loss"):
        np.testing.assert_allclose(ours[column], history[column], rtol=0, atol=1.01e-6)  # written with six digits
    for path, w in runs.weights(run).items():
        np.testing.assert_allclose(w, weights[9][path], rtol=0, atol=1e-6)
    for label, figures in whole_run.metrics.items():
        assert run.metrics[label] == pytest.approx(figures, abs=1e-5)


def test_a_finished_run_holds_every_epoch_and_nothing_else(whole):
    losses, run, history, weights = whole
    assert folder(run.path) == [
        "history.csv",
        "lock",
        "run.json",
        "title.txt",
        *(f"weights/{step:08d}.npz" for step in (0, 3, 6, 9)),
    ]
    assert runs.saved_steps(run) == [0, 3, 6, 9]
    assert (run.state, run.message, run.step, run.num_steps, run.epochs) == ("finished", "", 9, 9, 3)
    assert (run.config, run.num_train, run.image_shape, run.code_size) == (CONFIG, 100, (28, 28, 1), 3)
    np.testing.assert_allclose(history["loss"], np.reshape(losses, (3, 3)).mean(axis=1), atol=1e-6)
    for step in (3, 6, 9):
        for path, w in runs.weights(run, step).items():
            np.testing.assert_array_equal(w, weights[step][path])
    measured = evaluation.measure(runs.model(run), "strokes")
    assert run.metrics == {label: pytest.approx(figures, abs=2e-6) for label, figures in measured.items()}


def test_what_others_see_of_a_run_while_it_trains(begun):
    one = begun(title="Mine", owner="me")
    seen = [runs.find("one").state]
    for _ in one.events():
        run = runs.find("one")
        seen.append((run.state, run.step, run.epochs, len(runs.history(run)["loss"]) if run.epochs else 0))
        assert set(runs.saved_steps(run)) == set(range(0, run.step + 1, 3))
    assert seen[0] == "waiting"
    assert seen[1:] == [("running", 3 * e, e, e) for e in (0, 0, 1, 1, 1, 2, 2, 2, 2)]  # the last one is still measured
    run = runs.find("one")
    assert (run.state, run.title, run.owner, run.label) == ("finished", "Mine", "me", "Mine")
    with pytest.raises(RunError, match="'Mine' is finished: only one that was interrupted or stopped can go on"):
        RunTrainer.resume(run)


class Killed(BaseException):
    """The end of the process, as far as the run on disk can tell."""


WRITES = 2 + 4 + 4 + 3  # at the beginning: weights, run.json; of an epoch: resume and history, too; no resume at the end


def killed_in_write(monkeypatch, number, content_written):
    """The process is killed while it writes its `number`th file, or right after; returns the names written."""
    write, names = storage.write, []

    def killed(path, content):
        if len(names) == number - 1 and not content_written:
            path.with_name(f".{path.name}-0123abcd").write_bytes(content[: len(content) // 2])
            raise Killed
        write(path, content)
        names.append(path.name)
        if len(names) == number:
            raise Killed

    monkeypatch.setattr(storage, "write", killed)
    return names


def check_interrupted(name, step, whole):
    """It is whole up to that step, and goes on from there."""
    run = runs.find(name)
    assert (run.state, run.step, run.epochs) == ("interrupted", step, step // 3)
    assert len(runs.history(run).get("loss", ())) == step // 3
    saved = runs.saved_steps(run)
    assert set(saved) >= set(range(3, step + 1, 3))
    for moment in saved:
        weights = runs.weights(run, moment)
        assert not moment or all(np.allclose(w, whole[3][moment][path], atol=1e-6) for path, w in weights.items())
    assert_equals_whole(name, finish(run), whole)
    run = runs.find(name)
    assert folder(run.path) == folder(whole[1].path)  # nothing is left behind


@pytest.mark.parametrize("number", range(1, WRITES + 1))
def test_killed_in_any_write_it_is_whole_up_to_its_last_epoch(begun, monkeypatch, whole, number):
    one = begun()
    with monkeypatch.context() as patch:
        names = killed_in_write(patch, number, content_written=False)
        with pytest.raises(Killed):
            list(one.events())
    one.close()
    check_interrupted("one", 3 * max(0, names.count("run.json") - 1), whole)


@pytest.mark.parametrize("number", [1, 6, 10, WRITES])  # right after a commit: others are the next one's beginning
def test_killed_right_after_a_write_it_has_what_was_written(begun, monkeypatch, whole, number):
    one = begun()
    with monkeypatch.context() as patch:
        names = killed_in_write(patch, number, content_written=True)
        with pytest.raises(Killed):
            list(one.events())
    one.close()
    if number == WRITES:
        assert runs.find("one").state == "finished"
        assert_equals_whole("one", [], whole)
    else:
        check_interrupted("one", 3 * max(0, names.count("run.json") - 1), whole)


@pytest.fixture
def disk(monkeypatch):
    """A disk that is full from its n-th write on, until it is free."""

    class Disk:
        def full_after(self, writes):
            left, fsync = [writes], os.fsync

            def refuse(number):
                if not left[0]:
                    raise OSError(errno.ENOSPC, "No space left on device")
                left[0] -= 1
                return fsync(number)

            self.free = functools.partial(monkeypatch.setattr, os, "fsync", fsync)
            monkeypatch.setattr(os, "fsync", refuse)

    return Disk()


@pytest.mark.parametrize("writes", [2, 3, 4, 5, 10, 11, 12])
def test_a_full_disk_loses_nothing_and_is_tried_again(begun, disk, whole, writes):
    one = begun()
    disk.full_after(writes)
    losses = []
    with pytest.raises(
        RunError, match=r"'one' could not be written to .*/one \(No space left on device\): free some space"
    ):
        losses += (event.loss for event in one.events())
    step = 3 if writes < 6 else 9  # whose writing was refused
    assert len(one.history) == step // 3
    with pytest.raises(RunError, match="No space left"):
        one.write("stopped")  # still full
    run = runs.find("one")
    assert run.epochs == max(0, (writes - 2) // 4)  # as it was
    assert len(runs.history(run).get("loss", ())) == run.epochs
    disk.free()
    one.write("finished" if step == 9 else "stopped")
    one.close()
    run = runs.find("one")
    assert (run.state, run.step, run.epochs) == ("finished" if step == 9 else "stopped", step, step // 3)
    for path, w in runs.weights(run).items():
        np.testing.assert_allclose(w, whole[3][step][path], rtol=0, atol=1e-6)
    assert_equals_whole("one", [] if step == 9 else finish(run), whole)


def test_stopped_in_mid_epoch_it_goes_on_in_mid_epoch(begun, whole):
    one, losses = begun(), []
    for event in one.events():
        losses.append(event.loss)
        if event.step == 5:
            break
    one.write("stopped")
    one.close()
    run = runs.find("one")
    assert (run.state, run.step, run.epochs, runs.saved_steps(run)) == ("stopped", 5, 1, [0, 3, 5])
    measured = evaluation.measure(runs.model(run), "strokes")
    assert run.metrics == {label: pytest.approx(figures, abs=2e-6) for label, figures in measured.items()}
    assert_equals_whole("one", losses + finish(run), whole)
    assert runs.saved_steps(runs.find("one")) == [0, 3, 6, 9]


def stopped_at(one, step):
    for event in one.events():
        if event.step == step:
            break
    one.write("stopped")
    one.close()
    return runs.find(one.name)


def test_taken_up_and_stopped_at_once_it_is_what_it_was(begun):
    """Its figures are of its own weights, not of the network that was just built."""
    run = stopped_at(begun(), 5)
    again = RunTrainer.resume(run)
    assert again.start_step == 5
    again.prepare()
    again.write("stopped")
    again.close()
    after = runs.find("one")
    assert after.metrics == run.metrics
    assert (after.state, after.step, after.epochs, after.seconds) == (run.state, run.step, run.epochs, run.seconds)
    finish(after)


def test_a_run_with_every_step_done_but_its_figures_is_finished_by_going_on(begun, whole):
    one = begun()
    for event in one.events():
        if event.step == 9:
            break
    one.write("running")
    one.close()
    assert runs.find("one").state == "interrupted"
    assert finish(runs.find("one")) == []
    assert_equals_whole("one", [], whole)


def test_without_its_data_set_a_run_that_was_taken_up_stays_as_it_was(begun, tmp_path, monkeypatch, whole):
    run = stopped_at(begun(), 5)
    content = {file: (run.path / file).read_bytes() for file in folder(run.path)}

    def missing(split):
        raise DatasetMissing("The data set is gone.")

    with monkeypatch.context() as patch:
        patch.setitem(DATASETS, "strokes", replace(DATASETS["strokes"], load=missing))
        datasets.clear_cache()
        for let_go in (lambda one: one.fail("The data set is gone."), lambda one: one.discard()):
            one = RunTrainer.resume(run)
            with pytest.raises(DatasetMissing):
                next(one.events())
            let_go(one)
            one.close()
    datasets.clear_cache()
    assert {file: (run.path / file).read_bytes() for file in folder(run.path)} == content
    assert runs.find("one") == run
    finish(run)
    assert_equals_whole("one", [], whole)


def test_a_new_run_that_fails_says_why_and_cannot_go_on(begun):
    one = begun()
    next(one.events())
    one.fail("Too steep.")
    one.close()
    run = runs.find("one")
    assert (run.state, run.message, run.step) == ("failed", "Too steep.", 0)
    with pytest.raises(RunError, match="is failed: only one that was interrupted or stopped can go on"):
        RunTrainer.resume(run)


def test_one_that_was_never_trained_is_removed_when_it_is_discarded(begun, runs_folder):
    begun().discard()
    assert list(runs_folder.iterdir()) == []


def test_nobody_goes_on_with_a_run_that_somebody_is_at_work_on(begun):
    run = stopped_at(begun(), 2)
    one = RunTrainer.resume(run)
    with pytest.raises(RunError, match="'one' is trained by this program: stop it there, or wait"):
        RunTrainer.resume(run)
    one.close()
    RunTrainer.resume(run).close()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_only_a_taken_lock_is_another_process(begun, monkeypatch, number):
    run, opened = stopped_at(begun(), 2), os.open

    def refuse(path, flags, *args, **kwargs):
        if Path(path).name == "lock" and flags & (os.O_WRONLY | os.O_RDWR):
            raise OSError(number, os.strerror(number))
        return opened(path, flags, *args, **kwargs)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(
        RunError, match=r"'one' cannot go on, for its folder cannot be written to \(.+\): allow writing to it"
    ):
        RunTrainer.resume(run)


RESUME = {
    "missing": lambda file: file.unlink(),
    "empty": lambda file: file.write_bytes(b""),
    "cut": lambda file: file.write_bytes(file.read_bytes()[:500]),
    "something else": lambda file: np.savez(file, a=np.zeros(3)),
}


@pytest.mark.parametrize("damage", RESUME.values(), ids=RESUME)
def test_a_damaged_resume_file_is_named_and_the_run_can_be_looked_at(begun, damage):
    run = stopped_at(begun(), 2)
    damage(run.path / "resume-00000002.npz")
    for _ in range(2):  # it is let go of after the refusal
        with pytest.raises(RunError, match=r"resume-00000002\.npz is damaged or missing \(.+\): the run cannot go on"):
            RunTrainer.resume(run)
    assert runs.find("one").state == "stopped"
    assert runs.model(run).reconstruct(np.zeros((1, 28, 28, 1), "float32")).shape == (1, 28, 28, 1)


def test_long_runs_keep_evenly_spaced_weights_and_never_many(begun, monkeypatch):
    monkeypatch.setattr(run_trainer, "KEPT", 8)
    one = begun(config=replace(CONFIG, batch_size=100, epochs=45))  # a step an epoch
    for event in one.events():
        if event.step < 45:  # the last is written down after its event
            kept = runs.saved_steps(runs.find("one"))
            apart = 2 ** math.ceil(math.log2((event.step + 1) / 8)) if event.step >= 8 else 1
            assert set(kept) == {1, event.step, *range(0, event.step, apart)}
            assert min(event.step, 8 // 2) <= len(kept) <= 8 + 2
    run = runs.find("one")
    assert runs.saved_steps(run) == [0, 1, 8, 16, 24, 32, 40, 45]
    assert all(runs.weights(run, step) for step in runs.saved_steps(run))
    assert len(runs.history(run)["loss"]) == 45


def test_weights_that_cannot_be_removed_do_no_harm(begun, monkeypatch):
    unlink = Path.unlink

    def refused(path, missing_ok=False):
        if path.name.startswith("."):
            return unlink(path, missing_ok)
        raise PermissionError(errno.EACCES, "in use")

    monkeypatch.setattr(Path, "unlink", refused)
    one = begun()
    (one.path / "weights" / "notes.npz").touch()  # somebody's
    list(one.events())
    assert runs.find("one").state == "finished"


def test_taken_and_impossible_names_are_refused(begun, runs_folder):
    begun("taken")
    (runs.PRETRAINED_DIR / "shipped-one").mkdir(exist_ok=True)
    for name in ("taken", "shipped-one"):
        with pytest.raises(RunError, match=f"There is a run called '{name}' already; choose another name"):
            RunTrainer.begin(CONFIG, name)
    for name in ("../a", "A b", ".hidden"):
        with pytest.raises(RunError, match="cannot name a run"):
            RunTrainer.begin(CONFIG, name)
    assert [path.name for path in runs_folder.iterdir()] == ["taken"]
    names = {RunTrainer.new_name(replace(CONFIG, dataset="fashion_mnist", architecture="conv_denoise")) for _ in range(5)}
    assert len(names) == 5
    assert all(runs.check_name(name) == name for name in names)


TITLES = [
    "Zwölf Töne, 数字, 👩🏽‍🔬",
    "<script>alert(1)</script> **bold** $x$ :material/home:",
    "two\nlines\tand a tab",
    '{"format": 2}',
    "../../etc/passwd",
    "null\0byte",
    "",
]


@pytest.mark.parametrize("title", TITLES, ids=repr)
def test_any_title_comes_back_as_it_was(begun, title):
    begun(title=title)
    run = runs.find("one")
    assert run.title == title.replace("\0", "\ufffd")  # what cannot be shown
    assert run.label == (run.title or "one")


def test_titles_that_are_long_padded_or_no_text_are_cut_to_what_can_be_shown(begun):
    begun("long", title="é" * 500)
    assert runs.find("long").title == "é" * runs.TITLE
    begun("padded", title="  \n ")
    assert runs.find("padded").label == "padded"
    begun("half", title="half a \ud83d pair")
    assert runs.find("half").title == "half a ? pair"


def test_a_folder_that_cannot_be_written_is_said(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("CAE_RUNS_DIR", str(tmp_path / "file" / "runs"))
    with pytest.raises(
        RunError, match=r"'one' could not be written to .*/file/runs \(.+\): .* set CAE_RUNS_DIR to a folder"
    ):
        RunTrainer.begin(CONFIG, "one")
    monkeypatch.setenv("CAE_RUNS_DIR", str(tmp_path / "runs"))
    mkdir = Path.mkdir

    def read_only(path, *args, **kwargs):
        if path.name.startswith("."):
            raise OSError(errno.EROFS, "Read-only file system")
        mkdir(path, *args, **kwargs)

    monkeypatch.setattr(Path, "mkdir", read_only)
    with pytest.raises(RunError, match="Read-only file system"):
        RunTrainer.begin(CONFIG, "one")
    assert not (tmp_path / "runs").exists() or not any((tmp_path / "runs").iterdir())


@pytest.fixture
def parent(whole, runs_folder):
    shutil.copytree(whole[1].path, runs_folder / "parent")
    return runs.find("parent")


def test_a_fork_starts_with_its_parents_weights_and_needs_the_parent_no_more(begun, parent, whole):
    config = replace(CONFIG, learning_rate=0.001, noise_kind="none", epochs=1)
    one = begun("child", config, origin={"run": "parent", "step": 6})
    shutil.rmtree(parent.path)
    one.prepare()
    for path, w in one.model.weights().items():
        np.testing.assert_array_equal(w, whole[3][6][path])
    losses = [event.loss for event in one.events()]
    one.close()
    run = runs.find("child")
    assert run.origin == {"run": "parent", "step": 6}
    assert (run.state, run.step, run.epochs) == ("finished", 3, 1)
    for path, w in runs.weights(run, 0).items():
        np.testing.assert_array_equal(w, whole[3][6][path])
    assert losses[0] < whole[0][0] - 0.01  # it does not begin where an untrained one does
    assert len(runs.history(run)["loss"]) == 1


@pytest.mark.parametrize("step", [0, 2])
def test_a_fork_that_is_interrupted_goes_on_from_its_parents_weights(begun, parent, step):
    config = replace(CONFIG, epochs=1)
    one = begun("calm", config, origin={"run": "parent", "step": 6})
    calm = [event.loss for event in one.events()]
    other = begun("child", config, origin={"run": "parent", "step": 6})
    losses = []
    if step:
        for event in other.events():
            losses.append(event.loss)
            if event.step == step:
                break
        other.write("running")
    other.close()
    run = runs.find("child")
    assert run.state == "interrupted"
    np.testing.assert_allclose(losses + finish(run), calm, rtol=0, atol=1e-6)


def test_a_fork_of_what_does_not_fit_is_refused_naming_both(parent, runs_folder):
    for change, sentence in (
        ({"architecture": "fast"}, "architecture is 'fast', but the weights to start from, of 'parent', have 'dense'"),
        ({"bottleneck": 5}, "bottleneck is 5, but the weights to start from, of 'parent', have 3: set bottleneck to 3"),
    ):
        with pytest.raises(RunError, match=sentence):
            RunTrainer.begin(replace(CONFIG, **change), "child", origin={"run": "parent", "step": 6})
    for step in (1, 12, "6", None):
        with pytest.raises(RunError, match=rf"'parent' keeps no weights of step {step!r}: choose one of 0, 3, 6, 9\."):
            RunTrainer.begin(CONFIG, "child", origin={"run": "parent", "step": step})
    for name, sentence in (("nobody", "There is no run called 'nobody'"), ("../x", "cannot name a run")):
        with pytest.raises(RunError, match=sentence):
            RunTrainer.begin(CONFIG, "child", origin={"run": name, "step": 0})
    assert [path.name for path in runs_folder.iterdir()] == ["parent"]


@pytest.mark.parametrize(
    "damage", [lambda file: file.unlink(), lambda file: file.write_bytes(b"x")], ids=["gone", "damaged"]
)
def test_a_fork_whose_first_weights_are_damaged_says_so_instead_of_starting_afresh(begun, parent, damage):
    one = begun("child", origin={"run": "parent", "step": 6})
    damage(one.path / "weights" / "00000000.npz")
    with pytest.raises(RunError, match=r"00000000\.npz is damaged or missing \(.+\): start the run again"):
        next(one.events())


def test_a_shipped_run_can_be_forked_at_its_end(begun, parent):
    model = runs.model(parent)
    history = [{"epoch": e, "loss": 0.1, "held_out_loss": 0.1, "seconds": 1.0} for e in (1, 2, 3)]
    shipped = writing.save(
        runs.PRETRAINED_DIR, "small", model, CONFIG, history, metrics={}, num_train=100, seconds=3, precision="bfloat16"
    )
    assert runs.saved_steps(shipped) == [9]
    one = begun("child", origin={"run": "small", "step": 9})
    one.prepare()
    for path, w in one.model.weights().items():
        np.testing.assert_array_equal(w, storage.round_to_bfloat16(model.weights()[path]))
