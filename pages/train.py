"""Train: how does a network learn to do that?"""

import dataclasses

import streamlit as st

from cae_core import datasets, jobs, validation
from cae_core.architectures import ARCHITECTURES
from cae_core.config import BOUNDS, OUTPUTS, PRETRAINING_KINDS, Bounds, RunConfig
from cae_core.corruptions import NOISE_KINDS
from cae_core.inspection import summary
from cae_core.losses import LOSSES
from cae_core.optimizers import OPTIMIZERS, SCHEDULES
from cae_core.runtime import host
from cae_core.validation import CHOICES
from pages.parts.common import controls, missing, show, tables, waiting, widgets, words
from pages.parts.lesson import strip
from pages.parts.live import queue_words, run_view
from pages.parts.session import address, identity
from pages.parts.session.setting import Names, Setting
from pages.parts.train import next_run, questions

BOTTLENECKS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 30, 32, 48, 64, 96, 128, 256, 512, 1000)
DEFAULT = questions.opening().to_dict()
SETTINGS = {
    name: Setting(DEFAULT[name], tuple(CHOICES[name]) if name in CHOICES else BOUNDS[name])
    for name in (field.name for field in dataclasses.fields(RunConfig))
}
SETTINGS |= {"fork": Setting((), Names(1)), "fork_step": Setting(0, Bounds(0, 10**9, integer=True))}
SETTINGS |= strip.settings(questions.QUESTIONS)

TICK = 1.0
"""Seconds between two looks at the queue."""
LISTED = 5
"""Runs at the head of the queue that are listed, whoever's they are; behind them the visitor's own."""

LAYERS = "The network, layer by layer"


def _sidebar(now: dict) -> None:
    forks = bool(now["fork"])
    with st.sidebar:
        controls.dataset(name for name in datasets.DATASETS if name in (*datasets.GREY, *datasets.COLOUR, now["dataset"]))
        controls.noise_kind(tuple(NOISE_KINDS))
        with controls.main():
            controls.noise_factor()
            bottlenecks = sorted({*BOTTLENECKS, now["bottleneck"]})  # a link, or a run from the command line, may have any
            controls.bottleneck(bottlenecks, disabled=forks)
        controls.loss(tuple(LOSSES))
        widgets.selectbox(
            "Network", tuple(ARCHITECTURES), format_func=controls.label(ARCHITECTURES), key="architecture", disabled=forks
        )
        controls.epochs(most=1000)
        with st.expander("More"):
            controls.training_images("num_train", now["dataset"], 100)
            widgets.number_input("Batch size", 1, 4096, step=1, key="batch_size")
            widgets.selectbox("Optimizer", tuple(OPTIMIZERS), format_func=controls.label(OPTIMIZERS), key="optimizer")
            controls.rate("Learning rate", "learning_rate")
            widgets.selectbox("Schedule", tuple(SCHEDULES), format_func=controls.label(SCHEDULES), key="schedule")
            widgets.segmented_control(
                "Output", OUTPUTS, format_func=str.capitalize, key="output",
                help="What the decoder ends in: a sigmoid, or nothing (a linear decoder).",
            )  # fmt: skip
            widgets.number_input(
                "Pretraining", 0, 100, step=1, key="pretraining",
                help="For this many epochs each layer is first trained alone. Only for networks of dense layers.",
            )  # fmt: skip
            widgets.segmented_control(
                "Layers alone", PRETRAINING_KINDS, key="pretraining_kind",
                help="What each layer is in pretraining: an autoencoder, or a restricted Boltzmann machine that learns by "
                "contrastive divergence, with settings of its own.",
            )  # fmt: skip
            widgets.number_input("Sparsity", 0.0, 10.0, step=0.01, format="%g", key="sparsity")
            widgets.number_input(
                "β", 0.0, 20.0, step=0.1, format="%g", key="beta",
                help="Weight of the KL term in the loss of a variational network; 1 for all others.",
            )  # fmt: skip
            widgets.number_input(
                "β warm-up", 0.0, 1.0, step=0.1, format="%g", key="beta_warmup",
                help="Share of the steps during which β grows from 0 to its value.",
            )  # fmt: skip
            widgets.number_input(
                "k", 0, 1024, step=1, key="k",
                help="How many numbers of its code a k-sparse network keeps, the largest; 0 for all other networks.",
            )  # fmt: skip
            widgets.number_input(
                "First k", 0, 1024, step=1, key="k_start",
                help="From where k falls during the first half of the training; 0 for the same k from the start.",
            )  # fmt: skip
            widgets.number_input("α", 1.0, 10.0, step=0.5, format="%g", key="alpha", help="Once trained, α k numbers stay.")
            controls.seed()


