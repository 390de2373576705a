"""A trained run as a short Python script that needs only TensorFlow and NumPy and arrives at the same losses.

Noise, optimizer and schedule are templates here, each held against `training.train` by a test; only what a run uses gets
into its script. The loss is taken from `losses.py`, the network from the Keras models themselves (`script_network.py`).

Weights and the learning rate come out the same to the last bit, step by step, and they must: Muon makes of a difference in
the last bit one of 1e-3 of the loss within some hundred steps, other optimizers do not. So operations here are those of
the project one by one; TensorFlow makes of its / 255 a product, and of the same in a tf.data pipeline not. What is left,
some 1e-7, is the rounding of Keras's mean over an epoch. A bottleneck or batch size that is no power of two, with sparsity
and Muon, or another machine, is where the last bit may differ.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping

import numpy as np

from cae_core import training, validation
from cae_core.architectures import ARCHITECTURES, build
from cae_core.config import RunConfig
from cae_core.corruptions import BLUR_SIGMA, MIXED, MIXED_SHARES
from cae_core.export import script_network
from cae_core.losses import loss_of
from cae_core.runs import Run

# Each kind of noise: what it does, its random numbers (kind and shape, "" for none), and its code, whose last line is the
# noisy image. <x> are clean images (n, size, size, 1) in [0, 1], <f> is the strength, <F> the same as a matrix for each
# image, <r> the random numbers.
NOISES = {
    "gaussian": (
        "adds a normally distributed number to every pixel",
        ("normal", "<x>.shape"),
        "tf.clip_by_value(<x> + <f> * <r>, 0.0, 1.0)",
    ),
    "salt_and_pepper": (
        "sets a share of the pixels to black or white",
        ("uniform", "<x>.shape"),
        "u = <r>\ntf.where(u < <f> / 2, 0.0, tf.where(u < <f>, 1.0, <x>))",
    ),
    "masking": (
        "sets a share of the pixels to black",
        ("uniform", "<x>.shape"),
        "tf.where(<r> < <f>, 0.0, <x>)",
    ),
    "blur": (
        "Gaussian blur, one matrix for the rows and one for the columns",
        ("", ""),
        """\
        distance = tf.range(<size>.0)[:, None] - tf.range(<size>.0)
        w = tf.exp(-0.5 * (distance / tf.maximum(<F> * <sigma>, 1e-3)) ** 2)
        w /= tf.reduce_sum(w, axis=-1, keepdims=True)
        tf.clip_by_value((w @ <x>[..., 0] @ tf.linalg.matrix_transpose(w))[..., None], 0.0, 1.0)""",
    ),
    "occlusion": (
        "covers a square at a random place with grey",
        ("uniform", "(<x>.shape[0], 2)"),
        """\
        side, pixel = tf.floor(<F> * <size> + 0.5), tf.range(<size>.0)[:, None]
        start = tf.floor(<r>[:, None] * (<size + 1> - side))
        inside = (start <= pixel) & (pixel < start + side)  # (n, <size>, 2): is that row, is that column in the square?
        tf.where(inside[:, :, None, :1] & inside[:, None, :, 1:], 0.5, <x>)""",
    ),
}

# How each optimizer is made, and what has to be defined for it.
OPTIMIZERS = {
    "adam": ("keras.optimizers.Adam(rate)", ""),
    "rmsprop": ("keras.optimizers.RMSprop(rate)", ""),
    "sgd": ("keras.optimizers.SGD(rate, momentum=0.9)", ""),
    "muon": (
        "Muon(rate)",
        """\
        class Muon(keras.optimizers.Adam):  # kernels move in all directions alike (Jordan et al., 2024), biases by Adam
            def update_step(self, gradient, variable, learning_rate):
                if len(variable.shape) < 2: return super().update_step(gradient, variable, learning_rate * 0.2)
                momentum = self._momentums[self._get_variable_index(variable)]
                momentum.assign(0.95 * momentum + 0.05 * gradient)
                m = tf.reshape(gradient * 0.05 + 0.95 * momentum, (-1, variable.shape[-1]))
                turn = tf.transpose if m.shape[0] > m.shape[1] else tf.identity
                m = turn(m) / (tf.norm(turn(m)) + 1e-7)
                for _ in range(5):  # Newton-Schulz: every singular value goes towards 1
                    square = tf.matmul(m, m, transpose_b=True)
                    m = 3.4445 * m + tf.matmul(-4.775 * square + 2.0315 * tf.matmul(square, square), m)
                variable.assign_sub(learning_rate * tf.reshape(turn(m) * (0.2 * max(m.shape) ** 0.5), variable.shape))""",
    ),
}

# The learning rate: what it does, and its share of the peak by the progress in (0, 1], in double precision as in training.
SCHEDULES = {
    "constant": ("", ""),
    "cosine": ("falls along a cosine", "0.5 * (1 + np.cos(np.pi * progress))"),
    "one_cycle": (
        "rises for a tenth of it, then falls along a cosine",
        "np.where(progress < 0.1, progress / 0.1, 0.5 * (1 + np.cos(np.pi * (progress - 0.1) / 0.9)))",
    ),
}

PUBLIC = ("mnist", "fashion_mnist")
"""Data sets that Keras downloads by the name they have here."""


def text(run: Run) -> str:
    """The script: fewer than 80 lines of at most 124 characters for every network made of layers that Keras has.

    Raises:
        ValueError: the run has no finished epoch, a setting that this module has no code for, or a layer that is not
            Keras's own, such as pooling with switches; the message says which.
    """
    config = run.config
    validation.check(config)
    for templates, what, name in (
        ({**NOISES, "none": "", MIXED: ""}, "noise kind", config.noise_kind),
        (OPTIMIZERS, "optimizer", config.optimizer),
        (SCHEDULES, "schedule", config.schedule),
    ):
        if name not in templates:
            raise ValueError(f"The script export has no code for the {what} {name!r}: add it to cae_core/export/script.py.")
    if ARCHITECTURES[config.architecture].sees == "grey":
        raise ValueError(f"The run {run.label!r} colours grey images: the script export has code for grey targets only.")
    if not run.epochs:
        raise ValueError(f"The run {run.label!r} has no finished epoch: there are no losses that a script could arrive at.")
    if config.pretraining or ARCHITECTURES[config.architecture].solve:
        how = "trained layer by layer first" if config.pretraining else "computed at once"
        raise ValueError(f"The run {run.label!r} was {how}: the script export has code for training a whole network only.")
    network = build(config, run.image_shape)
    parts = [
        f"{_head(run)}\n{_data(run)}".rstrip(),
        script_network.source(network),
        _noise(config, _batch_size(run), run.image_shape[0]),
        textwrap.dedent(OPTIMIZERS[config.optimizer][1]),
        _training(run, network.code_size),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def needs_data(run: Run) -> bool:
    """Whether the script only runs with a file of images beside it, `DATASET.npz`."""
    return run.config.dataset not in PUBLIC


def _batch_size(run: Run) -> int:
    return min(run.config.batch_size, run.num_train)


def _ended_early(run: Run) -> bool:
    return 0 < run.step < run.num_steps and run.state in ("stopped", "failed", "interrupted")


def _head(run: Run) -> str:
    config, file = run.config, f"{run.config.dataset}.npz"
    if needs_data(run):
        data = f"{file}: it{' and start.npz' if run.origin else ''} can be had from the export of everything."
    elif run.origin:
        data = f"{file}, else downloaded. start.npz: in the export of everything."
    else:
        data = f"{file} beside the script; without that, Keras downloads them."
    epochs, count = (
        ("EPOCHS, DONE", f"{config.epochs}, {run.epochs}") if _ended_early(run) else ("EPOCHS", f"{config.epochs}")
    )
    return f'''"""Trains the run {run.name} again:
