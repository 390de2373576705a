"""A run as files for other programs: a Keras model, a history, a script that needs only TensorFlow, figures.

Each is made when it is asked for, in memory; a temporary file, where a library insists on one, is gone afterwards. Names of
files come from the run's folder, never from its title, which is any text.
"""

import html
import io
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from cae_core import runs, training
from cae_core.architectures import ARCHITECTURES, build
from cae_core.config import lookup
from cae_core.corruptions import NOISE_KINDS
from cae_core.datasets import DATASETS, as_float, load
from cae_core.export import keras_files, script
from cae_core.figures import pictures, plotting
from cae_core.inference import reconstruction
from cae_core.latent import live_plane
from cae_core.losses import LOSSES
from cae_core.runs import Run, RunError, storage
from cae_core.runs.schema import reason
from cae_core.runs.sentences import for_visitors
from cae_core.runtime.caching import cached

ON_PLANE = 1000
"""Test images whose codes the figures show."""


@dataclass(frozen=True)
class Export:
    """One line of the registry.

    Attributes:
        label: name shown to people.
        summary: one plain sentence.
        mime: the media type.
        file_name: of the run, the name to save it by.
        make: of the run, the file's content. Raises a ValueError that says why when it cannot be made: damaged weights, a
            data set that is not on this machine, a run without a finished epoch.
    """

    label: str
    summary: str
    mime: str
    file_name: Callable[[Run], str]
    make: Callable[[Run], bytes]


def export(name: str, run: Run) -> bytes:
    """The content of one export by its name in `EXPORTS`.

    Raises:
        ValueError: there is no such export, or it cannot be made of this run; the message says why.
    """
    return _made(lookup(EXPORTS, "export", name).make, run)


def _made(make: Callable[[Run], bytes], run: Run) -> bytes:
    """What `make` makes; whatever it raises becomes a ValueError."""
    try:
        return make(run)
    except ValueError:
        raise
    except Exception as error:  # a damaged run fails in more ways than can be listed
        raise RunError(f"It cannot be made of the run {run.label!r} ({reason(error)}).") from error


def history(run: Run) -> bytes:
    """`history.csv` as it is on disk, without a line of an epoch that was never completed."""
    runs.history(run)  # damage is said here
    lines = storage.read(run.path / "history.csv").splitlines(keepends=True)
    return b"".join(lines[: run.epochs + 1])


def tensorboard(run: Run) -> bytes:
    """A TensorBoard event file with the scalars `loss` and `held_out_loss`, a step per epoch.

    TensorBoard itself is not needed: events are protocol buffers in the records that TensorFlow writes.
    """
    import tensorflow as tf
    from tensorflow.core.util.event_pb2 import Event

    columns = runs.history(run)
    seconds = columns.get("seconds", np.zeros(run.epochs))
    start = _created(run).timestamp() - run.seconds
    with tempfile.TemporaryDirectory(prefix="cae-export-") as folder:
        file = Path(folder) / "events"
        with tf.io.TFRecordWriter(str(file)) as writer:
            writer.write(Event(wall_time=start, file_version="brain.Event:2").SerializeToString())
            for i, epoch in enumerate(columns.get("epoch", ())):
                event = Event(wall_time=start + seconds[i], step=int(epoch))
                for tag in ("loss", "held_out_loss"):
                    if tag in columns:
                        event.summary.value.add(tag=tag, simple_value=columns[tag][i])
                writer.write(event.SerializeToString())
        return file.read_bytes()


@cached(most=1)  # strokes take seconds to compress and are always the same
def data_npz(dataset: str) -> bytes:
    """A data set as a compressed npz archive like Keras's mnist.npz: x_train, y_train, x_test, y_test, all uint8.

    Images are `(n, H, W)`, in colour `(n, H, W, 3)`; no run trains on the last `training.HELD_OUT` of x_train.

    Raises:
        DatasetMissing: it is not on this machine.
    """
    splits = {split: load(dataset, split) for split in ("train", "test")}
    arrays = {f"x_{split}": data.x[..., 0] if data.x.shape[-1] == 1 else data.x for split, data in splits.items()}
    return storage.arrays_to_bytes({**arrays, **{f"y_{split}": data.y for split, data in splits.items()}})


