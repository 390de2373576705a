"""A trained run as a short Python script that needs only TensorFlow and NumPy and arrives at the same losses.

Noise, loss, optimizer and schedule are this project's own functions, written down as they stand (`source.py`); only what a
run uses gets into its script. The network is written from the Keras models themselves (`script_network.py`).

Weights and the learning rate come out the same to the last bit, step by step, and they must: Muon makes of a difference in
the last bit one of 1e-3 of the loss within some hundred steps. So operations are those of the project one by one;
TensorFlow makes of its / 255 a product, and of the same in a tf.data pipeline not. A bottleneck or batch size that is no
power of two, with sparsity and Muon, or another machine, is where the last bit may differ.
"""

from math import prod

from cae_core import training, validation
from cae_core.architectures import ARCHITECTURES, build
from cae_core.architectures.k_sparse import k_after, num_kept
from cae_core.architectures.variational import drawn, importance_weighted
from cae_core.config import RunConfig
from cae_core.corruptions import NOISE_KINDS, binarised, graph_binarised, graph_draw, is_none, numpy_draw
from cae_core.datasets import DATASETS
from cae_core.export import script_network, source
from cae_core.losses import LOSSES, kl, loss_of
from cae_core.optimizers import OPTIMIZERS, SCHEDULES
from cae_core.runs import Run


def text(run: Run) -> str:
    """The script: fewer than 80 lines of at most 124 characters; with Muon or mixed noise fewer than 110; 25 more of a
    variational or k-sparse network.

    Raises:
        ValueError: the run has no finished epoch, a function that cannot stand by itself, or a layer that is not Keras's
            own, such as pooling with switches; the message says which.
    """
    config = run.config
    validation.check(config)
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
        _noise(config),
        _training(run, network.code_size),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def needs_data(run: Run) -> bool:
    """Whether the script only runs with a file of images beside it, `DATASET.npz`."""
    return not DATASETS[run.config.dataset].in_keras


def _ended_early(run: Run) -> bool:
    return 0 < run.step < run.num_steps and run.state in ("stopped", "failed", "interrupted")


def _head(run: Run) -> str:
    config, file = run.config, f"{run.config.dataset}.npz"
    if needs_data(run):
        data = f"{file}{' and start.npz, which come' if run.origin else ', which comes'} with the export of everything."
    elif run.origin:
        data = f"{file}, else downloaded. start.npz comes with the export of everything."
    else:
        data = f"{file} beside the script; without that, Keras downloads them."
    epochs, count = "EPOCHS", f"{config.epochs}"
    if _ended_early(run):
        epochs, count = "EPOCHS, DONE", f"{config.epochs}, {run.epochs}"
    return f'''"""Trains the run {run.name} again:
same network, data, noise and steps, so the same losses, printed and written to history.csv. Needs tensorflow and numpy.
Usage: python SCRIPT [IMAGES.npz], by default {data}"""
import math, os, pathlib, sys
os.environ["KERAS_BACKEND"] = "tensorflow"  # this, and two settings below: whatever your keras.json says
import keras, numpy as np, tensorflow as tf
keras.config.set_floatx("float32"); keras.config.set_image_data_format("channels_last")
HERE, layers, init = pathlib.Path(__file__).parent, keras.layers, keras.initializers
NUM_TRAIN, BATCH_SIZE, {epochs}, SEED = {run.num_train}, {min(config.batch_size, run.num_train)}, {count}, {config.seed}
LEARNING_RATE, NOISE_FACTOR, SPARSITY = {config.learning_rate}, {config.noise_factor}, {config.sparsity}'''


def _data(run: Run) -> str:
    name, held_out, least = run.config.dataset, training.HELD_OUT, training.MEASURED_HELD_OUT
    read = f"""\
file = pathlib.Path(sys.argv[1]) if sys.argv[1:] else HERE / "{name}.npz"
images = np.load(file)["x_train"] if sys.argv[1:] or file.exists() else keras.datasets.{name}.load_data()[0][0]"""
    if needs_data(run):
        read = f'images = np.load(sys.argv[1] if sys.argv[1:] else HERE / "{name}.npz")["x_train"]'
    last = f"images[-{held_out}:, ..., None]"
    if ARCHITECTURES[run.config.architecture].binarises:
        read, last = f"{read}\n{source.code(binarised)}", f"binarised({last}, SEED)"
    return f"""\
{read}
x_train = tf.constant(images[:-{held_out}][:NUM_TRAIN, ..., None])
n, rng = len(x_train), np.random.default_rng(SEED)
clean = {last}[: max({least}, n)].astype("float32") / 255  # held out: never trained on
order = np.concatenate([rng.permutation(n)[: n // BATCH_SIZE * BATCH_SIZE] for _ in range(EPOCHS)]).reshape(-1, BATCH_SIZE)
"""