def _no_network_yet() -> None:
    st.html('<div style="min-height: 7.5rem" role="status">The network is being built, which takes a few seconds.</div>')


def _network(config: RunConfig) -> summary.Network:
    config = validation.fitting(config)  # what does not work together has been said above
    return summary.network(config.architecture, config.bottleneck, datasets.DATASETS[config.dataset].image_shape)


def _draw_network(config: RunConfig) -> None:
    """Layers, shapes and parameters, and the code's size against the image's."""
    network = _network(config)
    ratio = show.ratio(network.image_size, network.code_size)
    st.markdown(
        f"{summary.flow(network)}  \n{network.parameters:,} parameters. "
        f"The **code** has **{network.code_size:,}** numbers, the image {network.image_size}: {ratio}."
    )
    with st.expander(LAYERS):
        tables.layers(network.layers)


def _queue(owner: str) -> None:
    """Who comes when, as long as more than one run is there; drawn again by itself, for others come and go."""

    @st.fragment(run_every=TICK if jobs.default().queue() else None)
    def look() -> None:
        _draw_queue(jobs.default().queue(), owner)

    look()
    latest = run_view.latest(owner)
    for job in jobs.default().of(owner):  # of any page: what the disk refused is in memory until somebody decides
        if job.state == "unsaved" and job.name != (latest and latest.name):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"{show.plain(job.title) or job.name}: {queue_words.line(job)}", width="content")
                queue_words.unsaved([job.name], owner, job.name)


def _draw_queue(queue: list[jobs.Snapshot], owner: str) -> None:
    if len(queue) > 1:
        st.subheader("Queue", anchor=False)
        st.caption(queue_words.RULE)
        listed = [job for job in queue if job.place < LISTED or job.owner == owner]
        for job in listed:
            whose = (show.plain(job.title) or job.name) if job.owner == owner else "another visitor's run"
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"{job.place + 1}\\. {whose}: {queue_words.line(job, True)}", width="content")
                if job.owner == owner and job.place:
                    st.button("Withdraw", key=f"withdraw_{job.name}", on_click=queue_words.act_on_all,
                              args=("stop", [job.name], owner))  # fmt: skip
        if others := len(queue) - len(listed):
            st.caption(f"And {others} more of other visitors.")


def _page() -> None:
    now = show.open_page("train", "How does a network learn to do that?", SETTINGS)
    owner = identity.visitor()
    _sidebar(now)
    config = RunConfig(**{name: now[name] for name in DEFAULT})
    if not missing.has_images(config.dataset):
        return
    strip.draw(questions.QUESTIONS, SETTINGS, now)
    next_run.draw(config, now, owner)
    job = run_view.latest(owner)
    if not (job and job.is_live):
        run_view.elsewhere(owner)
    if not job:
        run_view.interrupted(owner)
    run_view.run(job, config, owner)
    if not host.training_off():
        waiting.for_keras(lambda: _draw_network(config), _no_network_yet, lambda: _network(config))
    _queue(owner)
    registries = {"losses": LOSSES, "optimizers": OPTIMIZERS, "schedules": SCHEDULES}
    words.explain("train", **{name: words.described(entries.values()) for name, entries in registries.items()})


_page()
address.write(SETTINGS)
waiting.end()
