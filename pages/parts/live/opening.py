"""The shipped result that a comparison opens with: which it is, what it was trained on, and how long one's own takes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import streamlit as st

from cae_core import comparisons, datasets, training
from cae_core.comparisons import Watched, recipes
from cae_core.jobs.job import Snapshot
from cae_core.runs import RunError
from pages.parts.common import show
from pages.parts.live.lanes import Lane
from pages.parts.session.setting import Setting


@dataclass(frozen=True)
class View:
    """A view of runs side by side.

    Attributes:
        title: begins the titles of the visitor's runs, by which their last ones are found again.
        kind: of what ships, as of `recipes.KINDS`.
        plan: what settings would train.
        settings: the view's, with what it opens with.
    """

    title: str
    kind: str
    plan: Callable[[dict], list[Lane]]
    settings: Mapping[str, Setting]


@dataclass(frozen=True)
class Shipped:
    """What there is to see before the visitor has trained anything.

    Attributes:
        lanes: finished; none where nothing fits that can be read.
        about: each lane's run.
        troubles: what could not be read, a sentence each.
    """

    lanes: list[Lane]
    about: list[Watched]
    troubles: list[str]


def find(view: View, now: dict[str, Any]) -> Shipped:
    """The shipped result of these settings, else of those that the view opens with, else on another data set."""
    opens_with = {key: setting.default for key, setting in view.settings.items()}
    names = dict.fromkeys((now["dataset"], *recipes.KINDS[view.kind][1]))
    plans = [view.plan(now), *(view.plan({**now, **opens_with, "dataset": name}) for name in names)]
    troubles: dict[str, None] = {}
    for lanes in plans:
        try:
            about = comparisons.find(view.kind, [lane.config for lane in lanes])
        except RunError as error:
            if lanes[0].config.dataset == now["dataset"]:  # what is wrong with another one helps nobody here
                troubles[str(error)] = None
            continue
        except datasets.DataError:  # of another one, which is not on this machine
            continue
        if about:
            finished = [replace(lane, job=_job(each), run=each.run) for lane, each in zip(lanes, about, strict=True)]
            return Shipped(finished, about, [*troubles])
    return Shipped([], [], [*troubles])


def _job(watched: Watched) -> Snapshot:
    return Snapshot("", "", "", watched.run.config, "finished", progress=watched.progress)


def say(in_view: Sequence[Lane], about: Sequence[Watched], lanes: Sequence[Lane]) -> None:
    """Whose runs are shown, of what, and whether they are those of the sidebar; the place of it stays when one starts.

    Args:
        in_view: what is shown.
        about: of each, if they ship.
        lanes: what the settings would train.
    """
    with st.container(key="whose_runs"):
        if not any(lane.job for lane in in_view):
            return
        config = in_view[0].config
        epochs = f"{config.epochs} epoch{'s' if config.epochs > 1 else ''}"
        line = f"{datasets.DATASETS[config.dataset].label}, {epochs} of {training.num_images(config):,} images"
        if about:
            day = datetime.fromisoformat(max(each.run.created for each in about))
            took = show.seconds(max(1, sum(each.run.seconds for each in about)))
            where = f"{show.plain(about[0].machine)}, on {day.day} {day:%B %Y}"
            line = f"**This result ships with the app:** {line}, trained in {took} on {where}."
        else:
            line = f"**Your own runs:** {line}."
        if lanes and lanes[0].config.dataset != config.dataset:
            line += f" It is not of {datasets.DATASETS[lanes[0].config.dataset].label}, which the sidebar says."
        elif lanes and [lane.config for lane in lanes] != [lane.config for lane in in_view]:
            line += " The sidebar has other settings now."
        st.caption(line)
