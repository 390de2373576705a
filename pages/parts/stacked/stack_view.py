"""A visitor's stack in training, stage by stage, the buttons that steer it, and its results."""

from functools import partial

import streamlit as st

from cae_core import datasets, jobs, runs
from cae_core.config import ARMS, StackConfig
from cae_core.runs import RunError, StackRun, holder
from cae_core.runtime import host
from cae_core.stacking import stacks
from pages.parts.common import show, widgets
from pages.parts.common.outside import refusal
from pages.parts.live import queue_words, steering
from pages.parts.session import identity, state
from pages.parts.stacked import confusion, stack_pictures, which_stack
from pages.parts.stacked.which_stack import Shown


def draw(config: StackConfig, owner: str, arm: str, names: tuple[str, ...]) -> None:
    """The stack, drawn again and again until it is over.

    Args:
        config: what the settings of now would train.
        owner: the visitor.
        arm: which classifier's misread images are shown.
        names: of the stack that a link names; without one, the visitor's last is shown.
    """

    def look() -> Shown | None:
        try:
            return which_stack.named(names[0]) if names else which_stack.last(config, owner)
        except RunError as error:
            state.keep("no_stack", str(error))
            return None

    def draw_all(now: Shown | None) -> None:
        if now is None:  # it was deleted meanwhile
            st.rerun()
        _buttons(now, owner)
        _progress(now)
        if now.message:
            st.error(show.plain(now.message))
        if not now.job and now.state in runs.AT_WORK:
            st.warning(show.plain(holder.sentence("This stack", now.stack.path, "watch it there, or reload this page")))
        if trouble := state.kept("stack_trouble", ""):
            st.error(show.plain(trouble))
        stack_pictures.draw(now.config, now.progress)

    first = look()
    if first is None:
        st.warning(show.plain(state.kept("no_stack")))
        return
    if names:
        _head(first, names[0], owner)
    steering.follow(look, lambda now: now is not None and steering.is_queued(now.job), draw_all)
    _outcome(first, arm)


def _head(now: Shown, name: str, owner: str) -> None:
    """Which stack a link named, and the way back to one's own, if there is one."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(show.plain(now.title or name), anchor=False, width="content")
        if which_stack.last(now.config, owner).state:
            st.button("Show your last stack", on_click=state.change, kwargs={"stack": ()}, key="stack_last")


def _buttons(now: Shown, owner: str) -> None:
    """Steering, and where to go once it is over."""
    mine = now.owner in ("", owner)
    goes_on = mine and not steering.is_queued(now.job) and now.stack is not None and now.stack.can_go_on
    goes_on = goes_on and not host.training_off()
    with st.container(horizontal=True, vertical_alignment="center"):
        steering.buttons(now.job, owner, "stack", mine, partial(_go_on, now.stack, owner) if goes_on else None)
        if now.stack and now.stack.state not in runs.AT_WORK:
            link = {"runs": now.stack.name}
            st.page_link("runs.py", label="On the Runs page", icon=":material/history:", query_params=link)
        queue_words.say_why(now.job, owner)


def _go_on(stack: StackRun, owner: str) -> None:
    state.keep("stack_trouble", refusal(lambda: jobs.default().resume(stack.name, owner, identity.address())))


def _progress(now: Shown) -> None:
    progress = now.progress
    done, whole = (progress.step, progress.num_steps) if progress else (0, 1)
    steering.bar(done, whole)
    words = queue_words.place(now.job) if now.job else queue_words.STATES.get(now.state, "Not started")
    stage, accuracy = "–", {}
    if progress:
        layers = now.config.layers
        stage = "Classifiers" if progress.stage == layers else f"Layer {progress.stage + 1} of {layers}"
        accuracy = {arm: f"{100 * line[-1, 1]:.1f} %" for arm, line in progress.accuracy.items() if len(line)}
    show.facts([
        ("State", words),
        ("Stage", stage),
        ("Step of the stage", f"{progress.stage_step:,} of {progress.stage_steps:,}" if progress else "–"),
        queue_words.time(now.job, "Left of this stage", progress and progress.seconds_left),
        ("Stack reads right", accuracy.get("pretrained", "–")),
        ("Random reads right", accuracy.get("random", "–")),
    ])  # fmt: skip


def _outcome(now: Shown, arm: str) -> None:
    """What came out on the test images, once it is finished."""
    if not now.stack or now.stack.state != "finished":
        return
    figures, read = now.stack.figures, stacks.predictions(now.stack)
    a, b = 100 * figures["pretrained"], 100 * figures["random"]
    st.markdown(
        f"With these {now.config.labels:,} labels and seed {now.config.seed}: **{a:.2f} %** of the test images misread "
        f"from the stack, **{b:.2f} %** from random weights, a difference of {abs(b - a):.2f} percentage points. One seed "
        "cannot say whether pretraining helps; the label curve has five."
    )
    confusion.linear(figures["features"], figures["features"]["labels"])
    try:
        test = datasets.load(now.config.dataset, "test")
    except datasets.DataError:
        return
    if arm in read and len(read[arm]) == len(test.y):
        widgets.segmented_control("Classifier", ARMS, key="arm")
        confusion.reading(test, read[arm], datasets.DATASETS[now.config.dataset].class_names, now.config.seed)