def start_npz(run: Run) -> bytes:
    """The weights that a forked run started from, by the variables' paths, in the network's order.

    Raises:
        RunError: they are damaged, or the run started from fresh weights, which its configuration decides.
    """
    if not run.origin:
        raise RunError(f"The run {run.label!r} started from fresh weights: its seed gives them.")
    weights, network = runs.weights(run, 0), build(run.config, run.image_shape)
    order = [variable.path for variable in (*network.encoder.weights, *network.decoder.weights)]
    return storage.arrays_to_bytes({path: weights[path] for path in order})


def grid(run: Run) -> bytes:
    """A PNG: a test image of each class, what the run sees of it, what it makes of it, and the error."""
    kind, factor = training.typical_noise(run.config)
    sample = reconstruction.sample(run.config.dataset, kind, factor, run.config.seed)
    network = runs.model(run)
    x_in = network.seen(sample.x_noisy)
    x_hat = network.reconstruct(x_in)
    noise = f"{NOISE_KINDS[kind].label} {factor:g}" if sample.is_noisy else "grey"
    # Without noise what the network sees is the original itself, or its luma.
    between = {} if np.array_equal(x_in, sample.x) else {noise: x_in}
    rows = {"original": sample.x, **between, "reconstruction": x_hat}
    error = pictures.error_colours(np.abs(x_hat - sample.x).mean(axis=3))
    return pictures.labelled_png([*rows.values(), error], [*rows, "error"], run.label, _caption(run))


