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
    num_train=100, batch_size=20, architecture="dense", bottleneck=4, epochs=4, noise_kind="gaussian", seed=3,
    learning_rate=0.01,
)  # fmt: skip
pytestmark = pytest.mark.usefixtures("few_strokes")


@pytest.fixture(scope="module")
def trained(tmp_path_factory, few_strokes):
    """A run of four epochs of five steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAE_RUNS_DIR", str(tmp_path_factory.mktemp("trained")))
        return RunTrainer.begin(CONFIG, "one").run(lambda event: None)


@pytest.fixture
def copy(trained, runs_folder):
    """The same run in the test's own folder, to be damaged."""
    shutil.copytree(trained.path, runs_folder / "one")
    return runs.find("one")


def test_every_moment_is_what_a_network_with_those_weights_makes(trained):
    past, images, sample = replay(trained), run_monitor.probes(CONFIG), run_monitor.sample(CONFIG.dataset)
    assert past.steps == (0, 5, 10, 15, 20)
    assert past.epochs == (0, 1, 2, 3, 4)
    assert past.x_hat.shape == (5, 8, 28, 28, 1)
    np.testing.assert_array_equal(past.x, images.x)
    np.testing.assert_array_equal(past.x_noisy, images.x_noisy)
    np.testing.assert_array_equal(past.labels, sample.labels)
    for step, x_hat, plane in zip(past.steps, past.x_hat, past.planes, strict=True):
        network = build(CONFIG, (28, 28, 1))
        network.set_weights(runs.weights(trained, step))
        np.testing.assert_allclose(x_hat, network.reconstruct(images.x_noisy), atol=1e-6)
        alone = live_plane.to_plane(network.encode(sample.x))
        apart = [np.linalg.norm(p[:, None] - p[None], axis=-1) for p in (plane.points, alone.points)]
        np.testing.assert_allclose(*apart, atol=1e-4 * max(1, apart[0].max()))  # turned or mirrored, nothing else
        assert plane.explained == pytest.approx(alone.explained, abs=1e-5)
    assert not np.allclose(past.x_hat[0], past.x_hat[-1], atol=0.05)
    np.testing.assert_allclose(past.planes[-1].points, alone.points, atol=1e-4)  # the last is as the other pages show it
    for plane, following in zip(past.planes, past.planes[1:], strict=False):  # and each as near to the next as it can be
        flips = [plane.points * signs for signs in ((1, 1), (-1, 1), (1, -1), (-1, -1))]
        nearest = min(np.square(flip - following.points).sum() for flip in flips)
        assert np.square(plane.points - following.points).sum() == pytest.approx(nearest, rel=1e-4)


def test_it_is_kept_in_memory_and_made_anew_when_the_run_goes_on_and_a_stop_in_mid_epoch_is_a_moment_too():
    recording = RunTrainer.begin(replace(CONFIG, epochs=2), "one")
    events = recording.events()
    for _ in range(6):
        next(events)
    run = runs.find("one")
    assert (run.state, run.step) == ("running", 5)
    early = replay(run)
    assert replay(runs.find("one")) is early
    assert early.steps == (0, 5)
    next(events)
    recording.write("stopped")
    recording.close()
    late = replay(runs.find("one"))
    assert (late.steps, late.epochs) == ((0, 5, 7), (0, 1, 1.4))
    np.testing.assert_array_equal(late.x_hat[1], early.x_hat[1])


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.write_bytes(file.read_bytes()[:1000]),
        lambda file: np.savez(file, of_another_network=np.zeros(3, "float32")),
    ],
    ids=["cut", "of another network"],
)
def test_a_damaged_moment_is_said_and_one_that_is_gone_is_left_out(copy, damage):
    file = copy.path / "weights" / "00000010.npz"
    damage(file)
    with pytest.raises(RunError, match=r"00000010\.npz is damaged|after step 10 are damaged"):
        replay(copy)
    file.unlink()
    assert replay(copy).steps == (0, 5, 15, 20)


def test_of_a_run_that_has_not_begun_there_is_nothing_to_see(copy):
    for name, origin in (("new", None), ("fork", {"run": "one", "step": 5})):
        recording = RunTrainer.begin(CONFIG, name, origin=origin)
        for _ in range(2):
            with pytest.raises(RunError, match=f"nothing to see of the run '{name}': its training has not begun"):
                replay(runs.find(name))
            recording.close()
