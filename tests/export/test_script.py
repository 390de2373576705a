"""The standalone script: short, of Keras's own layers, and it arrives at the same losses."""

import ast
import contextlib
import dataclasses
import functools
import io
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from cae_core import export, training
from cae_core.architectures import ARCHITECTURES, build, suited
from cae_core.config import RunConfig
from cae_core.corruptions import NOISE_KINDS
from cae_core.datasets import strokes
from cae_core.export import script, script_network
from cae_core.losses import LOSSES
from cae_core.optimizers import OPTIMIZERS, SCHEDULES
from cae_core.runs import Run, storage

SHAPE = (28, 28, 1)


def settings(architecture, bottleneck, loss, noise_kind, optimizer, schedule, **more):
    names = {"architecture": architecture, "loss": loss, "noise_kind": noise_kind, "optimizer": optimizer}
    rate = 0.1 if optimizer == "sgd" else 0.01
    numbers = {"num_train": 300, "batch_size": 64, "epochs": 2, "noise_factor": 0.6, "seed": 7, "learning_rate": rate}
    return RunConfig(**names, bottleneck=bottleneck, schedule=schedule, **(numbers | more))


# Every network, loss, noise, optimizer and schedule at least once; batches that do not divide the images, that leave some
# kinds of the mixture without an image, and that are larger than all images.
CASES = {
    "mixed": settings("dense", 2, "bce", "mixed", "muon", "one_cycle"),
    "mixed in tiny batches": settings("dense", 32, "mse", "mixed", "adam", "cosine", num_train=110, batch_size=6),
    "conv": settings("conv_denoise", 8, "bce", "salt_and_pepper", "rmsprop", "constant", epochs=1),
    "forked": settings("fast", 32, "mse", "occlusion", "sgd", "one_cycle", sparsity=0.01, seed=2**31 - 1),
    "stopped": settings("dense", 3, "bce", "masking", "adam", "one_cycle", epochs=4, sparsity=0.1),
    "deep, one batch": settings("dense_deep", 30, "half", "blur", "adam", "cosine", learning_rate=0.001, batch_size=4096),
    "plane": settings("dense_linear_2d", 2, "mse", "none", "rmsprop", "cosine", output="linear"),
    "one layer": settings("dense_denoise", 16, "half", "masking", "adam", "constant", output="linear", learning_rate=0.001),
    "denoiser": settings("fast_denoise", 8, "mse", "gaussian", "muon", "one_cycle", epochs=1),
    "drawn codes": settings("vae_dense", 2, "elbo", "masking", "adam", "cosine", beta=4.0, beta_warmup=0.5),
    "drawn, conv": settings("vae_conv", 2, "elbo", "none", "adam", "constant", epochs=1, learning_rate=0.001),
    "drawn, fast": settings("vae", 8, "elbo", "none", "muon", "one_cycle", epochs=1),
    "black or white": settings("vae_binary", 3, "iwae_5", "gaussian", "adam", "cosine", beta=2.0, beta_warmup=0.5),
    "fifty codes": settings("vae_binary", 2, "iwae_50", "none", "adam", "constant", num_train=110, epochs=1),
    "largest": settings("k_sparse", 60, "half", "masking", "sgd", "constant", output="linear", learning_rate=0.01,
                        k=5, k_start=20, alpha=2.0, sparsity=0.01),
    "resized": settings("conv_resize", 8, "mse", "gaussian", "adam", "one_cycle", epochs=1),
}  # fmt: skip
QUICK = ("mixed", "stopped")
"""Run in this process; of the others each is compiled twice, here and elsewhere."""
SLOW = pytest.mark.slow
CLEAN = settings("dense", 1, "bce", "none", "sgd", "constant")
OWN_LAYERS = {"conv_unpool", "conv_transpose", "conv_transpose_even", "masci"}
"""Networks with layers that Keras does not have, which a script cannot build."""
WRITABLE = [name for name in suited("strokes") if name not in OWN_LAYERS and not ARCHITECTURES[name].solve]