def figures_html(run: Run) -> bytes:
    """One HTML page that loads nothing from anywhere: the image grid, the loss curves and the plane of codes."""
    import plotly.graph_objects as go

    config, columns = run.config, runs.history(run)
    epochs = columns.get("epoch", np.empty(0))
    training_loss, held_out = (columns.get(name, np.full(len(epochs), np.nan)) for name in ("loss", "held_out_loss"))
    curve = plotting.Curve(run.label, epochs, training_loss, epochs, held_out)
    test = load(config.dataset, "test")
    network = runs.model(run)
    plane = live_plane.to_plane(network.encode(network.seen(as_float(test.x[:ON_PLANE]))))
    names = DATASETS[config.dataset].class_names
    loss_label = LOSSES[config.loss].label
    plotting.load_pandas()
    charts_html = [
        go.Figure(figure)
        .update_layout(template="plotly_white")
        .to_html(full_html=False, include_plotlyjs=i == 0, config={"displayModeBar": False, "scrollZoom": True})
        for i, figure in enumerate((
            plotting.loss_curves([curve], loss_label, height=360),
            plotting.plane(plane.points, test.y[:ON_PLANE], names, plane.axes, height=560),
        ))
    ]  # fmt: skip
    title, caption, image = html.escape(run.label), html.escape(_caption(run)), pictures.data_uri(grid(run))
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #202124;
background: #fff }} img {{ max-width: 100% }}</style></head><body>
<h1>{title}</h1><p>{caption}</p>
<h2>Test images</h2><img src="{image}" alt="A test image of each class, its reconstruction and the error">
<h2>Losses</h2>{charts_html[0]}
<h2>Codes of {min(ON_PLANE, len(test.y)):,} test images</h2>{charts_html[1]}
</body></html>
""".encode()


def everything(run: Run) -> bytes:
    """A zip of all the others, in a folder named like the run, and of the files its script needs beside it.

    What cannot be made is left out, and a README says why.
    """
    files: dict[str, bytes] = {}
    lines = [f"{run.label} - a run of Autoencoder explorer", _caption(run), ""]
    extra = [(f"{run.config.dataset}.npz", "The images that the script reads.", lambda run: data_npz(run.config.dataset))]
    extra = extra if script.needs_data(run) and run.image_shape[2] == 1 else []  # in colour there is no script
    if run.origin:
        extra.append(("start.npz", "The weights that the script starts from.", start_npz))
    parts = [(entry.file_name(run), entry.summary, entry.make) for name, entry in EXPORTS.items() if name != "everything"]
    for file, summary, make in [*parts, *extra]:
        try:
            files[file] = _made(make, run)
            lines.append(f"{file}: {summary}")
        except ValueError as error:
            lines.append(f"{file} is missing: {for_visitors(str(error))}")
    files["README.txt"] = ("\n".join(lines) + "\n").encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for file, content in files.items():
            entry = zipfile.ZipInfo(f"{run.name}/{file}", date_time=_created(run).timetuple()[:6])
            entry.external_attr = 0o644 << 16
            packed = file.endswith((".npz", ".png"))
            archive.writestr(entry, content, zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _created(run: Run) -> datetime:
    return datetime.fromisoformat(run.created)


def _caption(run: Run) -> str:
    config = run.config
    code = "" if ARCHITECTURES[config.architecture].fixed_code else f", {config.bottleneck} numbers"
    noise = "" if config.noise_kind == "none" else f" {config.noise_factor:g}"
    measured = "".join(f"; {condition}: MSE {m['mse']:.5f}" for condition, m in run.metrics.items() if "mse" in m)
    return (
        f"{DATASETS[config.dataset].label}, {ARCHITECTURES[config.architecture].label}{code}, "
        f"{LOSSES[config.loss].label}, noise {NOISE_KINDS[config.noise_kind].label.lower()}{noise}, "
        f"{run.epochs} epochs of {run.num_train:,} images{measured}"
    )


EXPORTS: dict[str, Export] = {
    "keras": Export(
        "Keras model",
        "Opens with `keras.models.load_model`, without this project: images in, reconstructions out.",
        "application/octet-stream",
        lambda run: f"{run.name}.keras",
        keras_files.model_file,
    ),
    "architecture": Export(
        "Layers as JSON",
        "The layers alone, for `keras.models.model_from_json`; the weights go with them.",
        "application/json",
        lambda run: f"{run.name}.json",
        keras_files.layers_json,
    ),
    "weights": Export(
        "Weights as HDF5",
        "The weights alone, for `load_weights` of the model that the JSON gives.",
        "application/x-hdf5",
        lambda run: f"{run.name}.weights.h5",
        keras_files.weights_hdf5,
    ),
    "history": Export(
        "History", "One line per epoch: losses and seconds.", "text/csv", lambda run: f"{run.name}-history.csv", history
    ),
    "tensorboard": Export(
        "TensorBoard",
        "The losses as an event file; put it in a folder and start `tensorboard --logdir FOLDER`.",
        "application/octet-stream",
        lambda run: f"events.out.tfevents.{int(_created(run).timestamp())}.{run.name}",
        tensorboard,
    ),
    "script": Export(
        "Python script",
        "Trains the run again with TensorFlow and NumPy alone and arrives at the same losses.",
        "text/x-python",
        lambda run: f"{run.name}.py",
        lambda run: script.text(run).encode(),
    ),
    "grid": Export(
        "Images", "Test images, reconstructions and errors.", "image/png", lambda run: f"{run.name}.png", grid
    ),
    "figures": Export(
        "Figures",
        "Images, loss curves and the plane of codes on one HTML page that works offline.",
        "text/html",
        lambda run: f"{run.name}-figures.html",
        figures_html,
    ),
    "everything": Export(
        "Everything",
        "All of these, and the files that the script needs, in one zip.",
        "application/zip",
        lambda run: f"{run.name}.zip",
        everything,
    ),
}  # fmt: skip
