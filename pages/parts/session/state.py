"""Settings of the session: read from a link once, kept, and what the address bar has to say of them.

The only module that touches `st.session_state` and reads the query string. Each page declares its settings as `Setting`s; a
setting's key is the widget's key, the URL parameter's name and the name in JSON and on the command line.
"""

import difflib
from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.parts.session.setting import Setting, text

MOST = 400
"""Characters of a link's part that are looked at: more is never needed, and an error repeats it."""
MOST_UNKNOWN = 3
"""Settings that there are not and that are named; of more, only the number is said."""


def open_page(page: str, settings: Mapping[str, Setting]) -> list[str]:
    """Puts every setting into the session before the page's widgets are made, from the link on the first run.

    Args:
        page: the page's name; arriving on it anew reads the link again.
        settings: by key.

    Returns:
        A sentence for each part of the link that could not be used, until something is changed.
    """
    arrived = st.session_state.get("_page") != page
    if arrived:
        st.session_state["_page"] = page
        # While another page is shown, the session forgets what only this one has a control for.
        written = st.session_state.get("_written", {})
        st.session_state.update({key: written[key] for key in settings if key in written})
        st.session_state["_problems"] = _read_link(settings)
        st.session_state["_changes"] = {}  # the controls of this page are not there yet, so nothing can hold an older value
    change(**st.session_state.pop("_next", {}))
    _repeat_changes(settings)
    last = {} if arrived else st.session_state.get("_last", {})
    for key, setting in settings.items():
        # The session forgets a key after a run that did not draw its widget. Only then is it assigned: what is assigned
        # is sent to the browser, where it would undo what a quick hand has moved in the meantime.
        value = st.session_state.get(key, last.get(key, setting.default))
        if key not in st.session_state or not setting.allows(value):
            st.session_state[key] = value if setting.allows(value) else setting.default
    now = {key: st.session_state[key] for key in settings}
    if not arrived and now != last:
        st.session_state["_problems"] = []
    st.session_state["_last"] = now
    return st.session_state["_problems"]


def _repeat_changes(settings: Mapping[str, Setting]) -> None:
    """Sends what the program has changed once more, until the browser has drawn it.

    A run that another soon follows may never be drawn: the browser then has the older value still, and gives it as its
    own. That it has drawn the new one is told by its address, which is written with the controls; that a hand has moved
    the control since, by a value that is neither the new nor an older one.
    """
    changes = st.session_state.get("_changes", {})
    for key, (value, older) in list(changes.items()):
        in_browser = text(st.session_state.get(key, value))
        absent = "" if key in settings and not settings[key].always else None
        is_drawn = st.query_params.get(key, absent) == text(value)
        if key in settings and not is_drawn and in_browser in {text(value), *older}:
            st.session_state[key] = value
        else:
            del changes[key]


def _read_link(settings: Mapping[str, Setting]) -> list[str]:
    problems, unknown = [], []
    st.session_state["_misspelt"] = []
    for key, given in st.query_params.items():
        if key not in settings:
            unknown.append(key[:MOST])
            continue
        try:
            st.session_state[key] = settings[key].parse(key, given[:MOST])
        except ValueError as error:
            problems.append(str(error))
    for key in unknown[:MOST_UNKNOWN]:
        near = difflib.get_close_matches(key, settings, n=1)
        st.session_state["_misspelt"] += [key] * len(near)
        problems.append(f"There is no setting {key!r}." + (f" Did you mean {near[0]!r}?" if near else ""))
    if more := len(unknown[MOST_UNKNOWN:]):
        problems.append("The link names one more." if more == 1 else f"The link names {more:,} more.")
    return problems


def values(settings: Mapping[str, Setting]) -> dict[str, Any]:
    """Every setting as it is now."""
    return {key: st.session_state[key] for key in settings}


def page() -> str:
    """The page that is open, by the name it was opened with."""
    return st.session_state["_page"]


def value(key: str) -> Any:
    """What the session has for a widget's key; None where it has nothing."""
    return st.session_state.get(key)


def change(**new: Any) -> None:
    """Sets some settings; for callbacks of buttons, which run before the widgets are made."""
    changes = st.session_state.setdefault("_changes", {})
    for key in new.keys() & st.session_state.keys():
        before, older = changes.get(key, (st.session_state[key], ()))
        changes[key] = (new[key], {*older, text(before), text(st.session_state[key])})
    st.session_state.update(new)


def change_next_run(**new: Any) -> None:
    """Sets some settings from the next run on, for code that runs after the widgets are made."""
    st.session_state["_next"] = new


def first_time(what: str, value: Any) -> bool:
    """Whether `value` differs from the one given for `what` in the session's last run."""
    before, st.session_state[f"_{what}"] = st.session_state.get(f"_{what}"), value
    return before != value


def to_write(settings: Mapping[str, Setting]) -> tuple[dict[str, str], list[str]]:
    """What the address is to say: every setting as a link spells it, and what a link had in the place of one."""
    st.session_state["_written"] = {**st.session_state.get("_written", {}), **values(settings)}
    every = {key: text(st.session_state[key]) for key in settings}
    return {key: value for key, value in every.items() if value or settings[key].always}, st.session_state["_misspelt"]


def said(component: str, event: str) -> Any:
    """What a component of that key has just sent, for the event's callback: whatever the browser likes, so check it."""
    sent = st.session_state.get(component)
    return sent.get(event) if isinstance(sent, Mapping) else None


def keep(name: str, value: Any) -> None:
    """Keeps something that is no setting, such as a drawing, until the visitor closes the page."""
    st.session_state[f"_kept_{name}"] = value


def kept(name: str, default: Any = None) -> Any:
    """What was kept under this name."""
    return st.session_state.get(f"_kept_{name}", default)
