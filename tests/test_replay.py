"""The time machine: every moment is what those weights make, and the planes turn as little as they can."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from cae_core import runs
from cae_core.architectures import build
from cae_core.config import RunConfig
from cae_core.inference.replay import replay
from cae_core.latent import live_plane
from cae_core.runs import RunError
from cae_core.training import run_monitor
from cae_core.training.run_trainer import RunTrainer

CONFIG = RunConfig(
    num_train=100,
    batch_size=20,
    architecture="dense",
    bottleneck=4,
    epochs=4,
    noise_kind="gaussian",
    seed=3,
    learning_rate=0.01,
)


pytestmark = pytest.mark.usefixtures("few_strokes")


@pytest.fixture(scope="module")
def trained(tmp_path_factory, few_strokes):
    """A run of four epochs of five steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAE_RUNS_DIR", str(tmp_path_factory.mktemp("trained")))
        one = RunTrainer.begin(CONFIG, "one")
        list(one.events())
        one.close()
        return runs.find("one")


@pytest.fixture
def copy(trained, runs_folder):
    """The same run in the test's own folder, to be damaged."""
    shutil.copytree(trained.path, runs_folder / "one")
    return runs.find("one")


def test_every_moment_is_what_a_network_with_those_weights_makes(trained):
    seen, images, sample = replay(trained), run_monitor.probes(CONFIG), run_monitor.sample(CONFIG.dataset)
    assert seen.steps == (0, 5, 10, 15, 20)
    assert seen.epochs == (0, 1, 2, 3, 4)
    assert seen.x_hat.shape == (5, 8, 28, 28, 1)
    np.testing.assert_array_equal(seen.x, images.x)
    np.testing.assert_array_equal(seen.x_noisy, images.x_noisy)
    np.testing.assert_array_equal(seen.labels, sample.labels)
    for step, x_hat, plane in zip(seen.steps, seen.x_hat, seen.planes, strict=True):
        network = build(CONFIG, (28, 28, 1))
        network.set_weights(runs.weights(trained, step))
        np.testing.assert_allclose(x_hat, network.reconstruct(images.x_noisy), atol=1e-6)
        alone = live_plane.to_plane(network.encode(sample.x))
        apart = [np.linalg.norm(p[:, None] - p[None], axis=-1) for p in (plane.points, alone.points)]
        np.testing.assert_allclose(*apart, atol=1e-4 * max(1, apart[0].max()))  # turned or mirrored, nothing else
        assert plane.explained == pytest.approx(alone.explained, abs=1e-5)
    assert not np.allclose(seen.x_hat[0], seen.x_hat[-1], atol=0.05)


def test_the_planes_of_a_run_turn_as_little_as_they_can(trained):
    seen, sample = replay(trained), run_monitor.sample(CONFIG.dataset)
    for step, plane, following in zip(seen.steps, seen.planes, seen.planes[1:], strict=False):
        alone = live_plane.to_plane(runs.model(trained, step).encode(sample.x)).points
        flips = [alone * signs for signs in ((1, 1), (-1, 1), (1, -1), (-1, -1))]
        nearest = min(np.square(flip - following.points).sum() for flip in flips)
        ours = np.square(plane.points - following.points).sum()
        assert ours <= nearest * (1 + 1e-4) + 1e-6
    last = live_plane.to_plane(runs.model(trained).encode(sample.x)).points
    np.testing.assert_allclose(seen.planes[-1].points, last, atol=1e-4)  # the last is as the other pages show it


def test_a_network_that_others_hold_is_not_touched(trained):
    network = runs.model(trained)
    before = network.weights()
    replay.__globals__["_replay"].cache_clear()
    replay(trained)
    for path, w in network.weights().items():
        np.testing.assert_array_equal(w, before[path])


def test_it_is_kept_in_memory_and_made_anew_when_the_run_goes_on(runs_folder):
    one = RunTrainer.begin(replace(CONFIG, epochs=2), "one")
    events = one.events()
    for _ in range(6):
        next(events)
    run = runs.find("one")
    assert (run.state, run.step) == ("running", 5)
    early = replay(run)
    assert replay(runs.find("one")) is early
    assert early.steps == (0, 5)
    list(events)
    one.close()
    late = replay(runs.find("one"))
    assert late.steps == (0, 5, 10)
    np.testing.assert_array_equal(late.x_hat[1], early.x_hat[1])


def test_a_stop_in_mid_epoch_is_a_moment_too(runs_folder):
    one = RunTrainer.begin(replace(CONFIG, epochs=2), "one")
    for event in one.events():
        if event.step == 7:
            break
    one.write("stopped")
    one.close()
    seen = replay(runs.find("one"))
    assert seen.steps == (0, 5, 7)
    assert seen.epochs == (0, 1, 1.4)


DAMAGE = {
    "missing": lambda file: file.unlink(),
    "cut": lambda file: file.write_bytes(file.read_bytes()[:1000]),
    "of another network": lambda file: np.savez(file, a=np.zeros(3, "float32")),
}


@pytest.mark.parametrize("damage", ["cut", "of another network"])
def test_a_damaged_moment_is_said(copy, damage):
    DAMAGE[damage](copy.path / "weights" / "00000010.npz")
    with pytest.raises(RunError, match=r"00000010\.npz is damaged|after step 10 are damaged"):
        replay(copy)


def test_a_moment_that_is_gone_is_left_out(copy):
    DAMAGE["missing"](copy.path / "weights" / "00000010.npz")
    assert replay(copy).steps == (0, 5, 15, 20)


def test_of_a_run_that_has_not_begun_there_is_nothing_to_see(copy):
    for name, origin in (("new", None), ("fork", {"run": "one", "step": 5})):
        one = RunTrainer.begin(CONFIG, name, origin=origin)
        for _ in range(2):
            with pytest.raises(RunError, match=f"nothing to see of the run '{name}': its training has not begun"):
                replay(runs.find(name))
            one.close()