def _noise(config: RunConfig) -> str:
    """`noisy_pair(batch, step)`, for training; and `noisy`, the held-out images."""
    head = """\
@tf.autograph.experimental.do_not_convert
def noisy_pair(batch, step):  # what the network sees in a step, and what it should make of it
    x = tf.cast(tf.gather(x_train, batch), tf.float32) * (1 / 255)"""
    entry = ARCHITECTURES[config.architecture]
    if entry.binarises:
        head = f"{source.code(graph_binarised)}\n{head}\n    x = graph_binarised(x, tf.stack([SEED, step]))"
    given = "({}, tf.stack([SEED, step]))" if entry.variational or entry.keeps_k else "{}"
    if is_none(config.noise_kind, 1):
        return f"{head}\n    return {given.format('x')}, x\nnoisy = clean"
    kind, factor = training.typical_noise(config)
    formula, typical = NOISE_KINDS[config.noise_kind].make, NOISE_KINDS[kind].make
    return f"""\
{source.code(graph_draw, numpy_draw, typical, formula)}
{head}
    factor = tf.fill((x.shape[0], 1, 1, 1), NOISE_FACTOR)
    return {given.format(f"{source.name_of(formula)}(tf.experimental.numpy, x, factor, graph_draw([SEED, step]))")}, x
factor = np.full((len(clean), 1, 1, 1), {factor}, "float32")
noisy = {source.name_of(typical)}(np, clean, factor, numpy_draw(SEED))"""


def _training(run: Run, code_size: int) -> str:
    config, epochs = run.config, "DONE" if _ended_early(run) else "EPOCHS"
    start = '\nmodel.set_weights([*np.load(HERE / "start.npz").values()])' if run.origin else ""
    loss, optimizer = loss_of(config.loss, config.output), OPTIMIZERS[config.optimizer].make
    schedule = SCHEDULES[config.schedule].make
    sparse = f"layers.ActivityRegularization(l1=SPARSITY / {code_size}), " if config.sparsity else ""
    model, held_out = f"keras.Sequential([encoder, {sparse}decoder])", "(noisy, clean), validation_batch_size=500"
    own, entry = "", ARCHITECTURES[config.architecture]
    if entry.variational or entry.keeps_k:
        own = f"{(_variational if entry.variational else _k_sparse)(run)}{_HELD_OUT}"
        model, held_out = "Seeded()", "held_out"
    return f"""\
{own}{source.code(loss, optimizer, schedule)}
rates = [LEARNING_RATE * {source.name_of(schedule)}(step / len(order)) for step in range(1, len(order) + 1)]
rate = lambda: tf.gather(tf.constant(rates, tf.float32), model.optimizer.iterations)
model = {model}{start}
model.compile({source.name_of(optimizer)}(rate), {source.name_of(loss)}, jit_compile=False)
data = tf.data.Dataset.from_tensor_slices((order, tf.range(1, len(order) + 1))).map(noisy_pair)
report = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: print(f"epoch {{epoch + 1}}:", logs, flush=True))
rows = zip(range(1, EPOCHS + 1), *model.fit(data, epochs={epochs}, steps_per_epoch=n // BATCH_SIZE, verbose=0,
    shuffle=False, validation_data={held_out}, callbacks=[report]).history.values())
np.savetxt(HERE / "history.csv", [*rows], "%d,%.9g,%.9g", header="epoch,loss,held_out_loss", comments="")"""


def _variational(run: Run) -> str:
    """`Seeded()`, a model that draws a code for every image and adds the KL term."""
    config, beta = run.config, f"{run.config.beta}"
    if config.beta_warmup:
        steps = config.beta_warmup * run.num_steps
        beta += f" * tf.where(seed[1] < 0, 1.0, tf.minimum(1.0, tf.cast(seed[1], tf.float32) / {steps}))"
    functions, rest = (
        source.code(drawn, kl),
        f"""\
        mean, log_variance = self.encoder(x)
        beta = {beta}
        self.add_loss(beta * kl(mean, log_variance))
        return self.decoder(drawn(mean, log_variance, seed))""",
    )
    if (codes := LOSSES[config.loss].codes) > 1:
        functions, rest = (
            source.code(importance_weighted),
            f"""\
        return self.encoder(x)
    def compute_loss(self, images_and_seed, x, distribution, *_, **__):
        seed = images_and_seed[1]
        beta = {beta}
        return importance_weighted(x, *distribution, self.decoder, seed, {codes}, beta)""",
        )
    return f"""\
{functions}
class Seeded(keras.Model):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
    def call(self, images_and_seed):
        x, seed = images_and_seed
{rest}
"""


def _k_sparse(run: Run) -> str:
    """`Seeded()`, a model that keeps the k largest numbers of a code, k falling as the steps go by."""
    from cae_core.architectures.layers import keep_largest

    config = run.config
    penalty = "\n        self.add_loss(SPARSITY * tf.reduce_mean(tf.abs(z)))" if config.sparsity else ""
    return f"""\
{source.code(k_after, keep_largest)}
class Tied(layers.Layer):  # paints with the encoder's own weights
    def __init__(self):
        super().__init__()
        self.bias = self.add_weight(shape=({prod(run.image_shape)},), initializer="zeros")
    def call(self, z):
        return tf.matmul(z, tf.convert_to_tensor(encoder.layers[-1].kernel), transpose_b=True) + self.bias
class Seeded(keras.Model):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = encoder, Tied()
    def call(self, images_and_seed):
        x, seed = images_and_seed
        k = k_after(tf.cast(seed[1], tf.float32) / {run.num_steps}, {config.k}, {config.k_start})
        z = keep_largest(self.encoder(x), tf.where(seed[1] < 0, {num_kept(config)}, k)){penalty}
        return tf.reshape(self.decoder(z), (-1, {", ".join(map(str, run.image_shape))}))
"""


_HELD_OUT = """\
noisy, clean = tf.constant(noisy), tf.constant(clean)
held_out = tf.data.Dataset.range(0, len(clean), 500, output_type=tf.int32).map(
    lambda a: ((noisy[a : a + 500], tf.stack([SEED, -1 - a])), clean[a : a + 500]))
"""
"""The batches of held-out images of a `Seeded()` model, each with a seed that no step has."""
