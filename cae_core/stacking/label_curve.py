"""The label curve: test error against the number of labels, with and without unsupervised pretraining.

For every seed one stack is trained on all images without labels; then, for every number of labels, one classifier is
fine-tuned from it and one from random weights, on the same labels, in the same batches, for the same number of steps. Each
piece is written down when it is finished, so what was interrupted goes on where it was.
"""

import dataclasses
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from cae_core import runs
from cae_core.config import Bounds, StackConfig
from cae_core.datasets import DATASETS, load
from cae_core.runs import storage
from cae_core.runtime import packages
from cae_core.stacking import linear_probe, phases
from cae_core.stacking.config import check
from cae_core.stacking.progress import projections
from cae_core.stacking.results import CurveResult, Point
from cae_core.training import run_monitor

SEEDS = Bounds(1, 100, integer=True)


@dataclass(frozen=True)
class Plan:
    """What is carried out.

    Attributes:
        config: of every stack; its seed, labels and steps are each piece's own.
        steps: by number of labels, of fine-tuning. More labels than there are images stand for all of them.
        seeds: how many, from 0.
        features: numbers of labels at which the encoder as it is, is scored.
    """

    config: StackConfig
    steps: Mapping[int, int]
    seeds: int = 5
    features: tuple[int, ...] = ()


PLAN = Plan(
    StackConfig(dataset="mnist", num_train=60_000, epochs=1, batch_size=100, learning_rate=0.003, tuning_rate=0.004),
    {100: 100, 300: 150, 1_000: 400, 10_000: 1_000, 60_000: 2_200},
    features=(100, 1_000, 10_000),
)
"""The one whose result ships. What is not Masci et al.'s was chosen on held-out images with other seeds than these."""


def curve(plan: Plan = PLAN, on_event: Callable[[str, phases.StackEvent], None] = lambda *_: None) -> CurveResult:
    """Carries a plan out, or what of it is missing.

    Args:
        plan: what to carry out.
        on_event: called with a piece's name and every event of its training.

    Raises:
        ValueError: there is no data set, or the settings cannot work together.
        FloatingPointError: a training diverged.
        OSError: the disk refuses.
    """
    SEEDS.check("seeds", plan.seeds)
    for labels in plan.steps:
        check(_config(plan, 0, labels))
    points = {labels: {"pretrained": [], "random": []} for labels in plan.steps}
    scored: dict[int, dict[str, dict[str, list[float]]]] = {labels: {} for labels in plan.features}
    seconds = 0.0
    for seed in range(plan.seeds):
        seconds += float(_layers(plan, seed, on_event)["seconds"])  # trained before a piece's clock begins
        for labels in plan.steps:
            name = f"point-{seed}-{labels}-{plan.steps[labels]}"
            piece = _once(plan, name, lambda s=seed, n=labels: _point(plan, s, n, on_event))
            seconds += piece["seconds"]
            for arm, error in piece["errors"].items():
                points[labels][arm].append(error)
        if plan.features:
            name = f"features-{seed}-{'-'.join(map(str, plan.features))}"
            piece = _once(plan, name, lambda s=seed: _features(plan, s, on_event))
            seconds += piece["seconds"]
            for labels, kind, name, value in piece["scores"]:
                scored[labels].setdefault(kind, {}).setdefault(name, []).append(value)
    return CurveResult(
        config=_config(plan, 0, max(plan.steps)),
        points=tuple(
            Point(_images(plan, labels), plan.steps[labels], {arm: tuple(values) for arm, values in errors.items()})
            for labels, errors in sorted(points.items())
        ),
        features={n: {kind: {k: tuple(v) for k, v in f.items()} for kind, f in s.items()} for n, s in scored.items()},
        seconds=round(seconds, 1),
        made=datetime.now(UTC).date().isoformat(),
        versions=packages.versions(),
        command=command(plan),
    )


def command(plan: Plan = PLAN) -> str:
    """What makes a result of `PLAN`, or of a part of it, on the command line."""
    seeds = "" if plan.seeds == PLAN.seeds else f" --seeds {plan.seeds}"
    labels = "" if set(plan.steps) == set(PLAN.steps) else f" --labels {','.join(map(str, plan.steps))}"
    return f"python -m cae_core stack --curve{seeds}{labels}"


def part(seeds: int | None, labels: tuple[int, ...] | None) -> Plan:
    """A part of `PLAN`: fewer or more seeds, some of its numbers of labels.

    Raises:
        ValueError: a number of labels is none of its.
    """
    odd = [n for n in labels or () if n not in PLAN.steps]
    if odd:
        raise ValueError(f"labels is {odd[0]}: the curve has {', '.join(map(str, PLAN.steps))}, the last for all.")
    steps = {n: PLAN.steps[n] for n in labels} if labels else PLAN.steps
    some = tuple(n for n in PLAN.features if n in steps)
    count = PLAN.seeds if seeds is None else SEEDS.check("seeds", seeds)
    return dataclasses.replace(PLAN, steps=steps, seeds=count, features=some)


