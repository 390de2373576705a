"""One card of the Reproduce page: the claims, the results, and running it again."""

import re
from collections.abc import Sequence

import streamlit as st

from cae_core import datasets, runs
from cae_core.architectures import ARCHITECTURES
from cae_core.figures import plotting
from cae_core.latent import embedding
from cae_core.reproduction import own_runs, run_card
from cae_core.reproduction.claims import ORIGINS
from cae_core.reproduction.own_runs import Rerun
from cae_core.reproduction.registry import CARDS
from cae_core.reproduction.results import Result
from cae_core.runtime import host
from cae_core.runtime.caching import cached
from pages.parts.common import show, words
from pages.parts.common.outside import refusal
from pages.parts.live import queue_words, steering
from pages.parts.reproduce import claims_view
from pages.parts.session import identity, state

PLANE_IMAGES = 1000
"""Test images on each of a card's planes."""

TICK = 1.0
"""Seconds between two looks at what moves."""


def card(name: str, result: Result | None, owner: str, can_run: bool, is_open: bool = False) -> None:
    """The card, drawn again and again while its runs are in the queue or being measured; `is_open` unfolds its figures."""
    with st.container(border=True, key=f"card_{name}", gap="xsmall"):
        steering.follow(
            lambda: own_runs.look(name, owner), _moves, lambda now: _draw(name, result, now, owner, can_run, is_open), TICK
        )


def begin(name: str, owner: str) -> None:
    """Enters a card's runs, for the callbacks of buttons; what refuses them is said on the card."""
    state.keep(f"refused_{name}", refusal(lambda: own_runs.start(name, owner, identity.address())))


@cached()
def differences() -> dict[str, str]:
    """How runs differ from what was published, and what was tried, by card, from `pages/words/cards.md`."""
    text = (words.FOLDER / "cards.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^# (.+?)\n\n(.+?)\n+(?=# |\Z)", text, re.MULTILINE | re.DOTALL))


def _moves(now: Rerun) -> bool:
    return now.state == "moving" or (now.state == "measuring" and not now.trouble)


def _draw(name: str, result: Result | None, now: Rerun, owner: str, can_run: bool, is_open: bool) -> None:
    about = CARDS[name]
    st.subheader(about.label, anchor=name.replace("_", "-"))
    mine = now if now.values else None
    with st.expander(claims_view.outcome(name, result), expanded=is_open or now.state != "none"):
        st.caption(show.plain(about.source))
        claims_view.table(name, result, mine)
        st.caption(claims_view.tolerance(about))
        if about.is_curve:
            _curve(name, result, mine)
        _planes(about.planes)
        sentences = (differences().get(whose, "") for whose in ("every card", name))
        st.caption(show.plain(" ".join(sentences)))
        st.caption(_made(name, result))
        st.code(result.command if result else run_card.command(name), language="sh", wrap_lines=True)
        _again(name, result, now, owner, can_run)
    for sentence in filter(None, (now.trouble, state.kept(f"refused_{name}", ""))):
        st.error(show.plain(sentence))


def _curve(name: str, result: Result | None, mine: Rerun | None) -> None:
    """Error over the size of the code: figures as dots by whose they are, our lines."""
    about = CARDS[name]
    claims = {claim.label: about.runs[claim.run].bottleneck for claim in about.claims}
    dots = {}
    for claim in about.claims:
        sizes, figures = dots.setdefault(ORIGINS[claim.origin], ([], []))
        sizes.append(claims[claim.label])
        figures.append(claim.figure)
    lines = []
    for whose, values in (("shipped", result.means if result else {}), ("yours", mine.values if mine else {})):
        points = sorted((claims[label], value) for label, value in values.items() if label in claims)
        if points:
            lines.append((whose, [size for size, _ in points], [value for _, value in points]))
    axes = ("numbers in the code", "squared error")
    listed = "; ".join(f"{whose} {', '.join(f'{v:.2f}' for v in values)}" for whose, _, values in lines)
    alt = f"Squared error of {len(claims)} numbers of components, figures as dots; {listed or 'not run yet'}"
    show.chart(plotting.over_sizes(dots, lines, axes), f"{name}_curve", alt)


