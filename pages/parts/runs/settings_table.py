"""Tables with a column for each run: settings and metrics as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import streamlit as st

from cae_core import datasets, runs, training
from cae_core.architectures import ARCHITECTURES
from cae_core.config import BOTTLENECKS, SHIPPED_LOSSES, RunConfig
from cae_core.corruptions import NOISE_KINDS
from cae_core.figures import plotting
from cae_core.inspection import evaluation
from cae_core.losses import LOSSES
from cae_core.metrics import METRICS
from cae_core.optimizers import OPTIMIZERS, SCHEDULES
from cae_core.pretrained import TRAINED_ON, name_of
from cae_core.runs import Run, RunError
from pages.parts.common import show
from pages.parts.train import presets

SETTINGS = {
    "dataset": "Data set", "architecture": "Network", "bottleneck": "Bottleneck", "loss": "Loss", "noise_kind": "Noise",
    "noise_factor": "Noise factor", "epochs": "Epochs", "num_train": "Training images", "batch_size": "Batch size",
    "optimizer": "Optimizer", "learning_rate": "Learning rate", "schedule": "Schedule", "output": "Output",
    "pretraining": "Pretraining", "sparsity": "Sparsity", "seed": "Seed",
}  # fmt: skip
"""What people call the settings of a run, the most telling first."""

NAMES = {
    "dataset": datasets.DATASETS, "architecture": ARCHITECTURES, "loss": LOSSES, "noise_kind": NOISE_KINDS,
    "optimizer": OPTIMIZERS, "schedule": SCHEDULES,
}  # fmt: skip
OF_STEPS = ("epochs", "batch_size", "optimizer", "learning_rate", "schedule")
"""Settings that mean nothing to a network whose weights are computed at once."""

MEASURED = {"clean": "clean", "gaussian 0.5": "noise 0.5"}
"""Conditions of `evaluation.measure` in the words of a table."""


RESULT = "Whole test set, MSE and BCE (nats) per pixel"
"""Title of the lines of `results`."""


@dataclass(frozen=True)
class Line:
    """One row of a table with a column for each run.

    Attributes:
        label: at its left.
        cells: what each run has.
        best: which of the cells is the best; None where there is no such thing.
    """

    label: str
    cells: tuple[str, ...]
    best: int | None = None

    @property
    def differs(self) -> bool:
        return len(set(self.cells)) > 1


def setting(config: RunConfig, name: str) -> str:
    """One setting as people read it; a dash where it means nothing beside the others."""
    value, network = getattr(config, name), ARCHITECTURES.get(config.architecture)
    means_nothing = (name == "noise_factor" and config.noise_kind == "none") or (
        network and ((name == "bottleneck" and network.fixed_code) or (name in OF_STEPS and network.solve))
    )
    if means_nothing:
        return "–"
    if name == "num_train" and config.dataset in datasets.DATASETS:
        value = training.num_images(config)  # what was asked for may be more than there is
    if name in NAMES:
        return NAMES[name][value].label if value in NAMES[name] else str(value)
    if isinstance(value, str):
        return value.capitalize()
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def settings(configs: Sequence[RunConfig]) -> list[Line]:
    return [Line(label, tuple(setting(config, name) for config in configs)) for name, label in SETTINGS.items()]


def results(compared: Sequence[Run]) -> list[Line]:
    """The figures on the whole test set, and what they cost."""
    return [
        *measured(compared, ("mse", "bce", "ssim")),
        Line("Parameters", tuple(f"{run.parameters:,}" if run.parameters else "–" for run in compared)),
        Line("Training time", tuple(show.seconds(run.seconds) for run in compared)),
    ]


def measured(compared: Sequence[Run], names: Sequence[str]) -> list[Line]:
    """Figures on the whole test set, by their names in `METRICS`; best are marked where all had the same test set."""
    fair = len({run.config.dataset for run in compared}) == 1
    lines = []
    for condition in evaluation.MEASURED:
        for name in names:
            values = [run.metrics.get(condition, {}).get(name) for run in compared]
            known = [value for value in values if value is not None]
            cells = tuple("–" if value is None else number(name, value) for value in values)
            best = None
            if fair and len({number(name, value) for value in known}) > 1:
                best = values.index(max(known) if METRICS[name].higher_is_better else min(known))
            lines.append(Line(f"{name.upper()} {MEASURED.get(condition, condition)}", cells, best))
    return lines


def winners(compared: Sequence[Run]) -> str:
    """Which of two networks, trained with MSE and with BCE, has less of which: a sentence for each condition, to the digits
    that `number` shows."""
    metrics, sentences = {run.config.loss: run.metrics for run in compared}, []
    for condition, words in MEASURED.items():
        try:
            digits = {
                name: {loss: number(name, m[condition][name]) for loss, m in metrics.items()} for name in SHIPPED_LOSSES
            }
        except KeyError:
            continue
        wins = {
            name: min(of, key=lambda loss, of=of: float(of[loss])) for name, of in digits.items() if len({*of.values()}) > 1
        }
        sentences.append(f"**{words[0].upper()}{words[1:]}**: {_outcome(wins)}.")
    return " ".join(sentences)


def _outcome(wins: dict[str, str]) -> str:
    """In words, the loss that won by each measure; measures that came out alike are missing."""
    if not wins:
        return "the two come out alike"
    if len(wins) == 1:
        ((name, loss),) = wins.items()
        (other,) = {*SHIPPED_LOSSES} - {name}
        return f"the network trained with {LOSSES[loss].label} has less {name.upper()}, and {other.upper()} is the same"
    if wins["mse"] == wins["bce"]:
        return f"the network trained with {LOSSES[wins['mse']].label} wins both"
    return "each loss wins its own game" if wins["mse"] == "mse" else "each loss wins the other's game"


def number(name: str, value: float) -> str:
    return f"{value:.3f}" if name == "ssim" else f"{value:#.4g}"


def table(heads: Sequence[str], groups: Sequence[tuple[str, Sequence[Line]]], coloured: bool = False) -> None:
    """Lines in titled groups; `coloured` puts the colour of its curve before the name of each column."""
    swatch = '<span class="swatch" style="--colour: {}"></span>'
    marks = [swatch.format(colour) if coloured else "" for colour in plotting.CURVE_COLOURS]
    head = "".join(
        f'<th scope="col" title="{escape(text, quote=True)}">{mark}<span class="clamped">{escape(text)}</span></th>'
        for mark, text in zip(marks, heads, strict=False)
    )
    body = ""
    for title, lines in groups:
        body += f'<tr><th colspan="{len(heads) + 1}" scope="colgroup" class="group">{escape(title)}</th></tr>'
        for line in lines:
            cells = "".join(
                f'<td class="{"better" if i == line.best else ""}">{escape(cell)}'
                + ("<small> best</small>" if i == line.best else "") + "</td>"
                for i, cell in enumerate(line.cells)
            )  # fmt: skip
            body += f'<tr><th scope="row">{escape(line.label)}</th>{cells}</tr>'
    st.html(f'<table class="figures versus"><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>')


def facts(run: Run) -> None:
    """Settings unlike those that the Train page opens with, and the figures beside those of a run that ships."""
    left, right = st.columns(2, gap="medium")
    lines = settings([run.config, presets.opening()])
    differ = [line for line in lines if line.differs]
    title = "Settings unlike those that Train opens with" if differ else "All settings are those that Train opens with"
    with left:
        table(["this run", "Train"], [(title, differ)])
        with st.expander(f"{len(lines) - len(differ)} settings are those that Train opens with"):
            same = [Line(line.label, line.cells[:1]) for line in lines if not line.differs]
            table(["both"], [("Settings", same)])
    with right:
        other = _reference(run)
        compared = [run, other] if other else [run]
        heads = ["this run", *([other.label] if other else [])]
        table(heads, [(RESULT, results(compared))])


def _reference(run: Run) -> Run | None:
    """A run that ships with the app to hold the figures against: trained alike; of one that ships, its twin."""
    config = run.config
    trained_on = "clean" if config.noise_kind == "none" else "mixed"
    bottleneck = min(BOTTLENECKS, key=lambda size: abs(size - config.bottleneck))
    try:
        other = runs.read(runs.PRETRAINED_DIR / name_of(config.dataset, bottleneck, config.loss, trained_on))
        if other.path == run.path:
            (twin,) = set(TRAINED_ON) - {trained_on}
            other = runs.read(runs.PRETRAINED_DIR / name_of(config.dataset, bottleneck, config.loss, twin))
    except RunError:
        return None
    return other