def pictures(plan: Plan = PLAN) -> dict[str, np.ndarray]:
    """What `results.shipped_pictures` reads, of a plan that was carried out; of its first seed."""
    import tensorflow as tf

    networks, config = _networks(plan, 0, max(plan.steps), _layers(plan, 0, lambda *_: None))
    probes = run_monitor.probes(config)
    arrays_by_name = {"x": _bytes(probes.x), "x_noisy": _bytes(probes.x_noisy)}
    kernels = [conv.kernel.numpy() for conv in networks.stack.encoders.convs]
    for i in range(config.layers):
        arrays_by_name[f"x_hats/{i}"] = _bytes(networks.stack.reconstruct(tf.constant(probes.x_noisy), i + 1).numpy())
        arrays_by_name[f"filters/{i}"] = projections(kernels[: i + 1], config.pooling)
    for labels in plan.steps:
        arrays = storage.read_arrays(_folder(plan) / f"read-{labels}-{plan.steps[labels]}.npz")
        arrays_by_name |= {f"predictions/{_images(plan, labels)}/{arm}": read for arm, read in arrays.items()}
    return arrays_by_name


def _bytes(x: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(x, 0, 1) * 255).astype("uint8")


def _images(plan: Plan, labels: int) -> int:
    """As many labels as there are images to learn from, at most."""
    y = load(plan.config.dataset, "train").y
    return min(labels, len(phases.learnt_from(plan.config, y, y)[0]))


def _config(plan: Plan, seed: int, labels: int) -> StackConfig:
    return dataclasses.replace(plan.config, seed=seed, labels=_images(plan, labels), steps=plan.steps[labels])


def _networks(plan: Plan, seed: int, labels: int, layers: Mapping[str, np.ndarray]) -> tuple[Any, StackConfig]:
    """The networks of a piece, with these layers or, without any, fresh ones; and its configuration."""
    from cae_core.stacking.network import Networks

    config, entry = _config(plan, seed, labels), DATASETS[plan.config.dataset]
    networks = Networks(config, entry.image_shape, len(entry.class_names))
    networks.set_weights(networks.weights() | layers)
    return networks, config


def _train(networks: Any, config: StackConfig, only: Callable[[phases.Stage], bool]) -> Iterator[phases.StackEvent]:
    data = load(config.dataset, "train")
    return phases.train(networks, config, *phases.learnt_from(config, data.x, data.y), only=only)


def _folder(plan: Plan) -> Path:
    """Where the pieces of a plan are kept; another configuration's are elsewhere."""
    settings = json.dumps(plan.config.to_dict(), sort_keys=True)
    return runs.runs_dir() / ".stack-curves" / hashlib.sha256(settings.encode()).hexdigest()[:12]


def _once(plan: Plan, name: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """A piece, read if it is there, else made and written down with the seconds it took."""
    file = _folder(plan) / f"{name}.json"
    if file.exists():
        return json.loads(file.read_text(encoding="utf-8"))
    started = time.perf_counter()
    piece = make()
    piece["seconds"] = round(time.perf_counter() - started, 1)
    storage.write(file, json.dumps(piece).encode())
    return piece


def _layers(plan: Plan, seed: int, on_event) -> dict[str, np.ndarray]:
    """The layers of one seed, trained or read: their weights by name, and the "seconds" it took."""
    file = _folder(plan) / f"layers-{seed}.npz"
    if not file.exists():
        networks, config = _networks(plan, seed, min(plan.steps), {})
        for event in _train(networks, config, lambda stage: stage.layer is not None):
            on_event(f"seed {seed}, {event.stage.label.lower()}", event)
        weights = {name: array for name, array in networks.weights().items() if name.startswith("stack/")}
        file.parent.mkdir(parents=True, exist_ok=True)
        storage.write(file, storage.arrays_to_bytes({**weights, "seconds": np.array(event.seconds)}, compressed=False))
    return storage.read_arrays(file)


def _point(plan: Plan, seed: int, labels: int, on_event) -> dict[str, Any]:
    """Both classifiers of one seed with so many labels: the share of test images each misreads."""
    networks, config = _networks(plan, seed, labels, _layers(plan, seed, on_event))
    test = load(config.dataset, "test")
    for event in _train(networks, config, lambda stage: stage.layer is None):
        on_event(f"seed {seed}, {config.labels} labels", event)
    read = {name: phases.predict(arm, test.x) for name, arm in networks.arms.items()}
    if seed == 0:
        storage.write(_folder(plan) / f"read-{labels}-{plan.steps[labels]}.npz", storage.arrays_to_bytes(read))
    return {"errors": {name: float(np.mean(classes != test.y)) for name, classes in read.items()}}


def _features(plan: Plan, seed: int, on_event) -> dict[str, Any]:
    """How well a linear classifier reads the encoder of one seed as it is, with each number of labels."""
    networks, config = _networks(plan, seed, min(plan.steps), _layers(plan, seed, on_event))
    by_count = linear_probe.scores(linear_probe.encoders(config, networks.stack), config, plan.features, seed)
    return {
        "scores": [
            (labels, kind, name, value)
            for labels, kinds in by_count.items()
            for kind, figures in kinds.items()
            for name, value in figures.items()
        ]
    }