same network, data, noise and steps, so the same losses, printed and written to history.csv. Needs tensorflow and numpy.
Usage: python SCRIPT [IMAGES.npz], by default {data}"""
import os, pathlib, sys
os.environ["KERAS_BACKEND"] = "tensorflow"  # this, and two settings below: whatever your keras.json says
import keras, numpy as np, tensorflow as tf
keras.config.set_floatx("float32"); keras.config.set_image_data_format("channels_last")
HERE, layers, init = pathlib.Path(__file__).parent, keras.layers, keras.initializers
NUM_TRAIN, BATCH_SIZE, {epochs}, SEED = {run.num_train}, {_batch_size(run)}, {count}, {config.seed}
LEARNING_RATE, NOISE_FACTOR, SPARSITY = {config.learning_rate}, {config.noise_factor}, {config.sparsity}'''


def _data(run: Run) -> str:
    name, held_out, least = run.config.dataset, training.HELD_OUT, training.MEASURED_HELD_OUT
    read = f"""\
file = pathlib.Path(sys.argv[1]) if sys.argv[1:] else HERE / "{name}.npz"
images = np.load(file)["x_train"] if sys.argv[1:] or file.exists() else keras.datasets.{name}.load_data()[0][0]"""
    if needs_data(run):
        read = f'images = np.load(sys.argv[1] if sys.argv[1:] else HERE / "{name}.npz")["x_train"]'
    return f"""\
{read}
x_train = tf.constant(images[:-{held_out}][:NUM_TRAIN, ..., None])
n, rng = len(x_train), np.random.default_rng(SEED)
clean = images[-{held_out}:, ..., None][: max({least}, n)].astype("float32") / 255  # held out: never trained on
order = np.concatenate([rng.permutation(n)[: n // BATCH_SIZE * BATCH_SIZE] for _ in range(EPOCHS)]).reshape(-1, BATCH_SIZE)
"""


def _code(kind: str, size: int, names: Mapping[str, str]) -> list[str]:
    """The lines of a noise with `names` put in for x, f, F and r."""
    code = textwrap.dedent(NOISES[kind][2])
    sizes = {"size": str(size), "size + 1": str(size + 1), "sigma": f"{BLUR_SIGMA * size:g}"}
    for name, value in {**sizes, **names}.items():
        code = code.replace(f"<{name}>", value)
    return code.split("\n")


def _noise(config: RunConfig, batch_size: int, size: int) -> str:
    """`noisy_pair(batch, step)`, for training; and `noisy`, the held-out images."""
    what = "what the network sees in a step, and what it should make of it"
    if config.noise_kind == MIXED:
        what = "most images get Gaussian noise, the others another kind, each at a strength of its own"
    pair = f"""\
def noisy_pair(batch, step):  # {what}
    x = tf.cast(tf.gather(x_train, batch), tf.float32) * (1 / 255)"""
    if config.noise_kind == "none":
        return f"{pair}\n    return x, x\nnoisy = clean"
    if config.noise_kind == MIXED:
        return "\n".join([pair, *textwrap.indent("\n".join(_mixed(batch_size, size)), "    ").split("\n"), _HELD_OUT_MIXED])
    what, (numbers, shape), _ = NOISES[config.noise_kind]
    names = {"x": "x", "f": "NOISE_FACTOR", "F": "tf.constant(NOISE_FACTOR)", "r": "random"}
    *before, result = _code(config.noise_kind, size, names)
    arguments = ", random" if numbers else ""
    formula = "\n    ".join([f"def noise(x{arguments}):  # {what}", *before, f"return {result}"])
    fresh = fixed = seed = ""
    if numbers:
        seed = "    seed = tf.random.experimental.stateless_fold_in([SEED, step], 1)\n"
        fresh = f", tf.random.stateless_{numbers}({shape}, seed)".replace("<x>", "x")
        draw = {"normal": "standard_normal", "uniform": "random"}[numbers]
        fixed = f', np.random.default_rng(SEED).{draw}({shape}, "float32")'.replace("<x>", "clean")
    return f"{formula}\n\n{pair}\n{seed}    return noise(x{fresh}), x\nnoisy = noise(clean{fixed})"


_HELD_OUT_MIXED = """\
noisy = np.clip(clean + NOISE_FACTOR / 2 * np.random.default_rng(SEED).standard_normal(clean.shape, "float32"), 0, 1)"""
"""The mixture is stood for by its largest part."""


def _mixed(batch_size: int, size: int) -> list[str]:
    """The body of `noisy_pair` for the mixture: what follows x."""
    shares = [share for _, share in MIXED_SHARES]
    counts = np.diff(np.round(np.cumsum([0, *shares]) * batch_size)).astype(int).tolist()
    parts = [kind[0] for kind, _ in MIXED_SHARES]
    lines, draws = [], 1
    for i, (kind, _) in enumerate(MIXED_SHARES):
        numbers, shape = NOISES[kind][1]
        draws += bool(numbers) and counts[i] > 0  # training draws nothing for a kind that gets no image
        r = f"tf.random.stateless_{numbers}({shape}, seeds[{draws}])".replace("<x>", parts[i])
        *before, result = _code(kind, size, {"x": parts[i], "f": f"f[{i}]", "F": f"f[{i}][..., 0]", "r": r})
        lines += [*before, f"{parts[i]} = {result}"]
    names, kinds = ", ".join(parts), ", ".join(kind.replace("_", " ") for kind, _ in MIXED_SHARES)
    return [
        f"seeds = [tf.random.experimental.stateless_fold_in([SEED, step], i) for i in range({draws + 1})]",
        "f = NOISE_FACTOR * tf.reduce_mean("
        "tf.random.stateless_uniform((BATCH_SIZE, 1, 1, 2), seeds[1]), axis=-1, keepdims=True)",
        f"({names}), f = (tf.split(values, {counts}) for values in (x, f))",
        *lines,
        f"return tf.concat([{names}], axis=0), x  # {kinds}",
    ]


def _loss(config: RunConfig) -> tuple[str, str]:
    """The definition of the loss (or "") and the expression that gives it."""
    function = ast.parse(textwrap.dedent(inspect.getsource(loss_of(config.loss, config.output)))).body[0]
    body = [
        node
        for node in function.body
        if not isinstance(node, ast.Import) and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]
    if len(body) == 1 and isinstance(body[0], ast.Return):
        return "", f"lambda {ast.unparse(function.args)}: {ast.unparse(body[0].value)}"
    function.body, function.returns = body, None
    return ast.unparse(function) + "\n\n", function.name


def _training(run: Run, code_size: int) -> str:
    config, epochs = run.config, "DONE" if _ended_early(run) else "EPOCHS"
    start = '\nmodel.set_weights([*np.load(HERE / "start.npz").values()])' if run.origin else ""
    definition, loss = _loss(config)
    rate, optimizer = "", OPTIMIZERS[config.optimizer][0].replace("rate", "{rate}", 1).format
    what, share = SCHEDULES[config.schedule]
    compiled = f"model.compile({optimizer(rate='LEARNING_RATE')}, loss, jit_compile=False)"
    if share:
        rate = f"""\
progress = np.arange(1, len(order) + 1) / len(order)  # the learning rate {what}
rates = LEARNING_RATE * {share}
"""
        current = "lambda: tf.gather(tf.constant(rates, tf.float32), model.optimizer.iterations)"
        compiled = f"model.compile({optimizer(rate=current)}, loss, jit_compile=False)"
        if len(compiled) > script_network.WIDTH:
            compiled = f"rate = {current}\nmodel.compile({optimizer(rate='rate')}, loss, jit_compile=False)"
    sparse = f"layers.ActivityRegularization(l1=SPARSITY / {code_size}), " if config.sparsity else ""
    return f"""\
{definition}{rate}model = keras.Sequential([encoder, {sparse}decoder]){start}
loss = {loss}
{compiled}
data = tf.data.Dataset.from_tensor_slices((order, tf.range(1, len(order) + 1))).map(noisy_pair)
report = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: print(f"epoch {{epoch + 1}}:", logs, flush=True))
rows = zip(range(1, EPOCHS + 1), *model.fit(data, epochs={epochs}, steps_per_epoch=n // BATCH_SIZE, verbose=0,
    shuffle=False, validation_data=(noisy, clean), validation_batch_size=500, callbacks=[report]).history.values())
np.savetxt(HERE / "history.csv", [*rows], "%d,%.9g,%.9g", header="epoch,loss,held_out_loss", comments="")"""
