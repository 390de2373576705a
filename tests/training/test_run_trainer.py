"""A run written down while it trains: whole after a crash at any moment, and going on as if it had never been stopped."""

import errno
import functools
import math
import os
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from cae_core import datasets, runs, training
from cae_core.config import RunConfig
from cae_core.datasets import DATASETS, DatasetMissing
from cae_core.inspection import evaluation
from cae_core.runs import RunError, storage, writing
from cae_core.training import run_trainer, warm_start
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
    trainers = []

    def begin(name="one", config=CONFIG, **more):
        trainers.append(RunTrainer.begin(config, name, **more))
        return trainers[-1]

    yield begin
    for trainer in trainers:
        trainer.close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory, few_strokes):
    """A run that nothing ever stopped: its events and, by step, its checkpoints; what is on disk, and its history."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAE_RUNS_DIR", str(tmp_path_factory.mktemp("whole")))
        trainer = RunTrainer.begin(CONFIG, "whole")
        events, checkpoints = [], {}
        for event in trainer.events():
            events.append(event)
            checkpoints[event.step] = event.checkpoint()
        trainer.close()
        run = runs.find("whole")
        return SimpleNamespace(events=events, checkpoints=checkpoints, run=run, history=runs.history(run))


@pytest.fixture
def replayed(whole, monkeypatch):
    """Training does what it did in `whole`; where it goes on, it has to be given the checkpoint that was taken there."""

    def train(model, config, x_train, x_held_out, start=None):
        if start:
            at = whole.checkpoints[start.step]
            assert (start.first_loss, start.seconds) == (at.first_loss, pytest.approx(at.seconds))
            for ours, theirs in zip((*start.optimizer, start.losses), (*at.optimizer, at.losses), strict=True):
                np.testing.assert_array_equal(ours, theirs)
            assert_weights(start.weights, at.weights)
        for event in whole.events[start.step if start else 0 :]:
            checkpoint = whole.checkpoints[event.step]
            model.set_weights(checkpoint.weights)
            yield replace(event, checkpoint=lambda at=checkpoint: at)

    monkeypatch.setattr(training, "train", train)


def assert_weights(ours, theirs, atol=0.0):
    for path, w in ours.items():
        np.testing.assert_allclose(w, theirs[path], rtol=0, atol=atol, err_msg=path)


def folder(path):
    return sorted(str(file.relative_to(path)) for file in path.rglob("*") if file.is_file())


def train_to(trainer, step):
    """The losses of the steps up to that one."""
    losses = []
    for event in trainer.events():
        losses.append(event.loss)
        if event.step == step:
            return losses
    return losses


def stopped_at(trainer, step):
    train_to(trainer, step)
    trainer.write("stopped")
    trainer.close()
    return runs.find(trainer.name)


def finish(run):
    """Takes a run up, trains it to its end and returns the losses of its steps."""
    trainer = RunTrainer.resume(run)
    try:
        return train_to(trainer, None)
    finally:
        trainer.close()


def assert_equals_whole(losses, whole):
    run = runs.find("one")
    np.testing.assert_allclose(losses, [e.loss for e in whole.events[9 - len(losses) :]], rtol=0, atol=1e-6)
    assert (run.state, run.step, run.epochs) == ("finished", 9, 3)
    ours = runs.history(run)
    np.testing.assert_array_equal(ours["epoch"], [1, 2, 3])
    for column in ("loss", "held_out_loss"):
        np.testing.assert_allclose(ours[column], whole.history[column], rtol=0, atol=1.01e-6)  # written with six digits
    assert_weights(runs.weights(run), whole.checkpoints[9].weights, 1e-6)
    for label, figures in whole.run.metrics.items():
        assert run.metrics[label] == pytest.approx(figures, abs=1e-5)
    assert folder(run.path) == folder(whole.run.path)  # nothing is left behind


def test_a_finished_run_holds_every_epoch_and_nothing_else(whole):
    run, losses = whole.run, [event.loss for event in whole.events]
    weights = [f"weights/{step:08d}.npz" for step in (0, 3, 6, 9)]
    assert folder(run.path) == ["history.csv", "lock", "run.json", "title.txt", *weights]
    assert runs.saved_steps(run) == [0, 3, 6, 9]
    assert (run.state, run.message, run.step, run.num_steps, run.epochs) == ("finished", "", 9, 9, 3)
    assert (run.config, run.num_train, run.image_shape, run.code_size) == (CONFIG, 100, (28, 28, 1), 3)
    np.testing.assert_allclose(whole.history["loss"], np.reshape(losses, (3, 3)).mean(axis=1), atol=1e-6)
    for step in (3, 6, 9):
        assert_weights(runs.weights(run, step), whole.checkpoints[step].weights)
    measured = evaluation.measure(runs.model(run), "strokes")
    assert run.metrics == {label: pytest.approx(figures, abs=2e-6) for label, figures in measured.items()}


def test_what_others_see_of_a_run_while_it_trains(begun, replayed):
    trainer = begun(title="Mine", owner="me")
    assert runs.find("one").state == "waiting"
    stood = []
    for _ in trainer.events():
        run = runs.find("one")
        stood.append((run.state, run.step, run.epochs, len(runs.history(run).get("loss", ()))))
        assert set(runs.saved_steps(run)) == set(range(0, run.step + 1, 3))
    assert stood == [("running", 3 * e, e, e) for e in (0, 0, 1, 1, 1, 2, 2, 2, 2)]  # the last one is still measured
    run = runs.find("one")
    assert (run.state, run.title, run.owner, run.label) == ("finished", "Mine", "me", "Mine")
    with pytest.raises(RunError, match="'Mine' is finished: only an interrupted or stopped run can be resumed"):
        RunTrainer.resume(run)


class Killed(BaseException):
    """The end of the process, as far as the run on disk can tell."""


WRITES = 2 + 4 + 4 + 3  # at the beginning: weights, run.json; of an epoch: resume and history, too; no resume at the end
AFTER = (1, 10)  # right after a commit; others are the next one's beginning
KILLS = [*((number, False) for number in (*range(1, 7), *range(9, WRITES + 1))), *((number, True) for number in AFTER)]


@pytest.mark.parametrize(("number", "is_after"), KILLS)
def test_killed_at_any_write_it_is_whole_up_to_its_last_epoch(begun, monkeypatch, whole, replayed, number, is_after):
    write, names = storage.write, []

    def killed(path, content):
        if len(names) == number - 1 and not is_after:
            path.with_name(f".{path.name}-0123abcd").write_bytes(content[: len(content) // 2])
            raise Killed
        write(path, content)
        names.append(path.name)
        if len(names) == number:
            raise Killed

    trainer = begun()
    with monkeypatch.context() as patch:
        patch.setattr(storage, "write", killed)
        with pytest.raises(Killed):
            list(trainer.events())
    trainer.close()
    step, run = 3 * max(0, names.count("run.json") - 1), runs.find("one")
    assert (run.state, run.step, run.epochs) == ("interrupted", step, step // 3)
    assert len(runs.history(run).get("loss", ())) == step // 3
    saved = runs.saved_steps(run)
    assert set(saved) >= set(range(3, step + 1, 3))
    for moment in filter(None, saved):
        assert_weights(runs.weights(run, moment), whole.checkpoints[moment].weights)
    assert_equals_whole(finish(run), whole)


@pytest.fixture
def full_after(monkeypatch):
    """Fills the disk from its n-th write on; returns what frees it."""

    def fill(writes):
        left, fsync = [writes], os.fsync

        def refuse(number):
            if not left[0]:
                raise OSError(errno.ENOSPC, "No space left on device")
            left[0] -= 1
            return fsync(number)

        monkeypatch.setattr(os, "fsync", refuse)
        return functools.partial(monkeypatch.setattr, os, "fsync", fsync)

    return fill


@pytest.mark.parametrize("writes", [3, 5, 12])
def test_a_full_disk_loses_nothing_and_is_tried_again(begun, full_after, whole, replayed, writes):
    trainer = begun()
    free = full_after(writes)
    with pytest.raises(RunError, match=r"'one' could not be written to .*/one \(No space left on device\): free some"):
        list(trainer.events())
    step = 3 if writes < 6 else 9  # whose writing was refused
    assert len(trainer.history) == step // 3
    with pytest.raises(RunError, match="No space left"):
        trainer.write("stopped")  # still full
    run = runs.find("one")
    assert run.epochs == len(runs.history(run).get("loss", ())) == (writes - 2) // 4  # as it was
    free()
    state = "finished" if step == 9 else "stopped"
    trainer.write(state)
    trainer.close()
    run = runs.find("one")
    assert (run.state, run.step, run.epochs) == (state, step, step // 3)
    assert_equals_whole([] if step == 9 else finish(run), whole)


def test_stopped_in_mid_epoch_it_goes_on_in_mid_epoch(begun, whole):
    trainer = begun()
    losses = train_to(trainer, 5)
    trainer.write("stopped")
    trainer.close()
    run = runs.find("one")
    assert (run.state, run.step, run.epochs, runs.saved_steps(run)) == ("stopped", 5, 1, [0, 3, 5])
    measured = evaluation.measure(runs.model(run), "strokes")
    assert run.metrics == {label: pytest.approx(figures, abs=2e-6) for label, figures in measured.items()}
    again = RunTrainer.resume(run)  # taken up and stopped at once it is what it was, not the network that was just built
    again.prepare()
    again.write("stopped")
    again.close()
    assert replace(runs.find("one"), created=run.created) == run
    assert_equals_whole(losses + finish(run), whole)


def test_it_goes_on_where_it_gave_way_or_had_everything_but_its_figures(begun, whole, replayed):
    trainer = begun()
    train_to(trainer, 5)
    trainer.rest()
    assert (trainer.model, runs.find("one").state) == (None, "waiting")
    train_to(trainer, 9)
    trainer.write("running")
    trainer.close()
    assert runs.find("one").state == "interrupted"
    assert finish(runs.find("one")) == []
    assert_equals_whole([], whole)


def test_driven_to_the_end_it_returns_the_run_and_what_stops_it_leaves_one_that_can_go_on(begun, whole, replayed):
    assert begun().run(lambda event: None) == runs.find("one")
    assert_equals_whole([], whole)
    for error, state in ((KeyboardInterrupt(), "interrupted"), (FloatingPointError("Too steep."), "failed")):

        def stop(event, error=error):
            if event.step == 5:
                raise error

        with pytest.raises(type(error)):
            begun(state).run(stop)
        run = runs.find(state)
        assert (run.state, run.step, run.message) == (state, 3, str(error))
    with pytest.raises(RunError, match="is failed: only an interrupted or stopped run can be resumed"):
        RunTrainer.resume(run)


def test_without_its_data_set_a_run_is_as_if_it_had_not_been_tried(begun, monkeypatch, whole, replayed, runs_folder):
    run = stopped_at(begun(), 5)
    content = {file: (run.path / file).read_bytes() for file in folder(run.path)}

    def missing(split):
        raise DatasetMissing("The data set is gone.")

    with monkeypatch.context() as patch:
        patch.setitem(DATASETS, "strokes", replace(DATASETS["strokes"], load=missing))
        datasets.clear_cache()
        for let_go in (lambda trainer: trainer.fail("The data set is gone."), RunTrainer.discard):
            trainer = RunTrainer.resume(run)
            with pytest.raises(DatasetMissing):
                next(trainer.events())
            let_go(trainer)
            trainer.close()
        with pytest.raises(DatasetMissing):
            begun("never").run(lambda event: None)
    datasets.clear_cache()
    assert [path.name for path in runs_folder.iterdir()] == ["one"]
    assert {file: (run.path / file).read_bytes() for file in folder(run.path)} == content
    finish(run)
    assert_equals_whole([], whole)


def test_only_a_taken_lock_is_another_process(begun, replayed, monkeypatch):
    run, opened = stopped_at(begun(), 2), os.open

    def refuse(path, flags, *args, **kwargs):
        if Path(path).name == "lock" and flags & (os.O_WRONLY | os.O_RDWR):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return opened(path, flags, *args, **kwargs)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(RunError, match=r"'one' cannot go on: its folder cannot be written to \(.+\): allow writing"):
        RunTrainer.resume(run)


DAMAGE = {
    "missing": lambda file: file.unlink(),
    "empty": lambda file: file.write_bytes(b""),
    "cut": lambda file: file.write_bytes(file.read_bytes()[:500]),
    "something else": lambda file: np.savez(file, a=np.zeros(3)),
}


def test_a_damaged_resume_file_is_named_and_the_run_can_be_looked_at(begun, replayed):
    run = stopped_at(begun(), 2)
    file = run.path / "resume-00000002.npz"
    content = file.read_bytes()
    for damage in DAMAGE.values():
        file.write_bytes(content)
        damage(file)
        for _ in range(2):  # it is let go of after the refusal
            with pytest.raises(
                RunError, match=r"resume-00000002\.npz is damaged or missing \(.+\): the run cannot be resumed"
            ):
                RunTrainer.resume(run)
    assert runs.find("one").state == "stopped"
    assert runs.model(run).reconstruct(np.zeros((1, 28, 28, 1), "float32")).shape == (1, 28, 28, 1)


def test_long_runs_keep_evenly_spaced_weights_and_never_many(begun, whole, monkeypatch):
    def train(*args):
        for step in range(1, 46):
            checkpoint = replace(whole.checkpoints[9], step=step)
            yield replace(whole.events[-1], step=step, num_steps=45, epoch=step, checkpoint=lambda at=checkpoint: at)

    monkeypatch.setattr(training, "train", train)
    monkeypatch.setattr(run_trainer, "KEPT", 8)
    trainer = begun(config=replace(CONFIG, batch_size=100, epochs=45))  # a step an epoch
    for event in trainer.events():
        if event.step < 45:  # the last is written down after its event
            kept = runs.saved_steps(runs.find("one"))
            apart = 2 ** math.ceil(math.log2((event.step + 1) / 8)) if event.step >= 8 else 1
            assert set(kept) == {1, event.step, *range(0, event.step, apart)}
            assert min(event.step, 8 // 2) <= len(kept) <= 8 + 2
    run = runs.find("one")
    assert runs.saved_steps(run) == [0, 1, 8, 16, 24, 32, 40, 45]
    assert all(runs.weights(run, step) for step in runs.saved_steps(run))
    assert len(runs.history(run)["loss"]) == 45


def test_weights_that_cannot_be_removed_do_no_harm(begun, replayed, monkeypatch):
    unlink = Path.unlink

    def refused(path, missing_ok=False):
        if path.name.startswith("."):
            return unlink(path, missing_ok)
        raise PermissionError(errno.EACCES, "in use")

    monkeypatch.setattr(Path, "unlink", refused)
    trainer = begun()
    (trainer.path / "weights" / "notes.npz").touch()  # somebody's
    list(trainer.events())
    assert runs.find("one").state == "finished"


def test_taken_and_impossible_names_are_refused(begun, runs_folder):
    begun("taken")
    (runs.PRETRAINED_DIR / "shipped-one").mkdir(exist_ok=True)
    for name in ("taken", "shipped-one"):
        with pytest.raises(RunError, match=f"There is a run called '{name}' already; choose another name"):
            RunTrainer.begin(CONFIG, name)
    with pytest.raises(RunError, match="cannot name a run"):
        RunTrainer.begin(CONFIG, "../a")
    begun("never").discard()
    assert [path.name for path in runs_folder.iterdir()] == ["taken"]
    names = {RunTrainer.new_name(replace(CONFIG, dataset="fashion_mnist", architecture="conv_denoise")) for _ in range(5)}
    assert len(names) == 5
    assert all(runs.check_name(name) == name for name in names)


@pytest.fixture
def parent(whole, runs_folder):
    shutil.copytree(whole.run.path, runs_folder / "parent")
    return runs.find("parent")


def test_a_fork_starts_with_its_parents_weights_needs_the_parent_no_more_and_goes_on_from_them(begun, parent, whole):
    origin, sixth = {"run": "parent", "step": 6}, whole.checkpoints[6].weights
    config = replace(CONFIG, learning_rate=0.001, noise_kind="none", epochs=1)
    child, interrupted = (begun(name, config, origin=origin) for name in ("child", "interrupted"))
    shutil.rmtree(parent.path)
    child.prepare()
    assert_weights(child.model.weights(), sixth)
    losses = train_to(child, None)
    run = runs.find("child")
    assert (run.origin, run.state, run.step, run.epochs) == (origin, "finished", 3, 1)
    assert_weights(runs.weights(run, 0), sixth)
    assert losses[0] < whole.events[0].loss - 0.01  # it does not begin where an untrained one does
    assert len(runs.history(run)["loss"]) == 1
    begun_losses = train_to(interrupted, 2)
    interrupted.write("running")
    interrupted.close()
    assert runs.find("interrupted").state == "interrupted"
    np.testing.assert_allclose(begun_losses + finish(runs.find("interrupted")), losses, rtol=0, atol=1e-6)


def test_a_fork_of_what_is_not_there_yet_begins_when_it_is(begun, replayed, whole):
    begun("first")
    trainer = begun("second", origin=warm_start.at_end_of("first"))
    with pytest.raises(RunError, match="starts from the end of 'first', which is waiting: let that run finish first"):
        trainer.prepare()
    runs.find("first").path.rename(runs.runs_dir() / "gone")
    shutil.copytree(whole.run.path, runs.runs_dir() / "first")
    trainer.prepare()
    assert_weights(trainer.model.weights(), whole.checkpoints[9].weights)
    trainer.write("running")
    assert runs.find("second").origin == {"run": "first", "step": 9}


def test_a_fork_of_what_does_not_fit_is_refused_naming_both(parent, runs_folder):
    def refused(sentence, config=CONFIG, **origin):
        with pytest.raises(RunError, match=sentence):
            RunTrainer.begin(config, "child", origin={"run": "parent", "step": 6} | origin)

    refused("architecture is 'fast', but the weights .*, of 'parent', have 'dense'", replace(CONFIG, architecture="fast"))
    refused("bottleneck is 5, but .* 'parent', have 3: set bottleneck to 3", replace(CONFIG, bottleneck=5))
    for step in (1, 12, "6", None):
        refused(rf"'parent' keeps no weights of step {step!r}: choose one of 0, 3, 6, 9\.", step=step)
    refused("There is no run called 'nobody'", run="nobody")
    refused("cannot name a run", run="../x")
    assert [path.name for path in runs_folder.iterdir()] == ["parent"]


@pytest.mark.parametrize("damage", ["missing", "something else"])
def test_a_fork_whose_first_weights_are_damaged_says_so_instead_of_starting_afresh(begun, parent, damage):
    trainer = begun("child", origin={"run": "parent", "step": 6})
    DAMAGE[damage](trainer.path / "weights" / "00000000.npz")
    with pytest.raises(RunError, match=r"00000000\.npz is damaged or missing \(.+\): start the run again"):
        next(trainer.events())


def test_a_shipped_run_can_be_forked_at_its_end(begun, parent):
    model = runs.keras_model(parent)
    history = [{"epoch": e, "loss": 0.1, "held_out_loss": 0.1, "seconds": 1.0} for e in (1, 2, 3)]
    shipped = writing.save(
        runs.PRETRAINED_DIR, "small", model, CONFIG, history, metrics={}, num_train=100, seconds=3, precision="bfloat16"
    )
    assert runs.saved_steps(shipped) == [9]
    trainer = begun("child", origin={"run": "small", "step": 9})
    trainer.prepare()
    rounded = {path: storage.round_to_bfloat16(w) for path, w in model.weights().items()}
    assert_weights(trainer.model.weights(), rounded)
