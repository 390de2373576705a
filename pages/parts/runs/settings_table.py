"""Tables with a column for each run: settings and metrics as people read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import streamlit as st

from cae_core import datasets, training
from cae_core.architectures import ARCHITECTURES, idle_settings
from cae_core.config import ARMS, PRETRAINING_KINDS, SHIPPED_LOSSES, RunConfig, StackConfig
from cae_core.corruptions import NOISE_KINDS
from cae_core.figures import plotting
from cae_core.inspection import evaluation
from cae_core.losses import LOSSES
from cae_core.metrics import METRICS
from cae_core.optimizers import OPTIMIZERS, SCHEDULES
from cae_core.runs import AnyRun, Run, StackRun
from pages.parts.common import show
from pages.parts.glossary import glossary

SETTINGS = {
    "dataset": "Data set", "architecture": "Network", "bottleneck": "Bottleneck", "loss": "Loss", "noise_kind": "Noise",
    "noise_factor": "Noise factor", "epochs": "Epochs", "num_train": "Training images", "batch_size": "Batch size",
    "optimizer": "Optimizer", "learning_rate": "Learning rate", "schedule": "Schedule", "output": "Output",
    "pretraining": "Pretraining", "pretraining_kind": "Layers alone", "sparsity": "Sparsity", "beta": "β",
    "beta_warmup": "β warm-up", "k": "k", "k_start": "First k", "alpha": "α", "maps": "Maps", "kernels": "Kernels",
    "pooling": "Max-pooling",
    "labels": "Labels", "steps": "Fine-tuning steps", "tuning_rate": "Fine-tuning rate", "hidden": "Hidden units",
    "dropout": "Dropout", "seed": "Seed",
}  # fmt: skip
"""What people call the settings of a run of any kind, the most telling first."""

NAMES = {
    "dataset": datasets.DATASETS, "architecture": ARCHITECTURES, "loss": LOSSES, "noise_kind": NOISE_KINDS,
    "optimizer": OPTIMIZERS, "schedule": SCHEDULES,
}  # fmt: skip
OF_STEPS = ("epochs", "batch_size", "optimizer", "learning_rate", "schedule")
"""Settings that mean nothing to a network whose weights are computed at once."""

MEASURED = {"clean": "clean", "gaussian 0.5": "noise 0.5"}
"""Conditions of `evaluation.measure` in the words of a table."""


RESULT, MISREAD = "Whole test set, MSE and BCE (nats) per pixel", "Whole test set, share of images misread"
"""Titles of the lines of `results`: of networks, and where all are stacks."""


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


def setting(config: RunConfig | StackConfig, name: str) -> str:
    """One setting as people read it; a dash where it means nothing beside the others, or to a run of this kind."""
    value, network = getattr(config, name, None), ARCHITECTURES.get(config.architecture)
    means_nothing = (name == "noise_factor" and config.noise_kind == "none") or (
        network
        and (
            (name == "pretraining_kind" and not getattr(config, "pretraining", 0))
            or (name == "bottleneck" and network.fixed_code)
            or (name in OF_STEPS and network.solve)
            or name in idle_settings(network)
        )
    )
    if means_nothing or value is None:
        return "–"
    if name == "architecture" and isinstance(config, StackConfig):
        return f"Stack of {config.layers} layer{'s' * (config.layers > 1)}"
    if name == "num_train" and config.dataset in datasets.DATASETS:
        value = training.num_images(config)  # what was asked for may be more than there is
    if name in NAMES:
        return NAMES[name][value].label if value in NAMES[name] else str(value)
    if name == "pretraining_kind":
        return PRETRAINING_KINDS[value]
    if isinstance(value, str):
        return value.capitalize()
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "On" if value else "Off"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def settings(configs: Sequence[RunConfig | StackConfig]) -> tuple[list[Line], list[Line]]:
    """Lines of the settings that one of them has: those in which they differ, and, with one cell, those alike in all."""
    names = [name for name in SETTINGS if any(hasattr(config, name) for config in configs)]
    lines = [Line(SETTINGS[name], tuple(setting(config, name) for config in configs)) for name in names]
    alike = [Line(line.label, line.cells[:1]) for line in lines if not line.differs]
    return [line for line in lines if line.differs], alike


def results(compared: Sequence[AnyRun]) -> tuple[str, list[Line]]:
    """The figures on the whole test set, and what they cost, with their title."""
    kinds = {type(run) for run in compared}
    lines = measured(compared, ("mse", "bce", "ssim")) if Run in kinds else []
    lines += [_misread(compared, arm) for arm in ARMS] if StackRun in kinds else []
    if Run in kinds:
        lines.append(Line("Parameters", tuple(f"{run.parameters:,}" if run.parameters else "–" for run in compared)))
    lines.append(Line("Training time", tuple(show.seconds(run.seconds) for run in compared)))
    return RESULT if Run in kinds else MISREAD, lines


def _misread(compared: Sequence[AnyRun], arm: str) -> Line:
    """The share of test images that a classifier of each stack reads as another class."""
    shares = [run.figures.get(arm) if isinstance(run, StackRun) else None for run in compared]
    label = f"Misread {ARMS[arm][0].lower()}{ARMS[arm][1:]}"
    return Line(label, tuple("–" if share is None else f"{100 * share:.2f} %" for share in shares))


def measured(compared: Sequence[AnyRun], names: Sequence[str]) -> list[Line]:
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
    for condition, phrase in MEASURED.items():
        try:
            digits = {
                name: {loss: number(name, m[condition][name]) for loss, m in metrics.items()} for name in SHIPPED_LOSSES
            }
        except KeyError:
            continue
        wins = {
            name: min(of, key=lambda loss, of=of: float(of[loss])) for name, of in digits.items() if len({*of.values()}) > 1
        }
        sentences.append(f"**{phrase[0].upper()}{phrase[1:]}**: {_outcome(wins)}.")
    return " ".join(sentences)


def _outcome(wins: dict[str, str]) -> str:
    """In words, the loss that won by each measure; measures that came out alike are missing."""
    if not wins:
        return "the two come out alike"
    if len(wins) == 1:
        ((name, loss),) = wins.items()
        (other,) = {*SHIPPED_LOSSES} - {name}
        return (
            f"the network trained with {LOSSES[loss].label} has the lower {name.upper()}, and {other.upper()} is the same"
        )
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
            body += f'<tr><th scope="row">{glossary.marked(escape(line.label))}</th>{cells}</tr>'
    st.html(f'<table class="figures versus"><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>')
