"""A configuration: what is refused and in which words, and the way through JSON and back."""

import dataclasses
import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cae_core.config import BOUNDS, DEFAULTS, RunConfig, lookup

NAMES = ("dataset", "architecture", "loss", "noise_kind", "optimizer", "schedule", "output", "pretraining_kind")
INTEGERS = ("num_train", "bottleneck", "epochs", "batch_size", "seed", "pretraining", "k", "k_start")


def test_every_setting_is_a_name_or_has_bounds():
    assert {field.name for field in dataclasses.fields(RunConfig)} == set(NAMES) | set(BOUNDS)
    assert {name for name, bounds in BOUNDS.items() if bounds.integer} == set(INTEGERS)


@pytest.mark.parametrize("name", list(BOUNDS))
def test_both_ends_and_numbers_of_other_kinds_are_allowed(name):
    """As the command line and NumPy give them."""
    bounds, default = BOUNDS[name], getattr(DEFAULTS, name)
    for given in (bounds.low, bounds.high, str(default), np.float64(default), np.int64(default)):
        if bounds.integer or type(given) is not np.int64:
            value = getattr(RunConfig(**{name: given}), name)
            assert value == type(default)(given)
            assert type(value) is type(default)


def outside(name):
    bounds = BOUNDS[name]
    step = 1 if bounds.integer else 1e-9 * bounds.high
    beyond = [bounds.low - step, bounds.high + step, math.nan, math.inf, -math.inf, 10**400]
    return [*beyond, True, False, "many", "", None, [1], 1j, *([bounds.low + 0.5] if bounds.integer else [])]


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name in BOUNDS for value in outside(name)], ids=lambda v: str(v)[:20]
)
def test_what_is_outside_is_refused_by_name_value_and_range(name, value):
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - every word of it is checked below
        RunConfig(**{name: value})
    bounds, kind = BOUNDS[name], "a whole number" if BOUNDS[name].integer else "a number"
    assert str(refusal.value) == f"{name} is {value!r}; it must be {kind} from {bounds.low:g} to {bounds.high:g}."


def test_a_configuration_goes_through_json_and_back():
    names = RunConfig("mnist", 1000, "dense", 7, "mse", "mixed", 0.25, "muon", 0.01, "cosine")
    config = dataclasses.replace(
        names, epochs=3, batch_size=32, sparsity=0.5, seed=9, output="linear", pretraining=4, beta=4.0, beta_warmup=0.5,
        pretraining_kind="rbm", k=5, k_start=7, alpha=2.0,
    )  # fmt: skip
    assert RunConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert all(getattr(config, f.name) != getattr(DEFAULTS, f.name) for f in dataclasses.fields(RunConfig))
    assert RunConfig.from_dict({}) == DEFAULTS


def test_what_comes_from_json_is_checked():
    with pytest.raises(ValueError, match="Unknown setting 'bottelneck': choose one of dataset, .* Did you mean 'bottlen"):
        RunConfig.from_dict({"bottelneck": 2})
    with pytest.raises(ValueError, match="bottleneck is 0; it must be a whole number from 1 to 1024"):
        RunConfig.from_dict({"bottleneck": 0})


def test_lookup():
    registry = {"gaussian": 1, "masking": 2}
    assert lookup(registry, "noise kind", "masking") == 2
    with pytest.raises(ValueError, match=r"^Unknown noise kind 'gausian': choose one of gaussian, masking\. Did you mean"):
        lookup(registry, "noise kind", "gausian")
    for name in ("zzz", 7, None, ["gaussian"], {}):
        with pytest.raises(ValueError, match=r"choose one of gaussian, masking\."):
            lookup(registry, "noise kind", name)


def test_config_needs_only_the_standard_library():
    root = Path(__file__).parent.parent
    probe = "import sys, cae_core.config; print({'numpy', 'keras', 'tensorflow', 'streamlit'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", probe], cwd=root, capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == "set()"
