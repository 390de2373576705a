"""How long a run will take: by what runs like it took, on this machine before any other."""

import dataclasses

import pytest

from cae_core import runs
from cae_core.config import RunConfig
from cae_core.training import duration

IMAGE = (28, 28, 1)
CONFIG = RunConfig(architecture="dense", bottleneck=2, epochs=3, batch_size=50)


@pytest.fixture(autouse=True)
def nothing_learned(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "PRETRAINED_DIR", tmp_path / "shipped")
    duration.forget()
    yield
    duration.forget()


def other(**change):
    return dataclasses.replace(CONFIG, **change)


def test_a_run_takes_as_long_as_its_steps():
    assert duration.Pace(0.01, True).seconds(CONFIG, 101) == pytest.approx(0.01 * 3 * 2)  # of 101 images one is left over


def test_only_what_changes_the_speed_tells_runs_apart():
    for seconds in (0.03, 0.0, 0.02, -1.0):  # the last counts, and one without steps does not
        duration.learn(CONFIG, IMAGE, seconds)
    for same in ({"dataset": "mnist"}, {"epochs": 9}, {"num_train": 177}, {"learning_rate": 0.5}, {"seed": 7}):
        assert duration.pace(other(**same), IMAGE) == duration.Pace(0.02, True)
    for change in ({"bottleneck": 3}, {"loss": "mse"}, {"optimizer": "sgd"}, {"batch_size": 51}, {"sparsity": 0.1}):
        assert duration.pace(other(**change), IMAGE) is None
    assert duration.pace(CONFIG, (14, 14, 1)) is None
    duration.learn(other(architecture="conv_denoise"), IMAGE, 0.02)  # has one code, whatever the bottleneck
    assert duration.pace(other(architecture="conv_denoise", bottleneck=64), IMAGE)


def test_runs_on_disk_are_learned_from_before_the_shipped_ones(save_run, small_network, runs_folder):
    config, shape = small_network[1], (8, 12, 1)  # 200 images in batches of the configuration's size, two epochs
    steps = 2 * (200 // config.batch_size)
    save_run("shipped", folder=runs.PRETRAINED_DIR, seconds=8.0)
    assert duration.pace(config, shape) == duration.Pace(pytest.approx(8.0 / steps), False)
    save_run("own", seconds=4.0)
    duration.forget()
    assert duration.pace(config, shape) == duration.Pace(pytest.approx(4.0 / steps), True)
    runs_folder.joinpath("own", "run.json").write_text("[", encoding="utf-8")  # damaged: as if it were not there
    duration.forget()
    assert not duration.pace(config, shape).is_own