def run_of(config, path=Path("a-run"), **more):
    steps = config.epochs * training.steps_per_epoch(config, config.num_train)
    given = {"epochs": config.epochs, "step": steps, "num_steps": steps, "num_train": config.num_train, **more}
    empty = {"code_size": 0, "parameters": 0, "metrics": {}, "seconds": 0.0, "created": "", "versions": {}}
    return Run(path=path, config=config, image_shape=SHAPE, **empty, **given)


def test_the_cases_have_every_name():
    registries = {"loss": LOSSES, "noise_kind": NOISE_KINDS, "optimizer": OPTIMIZERS, "schedule": SCHEDULES}
    for field, registry in {"architecture": WRITABLE, **registries}.items():
        assert {getattr(config, field) for config in CASES.values()} == set(registry)


@functools.cache
def images():
    """As many as are held out and those to train on, `(n, 28, 28)` uint8."""
    return strokes.draw(training.HELD_OUT + 300, seed=9)[0]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """By case the history that the project gets, the one that the script writes, what that prints, and both's weights."""
    return functools.cache(lambda case: train_both(case, tmp_path_factory.mktemp("script")))


def train_both(case, folder):
    """In this process; test_exporting.py has a script run where the project is not."""
    config, x = CASES[case], images()
    run, model = run_of(config, folder / "run"), build(config, SHAPE)
    file = folder / ("strokes.npz" if case == "forked" else "images.npz")
    np.savez(file, x_train=x)
    if case == "forked":
        run = dataclasses.replace(run, origin={"run": "other", "step": 3})
        model = build(dataclasses.replace(config, seed=1), SHAPE)
        (run.path / "weights").mkdir(parents=True)
        (run.path / "weights" / "00000000.npz").write_bytes(storage.weights_to_bytes(model.weights()))
        (folder / "start.npz").write_bytes(export.start_npz(run))
    if case == "stopped":
        run = dataclasses.replace(run, state="stopped", epochs=2, step=run.num_steps // 2 + 1)
    (folder / "script.py").write_text(script.text(run), encoding="utf-8")
    events = training.train(model, config, *training.split_held_out(x[..., np.newaxis], config.num_train))
    history = [(e.epoch, e.epoch_loss, e.held_out_loss) for e in events if e.epoch_loss is not None]
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as printed:
        patch.setattr(sys, "argv", ["script.py", *([] if case == "forked" else [str(file)])])
        theirs = runpy.run_path(str(folder / "script.py"), run_name="__main__")["model"]
    written = (folder / "history.csv").read_text(encoding="utf-8")
    weights = list(zip(model.weights().values(), theirs.get_weights(), strict=True))
    return np.array(history[: run.epochs]), written, printed.getvalue().splitlines(), weights


@pytest.mark.parametrize("case", [case if case in QUICK else pytest.param(case, marks=SLOW) for case in CASES])
def test_the_script_arrives_at_the_same_history(case, trained):
    expected, written, printed, _ = trained(case)
    assert written.startswith("epoch,loss,held_out_loss\n")
    history = np.loadtxt(io.StringIO(written), delimiter=",", skiprows=1, ndmin=2)
    assert history.shape == expected.shape
    np.testing.assert_allclose(history, expected, rtol=2e-6)
    assert len(printed) == len(history)  # a line an epoch
    assert printed[0].startswith("epoch 1: {'loss': ")
    assert "'val_loss': " in printed[0]


@pytest.mark.parametrize("case", ["mixed", *(pytest.param(case, marks=SLOW) for case in ("mixed in tiny batches", "conv"))])
def test_the_weights_are_the_same_to_the_last_bit(case, trained):
    """Muon makes of a difference in the last bit one of 1e-3 of the loss within some hundred steps."""
    for ours, theirs in trained(case)[3]:
        np.testing.assert_array_equal(ours, theirs)


def test_only_what_the_run_uses_is_in_it():
    text = script.text(run_of(CLEAN))
    for word in ("Muon", "noise(", "start.npz", "CosineDecay", "ActivityRegularization", "DONE"):
        assert word not in text
    assert "strokes.npz" in ast.get_docstring(ast.parse(text))
    mnist = script.text(run_of(dataclasses.replace(CLEAN, dataset="mnist")))
    assert "keras.datasets.mnist.load_data()" in mnist
    imports = [node for node in ast.walk(ast.parse(mnist)) if isinstance(node, ast.Import | ast.ImportFrom)]
    known = {"math", "os", "pathlib", "sys", "keras", "numpy", "tensorflow"}
    assert {name.name for node in imports for name in node.names} <= known


def test_what_a_title_or_a_damaged_run_says_is_no_code():
    hostile = '"""\nimport os\n"""'
    assert script.text(run_of(CLEAN, title=hostile)) == script.text(run_of(CLEAN))
    with pytest.raises(ValueError, match="Unknown dataset"):
        script.text(run_of(dataclasses.replace(CLEAN, dataset=hostile)))


@pytest.mark.parametrize("name", sorted(OWN_LAYERS))
def test_a_network_with_layers_of_its_own_is_refused_by_the_layers_name(name):
    with pytest.raises(ValueError, match=r"The layer '(pool|logits)' is a .*, which is not one of keras.layers: a script"):
        script.text(run_of(settings(name, 2, "mse", "none", "adam", "constant")))


PLAIN = {"loss": "mse", "noise_kind": "none", "optimizer": "adam", "schedule": "constant"}


@pytest.mark.parametrize(
    ("run", "says"),
    [
        (run_of(settings("dense", 2, **PLAIN, pretraining=1)), "was trained layer by layer first: the script export has"),
        (run_of(settings("pca", 2, **PLAIN, epochs=1, output="linear")), "was computed at once"),
        (run_of(settings("colorize", 2, **PLAIN, dataset="strokes_colour")), "colours grey images"),
        *((run_of(CLEAN, state=state, step=1, epochs=0), "no finished epoch") for state in ("stopped", "failed")),
    ],
)
def test_what_no_script_can_arrive_at_is_refused(run, says):
    with pytest.raises(ValueError, match=f"The run 'a-run' .*{says}"):
        script.text(run)


def test_a_run_that_is_not_over_gets_the_script_of_the_whole():
    whole = script.text(run_of(CLEAN))
    assert script.text(run_of(CLEAN, state="running", step=4, epochs=1)) == whole


SHIFT = {"by": 1}


def names_a_dictionary(progress):
    return progress + SHIFT["by"]


@pytest.mark.parametrize(
    ("schedule", "why"), [(lambda progress: 1, "make it a function"), (names_a_dictionary, "SHIFT cannot .* is a dict")]
)
def test_what_cannot_stand_by_itself_is_refused(schedule, why, monkeypatch):
    monkeypatch.setitem(SCHEDULES, "cosine", dataclasses.replace(SCHEDULES["cosine"], make=schedule))
    with pytest.raises(ValueError, match=why):
        script.text(run_of(dataclasses.replace(CLEAN, schedule="cosine")))


def made_by(source):
    """`encoder` and `decoder` of code."""
    import keras

    names = {"keras": keras, "layers": keras.layers, "init": keras.initializers}
    exec(source, names)
    return names["encoder"], names["decoder"]


def same_network(a, b):
    assert [type(layer) for layer in a.layers] == [type(layer) for layer in b.layers]
    for one, other in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    x = np.random.default_rng(0).random((3, *a.input_shape[1:]), dtype="float32")
    np.testing.assert_array_equal(a(x), b(x))


@pytest.mark.parametrize(
    ("name", "bottleneck"),
    [("fast", 2), *((name, 32) for name in WRITABLE if not (ARCHITECTURES[name].takes or ARCHITECTURES[name].keeps_k))],
)
def test_the_code_of_a_network_builds_it_with_the_same_weights(name, bottleneck):
    model = build(RunConfig(architecture=name, bottleneck=bottleneck, seed=3), SHAPE)
    encoder, decoder = made_by(script_network.source(model))
    same_network(encoder, model.encoder)
    same_network(decoder, model.decoder)
