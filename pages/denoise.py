"""Denoise: what does the bottleneck keep, what does the loss prefer, and how much noise can be undone?"""

import numpy as np
import streamlit as st

from cae_core import datasets, runs
from cae_core.config import BOTTLENECKS, BOUNDS, SHIPPED_LOSSES, Bounds
from cae_core.corruptions import CORRUPTIONS
from cae_core.inference import reconstruction
from cae_core.losses import LOSSES
from cae_core.pretrained import TRAINED_ON, name_of
from pages.parts.common import controls, missing, show, widgets, words
from pages.parts.denoise import first_look, metric_table, questions
from pages.parts.lesson import strip
from pages.parts.runs import settings_table
from pages.parts.session import address, state
from pages.parts.session.setting import Names, Setting

NOISES = tuple(kind for kind in CORRUPTIONS if kind != "none")
SETTINGS = {
    "dataset": Setting(datasets.default(), datasets.GREY),
    "noise_kind": Setting("gaussian", NOISES),
    "noise_factor": Setting(0.5, BOUNDS["noise_factor"]),
    "trained_on": Setting("mixed", tuple(TRAINED_ON)),
    "bottleneck": Setting(32, BOTTLENECKS),
    "loss": Setting("bce", SHIPPED_LOSSES),
    "both_losses": Setting(False, (False, True)),
    "seed": Setting(0, Bounds(0, 9999, integer=True)),
    "run": Setting((), Names(1)),
    **strip.settings(questions.QUESTIONS),
}


def _sidebar(chosen: tuple[str, ...]) -> None:
    with st.sidebar:
        controls.dataset()
        controls.noise_kind(NOISES)
        with controls.main():
            controls.noise_factor()
            if not chosen:
                controls.bottleneck()
        controls.network(chosen)
        st.button("New images", icon=":material/shuffle:", on_click=_new_images, width="stretch")
        with st.expander("More"):
            widgets.toggle("Show both losses", key="both_losses", disabled=bool(chosen))
            widgets.number_input("Sample (seed)", 0, 9999, step=1, key="seed", help="Chooses the ten images and the noise.")


def _new_images() -> None:
    state.change(seed=(state.values(SETTINGS)["seed"] + 1) % 10_000)


def _page() -> None:
    question = "What does the bottleneck keep, what does the loss prefer, and how much noise can be undone?"
    now = show.open_page("denoise", question, SETTINGS)
    _sidebar(now["run"])
    try:
        sample = reconstruction.sample(now["dataset"], now["noise_kind"], now["noise_factor"], now["seed"])
    except datasets.DataError as error:
        missing.say(now["dataset"], error)
        return

    through, losses, code_size = [], (), now["bottleneck"]
    try:
        if now["run"]:
            own = runs.network(now["run"][0])
            code_size = own.code_size or code_size  # it has none before it is trained
            through, losses = reconstruction.reconstruct(sample, now["run"]), (own.config.loss,)
        elif missing.has_network(now["dataset"]):
            losses = SHIPPED_LOSSES if now["both_losses"] else (now["loss"],)
            names = [name_of(now["dataset"], now["bottleneck"], loss, now["trained_on"]) for loss in losses]
            through = reconstruction.reconstruct(sample, names)
    except (RuntimeError, runs.RunError) as error:  # the clean and the noisy row need no network
        st.error(show.plain(str(error)))
        through, losses = [], ()

    noise = show.noise(now["noise_kind"], now["noise_factor"])
    rows = _rows(sample, through, losses, noise)
    first_look.draw(sample, through[0] if through else None, code_size)
    strip.draw(questions.QUESTIONS, SETTINGS, now, leaves=("seed",))
    show.grid(rows)
    figures = [result.figures for result in through]
    labels = [f"Reconstructed, {LOSSES[loss].label}" if len(losses) > 1 else "Reconstructed" for loss in losses]
    metric_table.draw(list(zip(labels, figures, strict=True)), ("Noisy", sample.noisy_figures) if sample.is_noisy else None)
    size = sample.x[0].size
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(
            f"The **code** has **{code_size}** numbers, the image {size}: {show.ratio(size, code_size)}.", width="content"
        )
        if through:
            title = f"{datasets.DATASETS[now['dataset']].label}: {code_size} numbers, {noise}"
            errors = "; ".join(f"{label}: MSE {r.figures['mse']:.4f}" for label, r in zip(labels, through, strict=True))
            before = f"Noisy: MSE {sample.noisy_figures['mse']:.4f}; " if sample.is_noisy else ""
            caption = f"{before}{errors}. Seed {now['seed']}."
            show.download(rows, title, caption, "-".join(result.run.name for result in through))
    if through:
        _whole_test_set([result.run for result in through])
    _explain(now["noise_kind"])
    entry = datasets.DATASETS[now["dataset"]]
    real = entry.stands_in_for
    if real and not datasets.DATASETS[real].on_machine():
        missing.offer_download(
            real,
            f"You are looking at **{entry.label}**, digits drawn by this program, because {datasets.DATASETS[real].label} "
            "is not on this machine. The published figures are about that set of real handwriting.",
        )


def _explain(noise_kind: str) -> None:
    """What the settings do, folded."""
    kind = CORRUPTIONS[noise_kind]
    source = f"; {kind.source}" if kind.source else ""
    words.explain("denoise", noise=words.described([kind]), losses=words.described(LOSSES.values()), source=source)


def _whole_test_set(measured: list[runs.Run]) -> None:
    """What was measured once, so that nobody judges a network by ten images; of two networks also which wins by what."""
    of_ten = "These figures are for the ten images above."
    if not all(run.metrics for run in measured):
        st.caption(of_ten)
        return
    num_images = next(iter(measured[0].metrics.values())).get("num_images")
    over = f"all {num_images:,} test images" if num_images else "the whole test set"
    if len(measured) == 1:
        errors = " and ".join(f"{m['mse']:.4f} ({label})" for label, m in measured[0].metrics.items())
        trained = f"trained with {LOSSES[measured[0].config.loss].label}"
        st.caption(f"{of_ten} Mean squared error over {over}: {trained} {errors}.")
        return
    st.caption(f"{of_ten} Which loss wins is measured on {over}:")
    lines = settings_table.measured(measured, SHIPPED_LOSSES)
    heads = [f"trained with {LOSSES[run.config.loss].label}" for run in measured]
    settings_table.table(heads, [(f"Whole test set{f', {num_images:,} images' if num_images else ''}", lines)])
    st.markdown(settings_table.winners(measured))


def _rows(sample, through, losses, noise) -> list[show.Row]:
    """Clean, noisy where there is noise, then the reconstruction for each loss, then their errors."""
    ten = f"{len(sample.x)} images"
    rows = [
        show.Row("Clean", "x, the target", sample.x, f"{ten}, clean"),
        *show.given(sample.x, sample.x_noisy, noise, f"mean squared error {sample.noisy_figures['mse']:.3f}"),
    ]
    for label, note, error in (("Reconstructed", "x̂", False), ("Absolute error", "|x̂ − x|", True)):
        for i, loss in enumerate(losses):
            x_hat, mse = through[i].x_hat, through[i].figures["mse"]
            images = np.abs(x_hat - sample.x) if error else x_hat
            alt = f"{ten}, {label.lower()}, trained with {LOSSES[loss].label}, mean squared error {mse:.4f}"
            rows.append(show.Row(label, f"{note}, {LOSSES[loss].label}", images, alt, error))
    return rows


_page()
address.write(SETTINGS)