def _planes(names: Sequence[str]) -> None:
    """The codes of shipped runs side by side; a run or images that are not there are said by name."""
    for column, name in zip(st.columns(len(names)) if names else (), names, strict=True):
        with column:
            try:
                codes = embedding.encode(runs.find(name), "mnist", PLANE_IMAGES)
            except (runs.RunError, datasets.DataError) as error:
                st.caption(show.plain(str(error)))
                continue
            label = ARCHITECTURES[codes.run.config.architecture].label
            st.caption(f"{label}: {PLANE_IMAGES:,} test images")
            figure = plotting.plane(codes.z[:, :2], codes.labels, datasets.DATASETS["mnist"].class_names)
            show.chart(figure, f"plane_{name}", f"The first two numbers of each code of {label}, coloured by class")


def _again(name: str, result: Result | None, now: Rerun, owner: str, can_run: bool) -> None:
    """The button that runs or stops it, with what is to be known; in the same place whatever the state."""
    off = host.training_off()
    with st.container(horizontal=True, vertical_alignment="center"):
        if now.state == "moving":
            st.button("Stop", icon=":material/stop:", key=f"stop_{name}", on_click=own_runs.stop, args=(name, owner))
            st.caption(_progress(now), width="content")
            queue_words.say_why(now.at_work, owner)
        elif now.unsaved:
            queue_words.unsaved(now.unsaved, owner, name)
        elif now.state in ("none", "partial"):
            st.button(
                "Run it" if now.state == "none" else "Go on", icon=":material/play_arrow:", key=f"run_{name}",
                disabled=bool(off or not can_run), on_click=begin, args=(name, owner),
            )  # fmt: skip
            st.caption(off or _time(name, result, now), width="content")
        else:
            link = {"runs": ",".join([run.name for run in now.finished.values()][:4])}
            st.page_link("runs.py", label="See the runs", icon=":material/history:", query_params=link)
            took = f"{show.seconds(now.seconds)} of training"
            st.caption("being measured on the test images" if _moves(now) else took, width="content")
    style = "" if now.state == "moving" else ' style="visibility: hidden"'
    st.html(f'<progress value="{now.steps}" max="{now.num_steps}" aria-label="steps done"{style}></progress>')


def _progress(now: Rerun) -> str:
    job, number = now.at_work, len(now.finished) + 1
    parts = [f"Run {number} of {len(CARDS[now.card].runs)}: {queue_words.line(job)}"]
    if job.progress:
        parts.append(f"epoch {job.progress.step / job.progress.steps_per_epoch:.1f} of {job.progress.epochs}")
        if job.progress.seconds_left is not None and job.state == "running":
            parts.append(f"{show.seconds(job.progress.seconds_left)} left")
    return ", ".join(parts)


def _time(name: str, result: Result | None, now: Rerun) -> str:
    """How long what is missing will take, as far as that is known, and how it is known."""
    seconds = own_runs.estimate(name, now.finished)
    if seconds is not None:
        return f"about {show.seconds(seconds)} on this machine"
    if result:
        seeds = max(len(values) for values in result.values.values())
        seconds = result.seconds / seeds * own_runs.share_of_epochs(name, now.finished)
        return f"about {show.seconds(max(1, seconds))} at the shipped run's pace"
    return "time not known yet"


def _made(name: str, result: Result | None) -> str:
    if result is None:
        return "No result for this card ships with the app yet. This command makes it:"
    seeds = max(len(values) for values in result.values.values())
    versions = ", ".join(f"{what} {version}" for what, version in result.versions.items())
    spread = f" with {seeds} seeds: the mean, and ± the standard deviation" if seeds > 1 else ""
    return show.plain(f"Shipped: made on {result.made}{spread}, trained in {show.seconds(result.seconds)}; {versions}.")
